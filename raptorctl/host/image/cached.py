"""The cache of images, as it is: what is there, shared, signed, kept and gone."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from raptorctl.drivers.image import Offer, Pushed, RegistryLogin, Waste, Watch
from raptorctl.drivers.tick import Tick
from raptorctl.errors import HostError
from raptorctl.host.image.keeping import Keeping
from raptorctl.host.image.naming import ImageNames
from raptorctl.host.image.store import ImageStore, key_of
from raptorctl.model.image import Image, Reference
from raptorctl.model.image_version import Paper, Provenance

if TYPE_CHECKING:
    from raptorctl.host.image.download import Http
    from raptorctl.model.image_target import Target


class CachedImages:
    """Images in a directory, that came before.

    Args:
        directory: the cache.
        http: the way to servers; None for the usual one.
    """

    def __init__(self, directory: str, http: "Http | None" = None) -> None:
        self._store = ImageStore(Path(directory))
        self._names, self._keeping = ImageNames(self._store), Keeping(Path(directory))
        self._http = http

    def list(self) -> tuple[Image, ...]:
        """Return all images that are whole, by name."""
        return tuple(reference.image for reference in self._store.references())

    def known(self) -> tuple[Image, ...]:
        """See `raptorctl.drivers.image.Images`."""
        return tuple(reference.image for reference in self._store.known())

    def reference(self, image: Image) -> Reference | None:
        """See `raptorctl.drivers.image.Images`."""
        return next((r for r in self._store.known() if r.image.name == image.name), None)

    def damaged(self) -> Mapping[str, str]:
        """See `raptorctl.drivers.image.Images`."""
        return dict(self._store.damaged())

    def digest(self, path: str, watch: Watch) -> str:
        """See `raptorctl.drivers.image.Images`."""
        from raptorctl.host.image.transfer import hashed

        watch.begin(f"hash {path}")
        try:
            return hashed(Path(path), watch.tick)
        except OSError as error:
            raise HostError(f"{path} cannot be read: {error.strerror}") from error

    def push(self, offer: Offer, target: "Target", login: RegistryLogin, watch: Watch) -> Pushed:
        """See `raptorctl.drivers.image.Images`."""
        from raptorctl.host.image.download import Http
        from raptorctl.host.image.share import Sharer

        key = f"{target.text} {offer.statement.digest}"
        with self._store.alone(key, watch):
            notes = self._base(key).with_suffix(".push")
            return Sharer(self._http or Http(), login, notes).share(offer, target, watch)

    def has_built(self, name: str, built: Provenance) -> bool:
        """See `raptorctl.drivers.image.Images`."""
        return any(r.image.name == name and r.built == built for r in self._store.known())

    def take_back(self, name: str, built: Provenance, before: str) -> None:
        """See `raptorctl.drivers.image.Images`."""
        self._names.take_back(name, built, before)

    def sign(self, image: Image, text: str, key: str) -> Paper:
        """See `raptorctl.drivers.image.Images`."""
        from raptorctl.host.image.signature import sign
        from raptorctl.read.image_statement import parse_statement

        paper = Paper(text, sign(text, key))
        if found := self.reference(image):
            # Of the paper that was there before, no more than this may be known any longer.
            built = parse_statement(text.encode(), f"what is said of {image.name}").built
            self._store.name(replace(found, built=built, paper=paper))
        return paper

    def copy(self, image: Image, path: str, tick: Tick) -> None:
        """See `raptorctl.drivers.image.Images`."""
        from raptorctl.host.image.transfer import copied

        copied(image, Path(path), tick)

    def is_whole(self, image: Image, tick: Tick) -> bool:
        """See `raptorctl.drivers.image.Images`."""
        from raptorctl.host.image.transfer import hashed

        if not image.digest:
            return False  # what was known of it cannot be read
        try:
            return hashed(Path(image.path), tick) == image.digest
        except FileNotFoundError:
            return False
        except OSError as error:
            raise HostError(f"{image.path} cannot be read: {error.strerror}") from error

    def remove(self, image: Image) -> None:
        """See `raptorctl.drivers.image.Images`."""
        self._store.forget(image.name)

    def waste(self, marks: Iterable[str], disks: Iterable[str]) -> tuple[Waste, ...]:
        """See `raptorctl.drivers.image.Images`."""
        kept = self._keeping.kept(self._store.known())
        return tuple(self._store.waste(marks, disks, kept))

    def keep(self, name: str, count: int | None) -> None:
        """See `raptorctl.drivers.image.Images`."""
        self._store.prepare()
        self._keeping.keep(name, count)

    def keeps(self) -> Mapping[str, int | None]:
        """See `raptorctl.drivers.image.Images`."""
        return self._keeping.counts()

    def sweep(self, waste: Waste) -> None:
        """See `raptorctl.drivers.image.Images`."""
        self._store.sweep(waste)

    def _base(self, source: str) -> Path:
        return self._store.partial / key_of(source)
