"""Statements of images: JSON that came from somewhere, and is believed in nothing yet."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from raptorctl.errors import ImageError
from raptorctl.model.codec import ShapeError, decode
from raptorctl.model.image import DIGEST, NAME, Reference
from raptorctl.model.image_version import STATEMENT, Provenance, Statement
from raptorctl.model.names import shown

LARGEST_STATEMENT: Final = 64 << 10
"""Bytes; one of ours has less than two thousand."""
FORMATS: Final = frozenset({"raw", "qcow2", "vmdk", "iso"})
STAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
MOST: Final = 1 << 63
LONGEST: Final = 4096
"""Characters of what a statement says for people."""


def parse_statement(text: bytes, where: str) -> Statement:
    """Read a statement.

    Args:
        text: JSON.
        where: it came from, for errors.

    Raises:
        ImageError: it is none, or none of a kind that we know.
    """
    try:
        data = json.loads(text.decode())
        if isinstance(data, dict) and data.get("statement", STATEMENT) != STATEMENT:
            raise ShapeError("statement", "is of a newer raptorctl")
        statement = decode(Statement, data)
    except (ValueError, RecursionError) as error:
        said = f"{error}" if isinstance(error, ShapeError) else "is not JSON"
        raise ImageError(f"{where}: {shown(said).strip(chr(39))}") from error
    if problem := _problem(statement):
        raise ImageError(f"{where}: {problem}")
    return statement


def _problem(said: Statement) -> str:
    """Say what of a statement cannot be, or ""."""
    if not NAME.fullmatch(said.name) or ".." in said.name:
        return "its name is not an image's"
    if not DIGEST.fullmatch(said.digest):
        return "its digest is not a SHA-256"
    if said.format not in FORMATS:
        return f"its format is none of {', '.join(sorted(FORMATS))}"
    if not 0 < said.size < MOST or not 0 <= said.serial < MOST:
        return "its size or serial is beyond all measure"
    if not STAMP.fullmatch(said.made) or not (not said.expires or STAMP.fullmatch(said.expires)):
        return "made and expires are moments as 2026-11-20T12:00:00Z"
    return _unfit(said.built) if said.built else ""


def _unfit(built: Provenance) -> str:
    texts = (built.source, built.source_digest, built.steps_digest, built.who, built.when)
    fit = all(len(text) <= LONGEST and text.isprintable() for text in (*texts, built.raptorctl))
    return "" if fit else "what it was built from is no line of text"


def statement_of(reference: Reference) -> Statement:
    """Return what is said of an image of the cache: what came with it, or what we know.

    Raises:
        ImageError: what came with it is none.
    """
    image = reference.image
    if reference.paper.text:
        return parse_statement(reference.paper.text.encode(), f"what is said of {image.name}")
    return own_statement(reference)


def own_statement(reference: Reference) -> Statement:
    """Return what we know of an image of the cache ourselves, whatever came with it."""
    image, when = reference.image, reference.built.when if reference.built else ""
    made = when if STAMP.fullmatch(when) else image.pulled
    name, size = image.name.partition("@")[0], reference.origin.length
    return Statement(
        name, image.digest, size, image.format, made, serial_of(made), built=reference.built
    )


def vouched_statement(reference: Reference) -> Statement:
    """Return what may be signed of an image of the cache.

    Of what came with it, that is how it was built alone, and only where a signer whom this host
    knows has said so: the rest would be a stranger's word under our signature.

    Raises:
        ImageError: what came with it is none.
    """
    if reference.paper.signer and not reference.built:
        reference = replace(reference, built=statement_of(reference).built)
    return own_statement(reference)


def serial_of(moment: str) -> int:
    """Seconds since 1970: later versions have larger ones, whoever makes them."""
    return int(datetime.fromisoformat(moment).astimezone(UTC).timestamp())
