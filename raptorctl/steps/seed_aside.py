"""A machine's seed makes room for another one, and can come back."""

from dataclasses import dataclass

from raptorctl.errors import ConflictError, HostError
from raptorctl.host.drivers import Host, Tick
from raptorctl.render.seed_iso import LARGEST
from raptorctl.steps.seed import MODE, seed_digest
from raptorctl.steps.step import Observed, Step


@dataclass(frozen=True)
class SetSeedAside(Step):
    """Keep a seed under another name until the machine has a new one for good.

    A copy and not a rename: cut off in between there are two, and either tells what is next.

    Args:
        path: the file.
        aside: where it is kept.
        successor: the digest of the seed that takes its place, or "".
    """

    path: str
    aside: str
    successor: str

    kind = "seed.set-aside"

    @property
    def title(self) -> str:
        """One line."""
        return f"set the seed {self.path} aside"

    def is_done(self, host: Host) -> bool:
        """It is not here any more, or its successor is."""
        return seed_digest(host, self.path) in {None, self.successor}

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Copy, then remove."""
        _move(host, self.path, self.aside)
        return {"path": self.aside}

    def undo(self, host: Host, tick: Tick) -> None:
        """Bring it back, where it went."""
        if host.files.exists(self.aside):
            _move(host, self.aside, self.path)

    def leftover(self) -> str:
        """What remains."""
        return f"{self.path} or {self.aside}"


def _move(host: Host, source: str, target: str) -> None:
    data = host.files.read_bytes(source, LARGEST)
    if data is None:
        raise HostError(f"{source} is gone")
    if host.files.read_bytes(target, LARGEST) not in {None, data}:
        raise ConflictError(f"{target} is there already", resolution="move it away")
    host.files.write_bytes(target, data, MODE)
    host.files.remove(source)
