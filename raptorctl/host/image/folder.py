"""A folder that images are shared in: what may be asked of one, and one on this host.

All of it is done with the rights of whoever typed sudo, not with root's: they name the folder.
"""

import os
import re
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Final, Protocol

from raptorctl.drivers.image import Watch
from raptorctl.errors import CommandError, DownloadError, InputError, UploadError
from raptorctl.host.image.partial import Partial
from raptorctl.host.image.transfer import CHUNK
from raptorctl.host.system.as_caller import run_as_caller
from raptorctl.host.system.caller import open_given, open_own, read_given, whole
from raptorctl.model.error_code import Code

DAY: Final = 86400.0
"""Seconds for a copy: a bound, not an expectation."""


class Folder(Protocol):
    """A folder of images."""

    def __str__(self) -> str:
        """Where it is, for people."""

    def names(self) -> frozenset[str]:
        """Return the names of all files; the folder is made if only it is missing.

        Raises:
            UploadError: it cannot be made or read.
        """

    def read(self, name: str, largest: int) -> bytes | None:
        """Return a small file; None where it is not there.

        Raises:
            DownloadError: it cannot be read, or is larger.
        """

    def fetch(self, name: str, version: str, size: int, partial: Partial, watch: Watch) -> None:
        """Have a file in `partial`, going on where it broke off.

        Args:
            name: of the file.
            version: of what it holds: its digest.
            size: bytes that it must have.
            partial: where it goes.
            watch: is told.

        Raises:
            DownloadError: not all of it came, or it has another size.
        """

    def put(self, name: str, path: str, digest: str, size: int, watch: Watch) -> None:
        """Put a file there, whole or not at all; one that was cut off is gone on with.

        Args:
            name: of the file there.
            path: of the file here.
            digest: SHA-256 that it must have, hexadecimal.
            size: bytes.
            watch: is told.

        Raises:
            UploadError: it is not there, or it is damaged here.
        """

    def write(self, name: str, data: bytes) -> None:
        """Put a small file there, whole or not at all, in place of another or of none.

        Raises:
            UploadError: it is not there.
        """


class LocalFolder:
    """A folder of this host; implements `Folder`.

    Args:
        path: absolute.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def __str__(self) -> str:
        return self._path

    def names(self) -> frozenset[str]:
        """See `Folder`."""
        why: CommandError | None = None
        try:
            run_as_caller(("mkdir", "--", self._path))
        except CommandError as error:  # it is there; or it tells more than `ls`
            why = None if "File exists" in error.stderr else error
        try:
            told = run_as_caller(("ls", "-1A", "--", f"{self._path}/"))
        except CommandError as error:
            raise self._failed(why or error) from error
        return frozenset(os.fsdecode(told).split("\n")) - {""}

    def read(self, name: str, largest: int) -> bytes | None:
        """See `Folder`."""
        try:
            data = read_given(f"{self._path}/{name}", largest)
        except InputError as error:
            if error.brief.endswith(os.strerror(2)):
                return None
            raise DownloadError(error.brief) from error
        if len(data) > largest:
            raise DownloadError(f"{self._path}/{name} is larger than {largest} bytes")
        return data

    def fetch(self, name: str, version: str, size: int, partial: Partial, watch: Watch) -> None:
        """See `Folder`."""
        del version  # nothing is cut off here but by a crash: it begins anew
        path = f"{self._path}/{name}"
        try:
            with open_given(path) as source:
                if os.fstat(source.fileno()).st_size != size:
                    raise DownloadError(f"{path} has not the {size} bytes that it should have")
                partial.begin(path, "", size)
                while chunk := whole(source, CHUNK):
                    partial.write(chunk)
                    watch.tick(partial.size, size)
        except InputError as error:
            raise DownloadError(error.brief) from error

    def put(self, name: str, path: str, digest: str, size: int, watch: Watch) -> None:
        """See `Folder`."""
        with open_own(path) as source:
            # dd reads our own open file, so its place there tells how far it is (open(2)).
            def beat() -> None:
                watch.tick(os.lseek(source.fileno(), 0, os.SEEK_CUR), size)

            self._placed(name, source, beat, digest)

    def write(self, name: str, data: bytes) -> None:
        """See `Folder`."""
        import tempfile

        with tempfile.TemporaryFile() as source:
            source.write(data)
            source.seek(0)
            self._placed(name, source, lambda: None)

    def _placed(
        self, name: str, source: IO[bytes], beat: Callable[[], None], digest: str = ""
    ) -> None:
        work, target = f"{self._path}/.{name}.part", f"{self._path}/{name}"
        flags = ("bs=1M", "status=none", "conv=excl,sparse,fsync", "iflag=fullblock")
        try:
            run_as_caller(("rm", "-f", "--", work))
            run_as_caller(("dd", f"of={work}", *flags), source, timeout=DAY, beat=beat)
            if digest:
                said = run_as_caller(("sha256sum", "--", work), timeout=DAY)
                refuse_damaged(name, said.decode(errors="replace").lstrip("\\")[:64], digest)
            self._settle(work, target)
        except CommandError as error:
            raise self._failed(error) from error
        finally:
            with suppress(CommandError):
                run_as_caller(("rm", "-f", "--", work))

    def _settle(self, work: str, target: str) -> None:
        run_as_caller(("mv", "-fT", "--", work, target))
        run_as_caller(("sync", "--", self._path))

    def _failed(self, error: CommandError) -> UploadError:
        said = re.sub(r"^[a-z/]+: ", "", error.reason.line)
        return UploadError(f"{self._path}: {said or error.brief}", details=error.details)


def refuse_damaged(name: str, found: str, digest: str) -> None:
    """Refuse to share what is not what it should be.

    Args:
        name: of the file.
        found: SHA-256 of what was written, hexadecimal.
        digest: that it should have.

    Raises:
        UploadError: it differs.
    """
    if found != digest:
        raise UploadError(
            f"what was written of {name} is not the image: sha256 should be {digest[:12]}..., "
            f"and is {found[:12]}...",
            resolution="`raptorctl image verify` tells whether the image here is damaged",
            code=Code.CHECKSUM_DIFFERS,
        )
