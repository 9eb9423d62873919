"""Copies of files that are volumes: what snapshots of them are, and what is put back.

Not by snapshots inside a file (qemu-img(1), snapshot): QEMU alone can take them while a machine
runs, with its memory, and not where its UEFI variables are a file beside it. A copy is whole or
not there, goes as it came, and shares its blocks where the filesystem can (btrfs, XFS).
"""

import os
import time
from pathlib import Path
from typing import Final

from raptorctl.drivers.tick import Tick
from raptorctl.drivers.volume import RestoreReport
from raptorctl.errors import CommandError, ConflictError, HostError
from raptorctl.host.system.command import watch
from raptorctl.host.system.durable import sync_directory
from raptorctl.model.cause import ANY
from raptorctl.model.reason import why
from raptorctl.model.volume import Volume

LONGEST: Final = 24 * 3600.0
"""Seconds for a copy: a bound, not an expectation."""
SECTOR: Final = 512
"""Bytes that st_blocks counts (stat(3type))."""


class FileCopier:
    """Restores files; implements `raptorctl.drivers.volume.Copier`."""

    def restore(self, volume: Volume, snapshot: Volume, tick: Tick) -> RestoreReport:
        """Put a copy of the snapshot's file in the place of the volume's, whole or not at all.

        Raises:
            HostError: it cannot be copied; the volume's file is as it was.
            StoppedError: from `tick`.
        """
        began = time.monotonic()
        copied = copy_file(snapshot.path, volume.path, tick)
        return RestoreReport(0, copied, round(time.monotonic() - began, 3))


def copy_file(source: str, target: str, tick: Tick) -> int:
    """Copy a file that nobody writes meanwhile; returns the bytes that it takes.

    Args:
        source: the file.
        target: where the copy is to be, whole or not at all; what is there is replaced.
        tick: told the bytes copied and the bytes in all.

    Raises:
        ConflictError: the file was written meanwhile.
        HostError: it cannot be copied.
        StoppedError: from `tick`.
    """
    part, size = Path(f"{target}.part"), taken(source)
    try:
        before = _written(source)
        # A copy of what QEMU has open and stopped is whole: it writes back all that it holds
        # before it says so (QEMU's vm_stop(), bdrv_flush_all()).
        watch(
            "cp", "--reflink=auto", "--sparse=always", "--", source, str(part),
            timeout=LONGEST, beat=lambda _said: tick(min(size, taken(str(part))), size),
        )  # fmt: skip
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        if _written(source) != before:
            raise ConflictError(f"{source} was written while it was copied")
        part.replace(target)
    except (CommandError, OSError) as error:
        found = error.reason if isinstance(error, CommandError) else why(str(error), ANY)
        said = f"cannot copy {source}: {found.line}"
        raise HostError(said, resolution=found.advice) from error
    finally:
        part.unlink(missing_ok=True)
    sync_directory(part.parent)
    tick(size, size)
    return size


def taken(path: str) -> int:
    """Return the bytes that a file takes on its disk; 0 where there is none."""
    try:
        return Path(path).stat().st_blocks * SECTOR
    except FileNotFoundError:
        return 0


def _written(path: str) -> tuple[int, int]:
    found = Path(path).stat()
    return found.st_mtime_ns, found.st_size
