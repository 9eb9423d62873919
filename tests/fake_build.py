"""A place in memory where images are built: what is on disks and in files is a text."""

from collections.abc import Sequence
from typing import Any

from raptorctl.drivers.build import Put
from raptorctl.drivers.guest import Heard
from raptorctl.drivers.tick import Tick
from raptorctl.errors import HostError
from raptorctl.model.build import BuildStep, DiskFormat, Empty, Resize
from raptorctl.model.build_look import Area, DiskLook
from raptorctl.model.build_record import BuildRecord
from raptorctl.model.build_room import BuildRoom
from raptorctl.model.build_script import title
from raptorctl.model.image import Image
from raptorctl.model.sizes import GIB, MIB, Size

LOOK = DiskLook(Size(3 * GIB), "gpt", (Area(MIB, Size(3 * GIB - 2 * MIB), "ext4", 1),))


class FakeBuilder:
    """Builds: `files` are what is where; `looks` what is on images; `failing` steps; `obstacles`."""

    def __init__(self) -> None:
        self.files: dict[str, Any] = {}
        self.looks: dict[str, DiskLook] = {}
        self.failing: set[str] = set()
        self.obstacles: dict[str, str] = {}
        self.heard: list[Heard] = []
        self.ended: list[str] = []

    def look(self, image: Image) -> DiskLook:
        return self.looks.get(image.name, LOOK)

    def open(self, folder: str, job: str) -> None:
        self.files[f"{folder}/job"] = job

    def holds(self, folder: str, job: str) -> bool:
        return self.files.get(f"{folder}/job") == job

    def discard(self, folder: str, job: str) -> None:
        for path in [path for path in self.files if path.startswith(f"{folder}/")]:
            del self.files[path]

    def copy(self, image: Image, partition: int, disk: str, tick: Tick) -> None:
        tick(0, image.size)
        self.files[disk] = f"{image.digest[:4]}/{partition}" if partition else image.digest[:4]

    def blank(self, empty: Empty, disk: str) -> None:
        self.files[disk] = f"empty {empty.filesystem}"

    def there(self, disk: str) -> bool:
        return disk in self.files

    def put(self, files: Put, empty: Empty | None) -> None:
        self.files[files.disk] += "".join(f" +{file.to}" for file in files.files)

    def resize(self, disk: str, wanted: Resize, tick: Tick) -> None:
        self.files[disk] += f" ={wanted}"

    def listen(self, heard: Heard) -> None:
        self.heard.append(heard)

    def run(self, room: BuildRoom, tick: Tick) -> None:
        self._run(room.steps, room.disks[0].path, tick)

    def end(self, way: str, uuid: str) -> None:
        self.ended.append(uuid)

    def after(self, steps: Sequence[BuildStep], disks: Sequence[str], tick: Tick) -> None:
        self._run(steps, disks[0], tick)

    def _run(self, steps: Sequence[BuildStep], disk: str, tick: Tick) -> None:
        for step in steps:
            tick(0, 0)
            if title(step) in self.failing:
                raise HostError(f"step {title(step)} ended with status 1")
            self.files[disk] += f" !{title(step)}"

    def wrote(self, record: str) -> frozenset[str]:
        found = self.files.get(record)
        return frozenset(file.path for file in found.files) if found else frozenset()

    def obstacle(self, target: str, record: str, *, folder: bool) -> str:
        return self.obstacles.get(target, "")

    def export(self, disk: str, form: DiskFormat, target: str, tick: Tick, *, last: bool) -> None:
        tick(0, 1)
        taken = last and form is DiskFormat.RAW
        self.files[target] = f"{form}: {self.files.pop(disk) if taken else self.files[disk]}"

    def export_folder(self, disk: str, target: str) -> None:
        self.files[target] = "a folder"

    def unexport(self, target: str, made: Sequence[str]) -> None:
        self.files.pop(target, None)

    def published(self, staged: str, target: str) -> bool:
        return staged not in self.files and target in self.files

    def publish(self, staged: str, target: str, before: str) -> None:
        if target in self.files and before not in self.files:
            self.files[before] = self.files[target]
        self.files[target] = self.files.pop(staged)

    def withdraw(self, staged: str, target: str, before: str) -> None:
        if staged not in self.files and target in self.files:
            self.files[staged] = self.files.pop(target)
        if before in self.files:
            self.files[target] = self.files.pop(before)

    def settle(self, before: str) -> None:
        self.files.pop(before, None)

    def is_built(self, path: str, job: str) -> bool:
        found = self.files.get(path)
        return isinstance(found, BuildRecord) and found.build == job

    def record(self, path: str) -> BuildRecord | None:
        found: BuildRecord | None = self.files.get(path)
        there = found and all(file.path in self.files for file in found.files)
        return found if there else None

    def keep_record(self, path: str, record: BuildRecord) -> None:
        self.files[path] = record

    def picture(self) -> object:
        """All that is there, but for who listens."""
        return sorted((path, str(held)) for path, held in self.files.items())
