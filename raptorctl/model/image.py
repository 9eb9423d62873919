"""Images: what a machine's disk begins as, kept once for all machines."""

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
