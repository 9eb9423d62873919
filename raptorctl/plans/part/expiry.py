"""On which day a machine is to expire, and whether the settings allow it."""

from raptorctl.errors import InputError, RefusedError
from raptorctl.model.error_code import Code
from raptorctl.model.expiry import day_of, plus
from raptorctl.model.settings import Settings
from raptorctl.plans.plan import Identity


def day(text: str | None, settings: Settings, identity: Identity) -> str:
    """Return the day on which a machine is to expire; "" for never.

    Raises:
        InputError: that day is over.
        RefusedError: the settings do not allow it.
    """
    wanted = day_of(text, identity.at[:10]) if text else ""
    if wanted and not settings.has_tenants:
        raise RefusedError(
            "this host is your own, and nothing on it expires",
            resolution="`raptorctl stop` switches a machine off",
            code=Code.SESSION_HOST,
        )
    if wanted and wanted <= identity.at[:10]:
        raise InputError(f"{wanted} is over", resolution="name a day that is to come")
    _refuse_policy(wanted, settings, identity)
    return wanted


def _refuse_policy(wanted: str, settings: Settings, identity: Identity) -> None:
    expiry = settings.expiry
    most = expiry.longest_days
    if expiry.required and not wanted:
        raise RefusedError(
            f"machines of this host have to expire ({settings.file}: expiry.required)",
            resolution="add --expires, for example 90d",
            code=Code.NOT_ALLOWED,
        )
    if most and wanted > (last := plus(identity.at[:10], most)):
        raise RefusedError(
            f"{wanted} is more than {most} days away ({settings.file}: expiry.longest_days)",
            resolution=f"name {last} or earlier",
            code=Code.NOT_ALLOWED,
        )
