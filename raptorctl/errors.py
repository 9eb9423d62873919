"""One tree of errors. Each carries fields, builds its own sentence and knows its exit code.

    RaptorError                     1   failed (and rolled back, if anything had begun)
    ├── InputError                  2   what was typed is wrong; nothing touched
    │   ├── SettingsError           2   what the settings file says is wrong
    │   └── FileError               2   what a file of machines says is wrong (model/diagnostic.py)
    ├── RefusedError                3   the host's state forbids it; nothing touched
    │   ├── MissingError            3   something provisioning needs is not there
    │   └── DiffersError            3   what stands is not as it was asked for
    ├── HostError                   1   an outside thing failed
    │   ├── CommandError            1   a program ended badly
    │   ├── ConflictError           1   a thing that is not ours stands in the way
    │   ├── UnknownOutcomeError     1   no answer: it may or may not have happened
    │   ├── WipeError               1   zeroing or reading back failed; the volume is kept
    │   ├── DownloadError           1   an image did not come
    │   │   └── UnreachableError    1   nobody answered where it should come from
    │   ├── UploadError             1   an image could not be shared
    │   ├── ImageError              1   what came is no image that a disk could begin as
    │   └── RolledBackError         1   a job failed and left the host as it was
    ├── JournalError                4   a journal is damaged and is not acted on
    ├── LeftoversError              4   something remains; `raptorctl recover`
    ├── WaitError                   5   a bounded wait ended without what it waited for
    └── StoppedError          130/143   SIGINT, SIGTERM or SIGHUP; rolled back

Each has a `Code` besides, for programs that have to tell them apart, and a subject. Only
`raptorctl.cli` prints them.
"""

import signal
from collections.abc import Sequence
from typing import Any

from raptorctl.model.error_code import Code
from raptorctl.model.exit_code import BAD_INPUT, FAILED, LEFTOVERS, REFUSED, TIMED_OUT


class RaptorError(Exception):
    """Something did not work, and here is what, on what, and what to do.

    Args:
        brief: one sentence: what happened, on what.
        details: more for the log and for `-v`, possibly many lines.
        resolution: what a person can do about it, one sentence.
        code: for programs; the class's, if it is not said.
        subject: the thing it happened to, by the name that a person would type; "" for none.
    """

    exit_code = FAILED
    code = Code.FAILED
    always_detailed = False
    """Whether its details are told also without `-v`."""

    def __init__(
        self,
        brief: str,
        *,
        details: str = "",
        resolution: str = "",
        code: Code | None = None,
        subject: str = "",
    ) -> None:
        super().__init__(brief)
        self.brief = brief
        self.details = details
        self.resolution = resolution
        self.code = code or self.code
        self.subject = subject
        self.job = ""
        self.cause: Code | None = None

    def __str__(self) -> str:
        return f"{self.brief}: {self.resolution}" if self.resolution else self.brief

    def encode(self) -> dict[str, Any]:
        """Return the shape that docs/json.md documents for errors."""
        return {
            "code": self.code.value,
            "subject": self.subject,
            "message": self.brief,
            "hint": self.resolution,
            "exit": self.exit_code,
            "job": self.job,
            "cause": self.cause.value if self.cause else "",
            "details": self.details.splitlines(),
        }


class InputError(RaptorError):
    """What was typed cannot be right, whatever the host looks like."""

    exit_code = BAD_INPUT
    code = Code.BAD_INPUT


class SettingsError(InputError):
    """The settings say something impossible.

    Args:
        file: the settings file.
        key: the dotted key, e.g. `dns.port`.
        problem: what is wrong with it.
    """

    code = Code.BAD_SETTINGS

    def __init__(self, file: str, key: str, problem: str, *, resolution: str = "") -> None:
        self.file = file
        self.key = key
        where = f"{file}: {key}" if key else file
        super().__init__(f"{where}: {problem}", resolution=resolution, subject=key or file)


class RefusedError(RaptorError):
    """The request is well formed, but the host as it stands forbids it."""

    exit_code = REFUSED
    code = Code.REFUSED


class MissingError(RefusedError):
    """A part of the host that the command needs is absent or does not answer."""

    code = Code.HOST_NOT_READY


class DiffersError(RefusedError):
    """A machine stands, and is not as it was asked for: its details say in what."""

    code = Code.MACHINE_DIFFERS
    always_detailed = True


