"""The index of a folder of images, as it came from somewhere."""

import json
import re
from typing import Final

from raptorctl.errors import ImageError
from raptorctl.model.codec import ShapeError, decode
from raptorctl.model.image import DIGEST, NAME
from raptorctl.model.image_index import FORMAT, ImageIndex, IndexEntry
from raptorctl.model.image_version import BUILD
from raptorctl.model.names import shown
from raptorctl.model.sizes import MIB
from raptorctl.read.image_statement import FORMATS, MOST, STAMP

LARGEST_INDEX: Final = 4 * MIB
"""Bytes; some ten thousand versions."""
FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+:@-]{0,254}", re.ASCII)
"""A name in the folder itself: no slash, no dot before it."""


def parse_index(text: bytes, where: str) -> ImageIndex:
    """Read an index.

    Args:
        text: JSON.
        where: it came from, for errors.

    Raises:
        ImageError: it is none.
    """
    try:
        data = json.loads(text.decode())
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise ShapeError("", "is no index of images")
        index = decode(ImageIndex, data)
    except (ValueError, RecursionError) as error:
        said = f"{error}" if isinstance(error, ShapeError) else "is not JSON"
        raise ImageError(f"{where}: {shown(said).strip(chr(39))}") from error
    if not 0 <= index.serial < MOST or (index.expires and not STAMP.fullmatch(index.expires)):
        raise ImageError(f"{where}: its serial or the moment it expires is none")
    for place, entry in enumerate(index.images):
        if not _is_sound(entry):
            raise ImageError(f"{where}: images[{place}] is no version of an image")
    return index


def _is_sound(entry: IndexEntry) -> bool:
    named = NAME.fullmatch(entry.name) and ".." not in entry.name
    digest = DIGEST.fullmatch(entry.digest) and entry.build == entry.digest[:BUILD]
    files = (entry.file, entry.statement, *([entry.signature] if entry.signature else ()))
    sized = 0 < entry.size < MOST and 0 <= entry.serial < MOST and entry.format in FORMATS
    known = all(FILE.fullmatch(file) for file in files) and STAMP.fullmatch(entry.made)
    return bool(named and digest and sized and known)
