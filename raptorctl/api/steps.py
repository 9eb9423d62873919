"""Scripts and copies in a guest, one after the other, logged."""

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from raptorctl.errors import HostError, InputError, WaitError
from raptorctl.model.error_code import Code
from raptorctl.model.guest_step import ENTRY, GuestStep
from raptorctl.model.guest_step import TIMEOUT as STEP_TIMEOUT
from raptorctl.model.seed import FirstBoot
from raptorctl.model.text import plain

if TYPE_CHECKING:
    from raptorctl.api.guest import Guest
    from raptorctl.drivers.guest import Shell
    from raptorctl.drivers.tick import Tick
    from raptorctl.host.guest.step_log import StepLog


@dataclass(frozen=True)
class JobKey:
    """A key that is made for the steps of one provision, and taken away after them.

    Args:
        private: in OpenSSH's format; a secret that is written nowhere.
        public: one line, with the comment.
        comment: by which it is found again.
    """

    private: str
    public: str
    comment: str


def new_job_key() -> JobKey:
    """Make a key for the steps of one provision."""
    import secrets

    from raptorctl.host.guest.host_key import new_host_key

    comment = f"raptorctl-job-{secrets.token_hex(6)}"
    pair = new_host_key(comment)
    return JobKey(pair.private, f"{pair.public} {comment}", comment)


def with_job_key(
    boot: FirstBoot | None, steps: Sequence[GuestStep], identity: Path | None = None
) -> tuple[FirstBoot | None, JobKey | None]:
    """Have a first boot let in a key of the job's own, where steps have no other.

    Args:
        boot: what the guest is told; None where it is told nothing.
        steps: what is done in it afterwards.
        identity: a file with a private key that is used instead.
    """
    if boot is None or not steps or identity is not None:
        return boot, None
    key = new_job_key()
    return replace(boot, keys=(key.public,)), key


def checked(
    steps: Sequence[GuestStep], identity: Path | None, *, has_key: bool = False
) -> tuple[GuestStep, ...]:
    """Return the steps, checked before anything is touched.

    Args:
        steps: in order.
        identity: a file with a private key.
        has_key: there is another key to log in with.

    Raises:
        InputError: a file is missing or not the caller's to read, or there is no key to log in
            with.
    """
    from raptorctl.host.system.caller import open_given

    for step in steps:
        if not step.text:
            open_given(str(step.source)).close()
    if steps and not has_key:
        refuse_keyless(identity)
    if steps and identity:
        from raptorctl.api.guest import private_key
        from raptorctl.host.guest.login_key import public_half

        private_key(identity)
        public_half(identity)  # one that nobody could use is refused
    return tuple(steps)


def refuse_keyless(identity: Path | None) -> None:
    """Refuse where there is no key to log in with.

    Raises:
        InputError: says how to name one.
    """
    if identity is None and not os.environ.get("SSH_AUTH_SOCK"):
        raise InputError(
            "there is no key to log in with", resolution="name one with --identity FILE"
        )


@dataclass(frozen=True)
class GuestEntry:
    """How the guest is entered, and how long anything may take.

    Args:
        user: the guest's account; None for the tenant's name.
        identity: a file with a private key; None for the agent's keys.
        key: one that was made for this job, and is taken away at the end.
        timeout: seconds until ssh answers.
        step_timeout: seconds for each step.
    """

    user: str | None = None
    identity: Path | None = None
    key: JobKey | None = None
    timeout: float = ENTRY
    step_timeout: float = STEP_TIMEOUT


class Audience(Protocol):
    """Told what steps do; the command line shows it."""

    def watched(self, title: str, timeout: float) -> AbstractContextManager["Tick"]:
        """Something is waited for: see `raptorctl.api.guest.Watched`."""

    def began(self, title: str) -> None:
        """A step begins: `1/2 run setup.sh`."""

    def heard(self, data: bytes) -> None:
        """A step said something, raw: what would drive a terminal is still in it."""

    def ended(self) -> None:
        """A step ended, however."""

    def note(self, text: str) -> None:
        """Something is worth knowing."""


