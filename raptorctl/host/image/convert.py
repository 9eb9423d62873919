"""An image in another format, by qemu-img."""

import os
from pathlib import Path

from raptorctl.drivers.image import Watch
from raptorctl.errors import CommandError, HostError
from raptorctl.host.image.fetch import Fetched
from raptorctl.host.image.transfer import hashed
from raptorctl.host.image.unpack import CPU
from raptorctl.host.image.write import MEMORY, PERCENT
from raptorctl.host.system.command import watch as follow
from raptorctl.host.system.pipe import limited
from raptorctl.model.image import Image


def converted(image: Image, to: str, target: Path, watch: Watch) -> Fetched:
    """Write an image in another format.

    Args:
        image: told to qemu-img with its format, so that nothing is guessed.
        to: `raw` or `qcow2`.
        target: made anew.
        watch: is told.

    Raises:
        HostError: the image is damaged, or there is no room.
    """
    target.unlink(missing_ok=True)
    watch.begin(f"convert {image.name} to {to}")
    argv = ("qemu-img", "convert", "-p", "-f", image.format, "-O", to, image.path, str(target))

    def beat(said: str) -> None:
        if found := PERCENT.findall(said):
            watch.tick(int(float(found[-1]) * image.size / 100), image.size)

    try:
        follow(*limited(argv, CPU, MEMORY), timeout=CPU, beat=beat, awaited=False)
        with target.open("rb") as file:
            os.fsync(file.fileno())
    except CommandError as error:
        target.unlink(missing_ok=True)
        said = error.reason.line or error.brief
        raise HostError(
            f"{image.name}: {said}", details=error.details, resolution=error.reason.advice
        ) from error
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    watch.begin("hash it")
    digest = hashed(target, watch.tick)
    return Fetched(target, digest, "", digest)
