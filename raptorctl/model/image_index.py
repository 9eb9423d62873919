"""The index of a folder of images: which versions of which images are there."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from raptorctl.errors import InputError
from raptorctl.model.error_code import Code
from raptorctl.model.image_version import Statement, file_name

FORMAT: Final = "raptorctl:1"
"""What an index calls itself; that of simplestreams is `index:1.0`."""
STATEMENT_FILE: Final = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}(:[A-Za-z0-9._+-]{1,63})?@[0-9a-f]{12}\.json", re.ASCII
)


@dataclass(frozen=True)
class IndexEntry:
    """One version of an image in a folder.

    Args:
        name, serial, made, format, size, digest: as in its statement.
        build: what the version is called by.
        file: the image's file in the folder.
        statement: the statement's.
        signature: that of whoever signed it, or "".
    """

    name: str
    build: str
    serial: int
    made: str
    format: str
    size: int
    digest: str
    file: str
    statement: str
    signature: str = ""


@dataclass(frozen=True)
class ImageIndex:
    """What is in a folder of images.

    Args:
        serial: grows each time that somebody writes it.
        expires: when it is believed no more, UTC, RFC 3339; or "" for never.
        images: the newest of each name first.
        format: what it is.
    """

    serial: int
    expires: str = ""
    images: tuple[IndexEntry, ...] = ()
    format: str = FORMAT

    @property
    def names(self) -> tuple[str, ...]:
        """What there is, once each."""
        return tuple(dict.fromkeys(entry.name for entry in self.images))

    def newest(self, name: str, build: str = "") -> IndexEntry:
        """Return a version: the one of that build, or the newest.

        Args:
            name: of the image; "" if there is but one.
            build: or "".

        Raises:
            InputError: there is none; says what there is.
        """
        known = self.names
        name = name or (known[0] if len(known) == 1 else "")
        found = [e for e in self.images if e.name == name and e.build.startswith(build)]
        if not found:
            builds = ", ".join(e.build for e in self.images if e.name == name)
            what = f"{name}@{build}" if build else name or "one image alone"
            raise InputError(
                f"there is no {what}",
                resolution=f"there is {builds or ', '.join(known[:20]) or 'no image at all'}",
                code=Code.IMAGE_NOT_FOUND,
                subject=what,
            )
        return max(found, key=lambda entry: (entry.serial, entry.build))


def entry_of(statement: Statement, *, signed: bool) -> IndexEntry:
    """Return what an index has of a version."""
    said = statement
    paper = file_name(said, "json")
    return IndexEntry(
        said.name, said.build, said.serial, said.made, said.format, said.size, said.digest,
        file_name(said), paper, f"{paper}.sig" if signed else "",
    )  # fmt: skip


def in_order(entries: Iterable[IndexEntry]) -> tuple[IndexEntry, ...]:
    """Sort by name, the newest first."""
    newest = sorted(entries, key=lambda e: (e.serial, e.build), reverse=True)
    return tuple(sorted(newest, key=lambda e: e.name))
