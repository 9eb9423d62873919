"""Is a file an image of a disk, or an ISO? Its format is decided here, once, never guessed again.

The first bytes are read by us, so that qemu-img is told the format and opens nothing that a file
from somewhere may name: backing files, data files, extents of VMDK
(qemu-img(1), "info"; QEMU's docs/interop/qcow2.txt; VMware's Virtual Disk Format 5.0).
"""

import json
import signal
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from raptorctl.errors import CommandError, HostError, ImageError, RaptorError
from raptorctl.host.image.stranger import stranger
from raptorctl.host.system.command import run
from raptorctl.host.system.pipe import MEMORY, limited
from raptorctl.model.error_code import Code
from raptorctl.model.medium import ISO
from raptorctl.model.sizes import Size

HEAD: Final = 256 << 10
"""Bytes that are looked at: beyond it no signature stands."""
SECTOR: Final = 512
"""Bytes; what VMDK's capacity is told in."""
CPU: Final = 120
"""Seconds; `qemu-img check` reads a few hundred MB of tables of the largest image at worst."""

VOLUME: Final = 16 * 2048
"""Where an ISO's volume descriptors begin (ECMA-119 6.2.1, ECMA-167 2/8.3.1)."""
PADDING: Final = 150 * 2048
"""Bytes at the end of a track that a copy of a disc may lack."""

DATA_FILE: Final = 1 << 2
"""qcow2.txt, incompatible_features, bit 2."""

# What a raw image begins with: a partition table, or a file system on the whole disk.
DISKS: Final[tuple[tuple[int, bytes], ...]] = (
    (510, b"\x55\xaa"),  # MBR, the protective one of GPT, FAT
    (512, b"EFI PART"),
    (1080, b"\x53\xef"),  # ext2, 3, 4
    (0, b"XFSB"),
    (65600, b"_BHRfS_M"),  # btrfs
    (512, b"LABELONE"),  # LVM
    (0, b"hsqs"),  # squashfs
)


@dataclass(frozen=True)
class Look:
    """What a file is.

    Args:
        format: `raw`, `qcow2`, `vmdk`, or `iso`.
        size: bytes that a guest sees.
    """

    format: str
    size: Size


def foreseen(head: bytes, length: int, called: str, largest: Size) -> Look:
    """Judge a file by its first bytes alone, as `look` would begin.

    Args:
        head: of the file, up to `HEAD` bytes.
        length: bytes of the file.
        called: as of `look`.
        largest: likewise.

    Raises:
        HostError: it is no image, one that needs other files, or too large.
    """
    form = _promised(head, called)
    if form == "qcow2":
        size = struct.unpack_from(">Q", head, 24)[0]
    else:
        size = length if form in {"raw", ISO} else struct.unpack_from("<Q", head, 12)[0] * SECTOR
    _refuse_large(size, largest)
    return Look(form, Size(size))


def look(path: Path, called: str, largest: Size) -> Look:
    """Find out what a file is, and that it is whole.

    Args:
        path: absolute.
        called: what it was called where it came from: an ending that promises a format binds.
        largest: bytes that a guest may see.

    Raises:
        HostError: it is no image, one that needs other files, damaged, or too large.
    """
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    form = _promised(head, called)
    size = _iso_size(path, head) if form == ISO else _size(path, form)
    _refuse_large(size, largest)
    if form not in {"raw", ISO}:
        _check(path, form)
    return Look(form, size)


def _promised(head: bytes, called: str) -> str:
    form = _format(head)
    promised = called.rpartition(".")[2].lower()
    if promised in {"raw", "qcow2", "vmdk"} and promised != form:
        raise ImageError(f"it is called .{promised}, but it is {form}")
    return form


def _refuse_large(size: int, largest: Size) -> None:
    if size > largest:
        raise ImageError(
            f"a guest would see {Size(size)}, more than {largest}",
            resolution="if that is meant, raise images.largest in the settings",
            code=Code.IMAGE_TOO_LARGE,
        )


def _format(head: bytes) -> str:
    # First, as one that boots from a stick as well has the partition table of a disk.
    if head[VOLUME + 1 : VOLUME + 6] in {b"CD001", b"BEA01"}:
        return ISO
    if what := stranger(head):
        raise ImageError(f"it is not an image of a disk but {what}")
    if head.startswith(b"QFI\xfb"):
        return _qcow2(head)
    if head.startswith(b"KDMV"):
        return _vmdk(head)
    if text := _text(head[:512]):
        raise ImageError(f"it is not an image of a disk but {text}")
    if not any(head[offset : offset + len(magic)] == magic for offset, magic in DISKS):
        raise ImageError("it is not an image of a disk: no partition table and no file system")
    return "raw"


