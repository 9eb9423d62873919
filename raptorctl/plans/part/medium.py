"""CD drives: which ISO is in one, from which file a machine reads it, and when that file goes.

On a shared host each machine has a copy of its own, as it has a seed: libvirt gives the copy to
the machine's QEMU, and the cache stays root's. On a session host all files are one person's.
"""

from collections.abc import Iterator

from raptorctl.errors import RefusedError
from raptorctl.model.domain import Domain
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts
from raptorctl.model.image import Image
from raptorctl.model.medium import ISO, copied_for, copy_path
from raptorctl.model.names import MachineName
from raptorctl.model.settings import Settings
from raptorctl.plans.part import image as images
from raptorctl.steps.fit import unreadable_drive
from raptorctl.steps.step import Step


def chosen(ref: str | Image | None, facts: HostFacts) -> Image | None:
    """Return the ISO that was asked for; one that is not in the cache has no digest yet.

    Args:
        ref: as for disks' images.
        facts: the host, with those in the cache.

    Raises:
        RefusedError: it is an image of a disk, or is in the cache no more.
    """
    found = images.known(ref, facts)
    if found and found.format not in {"", ISO}:
        raise RefusedError(
            f"image {found.name} is a disk ({found.format}), and no ISO",
            resolution=f"--image {found.name} has the machine's disk begin so",
            code=Code.IMAGE_INVALID,
            subject=found.name,
        )
    return found


def path_of(name: MachineName, image: Image | None, settings: Settings) -> str:
    """The file that a machine reads an ISO from; "" for no ISO."""
    if image is None:
        return ""
    if not settings.has_lvm:
        return image.path
    return copy_path(name, image, settings.images.seed_dir)


def copied(name: MachineName, image: Image | None, settings: Settings) -> Iterator[Step]:
    """The step that makes that file."""
    if image and settings.has_lvm:
        from raptorctl.steps.medium import CopyMedium

        yield CopyMedium("its CD drive reads it", path_of(name, image, settings), image)


def copies(domain: Domain | None) -> tuple[str, ...]:
    """A machine's own copies that any form of it has in a drive."""
    forms = domain.forms if domain else ()
    paths = dict.fromkeys(path for form in forms for path in form.cdroms)
    return tuple(path for path in paths if domain and copied_for(path) == domain.name)


def gone(domain: Domain | None, keep: str = "") -> Iterator[Step]:
    """The steps that remove a machine's copies, once no drive holds them.

    Args:
        domain: the machine's.
        keep: the one that stays in its drive.
    """
    from raptorctl.steps.medium import RemoveMedium

    for path in copies(domain):
        if path != keep:
            yield RemoveMedium("no drive holds it", path)


def refuse_unreadable(domain: Domain, facts: HostFacts) -> None:
    """Refuse to start a machine whose drive holds a file that is not whole.

    Raises:
        RefusedError: names the file.
    """
    for problem in filter(None, map(facts.unreadable.get, domain.cdroms)):
        raise unreadable_drive(domain, problem)
