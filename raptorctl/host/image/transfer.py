"""The bytes of an image on their way into the cache: unpacked, counted, hashed, holes left out."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from raptorctl.drivers.tick import Tick
from raptorctl.errors import CommandError, HostError, ImageError, RefusedError
from raptorctl.host.image.unpack import Unpacker, unpacker, verdict, warning
from raptorctl.host.system.durable import sync_directory, unfinished
from raptorctl.host.system.pipe import piped
from raptorctl.host.system.writeback import Writeback
from raptorctl.model.error_code import Code
from raptorctl.model.image import Image
from raptorctl.model.sizes import Size

CHUNK: Final = 1 << 20
HOLE: Final = 64 << 10
"""Bytes of zeroes that become a hole: a cluster of qcow2, and no filesystem's block is larger."""
ZEROES: Final = bytes(HOLE)
LISTING: Final = 1 << 20
"""Bytes of the names of what is in an archive."""

Note = Callable[[str], None]
"""Told something worth a line of its own."""


def _unsaid(_text: str) -> None:
    """Nobody listens."""


def hashed(path: Path, tick: Tick, algorithm: str = "sha256") -> str:
    """Read a file and return its digest.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        return hashed_stream(stream, tick, algorithm)


def hashed_stream(stream: BinaryIO, tick: Tick, algorithm: str = "sha256") -> str:
    """Do the same with a file that is open, from its beginning, and leave it there.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.new(algorithm)
    size = os.fstat(stream.fileno()).st_size
    stream.seek(0)
    for done, chunk in _chunks(stream):
        digest.update(chunk)
        tick(done, size)
    stream.seek(0)
    return digest.hexdigest()


def brought(source: BinaryIO, target: Path, largest: Size, tick: Tick, note: Note = _unsaid) -> str:
    """Write what a file holds, unpacked if it is an archive, to a new file; return its SHA-256.

    Args:
        source: at its beginning, and unbuffered: programs read on from where it is.
        target: must not exist; on the disk, durably, when this returns.
        largest: bytes; unpacked.
        tick: told how much of the source is through.
        note: told what an unpacker warns of.

    Raises:
        HostError: an archive that is damaged, that takes more than its unpacker may have, or that
            unpacks to more than `largest`; or no room left.
    """
    kind = unpacker(source)
    size = os.fstat(source.fileno()).st_size

    def passed() -> None:
        # The program reads our own open file, so its place there tells how far it is (open(2)).
        tick(os.lseek(source.fileno(), 0, os.SEEK_CUR), size)

    with _opened(kind, source, note) as stream:
        return _written(stream, target, largest, passed)


def taken(source: Path, target: Path, largest: Size, tick: Tick) -> str:
    """Copy a file as it is, holes left out, to a new one, durably; return its SHA-256.

    Raises:
        HostError: it cannot be read, or has more than `largest` bytes.
        RefusedError: there is no room.
    """
    size, done = 0, 0

    def passed() -> None:
        nonlocal done
        done = min(done + CHUNK, size)
        tick(done, size)

    try:
        with source.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            return _written(stream, target, largest, passed)
    except OSError as error:
        raise HostError(f"cannot read {source}: {error.strerror}") from error


def moved(source: Path, target: Path, largest: Size, tick: Tick) -> str:
    """Have a file of ours as a new one, durably; return its SHA-256.

    Args:
        source: which nobody writes to any more; on another file system, it is copied and stays.
        target: must not exist.
        largest: bytes.
        tick: told how far it is.

    Raises:
        HostError: it cannot be read, or has more than `largest` bytes.
        RefusedError: there is no room.
    """
    try:
        if source.stat().st_size > largest:
            raise _larger(largest)
        source.rename(target)
    except OSError:  # another file system, or the copy says what is wrong
        return taken(source, target, largest, tick)
    target.chmod(0o600)
    with target.open("rb") as file:
        digest = hashed_stream(file, tick)
        os.fsync(file.fileno())
    return digest


def copied(image: Image, target: Path, tick: Tick) -> None:
    """Copy an image's file into its place, with mode 0600, and compare its digest meanwhile.

    Raises:
        HostError: it is gone or damaged.
        RefusedError: there is no room.
    """
    work, done = unfinished(target), 0

    def passed() -> None:
        nonlocal done
        done = min(done + CHUNK, image.size)
        tick(done, image.size)

    try:
        target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        work.unlink(missing_ok=True)
        with Path(image.path).open("rb") as source:
            digest = _written(source, work, image.size, passed)
        if digest != image.digest:
            advice = f"`raptorctl image verify {image.name}`"
            raise ImageError(f"image {image.name} is damaged", resolution=advice)
        work.replace(target)
        sync_directory(target.parent)
    except OSError as error:
        brief = f"cannot copy image {image.name} to {target}: {error.strerror}"
        raise HostError(brief) from error
    finally:
        work.unlink(missing_ok=True)


@contextmanager
def _opened(kind: Unpacker | None, source: BinaryIO, note: Note) -> Iterator[BinaryIO]:
    if kind is None:
        yield source
        return
    try:
        if kind.name == "7z":
            _one_member(kind, source)
        with piped(kind.limited, source) as stream:
            yield stream
    except CommandError as error:
        if not (said := warning(error)):
            raise verdict(kind, error) from error
        note(f"{said}; unpacked all the same")


def _one_member(kind: Unpacker, source: BinaryIO) -> None:
    """Refuse an archive of several files, of which any might be the image."""
    with piped(kind.listing(), source) as stream:
        listing = stream.read(LISTING + 1)
        if len(listing) > LISTING:
            raise ImageError("the archive has more than one file, and should have one, the image")
    members = [line for line in listing.splitlines() if not line.endswith(b"/")]
    if len(members) != 1:
        raise ImageError(f"the archive has {len(members)} files, and should have one, the image")
    os.lseek(source.fileno(), 0, os.SEEK_SET)


def _written(stream: BinaryIO, target: Path, largest: Size, passed: Callable[[], None]) -> str:
    digest = hashlib.sha256()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        with (
            open(os.open(target, flags, 0o600), "wb", buffering=0) as file,  # noqa: PTH123
            closing(Writeback(file.fileno())) as disk,
        ):
            done = 0
            for done, chunk in _chunks(stream):
                if done > largest:
                    raise _larger(largest)
                digest.update(chunk)
                _put(file.fileno(), chunk, done - len(chunk))
                disk.grown(done)
                passed()
            file.truncate(done)
            disk.settle()
    except OSError as error:
        raise RefusedError(f"cannot write {target.parent}: {error.strerror}") from error
    return digest.hexdigest()


def _larger(largest: Size) -> ImageError:
    return ImageError(
        f"it is larger than {largest}, unpacked",
        resolution="if that is meant, raise images.largest in the settings",
        code=Code.IMAGE_TOO_LARGE,
    )


def _put(descriptor: int, chunk: bytes, at: int) -> None:
    """Write what is not zero: reading a hole gives zeroes (lseek(2))."""
    for start in range(0, len(chunk), HOLE):
        part = chunk[start : start + HOLE]
        if part != ZEROES[: len(part)]:
            _pwrite_all(descriptor, memoryview(part), at + start)


def _pwrite_all(descriptor: int, part: memoryview, at: int) -> None:
    while part:
        count = os.pwrite(descriptor, part, at)
        part, at = part[count:], at + count


def _chunks(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Return what is read, each with the bytes so far."""
    done = 0
    while chunk := stream.read(CHUNK):
        done += len(chunk)
        yield done, chunk
