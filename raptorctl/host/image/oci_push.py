"""An image as an artifact in a registry, beside it what is said of it, and who signed that.

https://github.com/opencontainers/image-spec: manifest.md, "Guidelines for Artifact Usage";
annotations.md. `oras pull` makes the same three files of it that a folder of images has.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

from raptorctl.drivers.image import Offer, Pushed, RegistryLogin, Watch
from raptorctl.errors import HostError
from raptorctl.host.image.download import Http
from raptorctl.host.image.http import BrokenOffError
from raptorctl.host.image.manifest import EMPTY, MANIFESTS, SIGNATURE, STATEMENT, TITLE, paper
from raptorctl.host.image.registry import LOGIN, RegistryClient
from raptorctl.host.image.upload import OCTETS, Upload, is_there
from raptorctl.model.image_version import file_name
from raptorctl.read.image_statement import parse_statement

ARTIFACT: Final = "application/vnd.raptorctl.image.v1"
MEDIA: Final = {"qcow2": "application/vnd.cloudnebula.qcow2.layer.v1"}
OTHER: Final = "application/octet-stream"
NOTES: Final = "org.opencontainers.image."
LONGEST_TAG: Final = 128


class OciPush:
    """One repository of a registry that images are pushed to.

    Args:
        http: how to ask.
        reference: `oci://registry/repository:tag`.
        login: for the registry.
        notes: a path; what it is written down beside, how far an upload came.
    """

    def __init__(self, http: Http, reference: str, login: RegistryLogin, notes: Path) -> None:
        self._client = RegistryClient(http, reference, login, "pull,push")
        self._reference, self._notes = reference, notes

    def push(self, offer: Offer, watch: Watch) -> Pushed:
        """Push an image: by a tag of its own first, and by the tag that was asked for.

        Raises:
            UploadError: not let in, no answer, or the registry does not take it.
        """
        try:
            return self._pushed(offer, watch)
        except BrokenOffError as error:
            raise self._client.error(error.brief, error.details, "try again later") from error

    def _pushed(self, offer: Offer, watch: Watch) -> Pushed:
        manifest, digest = self._manifest(offer), f"sha256:{offer.statement.digest}"
        tag = self._client.tag
        pin = f"{tag[: LONGEST_TAG - 13]}-{offer.statement.build}"
        base = self._reference.removesuffix(f":{tag}")
        places = (f"{base}:{pin}", f"{base}:{tag}")
        is_newest = self._is_newest(offer)
        told = (pin, tag) if is_newest else (pin,)
        if all(self._has(each, manifest) for each in told):
            return Pushed(offer.statement, places[: len(told)], "already there", is_newest)
        watch.begin(f"upload {offer.statement.name} to {base}")
        Upload(self._client, digest, offer.statement.size, self._notes).send(offer.path, watch.tick)
        watch.begin("write what is said of it")
        for text in (b"{}", *(body for _, _, body in _papers(offer))):
            self._small(text)
        for each in told:
            self._tag(each, manifest)
        return Pushed(offer.statement, places[: len(told)], "pushed", is_newest)

    def _is_newest(self, offer: Offer) -> bool:
        """Whether the tag has nothing newer; what is no image of ours has no say."""
        reply = self._client.ask("GET", self._client.url("manifests", self._client.tag), _ACCEPT)
        if reply.status in {401, 403}:
            raise self._client.error("the registry does not let us push", resolution=LOGIN)
        if reply.status != 200:
            return True
        try:
            blob = paper(self._client.table(reply.body), STATEMENT)
            text = self._client.get(self._client.url("blobs", blob.digest), {}) if blob else b""
            return parse_statement(text, "").serial <= offer.statement.serial
        except BrokenOffError:
            raise
        except HostError:
            return True

    def _has(self, tag: str, manifest: bytes) -> bool:
        return self._client.ask("GET", self._client.url("manifests", tag), _ACCEPT).body == manifest

    def _small(self, body: bytes) -> None:
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        if is_there(self._client, digest):
            return
        url = self._client.url("blobs", "uploads/")
        begun = self._client.ask("POST", url, OCTETS, b"")
        place = begun.headers.get("Location", "")
        if begun.status != 202 or not place:
            raise self._client.error(f"the registry says {begun.said}")
        there = f"{place}{'&' if '?' in place else '?'}digest={digest}"
        done = self._client.ask("PUT", there, OCTETS, body)
        if done.status != 201:
            raise self._client.error(f"the registry says {done.said}")

    def _tag(self, tag: str, manifest: bytes) -> None:
        kind = {"Content-Type": MANIFESTS[0]}
        reply = self._client.ask("PUT", self._client.url("manifests", tag), kind, manifest)
        if reply.status != 201:
            said = reply.body[:2000].decode(errors="replace")
            raise self._client.error(f"the registry does not take the manifest: {reply.said}", said)

    def _manifest(self, offer: Offer) -> bytes:
        said = offer.statement
        media = MEDIA.get(said.format, OTHER)
        image = {"mediaType": media, "digest": f"sha256:{said.digest}", "size": said.size,
                 "annotations": {TITLE: file_name(said)}}  # fmt: skip
        papers = [_descriptor(kind, body, title) for kind, title, body in _papers(offer)]
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFESTS[0],
            "artifactType": ARTIFACT,
            "config": _descriptor(EMPTY, b"{}"),
            "layers": [image, *papers],
            "annotations": _annotations(offer),
        }
        return json.dumps(manifest, indent=2).encode()


_ACCEPT: Final = {"Accept": ", ".join(MANIFESTS)}


def _papers(offer: Offer) -> list[tuple[str, str, bytes]]:
    """Return type, title and bytes of what goes with an image."""
    title = file_name(offer.statement, "json")
    told = [(STATEMENT, title, offer.paper.text.encode())]
    if offer.paper.signature:
        told.append((SIGNATURE, f"{title}.sig", offer.paper.signature.encode()))
    return told


def _descriptor(media: str, body: bytes, title: str = "") -> dict[str, Any]:
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    told: dict[str, Any] = {"mediaType": media, "digest": digest, "size": len(body)}
    return told | ({"annotations": {TITLE: title}} if title else {})


def _annotations(offer: Offer) -> dict[str, str]:
    said = offer.statement
    told = {"title": said.name, "version": said.build, "created": said.made}
    if said.built:
        told |= {
            "base.name": said.built.source,
            "base.digest": f"sha256:{said.built.source_digest}",
        }
    return {f"{NOTES}{key}": value for key, value in told.items()}