class Nobody:
    """Tells nobody."""

    def watched(self, title: str, timeout: float) -> AbstractContextManager["Tick"]:
        """Say nothing."""
        from raptorctl.api.guest import unwatched

        return unwatched(title, timeout)

    def began(self, title: str) -> None:
        """Say nothing."""

    def heard(self, data: bytes) -> None:
        """Say nothing."""

    def ended(self) -> None:
        """Say nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""


NOBODY: Final = Nobody()


def carry_out(
    guest: "Guest", steps: Sequence[GuestStep], entry: GuestEntry, audience: Audience = NOBODY
) -> list[dict[str, Any]]:
    """Wait for ssh, log in, and do one step after the other.

    Returns:
        What `-o json` says of each.

    Raises:
        HostError: a step failed; the machine stays as it then is.
        WaitError: the guest, or a step, took too long.
    """
    from raptorctl.api.guest import wait_for, wait_for_keys
    from raptorctl.engine.stop import Stop
    from raptorctl.host.guest.step_log import StepLog
    from raptorctl.model.guest import Awaited

    with _missed(entry.key, audience) as entered:
        _, waited = wait_for(guest, Awaited.SSH, entry.timeout, audience.watched)
        wait_for_keys(guest, entry.timeout - waited, audience.watched)
        login = guest.login(entry.user, entry.identity, entry.key.private if entry.key else "")
        path = guest.session.step_log(guest.name)
        with (
            Stop() as stop,
            StepLog(path) as log,
            guest.session.host.guests.open(login, stop.check) as shell,
        ):
            entered.append(shell)
            at = _Place(shell, log, audience, entry.step_timeout)
            try:
                return [
                    _done(at, step, f"{number}/{len(steps)}")
                    for number, step in enumerate(steps, start=1)
                ]
            finally:
                if entry.key:
                    stop.accept()  # who interrupts the steps wants the key gone all the same
                    _forget(at, entry.key)


@dataclass(frozen=True)
class _Place:
    """Where a step is done, and who is told."""

    shell: "Shell"
    log: "StepLog"
    audience: Audience
    timeout: float


@contextmanager
def _missed(key: JobKey | None, audience: Audience) -> Iterator[list["Shell"]]:
    """Say that a job's key stays in the guest if nobody ever enters to take it away."""
    entered: list[Shell] = []
    try:
        yield entered
    except BaseException:
        if key and not entered:
            audience.note(
                f"{key.comment} is still among the account's keys; its other half is gone"
            )
        raise


def _forget(at: _Place, key: JobKey) -> None:
    """Take the job's key away, also after a failure, which is then the one that is told."""
    try:
        at.shell.forget_key(key.comment)
    except (HostError, WaitError) as error:
        at.audience.note(f"the key {key.comment} is still in the guest: {plain(str(error))}")
        at.log.head(f"the key {key.comment} is still there: {plain(str(error))}")


def _done(at: _Place, step: GuestStep, place: str) -> dict[str, Any]:
    title = plain(step.title)
    at = at if step.timeout is None else replace(at, timeout=step.timeout)
    at.audience.began(f"{place} {title}")
    at.log.head(f"{place} {title}")
    status, target = 0, ""
    try:
        if step.target:
            target = at.shell.copy(step, at.timeout)
        else:
            status = at.shell.run(step, at.timeout, lambda data: _heard(at, data))
    except BaseException as error:
        at.audience.ended()
        at.log.head(f"{place} broke off: {plain(str(error))}")
        raise
    at.audience.ended()
    at.log.head(f"{place} status {status}")
    if status and step.ignore_errors:
        at.audience.note(f"step {place} ({title}) ended with status {status}, which is ignored")
    elif status:
        raise HostError(
            f"step {place} ({title}) ended with status {status}; the machine stays as it is",
            resolution="see `raptorctl log --steps`",
            code=Code.GUEST_STEP_FAILED,
            subject=step.title,
        )
    return {"step": step.title, "status": status, "target": target}


def _heard(at: _Place, data: bytes) -> None:
    at.log.said(data)
    at.audience.heard(data)
