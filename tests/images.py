"""A cache of images for tests, and somebody who watches it."""

from dataclasses import dataclass, field
from pathlib import Path

from raptorctl.drivers.image import Pulled, Wanted
from raptorctl.host.image.cache import LocalImages
from raptorctl.host.image.download import Http
from raptorctl.model.catalogue import Catalogue
from raptorctl.model.image_source import parse_source
from raptorctl.model.sizes import MIB, Size


@dataclass
class Watcher:
    """Remembers what it was told."""

    titles: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    ticks: list[tuple[int, int]] = field(default_factory=list)

    def begin(self, title: str) -> None:
        self.titles.append(title)

    def tick(self, done: int, total: int) -> None:
        self.ticks.append((done, total))

    def note(self, text: str) -> None:
        self.notes.append(text)


class Cache:
    """A cache below a directory.

    Args:
        directory: where.
        largest: bytes of an image.
        signers: a list of who may sign.
    """

    def __init__(
        self, directory: Path, largest: int = 64 * MIB, signers: Path | None = None
    ) -> None:
        self.directory = directory
        self.pauses: list[float] = []
        self.watcher = Watcher()
        http = Http(self.pauses.append)
        self.images = LocalImages(str(directory), Size(largest), http, signers)

    def pull(self, text: str, **more: object) -> Pulled:
        """Pull what somebody types."""
        source = parse_source(text, Catalogue(), "/")
        return self.images.pull(Wanted(source, **more), self.watcher)  # type: ignore[arg-type]

    @property
    def names(self) -> list[str]:
        return [image.name for image in self.images.list()]

    def left(self, *folders: str) -> list[str]:
        """Names of all files in folders of the cache."""
        paths = (p for f in folders for p in (self.directory / f).glob("*"))
        return sorted(path.name for path in paths)
