"""A machine that runs, as its guest is reached: waited for, logged in to, asked where it is."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from raptorctl.api.power import refuse_off
from raptorctl.api.session import Session
from raptorctl.drivers.guest import Login
from raptorctl.drivers.tick import Tick
from raptorctl.errors import InputError, RefusedError, WaitError
from raptorctl.model.domain import Domain
from raptorctl.model.error_code import Code
from raptorctl.model.guest import (
    Awaited,
    Endpoint,
    GuestAddress,
    Sight,
    addresses,
    endpoint,
    place_of,
)
from raptorctl.model.guest_step import ENTRY
from raptorctl.model.names import MachineName, shown
from raptorctl.model.session_host import login_key_path
from raptorctl.model.slot import Slot

LOOK_AGAIN: Final = 2.0
"""Seconds between two looks at the domain's state: with polkit, each costs some 50 ms."""

Watched = Callable[[str, float], AbstractContextManager[Tick]]
"""Told what is waited for and for how many seconds; gives what is told of the milliseconds."""


def unwatched(_title: str, _timeout: float) -> AbstractContextManager[Tick]:
    """Tell nobody."""
    return nullcontext(lambda _done, _whole: None)


@dataclass(frozen=True)
class Guest:
    """A machine that runs, as its guest is reached.

    Args:
        session: this run.
        name: the machine's.
        domain: the machine's.
        slot: its place on the network.
        at: its ssh server.
    """

    session: Session
    name: MachineName
    domain: Domain
    slot: Slot
    at: Endpoint

    def console(self) -> str:
        """What its console said since it was switched on."""
        started = self.session.host.guests.started(self.domain.name)
        return console_since(self.session, self.name, started)

    def login(self, user: str | None, identity: Path | None, key: str = "") -> Login:
        """Return how to log in, with the host keys that are known.

        Raises:
            RefusedError: no host key is known.
            InputError: no account, or no file, has that name.
        """
        from raptorctl.model.host_key import known

        keys = known(self.domain, self.session.console_text(self.name))
        account = _account(user, self.name)
        file = private_key(identity or self._login_key(identity, key))
        files = self.session.on_session_host
        return Login(self.name.domain, self.at, account, keys, file, key, files=files)

    def _login_key(self, identity: Path | None, key: str) -> Path | None:
        """The machine's own key, where it has one and no other is named."""
        if identity or key or not self.session.on_session_host:
            return None
        path = Path(login_key_path(self.name, self.session.settings))
        return path if path.exists() else None


def console_since(session: Session, name: MachineName, started: float | None) -> str:
    """What a machine's console said since it was switched on.

    Args:
        session: this run.
        name: the machine's.
        started: when that was, in seconds since the epoch, if it is known.
    """
    from raptorctl.model.boot_text import is_old

    if started is None:
        return session.console_text(name)
    said = session.console_text(name, started)
    # Tenants do not see when the log was written last; its words tell.
    return "" if is_old(said, started) else said


def running(session: Session, name: MachineName) -> Guest:
    """Find a machine that runs.

    Raises:
        MissingError: there is none of that name for the caller.
        RefusedError: it is off; says how to start it.
    """
    domain = session.machine(name)
    refuse_off(domain)
    settings = session.settings
    return Guest(session, name, domain, place_of(domain, settings), endpoint(domain, settings))


def located(session: Session, name: MachineName) -> tuple[GuestAddress, ...]:
    """Return a machine's addresses and who says so: see `GuestAddress`."""
    domain = session.machine(name)
    slot = place_of(domain, session.settings)
    neighbours = session.host.guests.neighbours(slot.bridge)
    found = addresses(slot, neighbours, _told(session, domain), domain.kept_addresses)
    if session.on_session_host:
        found = (GuestAddress(str(endpoint(domain, session.settings)), ("forward",)), *found)
    return found


