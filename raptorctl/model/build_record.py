"""What is kept of the last time that a build was done."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from raptorctl.model.image_version import Provenance
from raptorctl.model.sizes import Size


@dataclass(frozen=True)
class WrittenFile:
    """A file or folder that a build has written, as it was then.

    Args:
        path: absolute.
        size: bytes.
        changed: when it was written, nanoseconds since the epoch.
        tree: of a folder, SHA-256 of what all that is in it is like, hexadecimal; "" for a file.
    """

    path: str
    size: Size
    changed: int
    tree: str = ""


@dataclass(frozen=True)
class BuildRecord:
    """What is kept of the last time that a build was done.

    Args:
        build: the build's identifier, which is its job's.
        inputs: SHA-256 of all that goes into it, hexadecimal: the same inputs, the same digest.
        made: of what, by whom and when.
        files: that it wrote.
        images: that it put into the cache, with their digests.
        pushed: where it was pushed to.
    """

    build: str
    inputs: str
    made: Provenance
    files: tuple[WrittenFile, ...] = ()
    images: Mapping[str, str] = field(default_factory=dict)
    pushed: tuple[str, ...] = ()
