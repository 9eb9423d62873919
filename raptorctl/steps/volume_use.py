"""What steps of volumes ask and do alike."""

from collections.abc import Callable, Iterable

from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.drivers.volume import WipeReport
from raptorctl.errors import ConflictError, HostError
from raptorctl.model.names import disk_part, wipe_volume
from raptorctl.model.volume import CLEAN, DIRTY, WIPED, Volume


def holds(host: Host, wish: Callable[[tuple[Volume, ...]], bool]) -> bool:
    """Whether a wish holds of the volumes.

    That it does not, the last look may tell, however old: the act then finds what is there. That
    it does is asked anew, because then nobody acts.
    """
    return wish(host.volumes.seen()) and wish(host.volumes.list())


def made_by(host: Host, job: str, name: str) -> Volume | None:
    """Return the volume that a job made as `name`, under whatever name it has now."""
    return of_job(host.volumes.list(), job, name)


def of_job(volumes: Iterable[Volume], job: str, name: str) -> Volume | None:
    """Return the one of these volumes that a job made as `name`, if it did."""
    wanted = (job, disk_part(name))  # of several that a job makes, further disks say which
    return next((v for v in volumes if v.ours and (v.job, v.disk) == wanted), None)


def refuse_in_use(host: Host, volume: Volume) -> None:
    """Refuse a volume that a process holds, a domain names, or a snapshot hangs on.

    Who has it open and which domains name it is asked now; snapshots are those last seen, and LVM
    removes none with a volume, whenever it was taken.

    Raises:
        ConflictError: says which.
    """
    if host.volumes.held(volume):
        raise ConflictError(f"volume {volume.name} is open", resolution="see `lsof`, `dmsetup ls`")
    for domain in host.domains.list():
        if volume.path in domain.held_disks:
            raise ConflictError(f"domain {domain.name} uses volume {volume.name}")
    refuse_snapshots(host, volume)


def refuse_snapshots(host: Host, volume: Volume) -> None:
    """Refuse a volume that a snapshot hangs on, as was last seen."""
    for other in host.volumes.seen():
        if other.origin == volume.name:
            raise ConflictError(f"volume {other.name} is a snapshot of {volume.name}")


def present(host: Host, uuid: str) -> Volume:
    """Return a volume that must be there.

    Raises:
        HostError: it is not.
    """
    if volume := host.volumes.find(uuid):
        return volume
    raise HostError(f"no volume has the UUID {uuid} any more")


def last_seen(host: Host, uuid: str) -> Volume:
    """Return a volume that must be there, as it was last read: for acts that look themselves.

    Raises:
        HostError: it is not.
    """
    return next((v for v in host.volumes.seen() if v.uuid == uuid), None) or present(host, uuid)


def with_device(host: Host, volume: Volume) -> Volume:
    """Return a volume with its device number, activated if need be."""
    # Just read, and the wiper asks the kernel whose device it is: no need to ask LVM once more.
    return volume if volume.major >= 0 else host.volumes.activate(volume)


def retire(host: Host, volume: Volume) -> Volume:
    """Take a volume out of use: a name that frees its machine's, then dirty."""
    # The name goes first: a crash in between must not leave a used volume that looks like one
    # whose making was interrupted (`guest-` and dirty), because that one needs no wipe.
    retired = wipe_volume(volume.uuid)
    if volume.name != retired:
        volume = host.volumes.rename(volume, retired, read_back=False)
    return host.volumes.retag(volume, add=[DIRTY], remove=[CLEAN], at_boot=False)


def wipe(host: Host, volume: Volume, tick: Tick) -> tuple[Volume, WipeReport]:
    """Zero a retired volume, read it back, and have its tag say so."""
    report = host.wiper.wipe(with_device(host, volume), tick)
    return host.volumes.retag(volume, add=[WIPED], remove=[DIRTY], at_boot=False), report


def erase(host: Host, volume: Volume, tick: Tick) -> Volume:
    """Retire and wipe a volume that a tenant may have had, so that it can be removed.

    Raises:
        ConflictError: somebody uses it.
    """
    refuse_in_use(host, volume)
    return volume if volume.wiped else wipe(host, retire(host, volume), tick)[0]
