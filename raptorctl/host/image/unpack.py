"""Archives of images: how each begins, what unpacks it, and what is meant by how that ends.

Warnings and limits of an unpacker are no damage; only what it calls damage is.
"""

import os
import re
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from raptorctl.errors import CommandError, HostError, ImageError
from raptorctl.host.image import unpacker as unpack
from raptorctl.host.system.command import find
from raptorctl.host.system.pipe import MEMORY, limited
from raptorctl.model.sizes import MIB, Size

CPU: Final = 4 * 3600
"""Seconds for unpacking: far above any image, far below for ever."""
BESIDE: Final = 256 * MIB
"""Bytes of address space for an unpacker itself, beside the window or dictionary."""

GZIP: Final = b"\x1f\x8b\x08"  # RFC 1952 2.3.1
XZ: Final = b"\xfd7zXZ\x00"  # the .xz file format 2.1.1.1
ZSTD: Final = b"\x28\xb5\x2f\xfd"  # RFC 8878 3.1.1
SEVEN: Final = b"7z\xbc\xaf\x27\x1c"  # 7zFormat.txt, SignatureHeader
SKIPPABLE: Final = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18", re.DOTALL)  # RFC 8878 3.1.2
SKIPS: Final = 4096
"""How many skippable frames are passed over in search of the first other; pzstd writes one."""


@dataclass(frozen=True)
class Unpacker:
    """What unpacks one kind of archive.

    Args:
        name: of the kind.
        argv: the program and its arguments; it reads standard input.
    """

    name: str
    argv: tuple[str, ...]

    @property
    def limited(self) -> tuple[str, ...]:
        """The command line, in limits of memory and time.

        Raises:
            MissingError: the program is not there.
        """
        return limited(self.argv, CPU, MEMORY + BESIDE)

    def listing(self) -> tuple[str, ...]:
        """The command line that lists an archive's members, in the same limits.

        Raises:
            MissingError: likewise.
        """
        return limited(_bsdtar("-tf", "-"), CPU, MEMORY + BESIDE)


def unpacker(source: BinaryIO) -> Unpacker | None:
    """Return what unpacks an archive, or None when it is none; nothing of it is used up."""
    head = _head(source)
    if head.startswith(GZIP):
        return Unpacker("gzip", _own("gzip"))
    if head.startswith(XZ):
        return Unpacker("xz", _own("xz"))
    if head.startswith(ZSTD) or SKIPPABLE.match(head):
        # zstd(1): 31 is the largest window that a 64 bit zstd knows, 2 GiB.
        return Unpacker("zstd", ("zstd", "-q", "-d", "-c", "--long=31"))
    if head.startswith(SEVEN):
        return Unpacker("7z", _bsdtar("-xOf", "-"))
    return None


def _head(source: BinaryIO) -> bytes:
    """Return how an archive begins, behind the skippable frames before it.

    LZ4 has the same ones (its frame format), so they tell nothing of what follows.
    """
    at = 0
    for _ in range(SKIPS):
        head = os.pread(source.fileno(), 16, at)
        if len(head) < 8 or not SKIPPABLE.match(head):
            return head or os.pread(source.fileno(), 16, 0)
        at += 8 + int.from_bytes(head[4:8], "little")
    return os.pread(source.fileno(), 16, 0)


def _own(kind: str) -> tuple[str, ...]:
    program = str(Path(unpack.__file__))
    return (sys.executable, "-I", "-S", program, kind, str(MEMORY))


def _bsdtar(*words: str) -> tuple[str, ...]:
    """In the C locale it ends with 1 over a member's name that is not ASCII."""
    return ("env", "LC_ALL=C.UTF-8", find("bsdtar"), *words)


MORE: Final = "it takes more memory than {most} to be unpacked"
MADE_ANEW: Final = {
    "xz": "pack it anew with `xz -9` or less",
    "zstd": "pack it anew with `zstd --long=27` or less",
}
WINDOW: Final = "it takes a window of more than {most} to be unpacked"
# xz(1), --single-stream; zstd(1) has no such option, and has written all when it complains.
BEHIND: Final = {
    "xz": "to leave that away: `xz -dc --single-stream FILE >DISK.img`, and pull ./DISK.img",
    "zstd": "to leave that away: `zstd -dc FILE >DISK.img`, which complains at its end, and pull "
    "./DISK.img",
}
# What unpackers say, as a regular expression, and what it means.
SAID: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "gzip": (),
    "xz": (("too much memory", MORE),),
    "zstd": (
        (
            r"Window size larger than maximum : (?P<bytes>\d+)",
            "it takes a window of {asked} to be unpacked, and {most} is allowed",
        ),
        ("Window log larger than|too much memory", WINDOW),
        ("not enough memory", MORE),
        ("Dictionary mismatch", "it is packed with a dictionary, which is not in it"),
        ("unsupported format|unknown header", "what stands behind its last frame is no zstd"),
        ("Unsupported frame parameter", "it is packed in a way that zstd does not know"),
    ),
    "7z": (
        ("encrypted", "it is encrypted"),
        ("memory", MORE),
        (
            "[Uu]nsupported|not supported|Unexpected codec|Unknown codec",
            "it is packed in a way that libarchive does not know",
        ),
    ),
}


def warning(error: CommandError) -> str:
    """Return what an unpacker warns of when it has unpacked all the same, or ""."""
    ours = unpack.__file__ in error.argv
    return error.stderr.strip() if ours and error.exit_status == unpack.WARNED else ""


def verdict(kind: Unpacker, error: CommandError) -> HostError:
    """Say why an unpacker ended without having unpacked all."""
    said = _ended_by_limit(error) or _meant(kind, error)
    if not said and kind.name in {"gzip", "xz"} and error.exit_status == unpack.REFUSED:
        said = error.stderr.strip()
    if said:
        advice = BEHIND.get(kind.name, "") if " behind " in said else ""
        problem = f"the archive cannot be unpacked: {said}"
        return ImageError(problem, details=error.details, resolution=advice)
    return ImageError("the archive is damaged or cut off", details=error.details)


def _ended_by_limit(error: CommandError) -> str:
    if error.exit_status == -signal.SIGXCPU:
        return f"unpacking it took more than {CPU // 3600} hours of CPU, and was ended"
    if error.exit_status == -signal.SIGKILL:
        return "its unpacker was killed, perhaps for want of memory"
    return ""


def _meant(kind: Unpacker, error: CommandError) -> str:
    for sign, words in SAID[kind.name]:
        if found := re.search(sign, error.stderr):
            asked = Size(int(found.groupdict().get("bytes") or 0))
            said = words.format(asked=asked, most=Size(MEMORY))
            advice = MADE_ANEW.get(kind.name) if "{most}" in words else None
            return f"{said}; {advice}" if advice else said
    return ""