def _qcow2(head: bytes) -> str:
    """Refuse a header that names other files (qcow2.txt, "Header", big endian)."""
    if len(head) < 104:
        raise ImageError("it is a qcow2 that is cut off")
    version, backing = struct.unpack_from(">IQ", head, 4)
    encryption = struct.unpack_from(">I", head, 32)[0]
    features = struct.unpack_from(">Q", head, 72)[0] if version >= 3 else 0
    if backing:
        raise ImageError(
            "it is a qcow2 with a backing file, half of an image",
            resolution="make it whole with `qemu-img convert -O qcow2`",
        )
    if features & DATA_FILE:
        raise ImageError("it is a qcow2 whose data are in another file")
    if encryption:
        raise ImageError("it is a qcow2 that is encrypted")
    return "qcow2"


def _vmdk(head: bytes) -> str:
    """Refuse a VMDK that is no more than a descriptor ("SparseExtentHeader", little endian)."""
    capacity = struct.unpack_from("<Q", head.ljust(24, b"\0"), 12)[0]
    if not capacity:
        raise ImageError("it is a VMDK whose data are in other files")
    return "vmdk"


def _text(head: bytes) -> str:
    """Say what text it is, or "" when it is none."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page (HTML), perhaps an error or a login"
    printable = set(range(32, 127)) | set(b"\t\r\n\f\x1b") | set(range(128, 256))
    if not head:
        return "an empty file"
    return "text" if set(head) <= printable and b"\n" in head else ""


def _size(path: Path, form: str) -> Size:
    """Ask qemu-img, which is also how an extent elsewhere is noticed."""
    told = _asked("info", path, form)
    if told.get("backing-filename") or _elsewhere(told, path):
        raise ImageError("it needs other files")
    size = told.get("virtual-size")
    if not isinstance(size, int) or size <= 0:
        raise ImageError("it is empty")
    return Size(size)


def _iso_size(path: Path, head: bytes) -> Size:
    """Return its length, once it is as long as its first volume says (ECMA-119 8.4, little endian).

    UDF alone has no such number at a fixed place.
    """
    length = path.stat().st_size
    if head[VOLUME : VOLUME + 6] == b"\x01CD001":
        (blocks,) = struct.unpack_from("<I", head, VOLUME + 80)
        (block,) = struct.unpack_from("<H", head, VOLUME + 128)
        if blocks * block > length + PADDING:
            raise ImageError(f"it is an ISO that is cut off: {length} bytes of {blocks * block}")
    return Size(length)


def _elsewhere(told: dict[str, Any], path: Path) -> bool:
    data = told.get("format-specific", {}).get("data", {})
    extents = data.get("extents", ())
    return bool(data.get("data-file")) or any(e.get("filename") != str(path) for e in extents)


def _check(path: Path, form: str) -> None:
    """Refuse what is damaged or ends too early; leaked clusters (status 3) harm nobody."""
    told = _asked("check", path, form)
    if told.get("corruptions", 0) or told.get("check-errors", 0):
        raise ImageError(f"it is a {form} that is damaged or cut off")


def _asked(verb: str, path: Path, form: str) -> dict[str, Any]:
    argv = limited(("qemu-img", verb, "-f", form, "--output=json", str(path)), CPU)
    try:
        told = json.loads(run(*argv, timeout=2 * CPU, ok=(0, 2, 3), awaited=False))
    except CommandError as error:
        limit, why = _limit(verb, error), error.reason
        if why.advice and not limit:  # the host's fault, and not the file's
            raise ImageError(why.line, details=error.details, resolution=why.advice) from error
        problem = limit or f"it is a {form} that is damaged or cut off"
        raise ImageError(problem, details=error.details) from error
    except ValueError as error:
        raise ImageError(f"qemu-img {verb} gave no answer", details=str(error)) from error
    return told if isinstance(told, dict) else {}


def _limit(verb: str, error: CommandError) -> str:
    """A limit of ours is no damage of the image's."""
    if error.exit_status == -signal.SIGXCPU or error.exit_status is None:
        return f"qemu-img {verb} took too long over it, and was ended"
    if error.exit_status == -signal.SIGKILL or "allocate memory" in error.stderr:
        return f"qemu-img {verb} takes more memory for it than {Size(MEMORY)}"
    return ""


def about(what: str, error: RaptorError) -> HostError:
    """Say the same of something by its name, where that is not said."""
    if what in error.brief and isinstance(error, HostError):
        return error
    return HostError(
        f"{what}: {error.brief}",
        details=error.details,
        resolution=error.resolution,
        code=error.code if isinstance(error, HostError) else None,
        subject=what,
    )
