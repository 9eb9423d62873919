"""What a tenant's page tells of its tenant: how much they have and may have, keys, last day."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from raptorctl.api import web as pages
from raptorctl.errors import RaptorError
from raptorctl.model.tenant import Quota
from raptorctl.plans.tenant.quota import Usage
from raptorctl.web.site import Ask

UNSEEN: Final = frozenset({"size"})
"""What only root can add up: volumes."""


@dataclass(frozen=True)
class QuotaShare:
    """One line of a quota.

    Args:
        name: what it is about.
        has: how much of it they have; None where nobody tells.
        limit: how much they may have; None is without limit.
    """

    name: str
    has: int | None
    limit: int | None


def shares(quota: Quota, has: Usage) -> tuple[QuotaShare, ...]:
    """Lay what somebody has beside what they may have."""
    return tuple(
        QuotaShare(
            field.name,
            None if field.name in UNSEEN else getattr(has, field.name),
            getattr(quota, field.name),
        )
        for field in fields(Usage)
    )


async def me(ask: Ask) -> Response:
    """What is to be known of oneself: a part of the first page, or a page without JavaScript."""
    tells = ask.site.about
    if tells is None:
        raise HTTPException(404)
    is_part = "hx-request" in ask.request.headers
    return ask.page("me_part.html" if is_part else "me.html", **await _told(ask, tells))


async def _told(ask: Ask, tells: Callable[[], pages.About]) -> Mapping[str, Any]:
    try:
        about = await ask.aside(tells)
        has = await ask.aside(lambda: pages.used(ask.session))
    except RaptorError as error:
        return {"about": None, "trouble": str(error)}
    return {"about": about, "shares": shares(about.quota, has), "trouble": ""}
