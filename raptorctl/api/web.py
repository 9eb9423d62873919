"""The page for tenants of a shared host: who may have it, and what it tells them of themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from raptorctl.api.session import Session
from raptorctl.errors import RefusedError
from raptorctl.model.codec import decode, encode
from raptorctl.model.error_code import Code
from raptorctl.model.names import TENANT
from raptorctl.model.tenant import (
    GROUP,
    Mode,
    Quota,
    Tenant,
    keys_path,
    parse_record,
    record_path,
)

if TYPE_CHECKING:
    from socket import socket

    from raptorctl.plans.tenant.quota import Usage


@dataclass(frozen=True)
class KeySeen:
    """A tenant's key, as `tenant key list` shows it."""

    type: str
    fingerprint: str
    comment: str


@dataclass(frozen=True)
class About:
    """What a tenant may know of themselves, and cannot read.

    Args:
        quota: how much they may have.
        expires: the first day on which they cannot log in, or "".
        keys: that they log in with.
    """

    quota: Quota
    expires: str = ""
    keys: tuple[KeySeen, ...] = ()


def person(session: Session, uid: int) -> str:
    """Name the tenant that an account is; root's service asks.

    Raises:
        RefusedError: it is none, or one that may not log in.
    """
    from raptorctl.host.system.peer import name_of

    name = name_of(uid)
    account = session.host.accounts.find(name) if TENANT.fullmatch(name) else None
    today = datetime.now(UTC).date().isoformat()
    if account is None or account.uid != uid or GROUP not in account.groups:
        raise RefusedError("the page is for tenants", code=Code.NOT_ALLOWED)
    tenant = Tenant(name, account=account)
    if tenant.mode is Mode.NOLOGIN or tenant.expired(today):
        raise RefusedError(f"{name} may not log in", code=Code.NOT_ALLOWED, subject=name)
    return name


def about(session: Session, name: str) -> dict[str, Any]:
    """Return what `About` is made of, as JSON; root's service tells the tenant."""
    from raptorctl.plans.tenant.common import keys_of

    files, path = session.host.files, record_path(name)
    text = files.read(path) or ""
    record = parse_record(text, path) if text else None
    account = session.host.accounts.find(name)
    tenant = Tenant(name, record, account, files.read(keys_path(name)) or "", text)
    keys = tuple(KeySeen(key.type, key.fingerprint, key.comment) for key in keys_of(tenant))
    expires = account.expires if account else ""
    shape: dict[str, Any] = encode(About(record.quota if record else Quota(), expires, keys))
    return shape


def begin_agent(name: str) -> None:
    """Have a tenant's agent run."""
    from raptorctl.host.access import web

    web.begin_agent(name)


def connected() -> "socket":
    """Return the connection for which systemd started us (systemd.socket(5), Accept=yes)."""
    from raptorctl.host.system import peer

    return peer.standard_input()


def heard(client: "socket", longest: int) -> tuple[int, bytes]:
    """Return the number of the account that connected, and the line that it asked.

    Raises:
        InputError: it is longer, or does not come.
    """
    from raptorctl.host.system import peer

    return peer.uid_of(client), peer.read_line(client, longest)


def ask(question: Mapping[str, str]) -> dict[str, Any]:
    """Ask the door, as the account that runs this.

    Raises:
        RefusedError: there is no page for us.
        HostError: it does not answer.
    """
    from raptorctl.host.access import web

    return web.ask_door(question)


def myself() -> About:
    """Return what the door tells of us.

    Raises:
        RefusedError: there is no page for us.
        HostError: it does not answer.
    """
    return decode(About, ask({"do": "about"})["about"])


def used(session: Session) -> "Usage":
    """Add up what a tenant has, by what libvirt shows them; volumes only root can see."""
    from raptorctl.model.facts import HostFacts
    from raptorctl.plans.tenant.quota import usage

    return usage(session.caller.name, HostFacts(domains=session.host.domains.list()))