class HostError(RaptorError):
    """A part of the host failed at what it was asked to do."""

    code = Code.HOST_FAILED


class CommandError(HostError):
    """A program ended badly.

    Args:
        argv: the program and its arguments, free of secrets.
        exit_status: its exit status; None when it was ended at its time limit.
        stderr: what it said. The line of it that is the reason, and what helps, is `reason`.
    """

    code = Code.COMMAND_FAILED

    def __init__(self, argv: Sequence[str], exit_status: int | None, stderr: str) -> None:
        from raptorctl.model.reason import program, reason  # when something fails, and not before

        self.argv = tuple(argv)
        self.exit_status = exit_status
        self.stderr = stderr
        how = "ran past its time limit" if exit_status is None else f"exit status {exit_status}"
        self.reason = reason(self.argv, stderr)
        said = self.reason.line
        brief = f"{program(self.argv)} failed ({how})" + (f": {said}" if said else "")
        details = f"{' '.join(self.argv)}\n{stderr}"
        super().__init__(
            brief, details=details, resolution=self.reason.advice, subject=program(self.argv)
        )


class ConflictError(HostError):
    """Something that does not carry this job's mark stands where the job wants to act."""

    code = Code.CONFLICT


class UnknownOutcomeError(HostError):
    """No answer came, so the act may or may not have happened; a probe decides."""

    code = Code.OUTCOME_UNKNOWN


class WipeError(HostError):
    """Zeroing or reading back failed. The volume is kept, tagged dirty."""

    code = Code.WIPE_FAILED


class DownloadError(HostError):
    """An image could not be had from where it should come from."""

    code = Code.DOWNLOAD_FAILED


class UnreachableError(DownloadError):
    """Nobody answers where an image should come from: there may be one, or none."""


class UploadError(HostError):
    """An image could not be put where it should be shared."""

    code = Code.UPLOAD_FAILED


class ImageError(HostError):
    """What should be an image is damaged, needs other files, or is something else."""

    code = Code.IMAGE_INVALID


class RolledBackError(HostError):
    """A job failed; everything it had done is undone.

    Args:
        job: the job.
        cause: what went wrong.
    """

    code = Code.ROLLED_BACK

    def __init__(self, job: str, cause: RaptorError) -> None:
        super().__init__(
            f"{cause.brief}; rolled back, the host is as before",
            details=cause.details,
            resolution=cause.resolution,
            subject=cause.subject,
        )
        self.job, self.cause = job, cause.code


class JournalError(RaptorError):
    """A journal file is damaged and is never acted on past the damage."""

    exit_code = LEFTOVERS
    code = Code.JOURNAL_DAMAGED


class LeftoversError(RaptorError):
    """Something of a job remains on the host.

    Args:
        brief: what happened.
        job: the job that stays open.
        leftovers: what remains, one line each.
        cause: what went wrong, if something did.
        code: see `RaptorError`.
    """

    exit_code = LEFTOVERS
    code = Code.LEFTOVERS
    always_detailed = True  # what is left on the host is never a detail

    def __init__(
        self,
        brief: str,
        job: str,
        leftovers: Sequence[str],
        *,
        cause: BaseException | None = None,
        code: Code | None = None,
    ) -> None:
        self.leftovers = tuple(leftovers)
        super().__init__(
            brief,
            details="\n".join(f"left: {line}" for line in self.leftovers),
            resolution=f"run `raptorctl recover {job}`",
            code=code,
        )
        self.job = job
        self.cause = cause.code if isinstance(cause, RaptorError) else None


class WaitError(RaptorError):
    """A bounded wait ended.

    Args:
        awaited: what it waited for.
        seconds: for how long.
        seen: what was there instead.
    """

    exit_code = TIMED_OUT
    code = Code.TIMEOUT

    def __init__(self, awaited: str, seconds: float, seen: str) -> None:
        self.awaited, self.seconds, self.seen = awaited, seconds, seen
        super().__init__(f"waited {seconds:g} s for {awaited}; saw {seen}")


class StoppedError(RaptorError):
    """The person, or the system, asked to stop.

    Args:
        signum: the signal that came.
    """

    code = Code.INTERRUPTED

    def __init__(self, signum: int) -> None:
        self.signum = signum
        self.exit_code = 128 + signum
        super().__init__(f"stopped by {signal.Signals(signum).name}")
