"""Folders that are in memory where there is such a place, for tests that write thousands of files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

SHARED_MEMORY: Final = Path("/dev/shm")
"""A tmpfs on each Linux (shm_overview(7)): what is cut off there waits for no disk."""


def place() -> Path | None:
    """Return where such folders go; None for where others go."""
    return SHARED_MEMORY if SHARED_MEMORY.is_dir() else None


@contextmanager
def folder_in_memory() -> Iterator[Path]:
    """Give an empty folder that is removed afterwards."""
    with TemporaryDirectory(prefix="raptor-test-", dir=place()) as path:
        yield Path(path)
