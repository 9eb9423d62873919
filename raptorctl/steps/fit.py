"""What a machine's disks have to be before it may be defined, or run."""

from collections.abc import Iterable

from raptorctl.drivers.host import Host
from raptorctl.errors import ConflictError, RefusedError
from raptorctl.model.domain import Domain
from raptorctl.model.error_code import Code
from raptorctl.model.image import Damaged, damaged
from raptorctl.model.medium import unreadable
from raptorctl.model.volume import Volume, is_overlay


def refuse_dirty(host: Host, name: str, paths: Iterable[str] = ()) -> Volume:
    """Refuse to hand out a volume whose content is not known to be clean; return one that is.

    Args:
        host: the host.
        name: of a machine's first disk.
        paths: of all its disks: those of them that are volumes have to be clean as well.

    Raises:
        ConflictError: one is dirty, or the first is gone.
    """
    all_, paths = host.volumes.list(), frozenset(paths)
    volume = next((one for one in all_ if one.name == name), None)
    if volume is None:
        raise ConflictError(f"volume {name} is gone")
    for one in all_:
        if (one is volume or (one.ours and one.path in paths)) and not one.clean:
            raise ConflictError(f"volume {one.name} is dirty")
    return volume


def refuse_cut(host: Host, volume: Volume, paths: Iterable[str] = ()) -> None:
    """Refuse to start a machine over an image whose file is not as long as it was.

    Args:
        host: the host.
        volume: the machine's first disk.
        paths: of all its disks.

    Raises:
        RefusedError: names both.
    """
    # An LVM volume holds a copy.
    if is_overlay(volume.group) and (told := host.images.damaged()):
        images, all_ = tuple(damaged(host.images.known(), told)), {volume.path, *paths}
        for one in host.volumes.list():
            if one.path in all_:
                refuse_damaged(one, images)


def refuse_unreadable(host: Host, domain: Domain) -> None:
    """Refuse to start a machine whose CD drive holds a file that is gone or cut.

    Raises:
        RefusedError: names the file.
    """
    if paths := [path for path in domain.cdroms if path]:
        sizes = {path: host.files.size(path) for path in paths}
        for problem in unreadable(sizes, host.images.known()).values():
            raise unreadable_drive(domain, problem)


def unreadable_drive(domain: Domain, problem: str) -> RefusedError:
    """What is told of such a machine."""
    return RefusedError(
        f"the CD drive of {domain.name} cannot be read: {problem}",
        resolution=f"raptorctl cdrom insert {domain.name} REF, or cdrom eject {domain.name}",
        code=Code.IMAGE_DAMAGED,
        subject=domain.name,
    )


def refuse_damaged(volume: Volume, images: Iterable[Damaged]) -> None:
    """Refuse a file that lies over one of these images.

    QEMU takes a file that was cut for one that ends in zeroes, so the machine would start.

    Raises:
        RefusedError: names both.
    """
    for image in images:
        if image.digest and image.digest == volume.image and is_overlay(volume.group):
            said = f"the image below the disk of {volume.owner} is damaged"
            raise RefusedError(
                f"{said}: {image.name}: {image.problem}",
                resolution=image.advice,
                code=Code.IMAGE_DAMAGED,
                subject=image.name,
            )
