"""What speaks against a change of a further disk, or of what is in the CD drive."""

from raptorctl.errors import RefusedError
from raptorctl.model.disk import ExtraDisk
from raptorctl.model.domain import Domain, State
from raptorctl.model.error_code import Code
from raptorctl.model.sizes import Size


def refuse_saved(domain: Domain, had: str = "the disks that it had") -> None:
    """Refuse to change what a saved machine would not know of when it resumes."""
    if domain.state is State.SAVED:
        raise RefusedError(
            f"{domain.name} is saved, and would resume with {had}",
            resolution=f"raptorctl start {domain.name} first",
            code=Code.MACHINE_SAVED,
            subject=domain.name,
        )


def refuse_smaller(one: ExtraDisk, wanted: Size) -> None:
    """Refuse a size that is no growth: a disk only grows."""
    if wanted < one.volume.size:
        raise RefusedError(
            f"disk {one} has {one.volume.size}, and a disk only grows: whatever its guest keeps "
            f"beyond {wanted} would be lost",
            resolution="add a smaller one and copy what matters",
            code=Code.DISK_TOO_SMALL,
            subject=str(one),
        )
