"""One request over HTTP (RFC 9110), by requests: whose certificate counts, where it may lead.

Nothing of the caller's `.netrc` is sent anywhere, and no redirect leads from https to http.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from raptorctl import __version__
from raptorctl.errors import DownloadError, HostError
from raptorctl.model.cause import TLS
from raptorctl.model.names import shown
from raptorctl.model.reason import why

if TYPE_CHECKING:
    from requests import Response, Session

Body = Iterable[bytes] | bytes | None

REDIRECTS: Final = 8
TIMEOUTS: Final = (10.0, 30.0)
"""Seconds to connect, and without a byte."""
CERTIFICATE: Final = re.compile(r"certificate verify failed: ([^(\]]+)")  # OpenSSL, by Python
PORTS: Final = {"http": 80, "https": 443}
AGENT: Final = f"raptorctl/{__version__}"
CERTIFICATES: Final = Path("/etc/ssl/certs/ca-certificates.crt")
"""The host's own, where an admin adds those of their house (update-ca-certificates(8))."""


class BrokenOffError(DownloadError):
    """A download ended before its end; there may be more of it later."""


@contextmanager
def replied(
    method: str, url: str, headers: Mapping[str, str], body: Body = None
) -> Iterator["Response"]:
    """Send a request, follow redirects of what is only asked for, and close what comes.

    Args:
        method: GET, HEAD, POST, PATCH or PUT.
        url: of the first request.
        headers: a login among them goes to the URL's own host only.
        body: what is sent; pieces, if they know their length (`len`).

    Raises:
        BrokenOffError: the connection failed.
        HostError: a redirect that is not followed, or a certificate that is not good.
    """
    import requests

    with _session() as session:
        try:
            reply = _followed(session, method, url, dict(headers), body)
            with reply:
                yield reply
        except requests.exceptions.SSLError as error:
            raise _untrusted(url, error) from error
        except requests.exceptions.RequestException as error:
            raise BrokenOffError(cause(error), details=str(error)) from error


def _session() -> "Session":
    import requests

    class OneReply(requests.Session):
        """Looks at no reply's body, and leaves redirects to us."""

        def get_redirect_target(self, resp: "Response") -> None:
            """Where a reply leads to: requests would read all of it before it says so."""

    session = OneReply()
    session.trust_env = False  # no .netrc; proxies are set by _asked
    return session


def _followed(
    session: "Session", method: str, url: str, headers: dict[str, str], body: Body
) -> "Response":
    here = url
    for _ in range(REDIRECTS + 1):
        reply = _asked(session, method, here, headers, body)
        if method not in {"GET", "HEAD"} or reply.status_code not in {301, 302, 303, 307, 308}:
            return reply
        reply.close()
        try:
            there = urljoin(here, reply.headers.get("Location", ""))
            is_same = origin(there) == origin(here)
        except ValueError as error:
            raise DownloadError(f"{url} leads to no address at all") from error
        if urlsplit(there).scheme not in {"http", "https"}:
            raise DownloadError(f"{url} leads to {shown(there)}, which is not followed")
        if urlsplit(here).scheme == "https" and urlsplit(there).scheme == "http":
            raise DownloadError(f"{url} leads from https to http: not followed")
        if not is_same:
            headers.pop("Authorization", None)
        here = there
    raise DownloadError(f"{url} leads from one place to another, more than {REDIRECTS} times")


def origin(url: str) -> tuple[str, str, int]:
    """Return whom a login for a URL is for: scheme, host and port (RFC 6454 4).

    Raises:
        ValueError: it is no URL.
    """
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)


def _asked(
    session: "Session", method: str, url: str, headers: Mapping[str, str], body: Body
) -> "Response":
    from requests.utils import get_environ_proxies

    loopback = (urlsplit(url).hostname or "") in {"localhost", "127.0.0.1", "::1"}
    return session.request(
        method,
        url,
        data=body,
        # As it is: what is gzip on the way would be unpacked twice, or not at all.
        headers={"User-Agent": AGENT, "Accept-Encoding": "identity", **headers},
        proxies={} if loopback else get_environ_proxies(url, None),
        verify=str(CERTIFICATES) if CERTIFICATES.exists() else True,
        allow_redirects=False,
        stream=True,
        timeout=TIMEOUTS,
    )


def status_of(reply: "Response") -> str:
    """What a server says, safe to print."""
    return shown(f"{reply.status_code} {reply.reason or ''}".strip()).strip("'")


def _untrusted(url: str, error: Exception) -> HostError:
    found = CERTIFICATE.search(str(error))
    said = found[1].strip() if found else ""
    return DownloadError(
        f"{url}: its certificate is not good" + (f": {said}" if said else ""),
        details=str(error),
        resolution=why(said, TLS).advice,
    )


def cause(error: BaseException) -> str:
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
        ("Broken pipe", "the connection was cut"),
        ("Connection aborted", "the connection was cut"),
    ):
        if sign in text:
            return words
    return f"the connection failed ({type(error).__name__})"
