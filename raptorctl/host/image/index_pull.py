"""Images that an index tells of: in a folder of ours, or on a server of simplestreams."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from raptorctl.drivers.image import Watch
from raptorctl.errors import DownloadError, InputError, RefusedError
from raptorctl.host.image.download import Http
from raptorctl.host.image.partial import Partial
from raptorctl.host.image.trust import Claim
from raptorctl.model.error_code import Code
from raptorctl.model.image_source import INDEX, Source
from raptorctl.model.image_target import parse_ssh
from raptorctl.model.image_version import Paper
from raptorctl.model.sizes import Size
from raptorctl.model.stamp import stamp
from raptorctl.read.image_index import LARGEST_INDEX, parse_index
from raptorctl.read.image_statement import LARGEST_STATEMENT
from raptorctl.read.simplestreams import (
    LARGEST_PRODUCTS,
    PLACE,
    StreamDisk,
    disks_of,
    is_streams,
    only_disk,
    product_files,
)


class Shelf(Protocol):
    """A folder, as far as pulling goes; see `raptorctl.host.image.folder.Folder`."""

    def read(self, name: str, largest: int) -> bytes | None:
        """Return a small file; None where it is not there."""

    def fetch(self, name: str, version: str, size: int, partial: Partial, watch: Watch) -> None:
        """Have a file in `partial`, going on where it broke off."""


@dataclass(frozen=True)
class Offered:
    """An image that an index tells of.

    Args:
        file: its name, from where the index is.
        digest: its SHA-256, hexadecimal.
        size: bytes.
        called: what tells its format.
        name: what it is called there.
        paper: what goes with it.
    """

    file: str
    digest: str
    size: int
    called: str
    name: str
    paper: Paper = Paper()

    def claim(self, source: str) -> Claim:
        """What is claimed of it."""
        return Claim(source, (self.name,), self.digest, self.size, self.paper)


@contextmanager
def opened(source: Source, http: Http, largest: Size) -> Iterator[Shelf]:
    """Open the folder that a source's index is in.

    Raises:
        HostError: it cannot be reached.
    """
    where = source.text.partition("#")[0]
    if where.startswith("ssh://"):
        from raptorctl.host.image.ssh_folder import SshFolder

        with SshFolder(parse_ssh(where.removesuffix(f"/{INDEX}")), DownloadError) as folder:
            yield folder
    elif "://" in where:
        from raptorctl.host.image.web_folder import WebFolder

        yield WebFolder(http, where, largest)
    else:
        from raptorctl.host.image.folder import LocalFolder

        yield LocalFolder(where.removesuffix(f"/{INDEX}"))


def find(folder: Shelf, source: Source, largest: Size) -> Offered:
    """Find what a source means in its index.

    Args:
        folder: that the index is in.
        source: names the image, and perhaps its build.
        largest: bytes that an image may have.

    Raises:
        DownloadError: there is no index, or it tells of what is not there.
        ImageError: it is none.
        RefusedError: it has expired.
        InputError: it has no such image.
    """
    where = source.text.partition("#")[0]
    body = folder.read(INDEX, LARGEST_INDEX)
    if body is None:
        raise DownloadError(f"there is no {where}")
    look = _of_streams if is_streams(body) else _of_ours
    found = look(folder, body, source)
    if found.size > largest:
        raise DownloadError(
            f"it is larger than {largest}: it has {Size(found.size)}",
            resolution="if that is meant, raise images.largest in the settings",
            code=Code.IMAGE_TOO_LARGE,
        )
    return found


def _of_ours(folder: Shelf, body: bytes, source: Source) -> Offered:
    where = source.text.partition("#")[0]
    index = parse_index(body, where)
    if index.expires and index.expires <= stamp(datetime.now(UTC)):
        raise RefusedError(
            f"{where} has expired on {index.expires[:10]}",
            resolution="whoever shares it should push there again",
            code=Code.IMAGE_EXPIRED,
            subject=where,
        )
    try:
        entry = index.newest(*source.pinned)
    except InputError as error:
        raise InputError(
            f"{where}: {error.brief}", resolution=error.resolution, code=Code.IMAGE_NOT_FOUND
        ) from error
    files = (entry.statement, entry.signature)
    paper = Paper(*(_text(folder, file) if file else "" for file in files))
    return Offered(entry.file, entry.digest, entry.size, entry.file, entry.name, paper)


def _of_streams(folder: Shelf, body: bytes, source: Source) -> Offered:
    where = source.text.partition("#")[0]
    if not where.endswith(f"/{PLACE}"):
        raise DownloadError(
            f"{where} is an index of simplestreams, and does not lie where they do",
            resolution=f"name WHERE/{PLACE}#PRODUCT",
        )
    found: list[StreamDisk] = []
    for path in product_files(body, where):
        file = f"../../{path}"
        text = folder.read(file, LARGEST_PRODUCTS)
        if text is None:
            raise DownloadError(f"{where} names {path}, which is not there")
        found += disks_of(text, f"{where}: {path}", *source.pinned)
    disk = only_disk(tuple(found), *source.pinned)
    called = disk.path.rpartition("/")[2]
    return Offered(f"../../{disk.path}", disk.digest, disk.size, called, disk.product)


def _text(folder: Shelf, file: str) -> str:
    body = folder.read(file, LARGEST_STATEMENT)
    if body is None:
        raise DownloadError(f"the index names {file}, which is not there")
    return body.decode(errors="replace")
