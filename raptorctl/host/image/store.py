"""The cache's directory: what lies where, and who may touch it when.

files/DIGEST       an image, never changed
names/NAME.json    what a name stands for
partial/KEY.*      a download that is not whole yet, and what is made of it; KEY is its source's
locks/KEY          one pull of a source at a time; `store` is for the two folders above
"""

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from raptorctl.drivers.image import Waste, Watch
from raptorctl.errors import HostError, RefusedError, WaitError
from raptorctl.host.system.durable import remove_file, replace_file, sync_directory
from raptorctl.model.codec import ShapeError, decode, encode
from raptorctl.model.image import DIGEST, Reference
from raptorctl.model.sizes import Size

PATIENCE: Final = 3600.0
"""Seconds to wait for somebody else's pull of the same source."""
POLL: Final = 0.1
STALE: Final = 86400.0
"""Seconds after which nobody is expected to go on with a download."""
BLOCK: Final = 512
"""Bytes that st_blocks counts in (stat(2))."""


class ImageStore:
    """The cache on the disk.

    Args:
        directory: made when something is first put there.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.files, self.names = directory / "files", directory / "names"
        self.partial, self.locks = directory / "partial", directory / "locks"

    def references(self) -> Iterator[Reference]:
        """Return all names whose file is there and as long as it was, in their order."""
        return (found for found in self.known() if not self.problem(found))

    def known(self) -> Iterator[Reference]:
        """Return all names, in their order."""
        for path in self._name_files():
            if found := self._read(path):
                yield found

    def damaged(self) -> Iterator[tuple[str, str]]:
        """Return the names of images that are not whole, and why not."""
        for path in self._name_files():
            found = self._read(path)
            problem = self.problem(found) if found else f"{path} cannot be read"
            if problem:
                yield path.stem, problem

    def problem(self, reference: Reference) -> str:
        """Say what is wrong with an image, as far as the length of its file tells; or ""."""
        try:
            length = self.files.joinpath(reference.image.digest).stat().st_size
        except OSError as error:
            gone = isinstance(error, FileNotFoundError)
            return "its file is gone" if gone else f"its file cannot be read: {error.strerror}"
        if length == reference.origin.length:
            return ""
        told = f"it has {length} bytes, and had {reference.origin.length}"
        is_cut = length < reference.origin.length
        return f"its file is {'cut off' if is_cut else 'longer than it was'}: {told}"

    def prepare(self) -> None:
        """Make the folders.

        Raises:
            RefusedError: they cannot be made, e.g. they are for root only.
        """
        try:
            for folder in (self.directory, self.files, self.names):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self.partial, self.locks):
                folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise RefusedError(
                f"images cannot be kept in {self.directory}: {error.strerror}"
            ) from error

    @contextmanager
    def alone(self, source: str, watch: Watch) -> Iterator[None]:
        """Hold a source's lock.

        Raises:
            WaitError: somebody else has held it for an hour.
        """
        with self._lock(key_of(source)) as descriptor:
            _wait(descriptor, source, watch)
            yield

    def keep(self, work: Path, reference: Reference) -> Reference:
        """Make a whole file an image, and give it its name; durable when this returns.

        Args:
            work: on the same file system; it moves.
            reference: its path and its bytes on the disk are filled in here.
        """
        path = self.files / reference.image.digest
        work.chmod(0o444)
        stored = Size(work.stat().st_blocks * BLOCK)
        kept = replace(reference, image=replace(reference.image, path=str(path), stored=stored))
        with self._locked():
            work.replace(path)
            sync_directory(self.files)
            self._write(kept)
        return kept

    def name(self, reference: Reference) -> None:
        """Give an image that is there a further name."""
        with self._locked():
            if not self.files.joinpath(reference.image.digest).exists():
                raise HostError(f"image {reference.image.name} has just been removed")
            self._write(reference)

    def forget(self, name: str) -> None:
        """Remove a name; its file as well, when it was the last."""
        with self._locked():
            path = self.names / f"{name}.json"
            gone = self._read(path)
            remove_file(path)
            if gone and gone.image.digest not in self._digests():
                remove_file(self.files / gone.image.digest)

    def drop(self, digest: str) -> None:
        """Remove a file that no name stands for."""
        with self._locked():
            if digest not in self._digests():
                remove_file(self.files / digest)

    def waste(
        self, marks: Iterable[str], disks: Iterable[str], kept: frozenset[str] = frozenset()
    ) -> Iterator[Waste]:
        """Return what nothing needs.

        A name of which nothing can be read stays, and while there is one, so do all files: any of
        them may be its.

        Args:
            marks: of all machines, what their disks began as.
            disks: files that machines use.
            kept: names of older versions that stay.
        """
        disks = tuple(disks)
        # What a machine's mark names stays, too: a rebuild begins with the same.
        needed = {Path(disk).name for disk in disks} | set(_digests_in((*marks, *disks)))
        yield from self._superseded(needed, kept)
        if all(self._read(path) for path in self._name_files()):
            for path in _in(self.files):
                if path.name not in self._digests() | needed:
                    yield _waste(path, "has no name")
        for path in _in(self.partial):
            with suppress(FileNotFoundError):  # its pull has come to its end just now
                if time.time() - path.stat().st_mtime > STALE:
                    yield _waste(path, "a download of more than a day ago")

    def _superseded(self, needed: set[str], kept: frozenset[str]) -> Iterator[Waste]:
        known = tuple(self.known())
        stays = (r for r in known if not r.image.superseded or r.image.name in kept)
        counted = {found.image.digest for found in stays}
        for found in known:
            image = found.image
            if image.superseded and image.name not in kept and image.digest not in needed:
                # A file goes with its last name, and its bytes are counted once.
                size = Size(0) if image.digest in counted else image.stored
                counted.add(image.digest)
                path = str(self.names / f"{image.name}.json")
                yield Waste(path, size, "its source has a newer one", image.name)

    def sweep(self, waste: Waste) -> None:
        """Remove such a file, unless it is needed by now."""
        path = Path(waste.path)
        if waste.image:
            self.forget(waste.image)
        elif path.parent == self.partial:
            self._sweep_partial(path)
        else:
            with self._locked():
                if path.parent != self.files or path.name not in self._digests():
                    path.unlink(missing_ok=True)

    def _sweep_partial(self, path: Path) -> None:
        # What a cut left half written begins with a dot.
        with self._lock(path.name.lstrip(".").partition(".")[0]) as descriptor:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # somebody goes on with it right now
            path.unlink(missing_ok=True)

    def _name_files(self) -> list[Path]:
        found = [path for path in _in(self.names) if path.suffix == ".json"]
        return sorted(found, key=lambda path: path.stem)

    def _digests(self) -> set[str]:
        return {found.image.digest for path in self._name_files() if (found := self._read(path))}

    def _read(self, path: Path) -> Reference | None:
        """Read a name's file, or None: `waste` tells of one that cannot be read."""
        try:
            found = decode(Reference, json.loads(path.read_bytes()))
        except (OSError, ValueError, ShapeError):
            return None
        if not DIGEST.fullmatch(found.image.digest) or f"{found.image.name}.json" != path.name:
            return None
        where = str(self.files / found.image.digest)
        return replace(found, image=replace(found.image, path=where))

    def _write(self, reference: Reference) -> None:
        text = json.dumps(encode(reference), indent=2) + "\n"
        replace_file(self.names / f"{reference.image.name}.json", text.encode(), 0o644)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._lock("store") as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # held for milliseconds only
            yield

    @contextmanager
    def _lock(self, name: str) -> Iterator[int]:
        self.prepare()
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self.locks / name, flags, 0o600)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def key_of(source: str) -> str:
    """The name of a source's files: any text may be a source."""
    return hashlib.sha256(source.encode()).hexdigest()[:32]


def _wait(descriptor: int, source: str, watch: Watch) -> None:
    deadline, told = time.monotonic() + PATIENCE, False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not told:
                watch.note(f"another process is at work on {source}: waiting for it")
            told = True
            if time.monotonic() >= deadline:
                raise WaitError(f"another pull of {source}", PATIENCE, "it still at work") from None
            time.sleep(POLL)
        else:
            return


def _in(folder: Path) -> list[Path]:
    """Return a folder's files; none where it is missing.

    Raises:
        RefusedError: it is not for us to read.
    """
    try:
        return sorted(path for path in folder.iterdir() if path.is_file())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise RefusedError(f"images in {folder.parent} cannot be read: {error.strerror}") from error


def _digests_in(marks: Iterable[str]) -> Iterator[str]:
    for mark in marks:
        yield from DIGEST.findall(mark)


def _waste(path: Path, reason: str) -> Waste:
    return Waste(str(path), Size(path.stat().st_blocks * BLOCK), reason)
