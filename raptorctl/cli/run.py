"""`raptorctl run`: steps in a guest, in the order typed."""

import codecs
import os
import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from raptorctl.cli import options
from raptorctl.cli.guest import (
    TIMEOUT,
    Guest,
    Identity,
    Timeout,
    User,
    guest_of,
    key_file,
    wait_for,
    wait_for_keys,
)
from raptorctl.cli.log import harmless
from raptorctl.cli.options import Output, example
from raptorctl.cli.output import Format, plain, say, say_json, tell
from raptorctl.cli.session import session_of
from raptorctl.errors import HostError, InputError, WaitError
from raptorctl.model.error_code import Code
from raptorctl.model.guest import Awaited
from raptorctl.model.guest_step import TIMEOUT as STEP_TIMEOUT
from raptorctl.model.guest_step import GuestStep, in_order

if TYPE_CHECKING:
    from raptorctl.drivers.guest import Shell
    from raptorctl.host.step_log import StepLog

Scripts = Annotated[
    list[str] | None,
    typer.Option(
        "--run",
        metavar="SCRIPT",
        help="Script to run in the guest; may be repeated.",
        show_default=False,
    ),
]
Copies = Annotated[
    list[str] | None,
    typer.Option(
        "--copy",
        metavar="SRC:DST",
        help="File to copy into the guest; may be repeated.",
        show_default=False,
    ),
]
StepTimeout = Annotated[
    float, options.seconds("--step-timeout", "How long a step may take.", most=86400, least=1)
]

LONGEST: Final = 4096


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
    from raptorctl.host.host_key import new_host_key

    comment = f"raptorctl-job-{secrets.token_hex(6)}"
    pair = new_host_key(comment)
    return JobKey(pair.private, f"{pair.public} {comment}", comment)


def register(app: typer.Typer) -> None:
    """Add the command."""
    line = "sudo raptorctl run alice dev --copy app.conf:/etc/app.conf --run setup.sh"
    app.command(epilog=example(f"{line} \\", "  --identity ~/.ssh/id_ed25519"))(run)


def run(
    context: typer.Context,
    words: options.Words,
    scripts: Scripts = None,
    copies: Copies = None,
    user: User = None,
    identity: Identity = None,
    timeout: Timeout = TIMEOUT,
    step_timeout: StepTimeout = STEP_TIMEOUT,
    form: Output = Format.TEXT,
) -> None:
    """Run scripts in a guest and copy files to it, in order; stop at the first failure."""
    session = session_of(context)
    # On a session host ssh's own files may have a key; that none fits is told at the login.
    steps = given(session.typed, scripts, copies, identity, has_key=session.own)
    if not steps:
        raise InputError("there is nothing to do", resolution="say --run or --copy")
    guest = guest_of(context, words, root=True)
    done = carry_out(guest, steps, user, identity, timeout, step_timeout)
    if form is Format.JSON:
        say_json({"machine": guest.domain.name, "steps": done})
    else:
        say(f"{guest.domain.name}: {len(done)} step{'s' * (len(done) != 1)} done")


def given(
    typed: Sequence[str],
    scripts: list[str] | None,
    copies: list[str] | None,
    identity: Path | None,
    *,
    has_key: bool = False,
) -> tuple[GuestStep, ...]:
    """Return the steps that were typed, in order, checked before anything is touched.

    Args:
        typed: the whole command line.
        scripts: what `--run` said.
        copies: what `--copy` said.
        identity: a file with a private key.
        has_key: there is another key to log in with.

    Raises:
        InputError: a file is missing or not the caller's to read, or there is no key to log in
            with.
    """
    from raptorctl.host.caller import open_given

    steps = in_order(typed, scripts or (), copies or ())
    for step in steps:
        open_given(str(step.source)).close()
    if steps and not has_key:
        refuse_keyless(identity)
    if steps and key_file(identity) and identity:
        from raptorctl.host.login_key import public_half

        public_half(identity)  # one that nobody could use is refused
    return steps


def refuse_keyless(identity: Path | None) -> None:
    """Refuse where there is no key to log in with.

    Raises:
        InputError: says how to name one.
    """
    if identity is None and not os.environ.get("SSH_AUTH_SOCK"):
        raise InputError(
            "there is no key to log in with", resolution="name one with --identity FILE"
        )


