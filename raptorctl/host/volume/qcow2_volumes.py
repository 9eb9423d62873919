"""Volumes as files of one's own: `NAME.qcow2`, and beside it `NAME.json` with what it is.

The note comes before the file and goes after it, so whatever is cut off when, what we made is
listed as ours: a note without a file is a volume that is not whole. While one is renamed, two
notes bear its identifier, and the one with the file counts. A file without a note is not ours.
"""

import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from raptorctl.drivers.tick import Tick
from raptorctl.drivers.volume import WipeReport
from raptorctl.errors import CommandError, ConflictError, HostError
from raptorctl.host.system.command import run
from raptorctl.host.system.durable import replace_file, sync_directory
from raptorctl.host.volume.qcow2 import virtual_size
from raptorctl.host.volume.qcow2_copy import copy_file
from raptorctl.model.cause import ANY
from raptorctl.model.reason import why
from raptorctl.model.sizes import KIB, Size
from raptorctl.model.volume import CLEAN, DIRTY, OURS, Extents, Volume, VolumeGroup

CLUSTER: Final = 64 * KIB
"""What qcow2 hands out at a time, unless told otherwise (qemu-img(1), cluster_size)."""


class OverlayVolumes:
    """Volumes in a directory; implements `raptorctl.drivers.volume.Volumes`.

    Args:
        directory: where they are.
    """

    def __init__(self, directory: str) -> None:
        self.directory = Path(directory)

    def group(self) -> VolumeGroup | None:
        """Return the filesystem of the directory, which may not have been made yet.

        Volumes grow into what is free as they are written.
        """
        there = (path for path in (self.directory, *self.directory.parents) if path.is_dir())
        usage = shutil.disk_usage(next(there))
        return VolumeGroup(str(self.directory), Size(usage.total), Size(usage.free), Size(CLUSTER))

    def list(self) -> tuple[Volume, ...]:
        """Return all volumes, by name."""
        found: dict[str, Volume] = {}
        for volume in self._noted():
            if volume.uuid not in found or Path(volume.path).exists():
                found[volume.uuid] = volume
        return tuple(sorted(found.values(), key=lambda volume: volume.name))

    def look(self) -> tuple[VolumeGroup | None, tuple[Volume, ...]]:
        """Return the directory's filesystem and all volumes."""
        return self.group(), self.list()

    def seen(self) -> tuple[Volume, ...]:
        """Return all volumes, read anew: that takes no program."""
        return self.list()

    def held(self, volume: Volume) -> bool:
        """Say no: QEMU locks its files itself."""
        return False

    def find(self, uuid: str) -> Volume | None:
        """Return the volume with that identifier, read anew."""
        return next((volume for volume in self.list() if volume.uuid == uuid), None)

    def named(self, name: str) -> Volume | None:
        """Return the volume of that name, read anew."""
        return next((volume for volume in self.list() if volume.name == name), None)

    def create(self, name: str, size: int, tags: Iterable[str]) -> Volume:
        """Make an empty volume that grows to `size` bytes as it is written.

        Raises:
            ConflictError: there is a file of that name.
        """
        volume = Volume(str(uuid.uuid4()), name, str(self.directory), Size(size), tuple(tags))
        if self.named(name) or Path(volume.path).exists():
            raise ConflictError(f"{volume.path} exists")
        self._note(volume)
        make_file(volume.path, size)
        return self._still(volume)

    def retag(
        self, volume: Volume, *, add: Iterable[str], remove: Iterable[str], at_boot: bool
    ) -> Volume:
        """Change tags; nothing of ours happens at boot."""
        current, gone = self._ours(volume), set(remove)
        tags = dict.fromkeys([*(tag for tag in current.tags if tag not in gone), *add])
        self._note(replace(current, tags=tuple(tags)))
        self._forget_others(current)  # a renaming was cut off here, and is now given up
        return self._still(volume)

    def rename(self, volume: Volume, name: str, *, read_back: bool = True) -> Volume:
        """Give a volume another name: note, file, then the old note."""
        current = self._ours(volume)
        if current.name == name:
            return current
        wanted = replace(current, name=name)
        if Path(wanted.path).exists():
            raise ConflictError(f"{wanted.path} exists")
        self._note(wanted)
        Path(current.path).rename(wanted.path)
        self._forget_others(wanted)
        return self._still(volume)

    def activate(self, volume: Volume) -> Volume:
        """Return it: a file needs no device."""
        return self._ours(volume)

    def remove(self, volume: Volume, *, discard: bool = True) -> None:
        """Remove the file, then every note of it."""
        current = self._ours(volume)
        for path in (current.path, f"{current.path}.part"):  # cut off while it was made
            Path(path).unlink(missing_ok=True)
        sync_directory(self.directory)
        self._forget_others(current)
        self._forget(current.name)

    def enlarge(self, volume: Volume, size: int) -> None:
        """Have the file hold `size` bytes for its guest; nobody may have it open."""
        run("qemu-img", "resize", "-q", "-f", "qcow2", self._ours(volume).path, str(size))

    def extents(self, volume: Volume) -> Extents:
        """Refuse: a file has none.

        Raises:
            HostError: always.
        """
        raise _no_file(volume, "has no extents")

    def extend(self, volume: Volume, extents: Extents) -> None:
        """Refuse: a file has no extents.

        Raises:
            HostError: always.
        """
        raise _no_file(volume, "has no extents")

    def shrink(self, volume: Volume, size: int) -> None:
        """Refuse: what its guest wrote would be lost.

        Raises:
            HostError: always.
        """
        raise _no_file(volume, "does not shrink")

    def snapshot(
        self, origin: Volume, name: str, size: int, tags: Iterable[str], tick: Tick
    ) -> Volume:
        """Copy the file, while nobody writes it: the copy is the snapshot, and needs no room.

        Raises:
            ConflictError: there is a file of that name, or the volume's is written meanwhile.
        """
        current = self._ours(origin)
        wanted = Volume(str(uuid.uuid4()), name, str(self.directory), current.size, tuple(tags))
        if self.named(name) or Path(wanted.path).exists():
            raise ConflictError(f"{wanted.path} exists")
        self._note(replace(wanted, origin=current.name))
        copy_file(current.path, wanted.path, tick)
        return self._still(wanted)

    def split(self, snapshot: Volume) -> Volume:
        """Refuse: a copy is a file of its own already.

        Raises:
            HostError: always.
        """
        raise _no_file(snapshot, "is split from nothing")

    def _noted(self) -> Iterator[Volume]:
        for path in sorted(self.directory.glob("*.json")):
            with suppress(FileNotFoundError):
                if volume := self._read(path):
                    yield volume

    def _read(self, path: Path) -> Volume | None:
        said = _parsed(path.read_bytes())
        if said is None:
            return None
        uuid, origin = said["uuid"], str(said.get("origin", ""))
        size = Size(said["size"])
        volume = Volume(uuid, path.stem, str(self.directory), size, origin=origin)
        tags = tuple(map(str, said["tags"]))
        there = virtual_size(Path(volume.path))
        if there is None:  # it is not there, or no file that we made
            whole = tuple(tag for tag in tags if tag != CLEAN)
            return replace(volume, tags=tuple(dict.fromkeys([*whole, DIRTY])))
        return replace(volume, size=Size(there), tags=tags)

    def _note(self, volume: Volume) -> None:
        said = {"uuid": volume.uuid, "size": int(volume.size), "tags": list(volume.tags)}
        said |= {"origin": volume.origin} if volume.origin else {}
        replace_file(self._path(volume.name), json.dumps(said).encode(), 0o600)

    def _forget_others(self, kept: Volume) -> None:
        for other in [one.name for one in self._noted() if one.uuid == kept.uuid]:
            if other != kept.name:
                self._forget(other)

    def _forget(self, name: str) -> None:
        self._path(name).unlink(missing_ok=True)
        sync_directory(self.directory)

    def _path(self, name: str) -> Path:
        return self.directory / f"{name}.json"

    def _still(self, volume: Volume) -> Volume:
        found = self.find(volume.uuid)
        if found is None:
            raise ConflictError(f"{volume.path} is gone")
        return found

    def _ours(self, volume: Volume) -> Volume:
        current = self._still(volume)
        if OURS not in current.tags:
            raise ConflictError(f"{current.path} is not raptorctl's")
        return current


