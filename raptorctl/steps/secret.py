"""What a machine's firmware and TPM keep beside its disk, and its guest may have encrypted with."""

from dataclasses import dataclass

from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.model.override import override
from raptorctl.steps.file import RemoveFile
from raptorctl.steps.step import Observed, Step


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
