"""One repository of a registry, and how to be let in.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md; the token that registries
want is https://distribution.github.io/distribution/spec/auth/token/.
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urljoin, urlsplit

from raptorctl.drivers.image import RegistryLogin
from raptorctl.errors import DownloadError, HostError, UploadError
from raptorctl.host.image.download import Http, body_of
from raptorctl.host.image.http import Body, origin, replied, status_of
from raptorctl.model.image_source import split_oci
from raptorctl.model.names import shown
from raptorctl.model.sizes import MIB

LARGEST_TEXT: Final = 4 * MIB
"""Bytes of a manifest or token ("registries SHOULD ... at least 4 megabytes", spec.md)."""
LOGIN: Final = "`raptorctl image pull --help` tells how to log in"
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class RegistryReply:
    """What a registry answered.

    Args:
        status: of HTTP.
        said: the same for people.
        headers: by any case.
        body: all of it.
        url: of whoever answered last, after redirects.
    """

    status: int
    said: str
    headers: Mapping[str, str]
    body: bytes
    url: str


class RegistryClient:
    """One repository.

    Args:
        http: how to ask.
        reference: `oci://registry/repository:tag`.
        login: for the registry.
        actions: what a token is asked for: `pull`, or `pull,push`.
    """

    def __init__(
        self, http: Http, reference: str, login: RegistryLogin, actions: str = "pull"
    ) -> None:
        self.http, self._reference, self._login, self._actions = http, reference, login, actions
        self._fault = UploadError if "push" in actions else DownloadError
        self._registry, self.repository, self.tag = split_oci(reference)
        # As docker does: without TLS on this very machine only.
        host = urlsplit(f"//{self._registry}").hostname
        self._base = f"{'http' if host in LOOPBACK else 'https'}://{self._registry}/v2/"
        self.headers: dict[str, str] = {}

    def url(self, kind: str, name: str) -> str:
        """Return where `blobs` or `manifests` of a name are."""
        return f"{self._base}{self.repository}/{kind}/{name}"

    def ask(
        self, method: str, url: str, headers: Mapping[str, str], body: Body = None
    ) -> RegistryReply:
        """Send a request, and log in when we are asked to.

        Raises:
            BrokenOffError: no answer.
            HostError: the registry wants a login that we do not have, or leads to somebody who
                wants one.
        """
        reply = self._asked(method, url, headers, body)
        if reply.status != 401:
            return reply
        if origin(reply.url) != origin(self._base):
            # They could name themselves as the place where the login is taken (CVE-2020-15157).
            where = shown(urlsplit(reply.url).netloc)
            raise self.error(f"the registry leads to {where}, which wants a login: it gets none")
        self._authenticate(reply.headers.get("WWW-Authenticate", ""))
        return self._asked(method, url, headers, body)

    def _asked(
        self, method: str, url: str, headers: Mapping[str, str], body: Body
    ) -> RegistryReply:
        try:
            there = urljoin(self._base, url)
            own = self.headers if origin(there) == origin(self._base) else {}
        except ValueError as error:
            raise self.error("the registry sends us to no address at all") from error
        if not there.startswith(
            ("https://", "http:" if self._base.startswith("http:") else "https:")
        ):
            raise self.error("the registry sends us where no https is")
        with replied(method, there, {**headers, **own}, body) as reply:
            text = b"".join(body_of(reply, there, LARGEST_TEXT))
            said = status_of(reply)
            return RegistryReply(reply.status_code, said, reply.headers, text, reply.url)

    def get(self, url: str, accept: Mapping[str, str]) -> bytes:
        """Return what is there.

        Raises:
            BrokenOffError: no answer.
            HostError: it is not there, or not for us.
        """
        reply = self.ask("GET", url, accept)
        if reply.status in {401, 403}:
            raise self.error("the registry does not let us have it", resolution=LOGIN)
        if reply.status != 200:
            raise self.error(f"the registry says {reply.said}")
        return reply.body

    def _authenticate(self, challenge: str) -> None:
        """Do what the registry asks for (RFC 9110 11.6.1; RFC 6750 3)."""
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() == "basic" and self._login.password:
            self.headers["Authorization"] = self._basic()
        elif scheme.lower() == "bearer":
            self.headers["Authorization"] = f"Bearer {self._token(_parameters(rest))}"
        else:
            raise self.error("the registry wants a login", resolution=LOGIN)

    def _token(self, asked: Mapping[str, str]) -> str:
        realm = asked.get("realm", "")
        try:
            parts = urlsplit(realm)
        except ValueError as error:
            raise self.error("the registry sends us for a token to no address at all") from error
        # What is not encrypted stays on this machine, and so does the registry then.
        is_local = self._base.startswith("http:") and parts.hostname in LOOPBACK
        if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
            raise self.error("the registry sends us for a token where no https is")
        query = {"scope": asked.get("scope") or f"repository:{self.repository}:{self._actions}"}
        query |= {"service": asked["service"]} if "service" in asked else {}
        headers = {"Authorization": self._basic()} if self._login.password else {}
        url = f"{realm}{'&' if parts.query else '?'}{urlencode(query)}"
        body, reply = self.http.text(url, headers, LARGEST_TEXT)
        if reply.status_code != 200:
            raise self.error(f"no token: {shown(parts.netloc)} says {reply.status_code}")
        told = self.table(body)
        token = told.get("token") or told.get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise self.error(f"no token in what {shown(parts.netloc)} says")
        return token

    def _basic(self) -> str:
        # ghcr.io and others take any user with a token; ORAS and docker send one that is not empty.
        pair = f"{self._login.user or '_token'}:{self._login.password}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"

    def table(self, body: bytes) -> dict[str, Any]:
        """Read JSON.

        Raises:
            HostError: it is none, or no table.
        """
        try:
            told = json.loads(body)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            raise self.error("what answers there is not a registry")
        return told

    def error(self, problem: str, details: str = "", resolution: str = "") -> HostError:
        """Say what is wrong with what we asked for."""
        brief = f"{self._reference}: {problem}"
        return self._fault(brief, details=details, resolution=resolution)


def _parameters(text: str) -> dict[str, str]:
    return dict(re.findall(r'([A-Za-z_]+)="([^"]*)"', text))
