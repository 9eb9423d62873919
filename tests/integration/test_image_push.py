"""Images pushed to a real registry, and pulled from it again."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from raptorctl.api import image_share
from raptorctl.api.caller import Caller
from raptorctl.drivers.image import Offer, Pushed, RegistryLogin
from raptorctl.errors import RaptorError, UploadError
from raptorctl.host.image import upload
from raptorctl.model.image_target import parse_target
from raptorctl.model.image_version import Paper, Provenance
from raptorctl.read.image_statement import statement_of
from raptorctl.render.image_statement import statement_text
from tests.disks import disk, raw_disk
from tests.images import Cache
from tests.integration.image_server import serving
from tests.integration.registry import (
    HTPASSWD,
    PASSWORD,
    USER,
    Registry,
    TokenServer,
    direct,
    registry,
)

BUILT = Provenance("debian:13", "ab" * 32, "cd" * 32, "carol", "2026-11-20T12:00:00Z", "0.1.0")


class FakeSession:
    """What the api asks of a session, with a real cache."""

    def __init__(self, cache: Cache) -> None:
        self.images = cache.images
        self.caller = Caller("carol")

    def require_root(self) -> None:
        pass


def push(cache: Cache, name: str, target: str) -> Pushed:
    session: Any = FakeSession(cache)
    where = image_share.target_of(session, name, target)
    return image_share.push(session, name, where, watch=cache.watcher)


def manifest(running: Registry, repository: str, tag: str) -> dict[str, Any]:
    url = f"http://{running.address}/v2/{repository}/manifests/{tag}"
    accept = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
    with direct().open(urllib.request.Request(url, headers=accept), timeout=30) as reply:
        told: dict[str, Any] = json.loads(reply.read())
    return told


def test_what_is_pushed_is_pulled_byte_for_byte(
    running: Registry, cache: Cache, other: Cache, tmp_path: Path
) -> None:
    image = cache.pull(str(disk(tmp_path / "web.qcow2")), name="web").image
    done = push(cache, "web", f"oci://{running.address}/team/web:1")
    pinned, moving = done.places
    assert (done.outcome, done.newest) == ("pushed", True)
    assert moving == f"oci://{running.address}/team/web:1"
    assert pinned == f"{moving}-{image.short}"
    for place in done.places:
        assert other.pull(place).image.digest == image.digest
    assert cache.left("partial") == []


def test_a_manifest_tells_what_it_is_of(running: Registry, cache: Cache, tmp_path: Path) -> None:
    cache.images.keep_built(str(disk(tmp_path / "out")), "web", BUILT, cache.watcher)
    push(cache, "web", f"oci://{running.address}/web")
    told = manifest(running, "web", "latest")
    first, second = told["layers"]
    assert told["artifactType"] == "application/vnd.raptorctl.image.v1"
    assert first["mediaType"] == "application/vnd.cloudnebula.qcow2.layer.v1"
    assert second["mediaType"] == "application/vnd.raptorctl.image.statement.v1+json"
    notes = told["annotations"]
    assert notes["org.opencontainers.image.created"] == BUILT.when
    assert notes["org.opencontainers.image.base.digest"] == f"sha256:{BUILT.source_digest}"
    assert first["annotations"]["org.opencontainers.image.title"].endswith(".qcow2")


def test_what_is_there_is_not_pushed_again(running: Registry, cache: Cache, tmp_path: Path) -> None:
    cache.pull(str(disk(tmp_path / "web.qcow2")), name="web")
    target = f"oci://{running.address}/web:1"
    push(cache, "web", target)
    cache.watcher.titles.clear()
    assert push(cache, "web", target).outcome == "already there"
    assert cache.watcher.titles == []


@pytest.mark.parametrize("private", [False, True])
def test_a_registry_with_tokens_lets_in_who_may_push(
    blobs: Path, tmp_path: Path, cache: Cache, *, private: bool
) -> None:
    cache.pull(str(disk(tmp_path / "web.qcow2")), name="web")
    tokens = TokenServer(blobs, private=private)
    with serving(tokens), registry(blobs, tokens.auth()) as running:
        done = offered(cache, f"oci://{running.address}/web:1", RegistryLogin(USER, PASSWORD))
        assert done.outcome == "pushed"
        if private:
            with pytest.raises(RaptorError, match="no token: "):
                offered(cache, f"oci://{running.address}/web:2", RegistryLogin())


def test_a_registry_with_passwords_lets_in_who_knows_one(
    blobs: Path, tmp_path: Path, cache: Cache
) -> None:
    cache.pull(str(disk(tmp_path / "web.qcow2")), name="web")
    (blobs / "htpasswd").write_text(HTPASSWD)
    auth = f"auth: {{htpasswd: {{realm: r, path: '{blobs / 'htpasswd'}'}}}}\n"
    with registry(blobs, auth) as running:
        target = f"oci://{running.address}/web:1"
        with pytest.raises(UploadError, match="the registry wants a login"):
            offered(cache, target, RegistryLogin())
        with pytest.raises(UploadError, match="the registry does not let us push"):
            offered(cache, target, RegistryLogin(USER, "wrong"))
        assert offered(cache, target, RegistryLogin(USER, PASSWORD)).outcome == "pushed"


def offered(cache: Cache, target: str, login: RegistryLogin) -> Pushed:
    session: Any = FakeSession(cache)
    image = cache.images.list()[0]
    reference = session.images.reference(image)
    where = parse_target(target, image.name, "/")
    said = statement_of(reference)
    offer = Offer(image.path, said, Paper(statement_text(said)))
    return cache.images.push(offer, where, login, cache.watcher)


def test_an_upload_that_broke_off_goes_on_where_it_was(
    running: Registry, cache: Cache, other: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "PIECE", 1 << 20)
    image = cache.pull(str(raw_disk(tmp_path / "web.img")), name="web").image
    target = f"oci://{running.address}/web:1"

    passed: list[int] = []

    def stop(done: int, _total: int) -> None:
        passed.append(done)
        if passed[-2:] == [2 << 20] * 2:  # the second piece is there, the third begins
            raise KeyboardInterrupt

    patient, cache.watcher.tick = cache.watcher.tick, stop  # type: ignore[method-assign, assignment]
    with pytest.raises(KeyboardInterrupt):
        push(cache, "web", target)
    assert [name[-5:] for name in cache.left("partial")] == [".push"]
    with pytest.raises(RaptorError, match="404"):
        other.pull(target)
    cache.watcher.tick = patient  # type: ignore[method-assign]
    cache.watcher.ticks.clear()
    push(cache, "web", target)
    assert min(done for done, _ in cache.watcher.ticks) == 2 << 20
    assert other.pull(target).image.digest == image.digest
    assert cache.left("partial") == []


def test_two_that_push_one_name_are_two_versions(
    running: Registry, cache: Cache, other: Cache, tmp_path: Path
) -> None:
    target = f"oci://{running.address}/web:1"
    newer = "2026-11-21T12:00:00Z"
    for where, made, when in ((cache, disk(tmp_path / "1"), newer),
                              (other, raw_disk(tmp_path / "2"), BUILT.when)):  # fmt: skip
        built = Provenance("debian:13", "ab" * 32, "cd" * 32, "carol", when, "0.1.0")
        where.images.keep_built(str(made), "web", built, where.watcher)
    first, second = push(cache, "web", target), push(other, "web", target)
    assert (first.newest, second.newest) == (True, False)
    assert first.places[0] != second.places[0]
    third = Cache(tmp_path / "third")
    assert third.pull(target).image.digest == first.statement.digest
    assert third.pull(second.places[0]).image.digest == second.statement.digest
