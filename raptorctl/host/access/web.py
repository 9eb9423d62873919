"""The page for tenants: its door, which root's service keeps, and each tenant's agent."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from raptorctl.errors import CommandError, HostError, MissingError, RefusedError
from raptorctl.host.system import command, peer
from raptorctl.model.error_code import Code
from raptorctl.model.names import TENANT
from raptorctl.model.web import DOOR, agent_units, page_socket


def ask_door(question: Mapping[str, str]) -> dict[str, Any]:
    """Ask the door, which knows who asks.

    Args:
        question: see `raptorctl.web.mint`.

    Raises:
        MissingError: this host has no page for us.
        RefusedError: the door says no.
        HostError: it does not answer.
    """
    nobody = MissingError(
        "this host has no page that you may open",
        resolution="admins type `sudo raptorctl web`",
        code=Code.NEEDS_ROOT,
    )
    said = next(iter(peer.ask(DOOR, question, nobody)), None)
    if said is None:
        raise HostError("the page's door does not answer", resolution="ask an admin")
    if "error" in said:
        raise RefusedError(str(said["error"]), code=Code.NOT_ALLOWED)
    return dict(said)


def begin_agent(tenant: str) -> None:
    """Have a tenant's agent run; one that does already goes on.

    Raises:
        HostError: systemd does not start it.
    """
    command.run("systemctl", "start", agent_units(tenant)[1])


def end_agent(name: str) -> None:
    """End an account's agent, with its logins and consoles, and its sockets, if there are any.

    Raises:
        HostError: systemd does not end it.
    """
    if not TENANT.fullmatch(name) or not Path(page_socket(name)).exists():
        return
    try:
        command.run("systemctl", "stop", *agent_units(name))
    except CommandError as error:
        raise HostError(f"the agent of {name}'s page does not end: {error.brief}") from error
