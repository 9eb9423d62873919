"""HTTP for images: downloads that go on where they broke off (RFC 9110), by requests.

A reply counts only if its status says so, its length is known and kept, and no redirect led from
https to http. Nothing of the caller's `.netrc` is sent anywhere.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from raptorctl import __version__
from raptorctl.drivers.image import Watch
from raptorctl.errors import DownloadError, HostError
from raptorctl.host.image.partial import Partial
from raptorctl.model.cause import TLS
from raptorctl.model.error_code import Code
from raptorctl.model.names import shown
from raptorctl.model.reason import why
from raptorctl.model.sizes import Size

if TYPE_CHECKING:
    from requests import Response, Session

REDIRECTS: Final = 8
DIGITS: Final = 19
"""Of a length that is believed: 2^63 has no more."""
RETRIES: Final = 4
"""How often in a row a download may break off without having come any further."""
PAUSE: Final = 0.5
"""Seconds before the first retry; doubled for each further one."""
TIMEOUTS: Final = (10.0, 30.0)
"""Seconds to connect, and without a byte."""
CHUNK: Final = 1 << 18
CERTIFICATE: Final = re.compile(r"certificate verify failed: ([^(\]]+)")  # OpenSSL, by Python
AGENT: Final = f"raptorctl/{__version__}"
CERTIFICATES: Final = Path("/etc/ssl/certs/ca-certificates.crt")
"""The host's own, where an admin adds those of their house (update-ca-certificates(8))."""
BUSY: Final = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses that may be gone in a moment (RFC 9110 15)."""


class BrokenOffError(DownloadError):
    """A download ended before its end; there may be more of it later."""


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
        self._pause = pause

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
                    self._pause(PAUSE * 2 ** (fruitless - 1))

    def text(self, url: str, headers: Mapping[str, str], largest: int) -> tuple[bytes, "Response"]:
        """Return a small reply as it is, whatever its status.

        Raises:
            HostError: no answer, or a reply of more than `largest` bytes.
        """
        with self._replied(url, headers) as reply:
            body = b"".join(_body(reply, url, largest))
        return body, reply

    def length(self, url: str) -> int | None:
        """Ask for it, and hang up once the server begins; returns its bytes, if they are told.

        Raises:
            HostError: no answer, or no such thing.
        """
        with self._replied(url, {}) as reply:
            if reply.status_code != 200:
                raise DownloadError(f"{url}: the server says {_status(reply)}")
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
        with self._replied(wanted.url, headers) as reply:
            if reply.status_code == 304 and wanted.unless:
                return False
            if reply.status_code == 416 and partial.is_whole:
                return True  # it broke off after the last byte
            total = self._begun(reply, wanted, partial, at)
            _tell(wanted, at, watch)
            for chunk in _body(reply, wanted.url, wanted.largest, partial.size):
                partial.write(chunk)
                watch.tick(partial.size, total or 0)
        if total is not None and partial.size != total:
            raise BrokenOffError(f"{partial.size} of {total} bytes came")
        return True

    def _begun(self, reply: "Response", wanted: Download, partial: Partial, at: int) -> int | None:
        """Settle where the reply's bytes belong, and return how many there will be in all."""
        status = reply.status_code
        if status in BUSY:
            raise BrokenOffError(f"the server says {_status(reply)}")
        total = _total(reply, at)
        if status == 206 and at and total is not None and total == partial.total:
            return total
        if status in {206, 416}:
            partial.clear()
            raise BrokenOffError("the server went on somewhere else than where it broke off")
        if status != 200:
            raise DownloadError(f"{wanted.url}: the server says {_status(reply)}")
        _judge(wanted, total, reply)
        partial.begin(wanted.url, wanted.version or version_of(reply), total)
        return total

    @contextmanager
    def _replied(self, url: str, headers: Mapping[str, str]) -> Iterator["Response"]:
        """Follow redirects, and close what comes.

        Raises:
            BrokenOffError: the connection failed.
            HostError: a redirect that is not followed, or a certificate that is not good.
        """
        import requests

        with _session() as session:
            try:
                reply = _followed(session, url, dict(headers))
                with reply:
                    yield reply
            except requests.exceptions.SSLError as error:
                raise _untrusted(url, error) from error
            except requests.exceptions.RequestException as error:
                raise BrokenOffError(_cause(error), details=str(error)) from error


