"""Blobs on their way into a registry: in pieces, gone on with where they broke off.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-blobs
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from raptorctl.drivers.tick import Tick
from raptorctl.errors import UploadError
from raptorctl.host.image.download import BUSY, PAUSE, RETRIES
from raptorctl.host.image.http import BrokenOffError
from raptorctl.host.image.registry import LOGIN, RegistryClient, RegistryReply
from raptorctl.host.system.durable import replace_file
from raptorctl.model.sizes import MIB, Size

PIECE: Final = 64 * MIB
"""Bytes of one request: what broke off is sent again from the last one's end."""
CHUNK: Final = MIB
_OF_NO_PIECE: Final = BUSY | {401, 403}
"""Statuses that do not say whether a registry takes a second piece."""
OCTETS: Final = {"Content-Type": "application/octet-stream"}


@dataclass(frozen=True)
class Bytes:
    """A part of a file, as the body of a request.

    Args:
        descriptor: open for reading.
        start, end: bytes.
        size: of all of it.
        tick: told how much of all of it is sent.
    """

    descriptor: int
    start: int
    end: int
    size: int
    tick: Tick

    def __len__(self) -> int:
        return self.end - self.start

    def __iter__(self) -> Iterator[bytes]:
        at = self.start
        while at < self.end:
            chunk = os.pread(self.descriptor, min(CHUNK, self.end - at), at)
            if not chunk:
                raise UploadError("the image's file became shorter while it was read")
            self.tick(at, self.size)
            yield chunk
            at += len(chunk)
        self.tick(at, self.size)


class Upload:
    """A file that becomes a blob.

    Args:
        client: of the repository.
        digest: `sha256:...`.
        size: bytes.
        notes: where it is written down how far it came.
    """

    def __init__(self, client: RegistryClient, digest: str, size: int, notes: Path) -> None:
        self._client, self._digest, self._size, self._notes = client, digest, size, notes
        self._place, self._at, self._piece = "", 0, int(PIECE)

    def send(self, path: str, tick: Tick) -> None:
        """Send it, unless it is there.

        Raises:
            UploadError: not let in, or it breaks off again and again; what came is gone on with.
        """
        if is_there(self._client, self._digest):
            return
        self._read_notes()
        with Path(path).open("rb") as source:
            if os.fstat(source.fileno()).st_size != self._size:
                raise UploadError(f"{path} is not as long as it was")
            self._persist(source.fileno(), tick)
        self._notes.unlink(missing_ok=True)

    def _persist(self, descriptor: int, tick: Tick) -> None:
        fruitless, furthest = 0, self._at
        while True:
            try:
                return self._attempt(descriptor, tick)
            except BrokenOffError as error:
                fruitless = 0 if self._at > furthest else fruitless + 1
                furthest = max(furthest, self._at)
                if fruitless > RETRIES:
                    raise self._given_up(error) from error
                if fruitless:
                    self._client.http.pause(PAUSE * 2 ** (fruitless - 1))

    def _attempt(self, descriptor: int, tick: Tick) -> None:
        self._take_place()
        while self._at < self._size:
            end = min(self._size, self._at + self._piece)
            body = Bytes(descriptor, self._at, end, self._size, tick)
            headers = {**OCTETS, "Content-Range": f"{self._at}-{end - 1}"}
            reply = self._client.ask("PATCH", self._place, headers, body)
            if self._at and self._piece < self._size and reply.status not in {202, *_OF_NO_PIECE}:
                self._piece = self._size
                self._forget()
                raise BrokenOffError("the registry takes no second piece")  # once more, whole
            self._go_on(reply, 202)
            self._at = end
            self._write_notes()
        digest = urlencode({"digest": self._digest})
        there = f"{self._place}{'&' if '?' in self._place else '?'}{digest}"
        self._go_on(self._client.ask("PUT", there, OCTETS, b""), 201)

    def _take_place(self) -> None:
        """Find where the next byte goes: where it broke off, if the registry knows it still."""
        if self._place:
            reply = self._client.ask("GET", self._place, {})
            if reply.status in BUSY:
                raise BrokenOffError(f"the registry says {reply.said}")
            told = re.fullmatch(r"(?:bytes=)?0-([0-9]{1,18})", reply.headers.get("Range", ""))
            if reply.status == 204 and told and int(told[1]) < self._size:
                self._at = int(told[1]) + 1 if int(told[1]) else 0
                self._place = reply.headers.get("Location") or self._place
                return
        self._forget()
        reply = self._client.ask("POST", self._client.url("blobs", "uploads/"), OCTETS, b"")
        self._go_on(reply, 202)
        least = reply.headers.get("OCI-Chunk-Min-Length", "")
        self._piece = max(self._piece, int(least) if least.isdecimal() and len(least) < 12 else 0)

    def _go_on(self, reply: RegistryReply, wanted: int) -> None:
        if reply.status in BUSY:
            raise BrokenOffError(f"the registry says {reply.said}")
        if reply.status in {401, 403}:
            raise self._client.error("the registry does not let us push", resolution=LOGIN)
        if reply.status == 416 or (reply.status == 404 and self._at):
            self._forget()
            raise BrokenOffError("the registry has lost what came")
        if reply.status != wanted:
            raise self._client.error(f"the registry says {reply.said}", _said(reply))
        self._place = reply.headers.get("Location") or self._place

    def _forget(self) -> None:
        self._place, self._at = "", 0
        self._notes.unlink(missing_ok=True)

    def _write_notes(self) -> None:
        text = json.dumps({"place": self._place})
        replace_file(self._notes, text.encode(), 0o600)

    def _read_notes(self) -> None:
        try:
            self._place = str(json.loads(self._notes.read_bytes())["place"])
        except (OSError, ValueError, KeyError, TypeError):
            self._place = ""  # it begins anew

    def _given_up(self, error: BrokenOffError) -> UploadError:
        kept = f"{Size(self._at)} of it is there: push it again to go on" if self._at else ""
        return UploadError(
            f"the upload broke off: {error.brief}",
            details=error.details,
            resolution=kept or "try again later",
        )


def is_there(client: RegistryClient, digest: str) -> bool:
    """Whether a repository has a blob."""
    return client.ask("HEAD", client.url("blobs", digest), {}).status == 200


def _said(reply: RegistryReply) -> str:
    return reply.body[:2000].decode(errors="replace")
