"""Images: written onto a new volume."""

from dataclasses import dataclass

from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.errors import ConflictError
from raptorctl.model.codec import encode
from raptorctl.model.image import Image
from raptorctl.model.override import override
from raptorctl.model.volume import IMAGE
from raptorctl.steps.step import Observed, Step
from raptorctl.steps.volume_use import holds, made_by, with_device


@dataclass(frozen=True)
class WriteImage(Step):
    """Have a volume that is all zeroes begin as an image.

    Cut off in the middle, the volume holds half of it; no domain knows the volume before the
    next steps, and the job is rolled back, so nobody ever sees that.

    Args:
        job: the job that made the volume.
        name: the volume's.
        image: from the cache.
    """

    job: str
    name: str
    image: Image

    kind = "volume.write-image"

    @property
    @override
    def title(self) -> str:
        return f"write image {self.image.name} to {self.name}, {self.image.size}, and compare"

    def is_done(self, host: Host) -> bool:
        """The tag says so; it is set after both were compared."""
        wanted = (self.name, self.job, self.image.digest)
        return holds(
            host, lambda all_: any((v.name, v.job, v.image) == wanted for v in all_ if v.ours)
        )

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Write, compare, then tag."""
        volume = made_by(host, self.job, self.name)
        if volume is None or not volume.clean:
            raise ConflictError(f"volume {self.name} is {'dirty' if volume else 'gone'}")
        report = host.image_writer.write(self.image, with_device(host, volume), tick)
        tag = f"{IMAGE}{self.image.digest}"
        host.volumes.retag(volume, add=[tag], remove=[], at_boot=True)
        return {"image": encode(report)}

    def undo(self, host: Host, tick: Tick) -> None:
        """The volume goes with `CreateVolume`, which wipes what may hold data."""
