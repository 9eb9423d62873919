"""Who is logged in to a host's pages, and how that ends: root asks each server by its socket.

What servers answer is who came in, when and with which browser. Links and cookies are not in it,
and no server has any: it keeps their digests.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from raptorctl.errors import HostError
from raptorctl.model.codec import ShapeError, decode
from raptorctl.model.names import TENANT
from raptorctl.model.text import plain
from raptorctl.model.web import CONTROLS, agent_units
from raptorctl.web.control import ask, asked

SECONDS: Final = 3.0
"""That a tenant's agent may take: one that hangs keeps the others waiting."""


@dataclass(frozen=True)
class PageLogin:
    """One browser that came in.

    Args:
        id: what `web logout` calls it.
        account: that asked for its link.
        since: when, RFC 3339.
        browser: what it calls itself.
        tenant: whose page it is; "" for the host's.
    """

    id: str
    account: str
    since: str
    browser: str
    tenant: str = ""


@dataclass(frozen=True)
class PageAnswers:
    """What the servers of a host's pages said.

    Args:
        logins: of `sessions`.
        ended: how many, of `logout`.
        silent: tenants whose agents did not answer.
    """

    logins: tuple[PageLogin, ...] = ()
    ended: int = 0
    silent: tuple[str, ...] = ()

    def raise_if_silent(self) -> None:
        """Say that there may be more than was told.

        Raises:
            HostError: an agent did not answer.
        """
        if self.silent:
            services = (agent_units(tenant)[1] for tenant in self.silent)
            raise HostError(
                f"no answer from the page of {', '.join(self.silent)}",
                resolution=f"to end it: systemctl stop {' '.join(services)}",
                subject=self.silent[0],
            )


def read(said: Mapping[str, Any], tenant: str = "") -> PageAnswers:
    """Read one server's answer.

    Args:
        said: it is the tenant's own process that says it.
        tenant: whose page it is; "" for the host's.

    Raises:
        HostError: it is none.
    """
    try:
        found = [
            decode(PageLogin, one) for one in decode(tuple[Any, ...], said.get("sessions", ()))
        ]
        logins = tuple(_ours(one, tenant) for one in found)
        return PageAnswers(logins, decode(int, said.get("ended", 0)))
    except ShapeError as error:
        raise HostError(f"the page's server answers nonsense: {error}") from error


def _ours(login: PageLogin, tenant: str) -> PageLogin:
    """A browser calls itself what it likes, and an agent is not root's."""
    words = {key: plain(value) for key, value in vars(login).items()}
    return PageLogin(**words | {"tenant": tenant})


def of_one(own: Path, question: Mapping[str, str]) -> PageAnswers:
    """Ask a page that has to be open; see `everywhere`.

    Raises:
        MissingError: it is not.
        HostError: it does not answer.
    """
    return read(asked(own, question))


def everywhere(own: Path, question: Mapping[str, str]) -> PageAnswers:
    """Ask the host's own page, and that of each tenant who is there.

    Args:
        own: the socket of the former; it may be closed where tenants have pages.
        question: see `raptorctl.web.control.Control`.

    Raises:
        MissingError: there is no page at all.
        HostError: the host's own does not answer.
    """
    if not Path(CONTROLS).is_dir():
        return of_one(own, question)
    ours = read(ask(own, question) or {})
    theirs = dict(_agents(question))
    known = [ours, *filter(None, theirs.values())]
    return PageAnswers(
        tuple(login for one in known for login in one.logins),
        sum(one.ended for one in known),
        tuple(tenant for tenant, one in theirs.items() if one is None),
    )


def _agents(question: Mapping[str, str]) -> Iterator[tuple[str, PageAnswers | None]]:
    """Ask each agent that runs; None for what one says that is no answer."""
    for path in sorted(Path(CONTROLS).glob("*.sock")):
        if TENANT.fullmatch(path.stem):
            try:
                # A socket without a server is that of an agent that has just ended.
                yield path.stem, read(ask(path, question, SECONDS) or {}, path.stem)
            except HostError:
                yield path.stem, None
