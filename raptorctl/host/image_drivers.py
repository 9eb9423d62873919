"""What steps may ask of a host about images; `raptorctl.host.drivers` has the rest."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from raptorctl.model.image import Image
from raptorctl.model.volume import Volume

Tick = Callable[[int, int], None]
"""Called with bytes done and bytes in all, often; raises StoppedError when asked to stop."""


@dataclass(frozen=True)
class ImageReport:
    """What writing an image onto a volume came to.

    Args:
        digest: the image's.
        size: bytes that the image stands for.
        seconds: for writing and reading back.
        verified: whether the volume was read back and compared with the image.
    """

    digest: str
    size: int
    seconds: float
    verified: bool


class Images(Protocol):
    """The cache of images."""

    def list(self) -> tuple[Image, ...]:
        """Return all images that are whole, by name."""


class ImageWriter(Protocol):
    """The way of an image onto a volume."""

    def write(self, image: Image, volume: Volume, tick: Tick) -> ImageReport:
        """Make a volume that is all zeroes begin as an image, and read it back.

        Raises:
            HostError: the image is gone or damaged, or does not fit.
            WipeError: the volume's device is in use, another one, or fails.
            StoppedError: from `tick`.
        """
