"""HTTP for images: downloads that go on where they broke off (RFC 9110), by requests.

A reply counts only if its status says so, its length is known and kept, and no redirect led from
https to http. Nothing of the caller's `.netrc` is sent anywhere.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from raptorctl.drivers.image import Watch
from raptorctl.errors import DownloadError, HostError
from raptorctl.host.image.http import BrokenOffError, cause, replied, status_of
from raptorctl.host.image.partial import Partial
from raptorctl.model.error_code import Code
from raptorctl.model.sizes import Size

if TYPE_CHECKING:
    from requests import Response

DIGITS: Final = 19
"""Of a length that is believed: 2^63 has no more."""
RETRIES: Final = 4
"""How often in a row a download may break off without having come any further."""
PAUSE: Final = 0.5
"""Seconds before the first retry; doubled for each further one."""
CHUNK: Final = 1 << 18
BUSY: Final = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses that may be gone in a moment (RFC 9110 15)."""


@dataclass(frozen=True)
class Download:
    """What to download.

    Args:
        url: of the first request.
        largest: bytes.
        headers: secrets among them go to the URL's own host only.
        size: bytes that it must have, or None when nobody says.
        checked: whether its checksum is known: then its length need not be.
        unless: download nothing if it still has this version; or "".
        version: of a URL whose content never changes, its digest; or "".
    """

    url: str
    largest: Size
    headers: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None
    checked: bool = False
    unless: str = ""
    version: str = ""


class Http:
    """A client.

    Args:
        pause: waits that many seconds between two attempts.
    """

    def __init__(self, pause: Callable[[float], None] = time.sleep) -> None:
        self.pause = pause

    def download(self, wanted: Download, partial: Partial, watch: Watch) -> bool:
        """Have the whole of it in `partial`; False if it is still the known version.

        Raises:
            HostError: no server, no such thing, not all of it after some attempts; what came is
                kept for the next time.
            RefusedError: there is no room for it.
        """
        fruitless, furthest = 0, partial.size
        while True:
            try:
                return self._attempt(wanted, partial, watch)
            except BrokenOffError as error:
                fruitless = 0 if partial.size > furthest else fruitless + 1
                furthest = max(furthest, partial.size)
                if fruitless > RETRIES:
                    raise _given_up(wanted.url, error, partial) from error
                if fruitless:
                    self.pause(PAUSE * 2 ** (fruitless - 1))

    def text(self, url: str, headers: Mapping[str, str], largest: int) -> tuple[bytes, "Response"]:
        """Return a small reply as it is, whatever its status.

        Raises:
            HostError: no answer, or a reply of more than `largest` bytes.
        """
        with replied("GET", url, headers) as reply:
            body = b"".join(body_of(reply, url, largest))
        return body, reply

    def length(self, url: str) -> int | None:
        """Ask for it, and hang up once the server begins; returns its bytes, if they are told.

        Raises:
            HostError: no answer, or no such thing.
        """
        with replied("GET", url, {}) as reply:
            if reply.status_code != 200:
                raise DownloadError(f"{url}: the server says {status_of(reply)}")
            return _total(reply, 0)

    def _attempt(self, wanted: Download, partial: Partial, watch: Watch) -> bool:
        headers = dict(wanted.headers)
        at = partial.resumable(wanted.url)
        if at:
            headers["Range"] = f"bytes={at}-"
            if not wanted.version:
                headers["If-Range"] = partial.validator
        elif wanted.unless:
            name = "If-None-Match" if '"' in wanted.unless else "If-Modified-Since"
            headers[name] = wanted.unless
        with replied("GET", wanted.url, headers) as reply:
            if reply.status_code == 304 and wanted.unless:
                return False
            if reply.status_code == 416 and partial.is_whole:
                return True  # it broke off after the last byte
            total = self._begun(reply, wanted, partial, at)
            _tell(wanted, at, watch)
            for chunk in body_of(reply, wanted.url, wanted.largest, partial.size):
                partial.write(chunk)
                watch.tick(partial.size, total or 0)
        if total is not None and partial.size != total:
            raise BrokenOffError(f"{partial.size} of {total} bytes came")
        return True

    def _begun(self, reply: "Response", wanted: Download, partial: Partial, at: int) -> int | None:
        """Settle where the reply's bytes belong, and return how many there will be in all."""
        status = reply.status_code
        if status in BUSY:
            raise BrokenOffError(f"the server says {status_of(reply)}")
        total = _total(reply, at)
        if status == 206 and at and total is not None and total == partial.total:
            return total
        if status in {206, 416}:
            partial.clear()
            raise BrokenOffError("the server went on somewhere else than where it broke off")
        if status != 200:
            raise DownloadError(f"{wanted.url}: the server says {status_of(reply)}")
        _judge(wanted, total, reply)
        partial.begin(wanted.url, wanted.version or version_of(reply), total)
        return total


def _tell(wanted: Download, at: int, watch: Watch) -> None:
    """Until now, the server was only asked whether it has something newer."""
    if wanted.unless and not at:
        watch.begin(f"download {wanted.url}")


def body_of(reply: "Response", url: str, largest: int, done: int = 0) -> Iterator[bytes]:
    """Read what a server sends, as it comes.

    Raises:
        DownloadError: it is more than `largest` bytes.
        BrokenOffError: it ended too early.
    """
    from urllib3.exceptions import HTTPError

    try:
        for chunk in reply.raw.stream(CHUNK, decode_content=False):
            done += len(chunk)
            if done > largest:
                raise DownloadError(f"{url} is larger than {Size(largest)}")
            yield chunk
    except (HTTPError, OSError) as error:
        raise BrokenOffError(cause(error), details=str(error)) from error


def version_of(reply: "Response") -> str:
    """What tells one state of a thing from the next: a strong ETag, or a time (RFC 9110 8.8)."""
    tag = reply.headers.get("ETag", "")
    return tag if tag.startswith('"') else reply.headers.get("Last-Modified", "")


def _total(reply: "Response", at: int) -> int | None:
    """Bytes of the whole, by Content-Range (RFC 9110 14.4) or Content-Length."""
    if reply.status_code == 206:
        unit, _, rest = reply.headers.get("Content-Range", "").partition(" ")
        span, _, total = rest.partition("/")
        return _number(total) if unit == "bytes" and span.startswith(f"{at}-") else None
    return _number(reply.headers.get("Content-Length", ""))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= DIGITS else None


def _judge(wanted: Download, total: int | None, reply: "Response") -> None:
    """Refuse at the beginning what cannot end well."""
    url = wanted.url
    if total is None:
        chunked = "chunked" in reply.headers.get("Transfer-Encoding", "").lower()
        if not chunked and not wanted.checked:
            raise DownloadError(
                f"{url}: the server does not give its length, so it cannot be seen to be whole",
                resolution="give its checksum with --sha256",
            )
        return
    if total > wanted.largest:
        raise DownloadError(
            f"{url} is larger than {wanted.largest}: it has {Size(total)}",
            resolution="if that is meant, raise images.largest in the settings",
            code=Code.IMAGE_TOO_LARGE,
        )
    if wanted.size is not None and total != wanted.size:
        raise DownloadError(f"{url} has {total} bytes, and should have {wanted.size}")


def _given_up(url: str, error: BrokenOffError, partial: Partial) -> HostError:
    kept = f"{Size(partial.size)} of it is kept: " if partial.size and partial.validator else ""
    return DownloadError(
        f"{url} cannot be downloaded: {error.brief}",
        details=error.details,
        resolution=f"{kept}pull it again to go on" if kept else "try again later",
    )
