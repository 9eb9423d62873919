"""Volumes, their wipes and copies, in memory."""

import uuid as uuids
from collections.abc import Iterable
from dataclasses import replace

from raptorctl.drivers.tick import Tick
from raptorctl.drivers.volume import RestoreReport, WipeReport
from raptorctl.errors import ConflictError, HostError
from raptorctl.model.sizes import GIB, MIB, Size
from raptorctl.model.volume import CLEAN, DIRTY, WIPED, Extents, Volume, VolumeGroup


class FakeVolumes:
    """LVM: `data` is what volumes hold, `tails` what they grew by, `ground` what free extents do.

    `seen` is as old as it may be in truth: of the last look or act of ours.
    `leaked` is what a tenant had written to volumes that were removed without a wipe.
    """

    def __init__(self) -> None:
        self.by_uuid: dict[str, Volume] = {}
        self.data: dict[str, str] = {}
        self.tails: dict[str, str] = {}
        self.ground: dict[str, str] = {}
        self.sizes: dict[str, int] = {}
        self.last: tuple[Volume, ...] | None = None
        self.leaked: list[str] = []

    def group(self) -> VolumeGroup | None:
        used = sum(volume.size for volume in self.by_uuid.values())
        return VolumeGroup("lvm-data", Size(200 * GIB), Size(200 * GIB - used), Size(4 * MIB))

    def look(self) -> tuple[VolumeGroup | None, tuple[Volume, ...]]:
        return self.group(), self.list()

    def list(self) -> tuple[Volume, ...]:
        self.last = tuple(self.by_uuid.values())
        return self.last

    def seen(self) -> tuple[Volume, ...]:
        return self.list() if self.last is None else self.last

    def held(self, volume: Volume) -> bool:
        return volume.uuid in self.by_uuid and self.by_uuid[volume.uuid].is_open

    def find(self, uuid: str) -> Volume | None:
        return next((v for v in self.list() if v.uuid == uuid), None)

    def named(self, name: str) -> Volume | None:
        return next((v for v in self.list() if v.name == name), None)

    def create(self, name: str, size: int, tags: Iterable[str]) -> Volume:
        if any(v.name == name for v in self.by_uuid.values()):
            raise HostError(f"{name} exists")
        volume = Volume(str(uuids.uuid4()), name, "lvm-data", Size(size), tuple(tags))
        self.by_uuid[volume.uuid] = volume
        self.data[volume.uuid] = "somebody else's"
        self.list()
        return volume

    def retag(
        self, volume: Volume, *, add: Iterable[str], remove: Iterable[str], at_boot: bool
    ) -> Volume:
        old, gone = self.by_uuid[volume.uuid], set(remove)
        if old.name != volume.name:
            raise ConflictError(f"{volume.name} is {old.name}")
        tags = tuple(dict.fromkeys([*(t for t in old.tags if t not in gone), *add]))
        self.by_uuid[volume.uuid] = replace(old, tags=tags)
        self.list()
        return self.by_uuid[volume.uuid]

    def snapshot(
        self, origin: Volume, name: str, size: int, tags: Iterable[str], tick: Tick
    ) -> Volume:
        made = self.create(name, size, tags)
        self.by_uuid[made.uuid] = made = replace(made, origin=origin.name, used=0.0)
        self.data[made.uuid] = self.data[origin.uuid]
        return made

    def split(self, snapshot: Volume) -> Volume:
        old = self.by_uuid[snapshot.uuid]
        self.by_uuid[old.uuid] = replace(old, origin="", used=None, invalid=False)
        self.list()
        return self.by_uuid[old.uuid]

    def rename(self, volume: Volume, name: str, *, read_back: bool = True) -> Volume:
        old = self.by_uuid[volume.uuid]
        if any(other.name == name for other in self.by_uuid.values() if other is not old):
            raise ConflictError(f"there is a volume {name} already")
        self.by_uuid[volume.uuid] = replace(old, name=name)
        for other in [v for v in self.by_uuid.values() if v.origin == old.name]:
            self.by_uuid[other.uuid] = replace(other, origin=name)
        self.last = None
        return self.by_uuid[volume.uuid]

    def activate(self, volume: Volume) -> Volume:
        return self.by_uuid[volume.uuid]

    def remove(self, volume: Volume, *, discard: bool = True) -> None:
        now = self.by_uuid.get(volume.uuid, volume)
        if any(other.origin == now.name for other in self.by_uuid.values()):
            raise ConflictError(f"{volume.name} has snapshots")
        if {DIRTY, CLEAN, WIPED} & {*volume.tags} != {DIRTY, CLEAN, WIPED} & {*now.tags}:
            raise ConflictError(f"{volume.name} is not as it was")
        self.last = None
        data = self.data.get(volume.uuid, "")
        if data.startswith("written by"):
            self.leaked.append(data)
        if self.by_uuid.pop(volume.uuid, None):
            self.ground[_range(volume)] = "whatever the disk says" if discard else data
            self.sizes[_range(volume)] = volume.size

    def extents(self, volume: Volume) -> Extents:
        return Extents((_range(volume),), 1)

    def extend(self, volume: Volume, extents: Extents) -> None:
        (where,) = extents.ranges
        self.tails[volume.uuid] = self.ground.pop(where)
        old = self.by_uuid[volume.uuid]
        self.by_uuid[volume.uuid] = replace(old, size=Size(old.size + self.sizes[where]))

    def shrink(self, volume: Volume, size: int) -> None:
        self.tails.pop(volume.uuid, None)
        self.by_uuid[volume.uuid] = replace(self.by_uuid[volume.uuid], size=Size(size))


def _range(volume: Volume) -> str:
    return f"/dev/vdb:{volume.uuid}"


class FakeWiper:
    def __init__(self, volumes: FakeVolumes) -> None:
        self.volumes = volumes
        self.wiped: list[str] = []

    def wipe(self, volume: Volume, tick: Tick) -> WipeReport:
        for part in range(3):
            tick(part * volume.size // 2, volume.size)
        self.volumes.data[volume.uuid] = ""
        self.wiped.append(volume.uuid)
        return WipeReport(volume.uuid, volume.size, "BLKZEROOUT", 0.5, volume.size, "full")

    def is_zero(self, volume: Volume, start: int, tick: Tick) -> bool:
        return not self.volumes.tails.get(volume.uuid, "")


class FakeCopier:
    def __init__(self, volumes: FakeVolumes) -> None:
        self.volumes = volumes

    def restore(self, volume: Volume, snapshot: Volume, tick: Tick) -> RestoreReport:
        for part in range(3):
            self.volumes.data[volume.uuid] = "half of this, half of that"
            tick(part * volume.size // 2, volume.size)
        self.volumes.data[volume.uuid] = self.volumes.data[snapshot.uuid]
        return RestoreReport(volume.size, 4096, 0.5)


def _shown(uuid: str, path: str) -> str:
    """What a guest sees of a disk is noted by this: by the machine alone, of its first one."""
    return f"{uuid} {path}" if "/disk-" in path else uuid
