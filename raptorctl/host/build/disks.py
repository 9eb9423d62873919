"""Raw disks of a build: made of images, emptied, resized, written in another format."""

import os
import re
import shutil
from pathlib import Path
from typing import Final

from raptorctl.drivers.tick import Tick
from raptorctl.errors import CommandError, HostError
from raptorctl.host.build import ext4, partitions, vfat
from raptorctl.host.image.unpack import CPU
from raptorctl.host.image.write import MEMORY, PERCENT
from raptorctl.host.system.command import find, run, watch
from raptorctl.host.system.pipe import limited
from raptorctl.model.build import DiskFormat, Empty, Filesystem, Fit, Resize
from raptorctl.model.build_look import HEAD, Area, DiskLook
from raptorctl.model.image import Image
from raptorctl.model.sizes import MIB, Size

OPTIONS: Final = {
    DiskFormat.RAW: "",
    DiskFormat.QCOW2: "compat=1.1,lazy_refcounts=on",
    DiskFormat.VMDK: "adapter_type=lsilogic",
}
"""What B9 gives its images, so that whoever took those takes ours."""
LOOK: Final = "raptorctl-look-"
"""How folders in which an image is looked at begin; the process follows."""
_HEAD_ROOM: Final = 2 * MIB
"""Bytes at both ends of a disk in which its partition table is."""
_UNFIT: Final = re.compile(r"[^\x20-\x7e]")


def look(image: Image) -> DiskLook:
    """Say what is on an image: of its data, only what tells that is read."""
    import tempfile

    _sweep(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=f"{LOOK}{os.getpid()}-") as folder:
        sketch = Path(folder) / "disk"
        with sketch.open("wb") as file:
            file.truncate(image.size)
        tail = max(0, image.size - _HEAD_ROOM) // MIB * MIB
        for start in dict.fromkeys((0, tail)):
            _sample(image, sketch, start, min(_HEAD_ROOM, image.size - start))
        for area in partitions.look_at(sketch).areas:
            if area.start:
                _sample(image, sketch, area.start, min(HEAD, area.size))
        return partitions.look_at(sketch)


def _stretch(disk: Path, size: int) -> None:
    try:
        os.truncate(disk, size)
    except OSError as error:  # more than the file system lets one file have
        raise HostError(f"no disk of {Size(size)} can be here: {error.strerror}") from error


def _sweep(folder: Path) -> None:
    """Remove what was left by looks of ours that were killed."""
    for each in folder.glob(f"{LOOK}*"):
        pid = each.name.removeprefix(LOOK).partition("-")[0]
        ours = os.lstat(each).st_uid == os.geteuid() if os.path.lexists(each) else False
        if ours and pid.isdecimal() and not Path("/proc", pid).exists():
            shutil.rmtree(each, ignore_errors=True)


def _sample(image: Image, sketch: Path, start: int, size: int) -> None:
    """Have so many bytes of an image in the place where they are on the disk."""
    part = sketch.with_name("part")
    source = _window(image.path, image.format, start, _whole(size))
    _run("convert", "-O", "raw", "--image-opts", source, str(part))
    with part.open("rb") as data, sketch.open("r+b") as file:
        file.seek(start)
        file.write(data.read(size))
    part.unlink()


def copy(image: Image, partition: int, disk: Path, tick: Tick) -> None:
    """Make a raw disk of an image, or of a partition of it, whole or not at all."""
    source = _plain(image.path, image.format)
    if partition:
        area = look(image).partition(partition)
        if area is None:
            raise HostError(f"{image.name} has no partition {partition}")
        source = _window(image.path, image.format, area.start, area.size)
    work = disk.with_suffix(".part")
    work.unlink(missing_ok=True)
    convert(("--image-opts", source), DiskFormat.RAW, work, image.size, tick)
    work.chmod(0o600)
    work.replace(disk)


def blank(empty: Empty, disk: Path) -> None:
    """Make an empty raw disk, formatted as asked; whole or not at all."""
    work = disk.with_suffix(".part")
    work.touch()
    _stretch(work, empty.size)
    if empty.size and empty.filesystem is Filesystem.EXT4:
        ext4.make(work, empty)
    elif empty.size and empty.filesystem is Filesystem.VFAT:
        vfat.make(work, empty)
    work.chmod(0o600)
    work.replace(disk)


