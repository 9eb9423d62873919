"""A machine's seed: the file that tells cloud-init what to do at first boot."""

from dataclasses import dataclass, field
from typing import Any

from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.errors import ConflictError, HostError, InputError
from raptorctl.model.override import override
from raptorctl.model.seed import Seed
from raptorctl.render.seed_iso import LARGEST, read_iso, render_iso
from raptorctl.steps.file import RemoveFile
from raptorctl.steps.step import Observed, Step

MODE = 0o600


@dataclass(frozen=True)
class WriteSeed(Step):
    """Write a seed. Its texts hold secrets, so that neither the journal nor `-o json` has them.

    Without them a step from a journal can still tell its own file, and take it back.

    Args:
        job: the job that makes it.
        path: the file.
        digest: of the texts.
        seed: the texts; None when the step comes from a journal.
    """

    job: str
    path: str
    digest: str
    seed: Seed | None = field(default=None, repr=False, compare=False)

    kind = "seed.write"

    @property
    @override
    def title(self) -> str:
        return f"write the seed {self.path}"

    def encode(self) -> dict[str, Any]:
        """Return the record that the journal keeps: all but the texts."""
        record = {name: getattr(self, name) for name in ("reason", "job", "path", "digest")}
        return {"kind": self.kind, **record}

    def is_done(self, host: Host) -> bool:
        """It is there and says just this.

        Raises:
            ConflictError: another file is there.
        """
        there = seed_digest(host, self.path)
        if there not in {None, self.digest}:
            raise ConflictError(f"{self.path} is there already", resolution="move it away")
        return there is not None

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Write it, and read it back."""
        if self.seed is None:
            raise HostError(f"what {self.path} is to say is kept in no journal")
        host.files.write_bytes(self.path, render_iso(self.seed), MODE)
        if seed_digest(host, self.path) != self.digest:
            raise HostError(f"{self.path} does not say what was written")
        return {"path": self.path, "digest": self.digest}

    def undo(self, host: Host, tick: Tick) -> None:
        """Remove it, also what was half written of it; unless it is another's."""
        if seed_digest(host, self.path) in {None, self.digest}:
            host.files.remove(self.path)

    @override
    def leftover(self) -> str:
        return self.path


class RemoveSeed(RemoveFile):
    """Remove a machine's seed: its host key and what it was told are its owner's."""

    kind = "seed.remove"


@dataclass(frozen=True)
class DetachSeed(Step):
    """Take a seed from a machine that runs; its definition has lost it by then.

    Args:
        name: the domain's.
        uuid: libvirt's identifier.
        path: the seed's file.
        xml: its `<disk>` element, to plug it in again.
    """

    name: str
    uuid: str
    path: str
    xml: str

    kind = "seed.detach"

    @property
    @override
    def title(self) -> str:
        return f"unplug the seed from {self.name}"

    def is_done(self, host: Host) -> bool:
        """It does not run, or does not have it."""
        return not host.domains.plugged(self.uuid, self.path)

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Unplug it, and wait until the guest has let go of it."""
        host.domains.unplug(self.uuid, self.path, tick)
        return {}

    def undo(self, host: Host, tick: Tick) -> None:
        """Plug it in again."""
        domain = host.domains.find(self.uuid)
        if domain and domain.state.active and self.is_done(host):
            host.domains.plug(self.uuid, self.xml)

    @override
    def leftover(self) -> str:
        return f"domain {self.name}, with or without {self.path}"


def seed_digest(host: Host, path: str) -> str | None:
    """The digest of what a seed says; "" for a file that is no seed, None where there is none."""
    data = host.files.read_bytes(path, LARGEST)
    if data is None:
        return None
    try:
        return read_iso(data).digest
    except InputError:
        return ""
