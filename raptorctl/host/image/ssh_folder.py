"""A folder of images on another host, over SFTP, by asyncssh.

https://datatracker.ietf.org/doc/html/draft-ietf-secsh-filexfer-02; OpenSSH's PROTOCOL has the
extensions for a rename that replaces, and for fsync(2).
"""

import asyncio
import hashlib
import os
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from raptorctl.drivers.image import Watch
from raptorctl.errors import DownloadError, UploadError
from raptorctl.host.image.folder import refuse_damaged
from raptorctl.host.image.partial import Partial
from raptorctl.host.image.ssh_link import SshLink
from raptorctl.host.image.ssh_way import way_to
from raptorctl.host.image.ssh_write import Writer
from raptorctl.model.image_target import SshPlace
from raptorctl.model.sizes import MIB

if TYPE_CHECKING:
    import asyncssh

T = TypeVar("T")

PATIENCE: Final = 600.0
"""Seconds for one piece."""
PIECE: Final = 8 * MIB
COMPARED: Final = 4 * MIB
"""Bytes at the end of what came that are read back before it is gone on with: a crash of the other
host may have left zeroes there."""
MOST: Final = 100_000
"""Files in a folder."""


class SshFolder:
    """A folder on another host; implements `raptorctl.host.image.folder.Folder`.

    Args:
        place: where it is.
        fault: what it is when it fails.
    """

    def __init__(self, place: SshPlace, fault: type[DownloadError] | type[UploadError]) -> None:
        self._place, self._fault = place, fault
        self._runner = asyncio.Runner()
        self._link: SshLink | None = None

    def __str__(self) -> str:
        return str(self._place)

    def __enter__(self) -> Self:
        try:
            self._link = link = SshLink(way_to(self._place))
            self._files = self._run(self._connected(link), link.patience)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        if self._link:
            self._link.abort()
        self._runner.close()

    def names(self) -> frozenset[str]:
        """See `Folder`."""
        return self._run(self._listed())

    def read(self, name: str, largest: int) -> bytes | None:
        """See `Folder`."""
        return self._run(self._read(name, largest))

    def fetch(self, name: str, version: str, size: int, partial: Partial, watch: Watch) -> None:
        """See `Folder`."""
        self._run(self._fetched(name, version, size, partial, watch.tick), None)

    def put(self, name: str, path: str, digest: str, size: int, watch: Watch) -> None:
        """See `Folder`."""
        work = self._path(f".{name}.part")
        found = self._run(self._put(work, path, size, watch.tick), None)
        try:
            refuse_damaged(name, found, digest)
        except UploadError:
            self._run(self._files.remove(work))
            raise
        self._run(self._renamed(work, name))

    def write(self, name: str, data: bytes) -> None:
        """See `Folder`."""
        self._run(self._written(name, data))

    def _run(self, work: Coroutine[Any, Any, T], timeout: float | None = PATIENCE) -> T:
        import asyncssh

        async def bounded() -> T:
            async with asyncio.timeout(timeout):
                return await work

        where = self._place.host
        try:
            return self._runner.run(bounded())
        except asyncssh.SFTPError as error:
            raise self._fault(f"{self}: {_said(error.reason)}") from error
        except TimeoutError as error:
            raise self._fault(f"{where}: no answer in time", resolution="try again") from error
        except (asyncssh.Error, OSError) as error:
            raise self._fault(f"{where}: {_cause(error)}", resolution="try again") from error

    async def _connected(self, link: SshLink) -> "asyncssh.SFTPClient":
        return await (await link.opened()).start_sftp_client(path_errors="surrogateescape")

    def _path(self, name: str) -> str:
        return f"{self._place.folder}/{name}"

    async def _listed(self) -> frozenset[str]:
        import asyncssh

        with suppress(asyncssh.SFTPError):  # it is there, or listing it tells
            await self._files.mkdir(self._place.folder)
        found: set[str] = set()
        async for entry in self._files.scandir(self._place.folder):
            found.add(str(entry.filename))
            if len(found) > MOST:
                raise self._fault(f"{self} has more than {MOST} files")
        return frozenset(found)

    async def _read(self, name: str, largest: int) -> bytes | None:
        import asyncssh

        try:
            async with self._files.open(self._path(name), "rb", encoding=None) as file:
                data = bytes(await file.read(largest + 1))  # type: ignore[arg-type] # of bytes
        except asyncssh.SFTPNoSuchFile:
            return None
        if len(data) > largest:
            raise self._fault(f"{self}/{name} is larger than {largest} bytes")
        return data

    async def _fetched(
        self, name: str, version: str, size: int, partial: Partial, tick: Callable[[int, int], None]
    ) -> None:
        url = f"{self}/{name}"
        if not partial.resumable(url) or partial.validator != version:
            partial.begin(url, version, size)
        async with self._files.open(self._path(name), "rb", encoding=None) as file:
            there = (await file.stat()).size
            if there != size:
                raise self._fault(f"{url} has {there} bytes, and should have {size}")
            if partial.size >= size:
                return

            def asked(at: int) -> "asyncio.Task[Any]":
                return asyncio.create_task(file.read(min(PIECE, size - at), at))

            coming: asyncio.Task[Any] | None = asked(partial.size)
            while coming:
                async with asyncio.timeout(PATIENCE):
                    data = await coming
                came = partial.size + len(data)
                if not data or came > size:
                    raise self._fault(f"{url}: the connection was cut", resolution="pull it again")
                # The next piece is on its way while this one is written.
                coming = asked(came) if came < size else None
                await asyncio.to_thread(partial.write, data)
                tick(partial.size, size)

    async def _put(self, work: str, path: str, size: int, tick: Callable[[int, int], None]) -> str:
        """Write a file, and return the SHA-256 of what was written, before and now."""
        digest = hashlib.sha256()

        def piece_of(most: int) -> bytes:
            piece = source.read(most)
            digest.update(piece)
            return piece

        with Path(path).open("rb") as source:
            at = await self._came(work, source.fileno(), size)
            for start in range(0, at, PIECE):
                piece_of(min(PIECE, at - start))
            async with self._files.open(work, "r+b" if at else "wb", encoding=None) as file:
                async with Writer(file, at, PATIENCE, lambda there: tick(there, size)) as writer:
                    # The next piece is read and hashed while one is on its way.
                    coming = asyncio.create_task(asyncio.to_thread(piece_of, PIECE))
                    while piece := await coming:
                        coming = asyncio.create_task(asyncio.to_thread(piece_of, PIECE))
                        await writer.write(piece)
                await self._settled(file)
        return digest.hexdigest()

    async def _came(self, work: str, source: int, size: int) -> int:
        """Return how much of it is there already, as far as its end is what it should be."""
        import asyncssh

        try:
            async with self._files.open(work, "rb", encoding=None) as file:
                at = min((await file.stat()).size or 0, size)
                start = max(0, at - COMPARED)
                there: Any = await file.read(at - start, start)
                same = there == os.pread(source, at - start, start)
        except asyncssh.SFTPNoSuchFile:
            return 0
        return at if same else 0

    async def _written(self, name: str, data: bytes) -> None:
        import secrets

        import asyncssh

        work = self._path(f".{name}.{secrets.token_hex(4)}.part")
        try:
            async with self._files.open(work, "wb", encoding=None) as file:
                await file.write(data)
                await self._settled(file)
            await self._renamed(work, name)
        except BaseException:
            with suppress(asyncssh.Error, OSError):
                await self._files.remove(work)
            raise

    async def _settled(self, file: "asyncssh.SFTPClientFile") -> None:
        import asyncssh

        with suppress(asyncssh.SFTPOpUnsupported):
            await file.fsync()

    async def _renamed(self, work: str, name: str) -> None:
        import asyncssh

        try:
            await self._files.posix_rename(work, self._path(name))
        except asyncssh.SFTPOpUnsupported:
            with suppress(asyncssh.SFTPNoSuchFile):
                await self._files.remove(self._path(name))
            await self._files.rename(work, self._path(name))
        except asyncssh.SFTPNoSuchFile:
            # Somebody else has pushed the very same, and was here before us.
            if not await self._files.exists(self._path(name)):
                raise


def _cause(error: Exception) -> str:
    """Say why nobody answers, as the system has it: asyncio calls all of it a failed call."""
    number = getattr(error, "errno", None) or 0
    return os.strerror(number).lower() if number > 0 else _said(str(error))


def _said(text: str) -> str:
    """Make a line of what another host says."""
    line = " ".join(text.split())[:200]
    return "".join(c for c in line if c.isprintable()) or "it failed, and says nothing of it"
