"""Images put into a folder, and the index of what is there.

The index is made of the statements that lie there. Whoever pushes writes their statement first,
then the index, and looks again: so the last one who writes has seen all, and nothing is locked.
"""

import time
from collections.abc import Iterator
from typing import Final

from raptorctl.drivers.image import Offer, Pushed, Watch
from raptorctl.errors import HostError, ImageError, RefusedError, UploadError
from raptorctl.host.image.folder import Folder
from raptorctl.model.image_index import (
    STATEMENT_FILE,
    ImageIndex,
    IndexEntry,
    entry_of,
    in_order,
)
from raptorctl.model.image_source import INDEX
from raptorctl.model.image_version import Statement, file_name
from raptorctl.read.image_index import LARGEST_INDEX, parse_index
from raptorctl.read.image_statement import LARGEST_STATEMENT, parse_statement
from raptorctl.render.image_statement import index_text

TURNS: Final = 16
"""How often the index is written anew as others come in between."""
MOST: Final = 10_000
"""Versions in one folder."""


class FolderPush:
    """A folder that images are pushed to.

    Args:
        folder: the folder.
        expires: when its index is believed no more, UTC, RFC 3339; or "" for never.
    """

    def __init__(self, folder: Folder, expires: str = "") -> None:
        self._folder, self._expires = folder, expires

    def push(self, offer: Offer, watch: Watch) -> Pushed:
        """Put an image there, what is said of it, and both into the index.

        Raises:
            UploadError: it is not there; the index has no part of it.
            RefusedError: the folder has an index of something else.
        """
        said, names = offer.statement, self._folder.names()
        before = self._index()
        outcome = "already there"
        if file_name(said) not in names:
            watch.begin(f"upload {said.name} to {self._folder}")
            self._folder.put(file_name(said), offer.path, said.digest, said.size, watch)
            outcome = "pushed"
        if self._write_papers(offer):
            outcome = "pushed"
        index = before
        if outcome == "pushed" or self._expires != before.expires or not self._has(before, said):
            watch.begin("write the index")
            index = self._indexed(before, watch)
        newest = index.newest(said.name)
        moving = f"{self._folder}/{INDEX}#{said.name}"
        pinned = f"{moving}@{said.build}"
        places = (pinned, moving) if newest.build == said.build else (pinned,)
        return Pushed(said, places, outcome, newest.build == said.build)

    @staticmethod
    def _has(index: ImageIndex, said: Statement) -> bool:
        return any(entry.digest == said.digest for entry in index.images)

    def _write_papers(self, offer: Offer) -> bool:
        """Write the statement after its signature: who finds it, finds both."""
        name = file_name(offer.statement, "json")
        told = ((f"{name}.sig", offer.paper.signature), (name, offer.paper.text))
        changed = False
        for file, text in told:
            if text and self._folder.read(file, LARGEST_STATEMENT) != text.encode():
                self._folder.write(file, text.encode())
                changed = True
        return changed

    def _index(self) -> ImageIndex:
        body = self._folder.read(INDEX, LARGEST_INDEX)
        if body is None:
            return ImageIndex(0)
        try:
            return parse_index(body, f"{self._folder}/{INDEX}")
        except ImageError as error:
            raise RefusedError(
                f"{error.brief}, and is not overwritten",
                resolution="choose another folder, or move that file away",
            ) from error

    def _indexed(self, before: ImageIndex, watch: Watch) -> ImageIndex:
        for _ in range(TURNS):
            names = self._folder.names()
            serial = max(before.serial + 1, int(time.time()))
            entries = in_order(self._entries(names, watch))
            index = ImageIndex(serial, self._expires, entries)
            self._folder.write(INDEX, index_text(index).encode())
            if _statements(self._folder.names()) == _statements(names):
                return index
            before = index
        raise UploadError(
            f"{self._folder}: others write there all the time", resolution="push it again"
        )

    def _entries(self, names: frozenset[str], watch: Watch) -> Iterator[IndexEntry]:
        found = _statements(names)
        if len(found) > MOST:
            raise UploadError(f"{self._folder} has more than {MOST} versions")
        for name in sorted(found):
            try:
                said = parse_statement(self._folder.read(name, LARGEST_STATEMENT) or b"", name)
            except HostError as error:
                watch.note(f"{self._folder}/{error.brief}; it stays, and is not in the index")
                continue
            if file_name(said, "json") != name or file_name(said) not in names:
                watch.note(f"{self._folder}/{name} has no image; it stays, and is not in the index")
                continue
            yield entry_of(said, signed=f"{name}.sig" in names)


def _statements(names: frozenset[str]) -> frozenset[str]:
    return frozenset(name for name in names if STATEMENT_FILE.fullmatch(name))
