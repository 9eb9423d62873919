"""What a machine's console said."""

from dataclasses import dataclass

from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.model.override import override
from raptorctl.steps.step import Observed, Step


@dataclass(frozen=True)
class RemoveLog(Step):
    """Remove what a machine's console said: it is its owner's, and the next one of that name's not.

    Args:
        path: the file; those that virtlogd put aside beside it go too.
    """

    path: str

    kind = "log.remove"
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
        """No such file is left."""
        return not logs_of(host, self.path)

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Remove them."""
        remove_logs(host, self.path)
        return {}

    def undo(self, host: Host, tick: Tick) -> None:
        """There is no way back."""


def logs_of(host: Host, path: str) -> list[str]:
    """A console's log, and the older ones that virtlogd numbers: `alice-dev.log.0`."""
    found = host.files.list(path.rpartition("/")[0]) if path else ()
    return [file for file in found if file == path or file.startswith(f"{path}.")]


def remove_logs(host: Host, path: str) -> None:
    """Remove a console's log, and the older ones."""
    for file in logs_of(host, path):
        host.files.remove(file)
