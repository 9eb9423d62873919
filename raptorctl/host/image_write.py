"""Writing an image onto a volume."""

from raptorctl.errors import HostError
from raptorctl.host.image_drivers import ImageReport, Tick
from raptorctl.model.image import Image
from raptorctl.model.volume import Volume


class BlockImageWriter:
    """Writes onto block devices; implements `raptorctl.host.drivers.ImageWriter`."""

    def write(self, image: Image, volume: Volume, tick: Tick) -> ImageReport:
        """Make a volume that is all zeroes begin as an image, and read it back."""
        raise HostError(f"image {image.name} cannot be written to {volume.name} yet")
