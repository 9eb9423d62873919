"""Images in a registry, as the OCI distribution specification has it.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md; the token that registries
want is https://distribution.github.io/distribution/spec/auth/token/.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from raptorctl.drivers.image import RegistryLogin
from raptorctl.errors import DownloadError, HostError
from raptorctl.host.image.download import BrokenOffError, Http
from raptorctl.host.image.manifest import (
    INDEXES,
    MANIFESTS,
    OURS,
    Found,
    best,
    candidates,
    config_of,
    fitting,
    is_index,
    only,
    refuse_foreign,
)
from raptorctl.model.image_source import split_oci
from raptorctl.model.names import shown
from raptorctl.model.sizes import MIB

LARGEST_TEXT: Final = 4 * MIB
"""Bytes of a manifest or token ("registries SHOULD ... at least 4 megabytes", spec.md)."""

DEPTH: Final = 4
"""Of indexes within indexes (image-index.md: an index may name another)."""
MANY: Final = 16
"""Manifests of one index that are looked at."""

LOGIN: Final = "`raptorctl image pull --help` tells how to log in"
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Layer:
    """Where in a registry an image lies.

    Args:
        url: of the blob.
        digest: `sha256:...`, by which the registry knows it.
        size: bytes.
        headers: what the registry wants with the request, secrets among them.
        said: what people know it by.
        file_name: what it was called where it was pushed, or "".
    """

    url: str
    digest: str
    size: int
    headers: Mapping[str, str]
    said: str
    file_name: str


class Registry:
    """One repository of a registry.

    Args:
        http: how to ask.
        reference: `oci://registry/repository:tag`.
        login: for the registry.
    """

    def __init__(self, http: Http, reference: str, login: RegistryLogin) -> None:
        self._http, self._reference, self._login = http, reference, login
        self._registry, self._repository, self._tag = split_oci(reference)
        # As docker does: without TLS on this very machine only.
        host = urlsplit(f"//{self._registry}").hostname
        self._base = f"{'http' if host in LOOPBACK else 'https'}://{self._registry}/v2/"
        self._headers: dict[str, str] = {}

    def layer(self) -> Layer:
        """Find the layer that is the image.

        Raises:
            HostError: there is no such image, it is not for us, or it has no such layer.
        """
        try:
            blob = only(self._found(self._tag, DEPTH))
        except BrokenOffError as error:
            raise self._error(error.brief, error.details) from error
        url = f"{self._base}{self._repository}/blobs/{blob.digest}"
        headers = dict(self._headers)
        return Layer(url, blob.digest, blob.size, headers, blob.said, blob.file_name)

    def _found(self, tag: str, depth: int, digest: str = "") -> tuple[Found, ...]:
        """Return the layers that may be the image, of the best rank among all manifests for us."""
        manifest = self._manifest(tag)
        if not is_index(manifest):
            found = candidates(manifest, digest)
            if config := config_of(manifest):
                refuse_foreign(self._config(config))
            return found
        if not depth:
            raise self._error("its indexes lead from one to another, without end")
        digests = fitting(manifest)
        if len(digests) == 1:
            return self._found(digests[0], depth - 1, digest)
        if len(digests) > MANY:
            raise self._error(f"its index has {len(digests)} manifests for {OURS}")
        return best(self._of_all(digests, depth - 1))

    def _of_all(self, digests: tuple[str, ...], depth: int) -> list[Found]:
        """Return what all manifests have; one without a disk is an SBOM, or another file."""
        found: list[Found] = []
        for digest in digests:
            try:
                found += self._found(digest, depth, digest)
            except BrokenOffError:
                raise
            except HostError as error:
                last = error
        if not found:
            raise last
        return found

    def _config(self, digest: str) -> dict[str, Any]:
        """Return what is told of a manifest's content; {} where that is no table in JSON."""
        body = self._get(f"{self._base}{self._repository}/blobs/{digest}", {})
        try:
            told = json.loads(body)
        except (ValueError, RecursionError):
            return {}
        return told if isinstance(told, dict) else {}

    def _manifest(self, tag: str) -> dict[str, Any]:
        accept = {"Accept": ", ".join((*MANIFESTS, *INDEXES))}
        body = self._get(f"{self._base}{self._repository}/manifests/{tag}", accept)
        if ":" in tag and f"sha256:{hashlib.sha256(body).hexdigest()}" != tag:
            raise self._error("the registry gave another manifest than the one of that digest")
        return self._table(body)

    def _get(self, url: str, accept: Mapping[str, str]) -> bytes:
        body, reply = self._http.text(url, {**accept, **self._headers}, LARGEST_TEXT)
        if reply.status_code == 401:
            self._authenticate(reply.headers.get("WWW-Authenticate", ""))
            body, reply = self._http.text(url, {**accept, **self._headers}, LARGEST_TEXT)
        if reply.status_code in {401, 403}:
            raise self._error("the registry does not let us have it", resolution=LOGIN)
        if reply.status_code != 200:
            raise self._error(f"the registry says {reply.status_code} {reply.reason or ''}".strip())
        return body

    def _authenticate(self, challenge: str) -> None:
        """Do what the registry asks for (RFC 9110 11.6.1; RFC 6750 3)."""
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() == "basic" and self._login.password:
            self._headers["Authorization"] = self._basic()
        elif scheme.lower() == "bearer":
            self._headers["Authorization"] = f"Bearer {self._token(_parameters(rest))}"
        else:
            raise self._error("the registry wants a login", resolution=LOGIN)

    def _token(self, asked: Mapping[str, str]) -> str:
        realm = asked.get("realm", "")
        try:
            parts = urlsplit(realm)
        except ValueError as error:
            raise self._error("the registry sends us for a token to no address at all") from error
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            raise self._error("the registry sends us for a token where no https is")
        query = {"scope": asked.get("scope") or f"repository:{self._repository}:pull"}
        query |= {"service": asked["service"]} if "service" in asked else {}
        headers = {"Authorization": self._basic()} if self._login.password else {}
        url = f"{realm}{'&' if parts.query else '?'}{urlencode(query)}"
        body, reply = self._http.text(url, headers, LARGEST_TEXT)
        if reply.status_code != 200:
            raise self._error(f"no token: {shown(parts.netloc)} says {reply.status_code}")
        told = self._table(body)
        token = told.get("token") or told.get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise self._error(f"no token in what {shown(parts.netloc)} says")
        return token

    def _basic(self) -> str:
        # ghcr.io and others take any user with a token; ORAS and docker send one that is not empty.
        pair = f"{self._login.user or '_token'}:{self._login.password}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"

    def _table(self, body: bytes) -> dict[str, Any]:
        try:
            told = json.loads(body)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            raise self._error("what answers there is not a registry")
        return told

    def _error(self, problem: str, details: str = "", resolution: str = "") -> HostError:
        brief = f"{self._reference}: {problem}"
        return DownloadError(brief, details=details, resolution=resolution)


def _parameters(text: str) -> dict[str, str]:
    return dict(re.findall(r'([A-Za-z_]+)="([^"]*)"', text))