def wait_for_keys(guest: Guest, timeout: float, watched: Watched = unwatched) -> None:
    """Wait until a first boot has told its host keys: sshd is up a while before it does.

    Raises:
        WaitError: it has not in time.
    """
    if guest.domain.mark and guest.domain.mark.host_key:
        return
    from raptorctl.model.first_boot import cloud_init
    from raptorctl.model.host_key import learned

    def look() -> Sight:
        said = guest.console()
        end = cloud_init(said)
        # Keys are told at first boot only: a later one may end without them.
        known = bool(learned(guest.session.console_text(guest.name)))
        over = end.so or bool(end.problem) or not said
        return Sight(so=known or over, seen="no host key on its console yet")

    _wait(guest, f"host keys of {guest.domain.name}", look, timeout, watched)


def wait_for(
    guest: Guest, awaited: Awaited, timeout: float = ENTRY, watched: Watched = unwatched
) -> tuple[Sight, float]:
    """Wait until a guest is so far; returns what was seen, and the seconds it took.

    Args:
        guest: a machine that runs.
        awaited: what it should have come to.
        timeout: seconds.
        watched: is told what is waited for, for how long, and gives what is told of the time.

    Raises:
        WaitError: it is not so far in time.
        RefusedError: it went off meanwhile.
        HostError: it will never be.
    """
    from raptorctl.host.guest.readiness import looks

    if awaited is Awaited.IP and guest.session.on_session_host:
        raise RefusedError(
            "this host is your own: nothing on it sees its machines' addresses",
            resolution="wait for ssh, cloud-init or agent",
            code=Code.SESSION_HOST,
            subject=guest.domain.name,
        )
    host = guest.session.host
    look = looks(host.guests, guest.domain, guest.slot, guest.at, guest.console)[awaited]
    return _wait(guest, f"{awaited.value} of {guest.domain.name}", look, timeout, watched)


def _wait(
    guest: Guest, title: str, look: Callable[[], Sight], timeout: float, watched: Watched
) -> tuple[Sight, float]:
    from raptorctl.engine.stop import Stop
    from raptorctl.host.guest.wait import wait_until

    try:
        with Stop() as stop, watched(title, timeout) as told:

            def tick(done: int, whole: int) -> None:
                stop.check()
                told(done, whole)

            return wait_until(title, _while_on(guest, look), timeout, tick)
    except WaitError as error:
        error.resolution = f"see `raptorctl why {guest.domain.name}`"
        error.subject = guest.domain.name
        raise


def _while_on(guest: Guest, look: Callable[[], Sight]) -> Callable[[], Sight]:
    seen = time.monotonic()

    def looked() -> Sight:
        nonlocal seen
        if time.monotonic() - seen >= LOOK_AGAIN:
            refuse_off(guest.session.machine(guest.name))
            seen = time.monotonic()
        return look()

    return looked


def _told(session: Session, domain: Domain) -> tuple[str, ...]:
    if not domain.state.active:
        return ()
    try:
        return session.host.guests.agent_addresses(domain.uuid)
    except RefusedError:  # the agent is for admins
        return ()


def _account(user: str | None, name: MachineName) -> str:
    if user is None:
        return name.tenant
    # useradd(8): what a login may be called; never an option of ssh's.
    fits = user.isascii() and user.replace("-", "").replace("_", "").replace(".", "").isalnum()
    if not fits or user.startswith("-") or len(user) > 32:
        raise InputError(f"--user: {shown(user)} is not an account's name")
    return user


def private_key(identity: Path | None) -> Path | None:
    """Refuse a private key's file that is missing, or not the caller's to read.

    Raises:
        InputError: says why.
    """
    if identity is not None:
        from raptorctl.host.system.caller import open_given

        try:
            open_given(str(identity), follow=True).close()
        except InputError as error:
            raise InputError(
                f"--identity: {error.brief}",
                resolution=error.resolution,
                code=error.code,
                subject="--identity",
            ) from error
    return identity
