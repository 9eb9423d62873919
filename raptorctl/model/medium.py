"""ISOs in machines' CD drives, and the files that they are read from."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from raptorctl.model.domain import Domain
from raptorctl.model.image import SHORT, Image
from raptorctl.model.names import MachineName

ISO: Final = "iso"
"""The format of an image that is for a CD drive, and for no disk."""

_COPY: Final = re.compile(r"(?:.*/)?(.+)-cd-([0-9a-f]{64})\.iso", re.ASCII)
_CACHED: Final = re.compile(r".*/([0-9a-f]{64})", re.ASCII)


def copy_path(name: MachineName, image: Image, directory: str) -> str:
    """The file of a machine's own copy; its name tells of which image."""
    return f"{directory}/{name.domain}-cd-{image.digest}.iso"


def copied_for(path: str) -> str:
    """The domain that such a copy is for; "" for any other file."""
    found = _COPY.fullmatch(path)
    return found[1] if found else ""


def digest_in(path: str) -> str:
    """The digest of the image that a drive's file is, or is a copy of; "" where nobody knows."""
    copy, cached = _COPY.fullmatch(path), _CACHED.fullmatch(path)
    return copy[2] if copy else cached[1] if cached else ""


def label(path: str) -> str:
    """What people are told of such a file."""
    digest = digest_in(path)
    return f"ISO {digest[:SHORT]}" if digest else path


def inserted(domain: Domain) -> str:
    """The file in a machine's drive, as it is defined; "" without a drive, or with an empty one."""
    return next(filter(None, domain.cdroms), "")


def unreadable(sizes: Mapping[str, int | None], images: Iterable[Image]) -> dict[str, str]:
    """Say which files in drives are not whole, and why not.

    Args:
        sizes: bytes of these files; None for one that is gone.
        images: all that have a name, whole or not: an ISO is as long as a guest sees it.
    """
    known = {image.digest: image.size for image in images if image.format == ISO}
    told = {}
    for path, size in sizes.items():
        wanted = known.get(digest_in(path))
        if not digest_in(path):
            continue  # somebody else's file or device: libvirt knows
        if size is None:
            told[path] = f"{label(path)} is gone"
        elif wanted is not None and size != wanted:
            told[path] = f"{label(path)} has {size} bytes, and had {int(wanted)}"
    return told