def _tell(wanted: Download, at: int, watch: Watch) -> None:
    """Until now, the server was only asked whether it has something newer."""
    if wanted.unless and not at:
        watch.begin(f"download {wanted.url}")


def _session() -> "Session":
    import requests

    class OneReply(requests.Session):
        """Looks at no reply's body, and leaves redirects to us."""

        def get_redirect_target(self, resp: "Response") -> None:
            """Where a reply leads to: requests would read all of it before it says so."""

    session = OneReply()
    session.trust_env = False  # no .netrc; proxies are set by _asked
    return session


def _followed(session: "Session", url: str, headers: dict[str, str]) -> "Response":
    here = url
    for _ in range(REDIRECTS + 1):
        reply = _asked(session, here, headers)
        if reply.status_code not in {301, 302, 303, 307, 308}:
            return reply
        reply.close()
        try:
            there = urljoin(here, reply.headers.get("Location", ""))
        except ValueError as error:
            raise DownloadError(f"{url} leads to no address at all") from error
        if urlsplit(there).scheme not in {"http", "https"}:
            raise DownloadError(f"{url} leads to {shown(there)}, which is not followed")
        if urlsplit(here).scheme == "https" and urlsplit(there).scheme == "http":
            raise DownloadError(f"{url} leads from https to http: not followed")
        if urlsplit(there).netloc != urlsplit(here).netloc:
            headers.pop("Authorization", None)
        here = there
    raise DownloadError(f"{url} leads from one place to another, more than {REDIRECTS} times")


def _asked(session: "Session", url: str, headers: Mapping[str, str]) -> "Response":
    from requests.utils import get_environ_proxies

    loopback = (urlsplit(url).hostname or "") in {"localhost", "127.0.0.1", "::1"}
    return session.get(
        url,
        # As it is: what is gzip on the way would be unpacked twice, or not at all.
        headers={"User-Agent": AGENT, "Accept-Encoding": "identity", **headers},
        proxies={} if loopback else get_environ_proxies(url, None),
        verify=str(CERTIFICATES) if CERTIFICATES.exists() else True,
        allow_redirects=False,
        stream=True,
        timeout=TIMEOUTS,
    )


def _body(reply: "Response", url: str, largest: int, done: int = 0) -> Iterator[bytes]:
    from urllib3.exceptions import HTTPError

    try:
        for chunk in reply.raw.stream(CHUNK, decode_content=False):
            done += len(chunk)
            if done > largest:
                raise DownloadError(f"{url} is larger than {Size(largest)}")
            yield chunk
    except (HTTPError, OSError) as error:
        raise BrokenOffError(_cause(error), details=str(error)) from error


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


def _untrusted(url: str, error: Exception) -> HostError:
    found = CERTIFICATE.search(str(error))
    said = found[1].strip() if found else ""
    return DownloadError(
        f"{url}: its certificate is not good" + (f": {said}" if said else ""),
        details=str(error),
        resolution=why(said, TLS).advice,
    )


def _status(reply: "Response") -> str:
    return shown(f"{reply.status_code} {reply.reason or ''}".strip()).strip("'")


def _given_up(url: str, error: BrokenOffError, partial: Partial) -> HostError:
    kept = f"{Size(partial.size)} of it is kept: " if partial.size and partial.validator else ""
    return DownloadError(
        f"{url} cannot be downloaded: {error.brief}",
        details=error.details,
        resolution=f"{kept}pull it again to go on" if kept else "try again later",
    )


def _cause(error: BaseException) -> str:
    """Say in few words what requests says in many."""
    text = str(error)
    for sign, words in (
        ("Name or service not known", "there is no host of that name"),
        ("Temporary failure in name resolution", "its host's name cannot be looked up"),
        ("Connection refused", "the connection is refused"),
        ("timed out", "no answer in time"),
        ("No route to host", "there is no way to its host"),
        ("Network is unreachable", "there is no network"),
        ("IncompleteRead", "the connection was cut"),
        ("Connection broken", "the connection was cut"),
        ("Remote end closed", "the connection was cut"),
        ("reset by peer", "the connection was cut"),
    ):
        if sign in text:
            return words
    return f"the connection failed ({type(error).__name__})"
