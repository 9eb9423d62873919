"""What a machine's firmware and TPM keep beside its disk, and its guest may have encrypted with."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.errors import ConflictError, HostError
from raptorctl.model.override import override
from raptorctl.steps.file import RemoveFile
from raptorctl.steps.step import Observed, Step

MODE: Final = 0o600


@dataclass(frozen=True)
class WriteLoginKey(Step):
    """Write the private key that lets a machine's owner in; the journal has its digest alone.

    Args:
        path: the file.
        digest: SHA-256 of the key's text.
        private: that text; "" when the step comes from a journal.
    """

    path: str
    digest: str
    private: str = field(default="", repr=False, compare=False)

    kind = "key.write"

    @property
    @override
    def title(self) -> str:
        return f"write the key {self.path}"

    @override
    def encode(self) -> dict[str, Any]:
        record = {name: getattr(self, name) for name in ("reason", "path", "digest")}
        return {"kind": self.kind, **record}

    def is_done(self, host: Host) -> bool:
        """It is there.

        Raises:
            ConflictError: another file is there.
        """
        there = host.files.read(self.path)
        if there is not None and sha256(there.encode()).hexdigest() != self.digest:
            raise ConflictError(f"{self.path} is there already", resolution="move it away")
        return there is not None

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Write it, for its owner alone."""
        if not self.private:
            raise HostError(f"what {self.path} is to hold is kept in no journal")
        host.files.write(self.path, self.private, MODE)
        return {"path": self.path}

    def undo(self, host: Host, tick: Tick) -> None:
        """Remove it."""
        if self.is_done(host):
            host.files.remove(self.path)

    @override
    def leftover(self) -> str:
        return self.path


class RemoveLoginKey(RemoveFile):
    """Remove the private key of a machine that is gone."""

    kind = "key.remove"


class RemoveNvram(RemoveFile):
    """Remove a machine's file of UEFI variables: they may hold its owner's boot keys."""

    kind = "nvram.remove"


@dataclass(frozen=True)
class RemoveTpm(Step):
    """Remove what the TPM of a machine kept.

    Args:
        name: the domain's, which is gone.
        uuid: libvirt's identifier.
    """

    name: str
    uuid: str

    kind = "tpm.remove"
    reversible = False

    @property
    @override
    def title(self) -> str:
        return f"remove what the TPM of {self.name} kept"

    @property
    @override
    def destroys(self) -> str:
        return f"what the TPM of {self.name} kept"

    def is_done(self, host: Host) -> bool:
        """Only libvirt can tell, and does not: once more changes nothing."""
        return False

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Have libvirt remove it."""
        host.domains.forget_tpm(self.uuid)
        return {}

    def undo(self, host: Host, tick: Tick) -> None:
        """There is no way back."""

    @override
    def leftover(self) -> str:
        return f"what the TPM of {self.name} ({self.uuid}) kept"
