"""A file that comes is hashed and taken to the disk while it comes, beside who writes it.

hashlib and the system let go of the interpreter's lock meanwhile, so that the network does not
wait. What is hashed is what the file says, as when it is read once more at the end.
"""

import hashlib
import os
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from raptorctl.drivers.tick import Tick
from raptorctl.host.image.transfer import CHUNK, hashed_stream
from raptorctl.host.system.writeback import Writeback
from raptorctl.model.sizes import MIB

LAG: Final = 8 * MIB
"""Bytes that come before they are worth a look."""
PIECE: Final = 4 * MIB
"""Bytes hashed at a time: after each, the interpreter's lock is taken from who writes."""
BEAT: Final = 0.1
"""Seconds between two ticks."""


class Ahead:
    """The digest of a file that grows, and whose bytes stay as they are once they are there.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self._pool = ThreadPoolExecutor(1)
        self._writeback = Writeback(self._file.fileno())
        self._doing: Future[None] | None = None
        self._digest, self._done = hashlib.sha256(), 0
        self._stopped = False

    def grown(self, size: int) -> None:
        """Go on, should there be enough to do; returns at once.

        Args:
            size: bytes that are there.

        Raises:
            OSError: what came earlier could not be written to the disk.
        """
        self._writeback.grown(size)
        if size - self._done >= LAG and (self._doing is None or self._doing.done()):
            self._doing = self._pool.submit(self._hash, size)

    def sha256(self, stream: BinaryIO, tick: Tick) -> str:
        """Return the SHA-256 of all of it, and leave the stream at its beginning.

        Args:
            stream: the same file; of another one, all is read.
            tick: told how far it is.

        Raises:
            OSError: it cannot be read.
        """
        size = os.fstat(stream.fileno()).st_size
        while self._doing and not self._doing.done():
            tick(self._done, size)
            wait((self._doing,), BEAT)
        if not os.path.sameopenfile(self._file.fileno(), stream.fileno()) or self._done > size:
            return hashed_stream(stream, tick)
        stream.seek(self._done)
        while chunk := stream.read(CHUNK):
            self._digest.update(chunk)
            self._done += len(chunk)
            tick(self._done, size)
        stream.seek(0)
        return self._digest.hexdigest()

    def settle(self) -> None:
        """Wait until all of it is on the disk.

        Raises:
            OSError: it is not.
        """
        self._writeback.settle()

    def close(self) -> None:
        """Leave it, however far it is."""
        self._stopped = True
        self._pool.shutdown()
        self._writeback.close()
        self._file.close()

    def _hash(self, size: int) -> None:
        piece = bytearray(PIECE)
        with suppress(OSError):  # reading on at the end tells
            while self._done < size and not self._stopped:
                count = os.preadv(self._file.fileno(), [piece], self._done)
                if not count:
                    return
                self._digest.update(memoryview(piece)[:count])
                self._done += count
