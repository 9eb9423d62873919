"""What files and servers give to what is put together."""

from typing import Protocol


class Supply(Protocol):
    """Where contents come from."""

    def file(self, path: str) -> bytes:
        """Return what is in a file.

        Raises:
            InputError: it is missing, not a regular file, too large, or not the caller's to read.
        """

    def url(self, url: str) -> bytes:
        """Return what a server gives.

        Raises:
            HostError: no answer, a reply that is no 200, or too large a one.
        """