class FileWiper:
    """Empties files of one's own; implements `raptorctl.drivers.volume.Wiper`."""

    def wipe(self, volume: Volume, tick: Tick) -> WipeReport:
        """Put a new, empty file in the volume's place; nothing of the old one is overwritten."""
        make_file(volume.path, volume.size)
        return WipeReport(volume.uuid, volume.size, "new file", 0.0, 0, "none")

    def is_zero(self, volume: Volume, start: int, tick: Tick) -> bool:
        """Say no: nobody has looked."""
        return False


def make_file(path: str, size: int, backing: tuple[str, str] | None = None) -> None:
    """Make a qcow2 file in the place of another, or of none, whole or not at all.

    Args:
        path: the file.
        size: bytes that its guest sees.
        backing: path and format of what it lies over.

    Raises:
        HostError: it cannot be made; what was there is untouched.
    """
    part = Path(f"{path}.part")
    # A backing file's own format is said aloud: a guest that wrote its disk could choose another.
    over = ("-b", backing[0], "-F", backing[1]) if backing else ()
    try:
        run("qemu-img", "create", "-q", "-f", "qcow2", *over, str(part), str(size))
        with part.open("rb+") as file:
            part.chmod(0o600)
            os.fsync(file.fileno())
        part.replace(path)
    except (CommandError, OSError) as error:
        part.unlink(missing_ok=True)
        found = error.reason if isinstance(error, CommandError) else why(str(error), ANY)
        raise HostError(f"cannot make {path}: {found.line}", resolution=found.advice) from error
    sync_directory(part.parent)


def _parsed(data: bytes) -> dict[str, Any] | None:
    """What a note says, or None where it is none of ours."""
    try:
        said = json.loads(data)
        fits = isinstance(said["uuid"], str) and isinstance(said["tags"], list)
        return {**said, "size": int(said["size"])} if fits else None
    except (ValueError, KeyError, TypeError):
        return None


def _no_file(volume: Volume, what: str) -> HostError:
    return HostError(f"volume {volume.name} is a file, which {what}")
