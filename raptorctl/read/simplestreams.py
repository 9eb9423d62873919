"""Indexes of simplestreams, by which Ubuntu's, Incus' and LXD's servers tell of their images.

Their description is simplestreams' doc/README; what stands at a version counts for its items, too.
All of it is what somebody's server says.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from raptorctl.errors import ImageError, InputError
from raptorctl.model.error_code import Code
from raptorctl.model.image import DIGEST
from raptorctl.model.names import shown
from raptorctl.model.sizes import MIB

INDEX_FORMAT: Final = "index:1.0"
PRODUCTS_FORMAT: Final = "products:1.0"
DOWNLOADS: Final = "image-downloads"
PLACE: Final = "streams/v1/index.json"
"""Where an index lies; paths in it begin two folders above."""
LARGEST_PRODUCTS: Final = 32 * MIB
"""Bytes of one list of products; Ubuntu's has some ten."""
MOST_FILES: Final = 16
"""Lists of products of one server."""
DISKS: Final = ("disk-kvm.img", "disk1.img", "disk.img", "uefi1.img")
"""What items are disks of virtual machines, the best first: Incus' and LXD's, and Ubuntu's."""
OURS: Final = frozenset({"amd64", "x86_64"})
PATH: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+:@~,=/-]{0,1023}", re.ASCII)
MOST: Final = 1 << 63
NAMED: Final = 20
"""How many products an error names."""


@dataclass(frozen=True)
class StreamDisk:
    """A disk that a server has.

    Args:
        product: its identifier there.
        version: of the product.
        path: from the server's root.
        digest: SHA-256, hexadecimal.
        size: bytes.
    """

    product: str
    version: str
    path: str
    digest: str
    size: int


def is_streams(text: bytes) -> bool:
    """Whether a text is an index of simplestreams."""
    try:
        return _table(text, "").get("format") == INDEX_FORMAT
    except ImageError:
        return False


def product_files(text: bytes, where: str) -> tuple[str, ...]:
    """Return the paths of the lists of products that can be downloaded.

    Raises:
        ImageError: it is no index, or has none.
    """
    entries = _tables(_table(text, where).get("index"))
    found = [
        str(entry.get("path"))
        for _, entry in entries
        if entry.get("datatype") == DOWNLOADS and entry.get("format") == PRODUCTS_FORMAT
    ]
    fit = [path for path in dict.fromkeys(found) if _is_path(path)]
    if not fit:
        raise ImageError(f"{where}: it tells of nothing that can be downloaded")
    return tuple(fit[:MOST_FILES])


def disks_of(text: bytes, where: str, what: str, version: str) -> tuple[StreamDisk, ...]:
    """Return the disks of virtual machines that somebody means, the newest of each product.

    Args:
        text: a list of products.
        where: it came from, for errors.
        what: a product, one of its aliases, or both its system and an alias (`ubuntu:24.04`).
        version: of the product; "" for the newest that has a disk.

    Raises:
        ImageError: it is no list of products.
    """
    table = _table(text, where)
    if table.get("format") != PRODUCTS_FORMAT:
        raise ImageError(f"{where}: it is no list of products")
    found: list[StreamDisk] = []
    for name, product in _tables(table.get("products")):
        told = {**_scalars(table), **_scalars(product)}
        if str(told.get("arch", "")) in OURS and what in _called(name, told):
            found += _newest(name, told, product, version)
    return tuple(found)


def only_disk(found: tuple[StreamDisk, ...], what: str, version: str) -> StreamDisk:
    """Return the one that is meant.

    Raises:
        InputError: there is none, or there are several.
    """
    if not found:
        said = f"{what}@{version}" if version else what
        raise InputError(
            f"there is no disk of a virtual machine for amd64 that is called {shown(said)}",
            resolution="name a product, or an alias as ubuntu:24.04 or debian/13/cloud",
            code=Code.IMAGE_NOT_FOUND,
            subject=said,
        )
    products = sorted({disk.product for disk in found})
    if len(products) > 1:
        named = ", ".join(shown(product).strip("'") for product in products[:NAMED])
        raise InputError(f"{what} may be {named}", resolution="name one of these products")
    return found[0]


def _newest(
    name: str, product: Mapping[str, Any], tree: Mapping[str, Any], wanted: str
) -> Iterator[StreamDisk]:
    versions = [(key, table) for key, table in _tables(tree.get("versions"))]
    for key, version in sorted(versions, key=lambda each: _age(each[0]), reverse=True):
        if wanted in {"", key} and (disk := _disk(name, key, product, version)):
            yield disk
            return


def _disk(
    name: str, key: str, product: Mapping[str, Any], version: Mapping[str, Any]
) -> StreamDisk | None:
    """Return a version's disk; None if it has none that can be checked."""
    known = {**product, **_scalars(version)}
    items = [{**known, **_scalars(item)} for _, item in _tables(version.get("items"))]
    for kind in DISKS:
        for item in items:
            path, digest = item.get("path"), item.get("sha256")
            size: Any = item.get("size")
            checked = DIGEST.fullmatch(str(digest)) and _is_path(str(path))
            if item.get("ftype") == kind and checked and _is_size(size):
                return StreamDisk(name, key, str(path), str(digest), int(size))
    return None


def _is_size(size: Any) -> bool:
    return isinstance(size, int) and not isinstance(size, bool) and 0 < size < MOST


def _called(name: str, product: Mapping[str, Any]) -> frozenset[str]:
    """Return all that a product may be called by."""
    aliases = str(product.get("aliases", "")).split(",")
    short = {alias.strip() for alias in aliases}
    short |= {str(product.get(key, "")) for key in ("version", "release")}
    system = str(product.get("os", "")).lower()
    return frozenset({name, *short, *(f"{system}:{each}" for each in short)} - {""})


def _age(version: str) -> tuple[tuple[int, ...], str]:
    """Sort versions by their numbers: 20240423.10 is newer than 20240423.9."""
    numbers = re.findall(r"[0-9]{1,18}", version)
    return tuple(map(int, numbers)), version


def _is_path(text: str) -> bool:
    return bool(PATH.fullmatch(text)) and not {"", ".", ".."} & set(text.split("/"))


def _table(text: bytes, where: str) -> Mapping[str, Any]:
    try:
        told = json.loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise ImageError(f"{where}: it is not JSON") from error
    if not isinstance(told, dict):
        raise ImageError(f"{where}: it is no index")
    return told


def _tables(data: Any) -> list[tuple[str, Mapping[str, Any]]]:
    known = data.items() if isinstance(data, dict) else ()
    return [(str(key), value) for key, value in known if isinstance(value, dict)]


def _scalars(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if isinstance(value, str | int)}
