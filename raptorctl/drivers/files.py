"""What may be asked of plain files."""

from typing import Protocol


class Files(Protocol):
    """Plain files."""

    def exists(self, path: str) -> bool:
        """Whether a regular file is there."""

    def size(self, path: str) -> int | None:
        """Return the bytes of a regular file, or None when it is not there."""

    def remove(self, path: str) -> None:
        """Remove it if it is there, durably."""

    def list(self, directory: str) -> tuple[str, ...]:
        """Return the paths of the regular files in a directory; none where it is missing."""

    def read(self, path: str) -> str | None:
        """Return the text of a small file, or None when it is not there."""

    def read_bytes(self, path: str, largest: int) -> bytes | None:
        """Return what is in a file, or None when it is not there.

        Raises:
            HostError: it is no regular file, larger than `largest`, or cannot be read.
        """

    def write(self, path: str, text: str, mode: int) -> None:
        """Put text in a file's place, whole or not at all, durably; root's, with `mode`."""

    def write_bytes(self, path: str, data: bytes, mode: int) -> None:
        """Do the same with bytes."""
