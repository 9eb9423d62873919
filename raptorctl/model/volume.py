"""Volumes: LVM logical volumes, and the tags that say whose they are and whether they are clean."""

from dataclasses import dataclass
from typing import Final

from raptorctl.model.names import MachineName, split_disk, split_volume, wipe_volume
from raptorctl.model.sizes import Size

OVERLAY: Final = ".qcow2"
"""How the name of a file that is a volume ends; no logical volume of ours has a dot like that."""
OURS: Final = "raptor"
DIRTY: Final = "raptor.dirty"
CLEAN: Final = "raptor.clean"
WIPED: Final = "raptor.wiped"
GROWING: Final = "raptor.growing="
GROWN: Final = "raptor.grown="
"""With a job's identifier: that job enlarges the volume, and its guest does not know yet; that
job was the last to do so."""
RESTORED: Final = "raptor.restored="
"""With a job's identifier: that job was the last to put a snapshot's content back."""
IMAGE: Final = "raptor.image="
"""With an image's digest: the volume began as that image."""
DISK: Final = "raptor.disk="
"""With a name: it is not the first disk of its machine, and called so."""
KEEP: Final = "raptor.keep"
"""The disk outlives its machine: it stays its tenant's, whether a domain uses it or not."""
RETIRED: Final = "raptor.retired="
"""With a job's identifier: that job took its machine away and kept the disk, to be undone."""
UNTIL: Final = "raptor.until="
"""How long a disk of such a machine is kept, UTC, ISO 8601."""
DUE: Final = "raptor.due="
"""The first look that found this time to be over; see `raptorctl.model.look`."""
TAKEN: Final = "raptor.taken="
"""When a snapshot was taken, UTC, ISO 8601."""


def ownership_tags(name: MachineName, job: str, slot: int | None) -> tuple[str, ...]:
    """Tags every volume of ours has from its first moment (lvm(8): [A-Za-z0-9_+.-/=!:&#])."""
    place = () if slot is None else (f"raptor.slot={slot}",)
    return (OURS, f"raptor.tenant={name.tenant}", f"raptor.job={job}", *place)


def growth_tags(name: MachineName, job: str) -> tuple[str, ...]:
    """Tags of what a machine's volume is to grow by; it has no slot."""
    return (OURS, f"raptor.tenant={name.tenant}", f"raptor.job={job}")


def disk_tags(name: MachineName, job: str, disk: str, *, keep: bool) -> tuple[str, ...]:
    """Tags of a further disk of a machine; it has no slot."""
    return (*growth_tags(name, job), f"{DISK}{disk}", *((KEEP,) if keep else ()))


def snapshot_tags(name: MachineName, job: str, taken: str, disk: str = "") -> tuple[str, ...]:
    """Tags of a snapshot of a machine's volume; `taken` is UTC, ISO 8601, `disk` a further one."""
    which = (f"{DISK}{disk}",) if disk else ()
    return (*growth_tags(name, job), f"{TAKEN}{taken}", *which)


@dataclass(frozen=True)
class VolumeGroup:
    """A volume group.

    Args:
        name: its name.
        size: all extents, in bytes.
        free: unallocated extents, in bytes.
        extent: one extent, in bytes.
        missing: how many of its disks are not there; as long as one is, LVM changes nothing.
        most: how many volumes it may have; 0 for any number.
        count: how many it has.
    """

    name: str
    size: Size
    free: Size
    extent: Size
    missing: int = 0
    most: int = 0
    count: int = 0


@dataclass(frozen=True)
class Extents:
    """Where on the disks a volume lies.

    Args:
        ranges: `DEVICE:FIRST-LAST`, in the group's extents, as lvextend(8) takes them.
        commit: how often the group had been changed when they were read (vgs(8), vg_seqno).
    """

    ranges: tuple[str, ...]
    commit: int


