"""A cache of images in memory."""

from collections.abc import Mapping
from dataclasses import replace

from raptorctl.drivers.image import (
    ImageReport,
    Offer,
    Pulled,
    Pushed,
    RegistryLogin,
    Wanted,
    Watch,
)
from raptorctl.drivers.tick import Tick
from raptorctl.errors import HostError
from raptorctl.model.image import Image, Origin, Reference
from raptorctl.model.image_target import Target
from raptorctl.model.image_version import Provenance
from raptorctl.model.volume import Volume
from tests.fakes.file import FakeFiles
from tests.fakes.sample import IMAGE
from tests.fakes.volume import FakeVolumes


class FakeImages:
    """Images: `all` are in the cache, `spoilt` not whole; `written` which volume began as which."""

    def __init__(self, volumes: FakeVolumes, files: FakeFiles) -> None:
        self.volumes, self.files = volumes, files
        self.all: tuple[Image, ...] = ()
        self.spoilt: dict[str, str] = {}
        self.built: dict[str, Provenance] = {}
        self.pushed: dict[str, Offer] = {}

    def reference(self, image: Image) -> Reference | None:
        origin = Origin("", "", 0)
        return Reference(image, origin, self.built.get(image.name)) if image in self.all else None

    def keep_built(self, path: str, name: str, built: Provenance, watch: Watch) -> Pulled:
        watch.tick(0, 1)
        image = replace(IMAGE, name=name, source=f"build:{name}", digest="b1" * 32)
        self.all = tuple({one.name: one for one in (*self.all, image)}.values())
        self.built[name] = built
        return Pulled(image, "built")

    def digest(self, path: str, watch: Watch) -> str:
        watch.tick(0, 1)
        return "d1" * 32

    def push(self, offer: Offer, target: Target, login: RegistryLogin, watch: Watch) -> Pushed:
        watch.tick(0, 1)
        self.pushed[target.text] = offer
        return Pushed(offer.statement, (target.text,), "pushed", newest=True)

    def has_built(self, name: str, built: Provenance) -> bool:
        return self.built.get(name) == built

    def take_back(self, name: str, built: Provenance, before: str) -> None:
        if self.has_built(name, built):
            del self.built[name]
            self.all = tuple(image for image in self.all if image.name != name)

    def list(self) -> tuple[Image, ...]:
        return self.all

    def known(self) -> tuple[Image, ...]:
        return self.all

    def damaged(self) -> Mapping[str, str]:
        return self.spoilt

    def foresee(self, wanted: Wanted) -> Image:
        text = wanted.source.text
        here = (image for image in self.all if wanted.source.name == image.name)
        return next(here, replace(IMAGE, name=wanted.source.name, source=text, digest=""))

    def pull(self, wanted: Wanted, watch: Watch) -> Pulled:
        image = self.foresee(wanted)
        image = replace(image, digest=image.digest or "ab" * 32)
        self.all = tuple({one.name: one for one in (*self.all, image)}.values())
        return Pulled(image, "pulled")

    def copy(self, image: Image, path: str, tick: Tick) -> None:
        tick(0, image.size)
        self.files.paths.add(path)
        self.files.sizes[path] = image.size

    def write(self, image: Image, volume: Volume, tick: Tick) -> ImageReport:
        if self.volumes.data[volume.uuid]:
            raise HostError(f"{volume.name} is not zero")
        for part in range(3):
            self.volumes.data[volume.uuid] = f"half of {image.name}"
            tick(part * image.size // 2, image.size)
        self.volumes.data[volume.uuid] = f"image {image.digest}"
        return ImageReport(image.digest, image.size, 0.5, verified=True)