def convert(source: tuple[str, ...], form: DiskFormat, target: Path, size: int, tick: Tick) -> None:
    """Have qemu-img write a disk.

    Args:
        source: what it reads, as its options say it.
        form: that it writes.
        target: made anew.
        size: bytes of the disk, for `tick`.
        tick: told how far it is.

    Raises:
        HostError: the source is damaged, or there is no room.
    """

    def beat(said: str) -> None:
        percent = PERCENT.findall(said)
        tick(int(float(percent[-1]) * size / 100) if percent else 0, size)

    more = ("-o", OPTIONS[form]) if OPTIONS[form] else ()
    argv = _bound("convert", "-p", "-W", "-O", form.value, *more, *source, str(target))
    try:
        watch(*argv, timeout=CPU, beat=beat, awaited=False)
    except CommandError as error:
        target.unlink(missing_ok=True)
        raise HostError(
            f"{target.name} could not be written: {error.reason.line or error.brief}",
            details=error.details,
            resolution=error.reason.advice,
        ) from error
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def resize(disk: Path, wanted: Resize, tick: Tick) -> None:
    """Give a raw disk its size, and its last file system with it."""
    seen = partitions.look_at(disk)
    area = seen.last
    if wanted.fit is Fit.KEEP or (wanted.fit is not Fit.MINIMUM and wanted.size == seen.size):
        return
    if wanted.fit is Fit.DISK or area is None:
        _only_disk(disk, seen, wanted.size)
    elif area.filesystem != Filesystem.EXT4:
        _around(disk, seen, area, wanted)
    elif area.number == 0:
        size = _aim(disk, seen, area, wanted)
        if size > seen.size:
            _stretch(disk, size)
        ext4.resize(disk, size)
        if wanted.fit is Fit.TO:  # a file system is of whole blocks, and the file ends with it
            _stretch(disk, wanted.size)
    else:
        _partition(disk, seen, area, wanted, tick)


def _only_disk(disk: Path, seen: DiskLook, size: Size) -> None:
    if size < seen.size:
        raise HostError(f"{disk.name} has {seen.size}: cut off at {size}, what is there is lost")
    _stretch(disk, size)


def _around(disk: Path, seen: DiskLook, area: Area, wanted: Resize) -> None:
    """Grow the disk, and its last partition; a file system that we cannot grow does so at boot."""
    if wanted.fit is Fit.MINIMUM or wanted.size < seen.size:
        what = area.filesystem or "what is not known"
        raise HostError(f"{disk.name} cannot be made smaller: {what} is nearest its end")
    if area.number:
        partitions.resized(disk, area.number, wanted.size)
    else:
        _stretch(disk, wanted.size)


def _partition(disk: Path, seen: DiskLook, area: Area, wanted: Resize, tick: Tick) -> None:
    """Resize the file system of a partition in a file of its own: resize2fs cuts files off."""
    work = disk.with_suffix(".filesystem")
    source = ("--image-opts", _window(str(disk), "raw", area.start, area.size))
    convert(source, DiskFormat.RAW, work, area.size, tick)
    size = _aim(work, seen, area, wanted)
    whole = wanted.size if wanted.fit is Fit.TO else area.start + size + MIB
    grows = size > area.size
    if grows:
        partitions.resized(disk, area.number, whole)
        _stretch(work, size)
    ext4.resize(work, size)
    with disk.open("r+b") as file:
        file.seek(area.start)
    target = _window(str(disk), "raw", area.start, _whole(work.stat().st_size))
    _run("convert", "-n", "-f", "raw", "--target-image-opts", str(work), target)
    work.unlink()
    if not grows and whole != seen.size:
        partitions.resized(disk, area.number, whole)
    ext4.check(disk, area.start)


def _aim(filesystem: Path, seen: DiskLook, area: Area, wanted: Resize) -> int:
    """Bytes that the file system is to have, so that the disk has what was asked for."""
    if wanted.fit is Fit.TO:
        if area.number:
            return partitions.room(seen.label, area.start, area.size, wanted.size)
        return wanted.size
    least = ext4.least(filesystem) + wanted.size
    return Size(min(least, seen.size) if not wanted.size else least).rounded_up(MIB)


def _plain(path: str, form: str) -> str:
    return f"driver={form},file.driver=file,file.filename={_escaped(path)}"


def _window(path: str, form: str, start: int, size: int) -> str:
    """A part of a disk, as qemu-img takes it (qemu(1), -blockdev, raw: offset and size)."""
    window = f"driver=raw,offset={int(start)},size={int(size)}"
    if form == "raw":
        return f"{window},file.driver=file,file.filename={_escaped(path)}"
    inner = f"file.driver={form},file.file.driver=file"
    return f"{window},{inner},file.file.filename={_escaped(path)}"


def _run(*words: str) -> None:
    run(*_bound(*words), timeout=CPU, awaited=False)


def _bound(*words: str) -> tuple[str, ...]:
    """A qemu-img in bounds, which ends with us.

    A build has no lock: did `recover` have to wait for what builds have started (hours, of a large
    disk), no other job could be recovered meanwhile.
    """
    ours = ("setpriv", "--pdeathsig=KILL", find("qemu-img"), *words)
    return limited(ours, CPU, MEMORY)


def _escaped(path: str) -> str:
    return path.replace(",", ",,")


def _whole(size: int) -> int:
    """Whole sectors: qemu-img counts in them."""
    return size - size % 512