@dataclass(frozen=True)
class Volume:
    """A logical volume as LVM reports it.

    Args:
        uuid: LVM's own identifier; the only thing an act on data goes by.
        name: its name in the group.
        group: the group's name, or the directory of files that are volumes.
        size: bytes, as a guest sees it.
        tags: LVM tags.
        major, minor: device number; -1 when not active.
        is_open: a process or the kernel holds it.
        kind: LVM's layout (lvs(8), lv_layout), e.g. `linear`.
        origin: what it is a snapshot of, or "".
        used: of a snapshot, how much of its space is taken, percent; None where nobody knows.
        invalid: a snapshot whose space was too little: what it held is lost.
    """

    uuid: str
    name: str
    group: str
    size: Size
    tags: tuple[str, ...] = ()
    major: int = -1
    minor: int = -1
    is_open: bool = False
    kind: str = "linear"
    origin: str = ""
    used: float | None = None
    invalid: bool = False

    @property
    def path(self) -> str:
        """The stable device path."""
        return device_path(self.group, self.name)

    @property
    def ours(self) -> bool:
        """Whether it carries our mark."""
        return OURS in self.tags

    @property
    def clean(self) -> bool:
        """Held zeroes when it was handed to its tenant, and is not retired since."""
        return CLEAN in self.tags and DIRTY not in self.tags

    @property
    def wiped(self) -> bool:
        """Retired, and holds zeroes again: the only state from which it is removed."""
        return WIPED in self.tags and DIRTY not in self.tags and self.name == wipe_volume(self.uuid)

    @property
    def job(self) -> str | None:
        """The job that made it."""
        return self._tag("raptor.job=")

    @property
    def slot(self) -> int | None:
        """The slot of its machine."""
        number = self._tag("raptor.slot=")
        return int(number) if number and number.isdecimal() else None

    @property
    def growing(self) -> str | None:
        """The job that enlarges it, as long as its guest has not been told."""
        return self._tag(GROWING)

    @property
    def grown(self) -> str | None:
        """The job that enlarged it last."""
        return self._tag(GROWN)

    @property
    def restored(self) -> str | None:
        """The job that put a snapshot's content back last."""
        return self._tag(RESTORED)

    @property
    def image(self) -> str | None:
        """The digest of the image that it began as."""
        return self._tag(IMAGE)

    @property
    def disk(self) -> str:
        """What a further disk is called, also while it waits for its wipe; "" for a first one."""
        return self._tag(DISK) or ""

    @property
    def kept(self) -> bool:
        """Whether it outlives its machine."""
        return KEEP in self.tags

    @property
    def retired(self) -> str:
        """The job that took its machine away and kept it, or ""."""
        return self._tag(RETIRED) or ""

    @property
    def until(self) -> str:
        """How long it is kept, or "" for as long as somebody wants it."""
        return self._tag(UNTIL) or ""

    @property
    def was_first(self) -> bool:
        """Whether it was the first disk of a machine that was taken away: others have no slot."""
        return bool(self.retired) and self.slot is not None

    @property
    def due(self) -> str:
        """The first look that found it to be due for its wipe, or ""."""
        return self._tag(DUE) or ""

    @property
    def taken(self) -> str:
        """When a snapshot was taken, or ""."""
        return self._tag(TAKEN) or ""

    @property
    def tenant(self) -> str | None:
        """Whose it is, by its tag."""
        return self._tag("raptor.tenant=")

    @property
    def machine(self) -> MachineName | None:
        """Whose first disk it is, when name and tag agree."""
        name = split_volume(self.name)
        return name if name and self.tenant == name.tenant else None

    @property
    def owner(self) -> MachineName | None:
        """Whose disk it is, the first or a further one, when name and tags agree."""
        if self.machine:
            return self.machine
        said = split_disk(self.name)
        return said[0] if said and (self.tenant, self.disk) == (said[0].tenant, said[1]) else None

    def _tag(self, prefix: str) -> str | None:
        return next((t.removeprefix(prefix) for t in self.tags if t.startswith(prefix)), None)


def is_overlay(group: str) -> bool:
    """Whether a group is a directory of files, as on a host of one's own: LVM's have no slash."""
    return group.startswith("/")


def device_path(group: str, name: str) -> str:
    """Where udev puts a logical volume; or the file, where the group is a directory."""
    return f"{group}/{name}{OVERLAY}" if is_overlay(group) else f"/dev/{group}/{name}"
