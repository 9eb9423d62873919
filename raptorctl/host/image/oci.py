"""Images in a registry, as the OCI distribution specification has it.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from raptorctl.drivers.image import RegistryLogin
from raptorctl.errors import HostError
from raptorctl.host.image.download import Http
from raptorctl.host.image.http import BrokenOffError
from raptorctl.host.image.manifest import (
    INDEXES,
    MANIFESTS,
    OURS,
    Blob,
    Found,
    best,
    candidates,
    config_of,
    fitting,
    is_index,
    only,
    refuse_foreign,
)
from raptorctl.host.image.registry import RegistryClient
from raptorctl.host.image.trust import Claim
from raptorctl.model.image_version import Paper
from raptorctl.read.image_statement import LARGEST_STATEMENT

DEPTH: Final = 4
"""Of indexes within indexes (image-index.md: an index may name another)."""
MANY: Final = 16
"""Manifests of one index that are looked at."""


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
        names: what the image may be signed as, by what it was asked for.
        paper: what goes with it.
    """

    url: str
    digest: str
    size: int
    headers: Mapping[str, str]
    said: str
    file_name: str
    names: tuple[str, ...] = ()
    paper: Paper = Paper()

    def claim(self, source: str) -> Claim:
        """What is claimed of it."""
        return Claim(source, self.names, self.digest.partition(":")[2], self.size, self.paper)


class Registry:
    """One repository of a registry.

    Args:
        http: how to ask.
        reference: `oci://registry/repository:tag`.
        login: for the registry.
    """

    def __init__(self, http: Http, reference: str, login: RegistryLogin) -> None:
        self._client = RegistryClient(http, reference, login)

    def layer(self) -> Layer:
        """Find the layer that is the image.

        Raises:
            HostError: there is no such image, it is not for us, or it has no such layer.
        """
        try:
            found = only(self._found(self._client.tag, DEPTH))
            paper = Paper(*map(self._paper, found.papers))
        except BrokenOffError as error:
            raise self._client.error(error.brief, error.details) from error
        blob, headers = found.blob, dict(self._client.headers)
        url = self._client.url("blobs", blob.digest)
        names = _names(self._client.repository, self._client.tag)
        return Layer(url, blob.digest, blob.size, headers, blob.said, blob.file_name, names, paper)

    def _paper(self, blob: Blob | None) -> str:
        """Return the text of what goes with an image, as its digest has it; "" for none."""
        if blob is None:
            return ""
        if blob.size > LARGEST_STATEMENT:
            raise self._client.error(f"{blob.said} is larger than it may be")
        body = self._client.get(self._client.url("blobs", blob.digest), {})
        if f"sha256:{hashlib.sha256(body).hexdigest()}" != blob.digest:
            raise self._client.error(f"{blob.said} is another than its digest says")
        return body.decode(errors="replace")

    def _found(self, tag: str, depth: int, digest: str = "") -> tuple[Found, ...]:
        """Return the layers that may be the image, of the best rank among all manifests for us."""
        manifest = self._manifest(tag)
        if not is_index(manifest):
            found = candidates(manifest, digest)
            if config := config_of(manifest):
                refuse_foreign(self._config(config))
            return found
        if not depth:
            raise self._client.error("its indexes lead from one to another, without end")
        digests = fitting(manifest)
        if len(digests) == 1:
            return self._found(digests[0], depth - 1, digest)
        if len(digests) > MANY:
            raise self._client.error(f"its index has {len(digests)} manifests for {OURS}")
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
        body = self._client.get(self._client.url("blobs", digest), {})
        try:
            told = json.loads(body)
        except (ValueError, RecursionError):
            return {}
        return told if isinstance(told, dict) else {}

    def _manifest(self, tag: str) -> dict[str, Any]:
        accept = {"Accept": ", ".join((*MANIFESTS, *INDEXES))}
        body = self._client.get(self._client.url("manifests", tag), accept)
        if ":" in tag and f"sha256:{hashlib.sha256(body).hexdigest()}" != tag:
            raise self._client.error(
                "the registry gave another manifest than the one of that digest"
            )
        return self._client.table(body)


def _names(repository: str, tag: str) -> tuple[str, ...]:
    """What an image may be signed as that is had by this tag: `web:1`, or `web`.

    What is had by a digest may have any tag, which is told by a name that ends in a colon.
    """
    last = repository.rpartition("/")[2]
    if ":" in tag:
        return last, f"{last}:"
    pinned = re.sub(r"-[0-9a-f]{12}$", "", tag)
    return (f"{last}:{tag}", last) if pinned == tag else (f"{last}:{pinned}", last)
