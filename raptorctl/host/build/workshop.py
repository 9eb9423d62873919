"""A place where images are built; implements `raptorctl.drivers.build.Builder`."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from raptorctl.drivers.build import Put
from raptorctl.drivers.guest import Heard
from raptorctl.drivers.tick import Tick
from raptorctl.errors import ConflictError, HostError
from raptorctl.host.build import after, disks, ext4, iso, obstacle, output, partitions, vfat
from raptorctl.host.build.stage import staged
from raptorctl.model.build import BuildStep, DiskFormat, Empty, Filesystem, Resize, Way
from raptorctl.model.build_look import EDITABLE, Area, DiskLook
from raptorctl.model.build_record import BuildRecord
from raptorctl.model.build_room import BuildRoom
from raptorctl.model.image import Image
from raptorctl.model.settings import Libvirt

MARK: Final = "job"
"""The file of a build's folder that says whose it is."""


class LocalBuilder:
    """Builds on this machine; implements `raptorctl.drivers.build.Builder`.

    Args:
        libvirt: which boots throw-away machines, and with what firmware.
    """

    def __init__(self, libvirt: Libvirt) -> None:
        self._libvirt = libvirt
        self._heard: Heard = lambda _data: None

    def look(self, image: Image) -> DiskLook:
        """See `Builder`."""
        return disks.look(image)

    def open(self, folder: str, job: str) -> None:
        """See `Builder`."""
        path = Path(folder)
        try:
            path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
            # Root's QEMU has an account of its own, which has to get to the disks.
            path.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, exist_ok=True)
            (path / MARK).write_text(job)
        except OSError as error:
            raise HostError(f"cannot make {folder}: {error.strerror}") from error

    def holds(self, folder: str, job: str) -> bool:
        """See `Builder`."""
        try:
            return (Path(folder) / MARK).read_text() == job
        except OSError:
            return False

    def discard(self, folder: str, job: str) -> None:
        """See `Builder`: the job's name is in that of the folder, should the mark be gone."""
        path = Path(folder)
        if not path.is_dir():
            return
        if path.name != job and not self.holds(folder, job):
            raise ConflictError(f"{folder} is not of the job {job}")
        shutil.rmtree(path)

    def copy(self, image: Image, partition: int, disk: str, tick: Tick) -> None:
        """See `Builder`."""
        disks.copy(image, partition, Path(disk), tick)

    def blank(self, empty: Empty, disk: str) -> None:
        """See `Builder`."""
        disks.blank(empty, Path(disk))

    def there(self, disk: str) -> bool:
        """See `Builder`."""
        return Path(disk).is_file()

    def put(self, files: Put, empty: Empty | None) -> None:
        """See `Builder`."""
        disk = Path(files.disk)
        entries = staged(disk.parent, files.files, files.variables)
        if empty and not empty.size:
            output.lay_out(disk.parent, entries, disk.with_suffix(output.TREE))
            if empty.filesystem is Filesystem.ISO:
                iso.write(disk, empty.label, entries)
                return
            with disk.open("r+b") as file:
                file.truncate(vfat.fitting(disk.parent, entries))
            vfat.make(disk, empty, entries)
        area = self._area(disk, files.partition)
        (ext4 if area.filesystem == Filesystem.EXT4 else vfat).put(disk, area.start, entries)

    def _area(self, disk: Path, number: int) -> Area:
        seen = partitions.look_at(disk)
        area = seen.partition(number) if number else seen.root
        if area is None or area.filesystem not in EDITABLE:
            what = (area and area.filesystem) or "nothing that is known"
            raise HostError(
                f"files cannot be put into {disk.name}: {what} is there",
                resolution='way = "boot" mounts any file system',
            )
        return area

    def resize(self, disk: str, wanted: Resize, tick: Tick) -> None:
        """See `Builder`."""
        disks.resize(Path(disk), wanted, tick)

    def listen(self, heard: Heard) -> None:
        """See `Builder`."""
        self._heard = heard

    def run(self, room: BuildRoom, tick: Tick) -> None:
        """See `Builder`."""
        if room.way is Way.NSPAWN:
            from raptorctl.host.build.nspawn import run_in

            run_in(room, self._heard, tick)
            return
        from raptorctl.host.build.boot import Told, boot

        boot(room, self._libvirt, Told(self._heard, tick))

    def end(self, way: str, uuid: str) -> None:
        """See `Builder`."""
        if way == Way.BOOT:
            from raptorctl.host.build.boot import BuildMachines

            BuildMachines(self._libvirt.uri).end(uuid)

    def after(self, steps: Sequence[BuildStep], disks: Sequence[str], tick: Tick) -> None:
        """See `Builder`."""
        after.run_steps(steps, [*map(Path, disks)], self._heard, tick)

    def wrote(self, record: str) -> frozenset[str]:
        """See `Builder`."""
        kept = output.read_record(Path(record))
        return frozenset(file.path for file in kept.files) if kept else frozenset()

    def obstacle(self, target: str, record: str, *, folder: bool) -> str:
        """See `Builder`."""
        return obstacle.obstacle(Path(target), folder=folder, wrote=self.wrote(record))

    def export(self, disk: str, form: DiskFormat, target: str, tick: Tick, *, last: bool) -> None:
        """See `Builder`."""
        output.export(Path(disk), form, Path(target), tick, last=last)

    def export_folder(self, disk: str, target: str) -> None:
        """See `Builder`."""
        output.export_folder(Path(disk), Path(target))

    def unexport(self, target: str, made: Sequence[str]) -> None:
        """See `Builder`."""
        output.unexport(Path(target), made)

    def published(self, staged: str, target: str) -> bool:
        """See `Builder`."""
        return output.published(Path(staged), Path(target))

    def publish(self, staged: str, target: str, before: str) -> None:
        """See `Builder`."""
        output.publish(Path(staged), Path(target), Path(before))

    def withdraw(self, staged: str, target: str, before: str) -> None:
        """See `Builder`."""
        output.withdraw(Path(staged), Path(target), Path(before))

    def settle(self, before: str) -> None:
        """See `Builder`."""
        output.settle(Path(before))

    def is_built(self, path: str, job: str) -> bool:
        """See `Builder`."""
        found = output.read_record(Path(path))
        return found is not None and found.build == job

    def record(self, path: str) -> BuildRecord | None:
        """See `Builder`."""
        return output.record(Path(path))

    def keep_record(self, path: str, record: BuildRecord) -> None:
        """See `Builder`."""
        output.keep_record(Path(path), record)
