"""Images: what a machine's disk begins as, kept once for all machines."""

from collections.abc import Iterable
from dataclasses import dataclass

from raptorctl.model.sizes import Size


@dataclass(frozen=True)
class Image:
    """An image in the cache, which never changes once it is there.

    Args:
        name: what it is asked for by: `debian:13`, or what somebody chose.
        source: where it came from: an absolute path, a URL, an `oci://` reference.
        digest: SHA-256 of the file as it is kept, hexadecimal.
        format: `raw`, `qcow2` or `vmdk`, as qemu-img says it.
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
        return self.digest[:12]


def find(images: Iterable[Image], ref: str) -> Image | None:
    """Return the image of that name, source, or digest (or its beginning, of 12 digits or more)."""
    digest = ref.removeprefix("sha256:")
    for image in images:
        if ref in {image.name, image.source} or image.digest == digest:
            return image
        if len(digest) >= 12 and image.digest.startswith(digest):
            return image
    return None