def carry_out(
    guest: Guest,
    steps: Sequence[GuestStep],
    user: str | None,
    identity: Path | None,
    timeout: float = TIMEOUT,
    step_timeout: float = STEP_TIMEOUT,
    *,
    key: JobKey | None = None,
) -> list[dict[str, Any]]:
    """Wait for ssh, log in, and do one step after the other.

    Returns:
        What `-o json` says of each.

    Raises:
        HostError: a step failed; the machine stays as it then is.
        WaitError: the guest, or a step, took too long.
    """
    from raptorctl.engine.stop import Stop
    from raptorctl.host.step_log import StepLog

    with _missed(key) as entered:
        _, waited = wait_for(guest, Awaited.SSH, timeout)
        wait_for_keys(guest, timeout - waited)
        login = guest.login(user, identity, key.private if key else "")
        path = guest.session.step_log(guest.name)
        with (
            Stop() as stop,
            StepLog(path) as log,
            guest.session.host.guests.open(login, stop.check) as shell,
        ):
            entered.append(shell)
            try:
                return [
                    _done(shell, log, step, f"{number}/{len(steps)}", step_timeout)
                    for number, step in enumerate(steps, start=1)
                ]
            finally:
                if key:
                    stop.accept()  # who interrupts the steps wants the key gone all the same
                    _forget(shell, log, key)


@contextmanager
def _missed(key: JobKey | None) -> Iterator[list["Shell"]]:
    """Say that a job's key stays in the guest if nobody ever enters to take it away."""
    entered: list[Shell] = []
    try:
        yield entered
    except BaseException:
        if key and not entered:
            tell(f"note: {key.comment} is still among the account's keys; its other half is gone")
        raise


def _forget(shell: "Shell", log: "StepLog", key: JobKey) -> None:
    """Take the job's key away, also after a failure, which is then the one that is told."""
    try:
        shell.forget_key(key.comment)
    except (HostError, WaitError) as error:
        tell(f"note: the key {key.comment} is still in the guest: {plain(str(error))}")
        log.head(f"the key {key.comment} is still there: {plain(str(error))}")


def _done(
    shell: "Shell", log: "StepLog", step: GuestStep, place: str, timeout: float
) -> dict[str, Any]:
    title = plain(step.title)
    tell(f"{place} {title}")
    log.head(f"{place} {title}")
    status, target, screen = 0, "", Screen()
    try:
        if step.target:
            target = shell.copy(step.source, step.target, timeout)
        else:
            status = shell.run(step.source, timeout, lambda data: _heard(log, screen, data))
    except BaseException as error:
        screen.end()
        log.head(f"{place} broke off: {plain(str(error))}")
        raise
    screen.end()
    log.head(f"{place} status {status}")
    if status:
        raise HostError(
            f"step {place} ({title}) ended with status {status}; the machine stays as it is",
            resolution="see `raptorctl log --steps`",
            code=Code.GUEST_STEP_FAILED,
            subject=step.title,
        )
    return {"step": step.title, "status": status, "target": target}


def _heard(log: "StepLog", screen: "Screen", data: bytes) -> None:
    log.said(data)
    screen.show(data)


class Screen:
    """Shows what a step says, without what would drive the reader's terminal.

    On standard error: standard output is for the result, which may be JSON.
    """

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self._held, self._last = "", "\n"

    def show(self, data: bytes) -> None:
        """Show a piece; a line that has begun an escape sequence is held until it is whole."""
        self._held += self._decode(data)
        whole, newline, rest = self._held.rpartition("\n")
        if "\x1b" in rest and len(rest) < LONGEST:
            self._write(whole + newline)
            self._held = rest
        else:
            self._write(self._held)
            self._held = ""

    def end(self) -> None:
        """Show what is still held, and end the line."""
        self._write(self._held + self._decode(b"", final=True))
        self._held = ""
        if self._last != "\n":
            self._write("\n")

    def _write(self, text: str) -> None:
        clean = harmless(text)
        if clean:
            self._last = clean[-1]
            sys.stderr.write(clean)
            sys.stderr.flush()
