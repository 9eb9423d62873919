"""Where an image comes from: a file, a URL, a registry, or a name that the catalogue knows."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from raptorctl.errors import InputError
from raptorctl.model.catalogue import Catalogue
from raptorctl.model.error_code import Code
from raptorctl.model.image import NAME, image_name
from raptorctl.model.names import shown

LONGEST: Final = 2048
"""Characters of a URL; common servers take no more (RFC 9110 4.1 asks for 8000 octets)."""
# https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
REPOSITORY: Final = re.compile(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*")
TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", re.ASCII)
BLOB: Final = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
INDEX: Final = "index.json"
WHAT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+:/-]{0,199}", re.ASCII)
"""Of an index: an image, or a product of simplestreams (`com.ubuntu.cloud:server:24.04:amd64`).
"""
PIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}", re.ASCII)
"""A build; or a version, which Incus has as `20240101_05:24`."""
PACKED: Final = (".xz", ".zst", ".zstd", ".gz", ".7z")


@dataclass(frozen=True)
class Source:
    """Where an image comes from.

    Args:
        text: an absolute path, a URL, an `oci://` reference: by it the cache knows it again.
        name: what the image is called unless somebody chooses.
        checksum_url: where its checksum is published, or "".
        listed: whether the name is the catalogue's.
    """

    text: str
    name: str
    checksum_url: str = ""
    listed: bool = False

    @property
    def kind(self) -> str:
        """`file`, `http`, `https`, `oci`, or `index` where an index says which file it is."""
        if self.text.startswith("ssh://") or f"/{INDEX}#" in self.text:
            return "index"
        return "file" if self.text.startswith("/") else self.text.partition(":")[0]

    @property
    def pinned(self) -> tuple[str, str]:
        """Of an index: what of it, and which build or version; "" for the newest."""
        what, _, build = self.text.rpartition("#")[2].partition("@")
        return what, build

    @property
    def file_name(self) -> str:
        """The last part of its path, without the ending of an archive."""
        last = PurePosixPath(urlsplit(self.text).path if "://" in self.text else self.text).name
        return last[: -len(PurePosixPath(last).suffix)] if last.endswith(PACKED) else last


def parse_source(text: str, catalogue: Catalogue, here: str) -> Source:
    """Read what somebody typed.

    Args:
        text: `debian:13`, `https://...`, `oci://...`, or a path with a slash in it.
        catalogue: of names.
        here: the directory that a relative path begins at, absolute.

    Raises:
        InputError: it is none of these, or the catalogue does not know it.
    """
    if text.startswith("ssh://") or f"/{INDEX}#" in text or text.endswith(f"/{INDEX}"):
        return parse_index_source(text, here)
    if "://" in text:
        return parse_oci(text) if text.startswith("oci://") else parse_url(text)
    if "/" in text or text.startswith("."):
        return _path(text, here)
    entry = catalogue.resolve(text) if NAME.fullmatch(text) else None
    if entry is None:
        raise InputError(
            f"{shown(text)} is in no catalogue of images",
            resolution=f"known: {', '.join(catalogue.names)}; a file is written ./FILE",
            code=Code.IMAGE_NOT_FOUND,
            subject=text,
        )
    source = parse_oci(entry.url) if entry.url.startswith("oci://") else parse_url(entry.url)
    return Source(source.text, image_name(entry.name), entry.checksum_url, listed=True)


def parse_url(text: str) -> Source:
    """Read an http or https URL.

    Raises:
        InputError: it is none, or carries a password, which the process list would show.
    """
    try:
        parts = urlsplit(text)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        fits = False
    if not fits or len(text) > LONGEST or not text.isascii() or not text.isprintable():
        raise InputError(f"{shown(text)} is not a URL of an image", resolution="write https://...")
    if " " in text or "@" in parts.netloc or parts.fragment:
        raise InputError(f"{shown(text)}: no user, password, blank or # belongs into it")
    source = Source(text, "")
    return Source(text, _fitting(source.file_name or parts.hostname or ""))


def parse_index_source(text: str, here: str) -> Source:
    """Read `WHERE/index.json#IMAGE` or `...#IMAGE@BUILD`; of ssh, the file's name may be left out.

    Raises:
        InputError: it is none, or does not say which image.
    """
    where, _, what = text.partition("#")
    image, at, build = what.partition("@")
    if not WHAT.fullmatch(image) or ".." in image or (at and not PIN.fullmatch(build)):
        raise InputError(
            f"{shown(text)} does not say which image of the index is meant",
            resolution="write WHERE/index.json#NAME, or #NAME@BUILD for one version",
        )
    if where.startswith("ssh://"):
        where = f"{where.rstrip('/').removesuffix(f'/{INDEX}')}/{INDEX}"
    elif "://" in where:
        where = parse_url(where).text
    else:
        where = _path(where, here).text
    name = _fitting(image) + (f"@{build}" if build else "")
    return Source(f"{where}#{what}", name)


def parse_oci(text: str) -> Source:
    """Read `oci://registry/repository:tag` or `...@sha256:DIGEST`.

    Raises:
        InputError: it is none.
    """
    registry, repository, tag = split_oci(text)
    last = repository.rpartition("/")[2]
    return Source(
        f"oci://{registry}/{repository}{'@' if ':' in tag else ':'}{tag}",
        _fitting(f"{last}:{tag[7:19] if ':' in tag else tag}"),
    )


def split_oci(text: str) -> tuple[str, str, str]:
    """Return registry, repository, and tag or digest.

    Raises:
        InputError: it does not follow the grammar of the OCI distribution specification.
    """
    registry, _, rest = text.removeprefix("oci://").partition("/")
    repository, at, tag = rest.partition("@")
    if not at:
        repository, _, tag = rest.partition(":")
        tag = tag or "latest"
    host = re.fullmatch(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9a-fA-F:]+\](:[0-9]{1,5})?", registry)
    fits = (BLOB if at else TAG).fullmatch(tag) and REPOSITORY.fullmatch(repository)
    if not host or not fits or len(text) > LONGEST:
        raise InputError(
            f"{shown(text)} is not a reference to an image in a registry",
            resolution="write oci://REGISTRY/REPOSITORY:TAG",
        )
    return registry, repository, tag


def _path(text: str, here: str) -> Source:
    fits = "\0" not in text and not re.search("[\ud800-\udfff]", text)  # JSON keeps UTF-8 only
    if not fits or len(text) > 4095:  # PATH_MAX, limits.h
        raise InputError(f"{shown(text)} is not a path")
    parts: list[str] = []
    for part in PurePosixPath(here, text).parts[1:]:
        # By name alone: where a link leads is not asked, and a link as the file itself is refused.
        parts[len(parts) - 1 if part == ".." and parts else len(parts) :] = (
            [] if part == ".." else [part]
        )
    source = Source(f"/{'/'.join(parts)}", "")
    return Source(source.text, _fitting(source.file_name))


def _fitting(text: str) -> str:
    """Make an image's name of what something else is called."""
    fitting = re.sub(r"[^A-Za-z0-9._+:-]+|\.\.+", "-", text)
    head, _, tag = fitting.lstrip("-._+:").partition(":")
    short = f"{head[:64]}:{tag.replace(':', '-')[:63]}" if tag else head[:64]
    return short if NAME.fullmatch(short) else "image"
