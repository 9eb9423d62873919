"""The cache of images: files that never change, and what is known of each."""

from pathlib import Path

from raptorctl.model.image import Image


class LocalImages:
    """Images in a directory; implements `raptorctl.host.drivers.Images`.

    Args:
        directory: the cache.
    """

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)

    def list(self) -> tuple[Image, ...]:
        """Return all images that are whole, by name."""
        return ()
