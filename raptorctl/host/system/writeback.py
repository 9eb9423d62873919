"""What is written goes to the disk while the rest of it comes, so that little is left to wait for.

The kernel by itself begins after seconds (its document admin-guide/sysctl/vm.rst,
dirty_expire_centisecs), and fsync(2) at the end then waits for nearly all of it.
"""

import os
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from raptorctl.model.sizes import MIB

WORTH: Final = 64 * MIB
"""Bytes that are worth a turn: each also costs the file system a commit of its journal."""


class Writeback:
    """Takes a file to the disk beside whoever writes it.

    Args:
        descriptor: of the file; open for as long as this is.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._pool = ThreadPoolExecutor(1, "writeback")
        self._doing: Future[None] | None = None
        self._size = 0

    def grown(self, size: int) -> None:
        """Go on, should there be enough to do; returns at once.

        Args:
            size: bytes that were written so far.

        Raises:
            OSError: what came earlier could not be written.
        """
        if size - self._size >= WORTH and (self._doing is None or self._doing.done()):
            self._said()
            self._size = size
            self._doing = self._pool.submit(os.fdatasync, self._descriptor)

    def settle(self) -> None:
        """Wait until all of it is on the disk.

        Raises:
            OSError: it is not.
        """
        self._said()
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Leave it, however far it is."""
        self._pool.shutdown()

    def _said(self) -> None:
        """The system tells of an error once (fsync(2)): nothing that it said is dropped."""
        if self._doing:
            self._doing.result()
