"""What may be asked about images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from raptorctl.drivers.tick import Tick
    from raptorctl.model.image import Image, Reference
    from raptorctl.model.image_source import Source
    from raptorctl.model.image_target import Target
    from raptorctl.model.image_version import Paper, Provenance, Statement
    from raptorctl.model.sizes import Size
    from raptorctl.model.volume import Volume


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


class Watch(Protocol):
    """Told what is being done to an image, and how far it is."""

    def begin(self, title: str) -> None:
        """Something begins; what was before it is done."""

    def tick(self, done: int, total: int) -> None:
        """It has done `done` of `total` bytes; 0 is a total that nobody knows."""

    def note(self, text: str) -> None:
        """Something worth a line of its own."""


@dataclass(frozen=True)
class RegistryLogin:
    """What a registry asks for; never shown.

    Args:
        user: or "" for a token alone.
        password: or a token, or "" for nobody.
    """

    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class Wanted:
    """An image that somebody wants in the cache.

    Args:
        source: where it comes from.
        name: what it is to be called, or "" for what the source suggests.
        sha256: what its source must give, before it is unpacked; or "".
        refresh: ask the source again even if the image is here.
        login: for a registry.
        unsigned: take it although nobody signed it, where a list says who may.
    """

    source: Source
    name: str = ""
    sha256: str = ""
    refresh: bool = False
    login: RegistryLogin = RegistryLogin()
    unsigned: bool = False


@dataclass(frozen=True)
class Pulled:
    """What became of a wish.

    Args:
        image: what is in the cache now.
        outcome: `pulled`, `converted`, `already here`, or `named` when only the name is new.
    """

    image: Image
    outcome: str


@dataclass(frozen=True)
class Offer:
    """An image that is to be shared.

    Args:
        path: its file.
        statement: what is said of it.
        paper: the same to the letter, and a signature if there is one.
    """

    path: str
    statement: Statement
    paper: Paper


@dataclass(frozen=True)
class Pushed:
    """What became of an offer.

    Args:
        statement: of the version.
        places: where it is to be had; by the first, always this very version.
        outcome: `pushed`, or `already there`.
        newest: whether the name means this version now.
    """

    statement: Statement
    places: tuple[str, ...]
    outcome: str
    newest: bool


@dataclass(frozen=True)
class Waste:
    """A file of the cache that nothing needs.

    Args:
        path: the file.
        size: bytes that it takes.
        reason: why it is not needed.
        image: the name it stands for, or "".
    """

    path: str
    size: Size
    reason: str
    image: str = ""


class Images(Protocol):
    """The cache of images."""

    def list(self) -> tuple[Image, ...]:
        """Return all images that are whole, by name."""

    def known(self) -> tuple[Image, ...]:
        """Return all that have a name, whole or not."""

    def reference(self, image: Image) -> Reference | None:
        """Return what is known of an image besides; None where nothing of it can be read."""

    def damaged(self) -> Mapping[str, str]:
        """Return the names of those that are not whole, as far as lengths tell, and why not.

        Among them are names of which nothing else can be read.
        """

    def pull(self, wanted: Wanted, watch: Watch) -> Pulled:
        """Have an image in the cache.

        Raises:
            HostError: the source does not give it, or what it gives is no image; nothing is left.
            RefusedError: the name is another image's, or there is no room.
            WaitError: somebody else has been pulling it for too long.
        """

    def foresee(self, wanted: Wanted) -> Image:
        """Return what `pull` would: the image that is here, or one without a digest yet.

        Raises:
            InputError, HostError: as `pull` would begin; nothing is changed.
            RefusedError: the name is another image's.
        """

    def convert(self, image: Image, to: str, name: str, watch: Watch) -> Pulled:
        """Have an image in another format, under another name.

        Raises:
            HostError: it is damaged.
        """

    def keep_built(self, path: str, name: str, built: Provenance, watch: Watch) -> Pulled:
        """Have a file in the cache, as what a build has made. It is moved there if it can be.

        What the name stood for until now is kept as `NAME@BUILD`, if a build made it as well.

        Raises:
            HostError: it is no image, or there is no room; nothing is left.
            RefusedError: the name is an image's that no build made.
        """

    def digest(self, path: str, watch: Watch) -> str:
        """Return the SHA-256 of a file that is in no cache, hexadecimal.

        Raises:
            HostError: it cannot be read.
        """

    def push(self, offer: Offer, target: Target, login: RegistryLogin, watch: Watch) -> Pushed:
        """Share an image; one that was cut off is gone on with.

        Raises:
            UploadError: it is not there; nobody sees a part of it.
        """

    def has_built(self, name: str, built: Provenance) -> bool:
        """Whether a name stands for just what that build made."""

    def take_back(self, name: str, built: Provenance, before: str) -> None:
        """Forget what a build made, if its name stands for it, and give the name back.

        Args:
            name: the image's.
            built: of the build.
            before: digest of what the name stood for before; "" for nothing.
        """

    def sign(self, image: Image, text: str, key: str) -> Paper:
        """Sign what is said of an image, and keep both with it.

        Args:
            image: that is in the cache.
            text: what is said of it.
            key: the path of a private key.

        Raises:
            InputError: the key cannot be read, or used.
        """

    def copy(self, image: Image, path: str, tick: Tick) -> None:
        """Copy the file of an image, whole or not at all, durably; ours alone.

        Raises:
            HostError: the image is gone or damaged, or there is no room.
        """

    def is_whole(self, image: Image, tick: Tick) -> bool:
        """Whether the file still has its digest; it is read anew."""

    def remove(self, image: Image) -> None:
        """Forget a name; its file goes with its last name."""

    def waste(self, marks: Iterable[str], disks: Iterable[str]) -> tuple[Waste, ...]:
        """Return what no name and no machine needs, and downloads that nobody goes on with.

        Args:
            marks: of all machines, what their disks began as.
            disks: files that machines use.

        Raises:
            HostError: nobody knows which versions are kept.
        """

    def keep(self, name: str, count: int | None) -> None:
        """Have `waste` leave so many of the newest versions of a name; None for all of them."""

    def keeps(self) -> Mapping[str, int | None]:
        """Return how many versions of which names stay.

        Raises:
            HostError: nobody knows.
        """

    def sweep(self, waste: Waste) -> None:
        """Remove one such file, unless it is needed by now."""


class ImageWriter(Protocol):
    """The way of an image onto a volume."""

    def write(self, image: Image, volume: Volume, tick: Tick) -> ImageReport:
        """Make a volume that is all zeroes begin as an image, and read it back.

        Raises:
            HostError: the image is gone or damaged, or does not fit.
            WipeError: the volume's device is in use, another one, or fails.
            StoppedError: from `tick`.
        """
