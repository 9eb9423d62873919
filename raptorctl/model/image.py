"""Images: what a machine's disk begins as, kept once for all machines."""

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from raptorctl.errors import InputError
from raptorctl.model.image_version import BUILD, Paper, Provenance
from raptorctl.model.names import shown
from raptorctl.model.sizes import Size

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}(:[A-Za-z0-9._+-]{1,63})?", re.ASCII)
DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
SHORT: Final = BUILD
"""Digits of a digest that people are shown, and at least so many that they must give."""
BUILT: Final = "build:"
"""What the source of an image begins with that was built here; its name follows."""


@dataclass(frozen=True)
class Image:
    """An image in the cache, which never changes once it is there.

    Args:
        name: what it is asked for by: `debian:13`, or what somebody chose.
        source: where it came from: an absolute path, a URL, an `oci://` reference.
        digest: SHA-256 of the file as it is kept, hexadecimal.
        format: `raw`, `qcow2` or `vmdk`, as qemu-img says it; or `iso`.
        size: bytes that a guest sees.
        stored: bytes that the file takes.
        path: the file, absolute.
        pulled: when, UTC, ISO 8601.
    """

    name: str
    source: str
    digest: str
    format: str
    size: Size
    stored: Size
    path: str
    pulled: str

    @property
    def short(self) -> str:
        """The digest's beginning, enough to tell images apart."""
        return self.digest[:SHORT]

    @property
    def superseded(self) -> bool:
        """Whether its source has something newer by now, which took its name.

        What was pulled by its build has it in its source as well, and is nothing that went by.
        """
        _, at, build = self.name.partition("@")
        return bool(at) and not self.source.endswith(f"@{build}")


@dataclass(frozen=True)
class Damaged:
    """An image in the cache that is not whole.

    Args:
        name: as of `Image`.
        source: likewise; "" where what was known of it cannot be read.
        digest: likewise.
        problem: what is wrong with its file.
    """

    name: str
    source: str
    digest: str
    problem: str

    @property
    def advice(self) -> str:
        """How to make it whole."""
        if self.source.startswith("/") or "://" in self.source:
            return f"raptorctl image pull {shlex.quote(self.source)} --name {self.name}"
        return f"`raptorctl image remove {self.name}`, and pull it again"


def damaged(known: Iterable[Image], told: Mapping[str, str]) -> tuple[Damaged, ...]:
    """Return those that are not whole, by name.

    Args:
        known: every image that has a name, whole or not.
        told: what is wrong with which name.
    """
    what = {image.name: (image.source, image.digest) for image in known}
    return tuple(Damaged(name, *what.get(name, ("", "")), told[name]) for name in sorted(told))


UNSEEN: Final = ("", "", Size(0), Size(0), "", "")
"""The fields of an image that nobody has looked at yet: from its digest on."""


@dataclass(frozen=True)
class Origin:
    """What was known of a source when an image was taken from it.

    Args:
        version: what the source calls this state of it: an ETag, a digest, a time; or "".
        sha256: of what the source gave, before it was unpacked.
        length: bytes of the file as it is kept, holes included.
        chosen: whether a person chose the name, and not the source or the catalogue.
    """

    version: str
    sha256: str
    length: int
    chosen: bool = False


@dataclass(frozen=True)
class Reference:
    """A name's file in the cache.

    Args:
        image: the image.
        origin: where that came from.
        built: how it was built, if that is known.
        paper: what came with it, or was signed here.
    """

    image: Image
    origin: Origin
    built: Provenance | None = None
    paper: Paper = Paper()


def find(images: Iterable[Image], text: str) -> Image | None:
    """Return the image that somebody means, or None.

    Args:
        images: those there are.
        text: a name, or `NAME@BUILD`; a source, exactly; or a digest, or 12 digits or more of its
            beginning.

    Raises:
        InputError: several images begin with these digits.
    """
    known = tuple(images)
    name, at, build = text.partition("@")
    for matches in (lambda i: i.name == text, lambda i: i.source == text and not i.superseded):
        if found := next(filter(matches, known), None):
            return found
    if at and len(build) == BUILD:
        pinned = (i for i in known if i.name == name and i.short == build)
        if found := next(pinned, None):
            return found
    return _by_digest(known, text.removeprefix("sha256:"))


def _by_digest(images: tuple[Image, ...], digits: str) -> Image | None:
    if len(digits) < SHORT or not set(digits) <= set("0123456789abcdef"):
        return None
    found = {image.digest: image for image in images if image.digest.startswith(digits)}
    if len(found) > 1:
        raise InputError(
            f"{len(found)} images begin with {digits}", resolution="give more of the digest"
        )
    return next(iter(found.values()), None)


def image_name(text: str) -> str:
    """Check a name that somebody chose; it becomes part of a path.

    Raises:
        InputError: it breaks the grammar.
    """
    if not NAME.fullmatch(text) or ".." in text:
        raise InputError(
            f"{shown(text)} is not an image's name",
            resolution="use letters, digits and . _ + -, and one : before a tag",
        )
    return text


def parse_digest(text: str) -> str:
    """Read a SHA-256 in hexadecimal.

    Raises:
        InputError: it is none.
    """
    digits = text.lower().removeprefix("sha256:")
    if not DIGEST.fullmatch(digits):
        raise InputError(f"{shown(text)} is not a SHA-256", resolution="it has 64 digits, 0-9 a-f")
    return digits
