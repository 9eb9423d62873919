"""What the commands that reach into a guest have in common."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from raptorctl.cli import options, progress
from raptorctl.cli.output import is_terminal, tell
from raptorctl.cli.session import Session, session_of
from raptorctl.drivers.guest import Login
from raptorctl.errors import InputError, RefusedError, WaitError
from raptorctl.model.domain import Domain
from raptorctl.model.error_code import Code
from raptorctl.model.guest import Awaited, Endpoint, Sight, endpoint, place_of
from raptorctl.model.job import StepState
from raptorctl.model.names import MachineName, shown
from raptorctl.model.slot import Slot

TIMEOUT: Final = 300.0
LOOK_AGAIN: Final = 2.0
"""Seconds between two looks at the domain's state: with polkit, each costs some 50 ms."""

Identity = Annotated[
    Path | None,
    typer.Option(
        "--identity",
        metavar="FILE",
        help="Your private key. Default: your ssh agent's keys.",
        show_default=False,
    ),
]
User = Annotated[
    str | None,
    typer.Option(
        "--user",
        metavar="NAME",
        help="Account in the guest. Default: the tenant's name.",
        show_default=False,
    ),
]
Timeout = Annotated[float, options.seconds("--timeout", "How long to wait.", most=86400)]


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
        file, own = key_file(identity), self.session.own
        return Login(self.name.domain, self.at, account, keys, file, key, files=own)


def console_since(session: Session, name: MachineName, started: float | None) -> str:
    """What a machine's console said since it was switched on.

    Args:
        session: this run.
        name: the machine's.
        started: when that was, in seconds since the epoch, if it is known.
    """
    from raptorctl.model.first_boot import is_old

    if started is None:
        return session.console_text(name)
    said = session.console_text(name, started)
    # Tenants do not see when the log was written last; its words tell.
    return "" if is_old(said, started) else said


def guest_of(context: typer.Context, words: list[str], *, root: bool = False) -> Guest:
    """Find a machine that runs.

    Raises:
        MissingError: there is none of that name for us.
        RefusedError: it is off; says how to start it.
    """
    name = options.machine_name(words)
    session = session_of(context, root=root)
    return running(session, name)


def running(session: Session, name: MachineName) -> Guest:
    """Find a machine that runs; see `guest_of`."""
    domain = session.machine(name)
    refuse_off(domain)
    settings = session.settings
    return Guest(session, name, domain, place_of(domain, settings), endpoint(domain, settings))


def refuse_off(domain: Domain) -> None:
    """Refuse a machine that is off: nothing will come of waiting for it."""
    if not domain.state.active:
        raise RefusedError(
            f"{domain.name} is {domain.state.value}",
            resolution=f"raptorctl start {domain.name}",
            code=Code.MACHINE_OFF,
            subject=domain.name,
        )


def wait_for_keys(guest: Guest, timeout: float) -> None:
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

    _wait(guest, f"host keys of {guest.domain.name}", look, timeout)


def wait_for(guest: Guest, awaited: Awaited, timeout: float) -> tuple[Sight, float]:
    """Wait until a guest is so far; returns what was seen, and the seconds it took.

    Raises:
        WaitError: it is not so far in time.
        RefusedError: it went off meanwhile.
        HostError: it will never be.
    """
    from raptorctl.host.readiness import looks

    host = guest.session.host
    look = looks(host.guests, guest.domain, guest.slot, guest.at, guest.console)[awaited]
    return _wait(guest, f"{awaited.value} of {guest.domain.name}", look, timeout)


def _wait(
    guest: Guest, title: str, look: Callable[[], Sight], timeout: float
) -> tuple[Sight, float]:
    from raptorctl.engine.stop import Stop
    from raptorctl.host.wait import wait_until

    try:
        with Stop() as stop, _telling(title, timeout) as told:

            def tick(done: int, whole: int) -> None:
                stop.check()
                told(done, whole)

            return wait_until(title, _while_on(guest, look), timeout, tick)
    except WaitError as error:
        error.resolution = f"see `raptorctl why {guest.domain.name}`"
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


@contextmanager
def _telling(title: str, timeout: float) -> Iterator[Callable[[int, int], None]]:
    """Tell that we wait, once there is something to wait for; a live line on a terminal."""
    import sys

    tells, begun, began = progress.reporter(), False, time.monotonic()

    def told(done: int, whole: int) -> None:
        nonlocal begun
        if not begun:
            begun = True
            if not is_terminal(sys.stderr):
                tell(f"waiting for {title}, at most {timeout:g} s")
            tells.started(1, 1, f"wait for {title}", began)  # the first look was waited for, too
        tells.progress(done, whole)

    try:
        yield told
    except BaseException:
        if begun:
            tells.ended(1, 1, f"wait for {title}", StepState.WAITING, "")
        raise
    if begun:
        tells.ended(1, 1, f"wait for {title}", StepState.DONE, "")


def _account(user: str | None, name: MachineName) -> str:
    if user is None:
        return name.tenant
    # useradd(8): what a login may be called; never an option of ssh's.
    fits = user.isascii() and user.replace("-", "").replace("_", "").replace(".", "").isalnum()
    if not fits or user.startswith("-") or len(user) > 32:
        raise InputError(f"--user: {shown(user)} is not an account's name")
    return user


def key_file(identity: Path | None) -> Path | None:
    """Refuse a private key's file that is missing, or not the caller's to read.

    Raises:
        InputError: says why.
    """
    if identity is not None:
        from raptorctl.host.caller import open_given

        options.named(
            "--identity", lambda path: open_given(path, follow=True).close(), str(identity)
        )
    return identity
