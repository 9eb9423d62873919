"""A file of ours: with text in it, such as a tenant's record, or one that goes with its machine."""

from dataclasses import dataclass

from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.errors import ConflictError
from raptorctl.model.override import override
from raptorctl.steps.step import Observed, Step


@dataclass(frozen=True)
class WriteFile(Step):
    """Have a file say something; `None` is a file that is not there, on either side.

    What was there is part of the step, so that undoing brings it back, and so that a file somebody
    changed since the plan was made is left to them.

    Args:
        what: what it is, for people: `alice's keys`.
        path: absolute.
        before: what it said when the plan was made.
        text: what it is to say.
        mode: its permissions.
    """

    what: str
    path: str
    before: str | None
    text: str | None
    mode: int = 0o644

    kind = "file.write"

    @property
    @override
    def title(self) -> str:
        if self.text is None:
            return f"remove {self.what}, {self.path}"
        verb = "write" if self.before is None else "change"
        return f"{verb} {self.what}, {self.path}"

    def is_done(self, host: Host) -> bool:
        """It says so already.

        Raises:
            ConflictError: it says a third thing.
        """
        return self._now(host) == self.text

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Replace it, whole."""
        self._put(host, self.text)
        return {"path": self.path}

    def undo(self, host: Host, tick: Tick) -> None:
        """Bring back what was there; where that is nothing, nothing half written stays either."""
        if self._now(host) != self.before or self.before is None:
            self._put(host, self.before)

    @override
    def leftover(self) -> str:
        return self.path

    def _now(self, host: Host) -> str | None:
        now = host.files.read(self.path)
        if now not in {self.before, self.text}:
            raise ConflictError(
                f"{self.path} was changed meanwhile", resolution="look at it, then try again"
            )
        return now

    def _put(self, host: Host, text: str | None) -> None:
        if text is None:
            host.files.remove(self.path)
        else:
            host.files.write(self.path, text, self.mode)


@dataclass(frozen=True)
class RemoveFile(Step):
    """Remove a file that went with something, for good.

    Args:
        path: the file.
    """

    path: str

    reversible = False

    @property
    @override
    def title(self) -> str:
        return f"remove {self.path}"

    @property
    @override
    def destroys(self) -> str:
        return self.path

    def is_done(self, host: Host) -> bool:
        """The file is gone."""
        return not host.files.exists(self.path)

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Remove it."""
        host.files.remove(self.path)
        return {}

    def undo(self, host: Host, tick: Tick) -> None:
        """There is no way back."""
