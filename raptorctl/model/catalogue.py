"""The catalogue: which URL a name such as `debian:13` stands for.

A tag is matched as a whole by a pattern, and the pattern's named groups are put into the URL. The
braces know plain names only: no attribute, index or format of Python's can be reached by them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from raptorctl.errors import SettingsError
from raptorctl.model.codec import ShapeError, decode
from raptorctl.model.image import NAME
from raptorctl.model.toml_text import read_toml

FIELD: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}", re.ASCII)


@dataclass(frozen=True)
class Tag:
    """What tags of one shape stand for.

    Args:
        pattern: a regular expression that the whole tag matches (docs.python.org, re.fullmatch).
        url: http, https or oci; `{group}` is what the pattern's group of that name matched.
        checksum_url: the same for the file of checksums, or "".
    """

    pattern: str
    url: str
    checksum_url: str = ""


@dataclass(frozen=True)
class CatalogueEntry:
    """A name without its tag.

    Args:
        name: what stands before the colon.
        tag: tried in order; the first that matches counts.
    """

    name: str
    tag: tuple[Tag, ...]


@dataclass(frozen=True)
class Resolved:
    """What a name came to.

    Args:
        name: with its tag.
        url, checksum_url: as in `Tag`, filled in.
    """

    name: str
    url: str
    checksum_url: str


@dataclass(frozen=True)
class Catalogue:
    """All names."""

    image: tuple[CatalogueEntry, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What may stand before the colon, in order."""
        return tuple(sorted(entry.name for entry in self.image))

    def resolve(self, text: str) -> Resolved | None:
        """Return what `name:tag` stands for, or None; without a tag, it is `latest`."""
        name, _, tag = text.partition(":")
        tag = tag or "latest"
        for entry in self.image:
            for each in entry.tag if entry.name == name else ():
                if match := re.fullmatch(each.pattern, tag):
                    groups = {key: value or "" for key, value in match.groupdict().items()}
                    urls = [FIELD.sub(lambda m, g=groups: g[m[1]], text)  # type: ignore[misc]
                            for text in (each.url, each.checksum_url)]  # fmt: skip
                    return Resolved(f"{name}:{tag}", *urls)
        return None

    def over(self, other: "Catalogue") -> "Catalogue":
        """Return both together; a name of ours takes the place of the other's."""
        ours = {entry.name for entry in self.image}
        return Catalogue(self.image + tuple(e for e in other.image if e.name not in ours))


def parse_catalogue(text: str, file: str) -> Catalogue:
    """Read a catalogue.

    Args:
        text: TOML.
        file: its path, for errors.

    Raises:
        SettingsError: it is none; says where.
    """
    try:
        catalogue = decode(Catalogue, read_toml(text, file))
    except ShapeError as error:
        raise SettingsError(file, error.key, error.problem) from error
    for place, problem in _problems(catalogue):
        raise SettingsError(file, place, problem)
    return catalogue


def _problems(catalogue: Catalogue) -> Iterable[tuple[str, str]]:
    for number, entry in enumerate(catalogue.image):
        if not NAME.fullmatch(entry.name) or ":" in entry.name:
            yield f"image[{number}].name", "letters, digits and . _ + - only"
        if not entry.tag:
            yield f"image[{number}].tag", f"{entry.name} has none"
        for place, tag in enumerate(entry.tag):
            for key, problem in _tag_problems(tag):
                yield f"image[{number}].tag[{place}].{key}", problem


def _tag_problems(tag: Tag) -> Iterable[tuple[str, str]]:
    try:
        groups = set(re.compile(tag.pattern).groupindex)
    except re.error as error:
        yield "pattern", f"is not a regular expression: {error}"
        return
    if not tag.url.startswith(("https://", "http://", "oci://")):
        yield "url", "should begin with https://, http:// or oci://"
    if tag.url.startswith("oci://") and tag.checksum_url:
        yield "checksum_url", "goes with no oci:// url: a registry has its images by their digests"
    for key, text in (("url", tag.url), ("checksum_url", tag.checksum_url)):
        if unknown := set(FIELD.findall(text)) - groups:
            yield key, f"the pattern has no group {', '.join(sorted(unknown))}"
        if set("{}") & set(FIELD.sub("", text)):
            yield key, "braces hold the name of a group and nothing else"
