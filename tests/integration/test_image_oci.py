"""Images from a real registry, open, with tokens and with passwords."""

import hashlib
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from raptorctl.drivers.image import RegistryLogin
from raptorctl.errors import HostError
from raptorctl.host.image.http import origin
from raptorctl.host.image.registry import RegistryClient, RegistryReply
from raptorctl.model.image import Image
from tests.disks import disk, packed, raw_disk
from tests.images import Cache
from tests.integration.image_server import ImageServer, Page, serving
from tests.integration.registry import (
    HTPASSWD,
    INDEX,
    MANIFEST,
    PASSWORD,
    QCOW2,
    USER,
    Registry,
    TokenServer,
    direct,
    registry,
)

OTHER = "application/vnd.example.notes.v1+text"


@pytest.fixture
def image(tmp_path: Path) -> bytes:
    return disk(tmp_path / "image.qcow2").read_bytes()


def is_of(image: Image, data: bytes) -> bool:
    return image.digest == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("media", [QCOW2, "application/octet-stream"])
def test_the_layer_that_is_a_qcow2_is_the_image(
    running: Registry, cache: Cache, image: bytes, media: str
) -> None:
    running.image("some/web", "1", (OTHER, b"notes"), (media, image))
    done = cache.pull(f"oci://{running.address}/some/web:1")
    assert is_of(done.image, image)
    assert (done.image.name, done.image.format) == ("web:1", "qcow2")
    assert cache.left("partial") == []


def test_a_layer_of_some_other_type_is_looked_at_if_there_is_none_better(
    running: Registry, cache: Cache, image: bytes
) -> None:
    running.image("web", "1", ("application/vnd.oci.image.layer.v1.tar", image))
    assert is_of(cache.pull(f"oci://{running.address}/web:1").image, image)


def test_a_layer_that_is_no_image_is_refused(running: Registry, cache: Cache) -> None:
    running.image("web", "1", (OTHER, b"notes\n"))
    with pytest.raises(HostError, match="it is not an image of a disk but text"):
        cache.pull(f"oci://{running.address}/web:1")
    assert cache.left("files", "names", "partial") == []


def test_a_packed_layer_is_unpacked(running: Registry, cache: Cache, tmp_path: Path) -> None:
    raw = raw_disk(tmp_path / "raw")
    running.image("web", "1", (QCOW2, packed(raw, "zst").read_bytes()))
    assert is_of(cache.pull(f"oci://{running.address}/web:1").image, raw.read_bytes())


def test_an_index_leads_to_amd64(running: Registry, cache: Cache, image: bytes) -> None:
    arm = running.image("web", "arm", (QCOW2, b"arm"))
    amd = running.image("web", "amd", (QCOW2, image))
    manifests = [
        {"mediaType": MANIFEST, "digest": digest, "size": 1,
         "platform": {"os": "linux", "architecture": architecture}}
        for digest, architecture in ((arm, "arm64"), (amd, "amd64"))
    ]  # fmt: skip
    sizes = {"arm": arm, "amd": amd}
    for each, tag in zip(manifests, sizes, strict=True):
        each["size"] = manifest_size(running, "web", tag)
    running.manifest("web", "1", {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests})
    assert is_of(cache.pull(f"oci://{running.address}/web:1").image, image)


def manifest_size(running: Registry, repository: str, tag: str) -> int:
    url = f"http://{running.address}/v2/{repository}/manifests/{tag}"
    request = urllib.request.Request(url, headers={"Accept": MANIFEST})
    with direct().open(request, timeout=30) as reply:
        return len(reply.read())


def test_a_digest_names_an_image_for_ever(running: Registry, cache: Cache, image: bytes) -> None:
    digest = running.image("web", "1", (QCOW2, image))
    done = cache.pull(f"oci://{running.address}/web@{digest}")
    assert is_of(done.image, image)
    assert done.image.name == f"web:{digest[7:19]}"


def test_a_tag_that_moved_is_noticed_by_a_refresh_only(
    running: Registry, cache: Cache, image: bytes, tmp_path: Path
) -> None:
    reference = f"oci://{running.address}/web:1"
    running.image("web", "1", (QCOW2, image))
    old = cache.pull(reference).image
    assert cache.pull(reference, refresh=True).outcome == "already here"
    newer = disk(tmp_path / "newer", seed=2).read_bytes()
    running.image("web", "1", (QCOW2, newer))
    assert cache.pull(reference).image == old
    assert is_of(cache.pull(reference, refresh=True).image, newer)
    assert cache.names == ["web:1", f"web:1@{old.short}"]


@pytest.mark.parametrize("reference", ["web:2", "nobody:1", "web@sha256:" + "a" * 64])
def test_what_is_not_in_the_registry_is_said_so(
    running: Registry, cache: Cache, image: bytes, reference: str
) -> None:
    running.image("web", "1", (QCOW2, image))
    with pytest.raises(HostError, match="the registry says 404"):
        cache.pull(f"oci://{running.address}/{reference}")


# Logins


def pushed(blobs: Path, image: bytes) -> None:
    with registry(blobs) as running:
        running.image("web", "1", (QCOW2, image))


def test_a_token_for_anybody_is_fetched(blobs: Path, cache: Cache, image: bytes) -> None:
    pushed(blobs, image)
    with serving(TokenServer(blobs, private=False)) as tokens:
        assert isinstance(tokens, TokenServer)
        with registry(blobs, tokens.auth()) as running:
            assert is_of(cache.pull(f"oci://{running.address}/web:1").image, image)
    assert "authorization" not in tokens.asked[0].headers


def test_a_token_for_a_login_is_fetched(blobs: Path, cache: Cache, image: bytes) -> None:
    pushed(blobs, image)
    with serving(TokenServer(blobs, private=True)) as tokens:
        assert isinstance(tokens, TokenServer)
        with registry(blobs, tokens.auth()) as running:
            reference = f"oci://{running.address}/web:1"
            with pytest.raises(HostError, match=r"no token: '127.0.0.1:[0-9]+' says 401"):
                cache.pull(reference)
            with pytest.raises(HostError, match="no token") as refused:
                cache.pull(reference, login=RegistryLogin(USER, "not the password"))
            assert "not the password" not in repr(refused.value) + refused.value.details
            assert is_of(cache.pull(reference, login=RegistryLogin(USER, PASSWORD)).image, image)


def test_a_registry_with_passwords_gets_one(blobs: Path, cache: Cache, image: bytes) -> None:
    pushed(blobs, image)
    (blobs / "htpasswd").write_text(HTPASSWD)
    auth = f"auth: {{htpasswd: {{realm: here, path: '{blobs / 'htpasswd'}'}}}}\n"
    with registry(blobs, auth) as running:
        reference = f"oci://{running.address}/web:1"
        with pytest.raises(HostError, match=r"the registry wants a login: .*image pull --help"):
            cache.pull(reference)
        with pytest.raises(HostError, match="does not let us have it"):
            cache.pull(reference, login=RegistryLogin(USER, "wrong"))
        assert is_of(cache.pull(reference, login=RegistryLogin(USER, PASSWORD)).image, image)


# Registries that are none, by a server that says anything


@pytest.fixture
def server() -> Iterator[ImageServer]:
    with serving(ImageServer()) as running:
        yield running


def address(server: ImageServer) -> str:
    return f"oci://{server.url.removeprefix('http://')}/web:1"


def manifest_of(image: bytes, digest: str = "", size: int = 0) -> bytes:
    told = digest or f"sha256:{hashlib.sha256(image).hexdigest()}"
    layer = {"mediaType": QCOW2, "digest": told, "size": size or len(image)}
    return json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "layers": [layer]}).encode()


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"[]", b"\xff", b'{"layers": []}', b'{"layers": [7]}', b'{"manifests": [{}]}',
     b'{"layers": [{"digest": "sha256:../../x", "size": 1}]}', b"[" * 100_000,
     b'{"layers": [{"digest": "md5:abc", "size": 1}]}'],
)  # fmt: skip
def test_what_answers_like_no_registry_gives_no_image(
    server: ImageServer, cache: Cache, body: bytes
) -> None:
    server.pages["/v2/web/manifests/1"] = Page(body)
    with pytest.raises(HostError, match="oci://"):
        cache.pull(address(server))
    assert cache.left("files", "names", "partial") == []


def test_a_layer_that_is_not_what_its_digest_says_is_refused(
    server: ImageServer, cache: Cache, image: bytes
) -> None:
    digest = f"sha256:{'a' * 64}"
    server.pages["/v2/web/manifests/1"] = Page(manifest_of(image, digest))
    server.pages[f"/v2/web/blobs/{digest}"] = Page(image)
    with pytest.raises(HostError, match="its checksum is another"):
        cache.pull(address(server))
    assert cache.left("files", "names", "partial") == []


def test_a_layer_of_another_size_is_refused(
    server: ImageServer, cache: Cache, image: bytes
) -> None:
    digest = f"sha256:{hashlib.sha256(image).hexdigest()}"
    server.pages["/v2/web/manifests/1"] = Page(manifest_of(image, size=7))
    server.pages[f"/v2/web/blobs/{digest}"] = Page(image)
    with pytest.raises(HostError, match="and should have 7"):
        cache.pull(address(server))


def test_a_cut_layer_goes_on_without_an_etag(
    server: ImageServer, cache: Cache, image: bytes
) -> None:
    digest = f"sha256:{hashlib.sha256(image).hexdigest()}"
    server.pages["/v2/web/manifests/1"] = Page(manifest_of(image))
    server.pages[f"/v2/web/blobs/{digest}"] = Page(image, cut_after=300_000, cuts=1, etag="")
    assert is_of(cache.pull(address(server)).image, image)
    assert server.asked[-1].headers["range"].startswith("bytes=")
    assert "if-range" not in server.asked[-1].headers


def test_a_token_does_not_follow_a_redirect_to_another_host(
    server: ImageServer, cache: Cache, image: bytes
) -> None:
    digest = f"sha256:{hashlib.sha256(image).hexdigest()}"
    with serving(ImageServer()) as elsewhere:
        elsewhere.pages["/blob"] = Page(image)
        challenge = f'Bearer realm="{server.url}/token",service="s",scope="repository:web:pull"'
        pages = iter([Page(status=401, headers={"WWW-Authenticate": challenge}),
                      Page(b'{"access_token": "t0ken"}'), Page(manifest_of(image)),
                      Page(status=307, location=f"{elsewhere.url}/blob")])  # fmt: skip
        server.page = lambda request: next(pages)  # type: ignore[method-assign]
        assert is_of(cache.pull(address(server)).image, image)
        assert server.asked[-1].headers["authorization"] == "Bearer t0ken"
        assert server.asked[-1].path.endswith(digest)
        assert "authorization" not in elsewhere.asked[0].headers


@pytest.mark.parametrize("kind", ["Bearer", "Basic"])
def test_a_login_is_not_for_whom_a_redirect_leads_to(
    server: ImageServer, cache: Cache, kind: str
) -> None:
    with serving(ImageServer()) as elsewhere:
        challenge = {"WWW-Authenticate": f'{kind} realm="{elsewhere.url}/token"'}
        elsewhere.pages["/v2/web/manifests/1"] = Page(status=401, headers=challenge)
        elsewhere.pages["/token"] = Page(b'{"token": "t0ken"}')
        there = f"{elsewhere.url}/v2/web/manifests/1"
        server.pages["/v2/web/manifests/1"] = Page(status=307, location=there)
        with pytest.raises(HostError, match=r"leads to '127.*, which wants a login: it gets none"):
            cache.pull(address(server), login=RegistryLogin(USER, PASSWORD))
        assert [request.path for request in elsewhere.asked] == ["/v2/web/manifests/1"]
        assert not any("authorization" in one.headers for one in (*server.asked, *elsewhere.asked))


def test_a_login_does_not_follow_the_token_server_to_another_host(
    server: ImageServer, cache: Cache
) -> None:
    with serving(ImageServer()) as elsewhere:
        elsewhere.pages["/token"] = Page(status=404)
        challenge = {"WWW-Authenticate": f'Bearer realm="{server.url}/token"'}
        server.pages["/v2/web/manifests/1"] = Page(status=401, headers=challenge)
        server.pages["/token"] = Page(status=307, location=f"{elsewhere.url}/token")
        with pytest.raises(HostError, match="no token"):
            cache.pull(address(server), login=RegistryLogin(USER, PASSWORD))
        assert "authorization" in server.of("/token")[0].headers
        assert "authorization" not in elsewhere.asked[0].headers


def test_no_registry_elsewhere_has_a_login_sent_to_this_machine_in_the_clear(
    server: ImageServer, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(self: RegistryClient, *_args: object) -> RegistryReply:
        challenge = {"WWW-Authenticate": f'Bearer realm="{server.url}/token"'}
        return RegistryReply(401, "401", challenge, b"", self.url("manifests", "1"))

    monkeypatch.setattr(RegistryClient, "_asked", asked)
    with pytest.raises(HostError, match="for a token where no https is"):
        cache.pull("oci://registry.example.org/web:1", login=RegistryLogin(USER, PASSWORD))
    assert server.asked == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://r.example", "https://R.example:443/v2/", True),
        ("https://r.example", "http://r.example", False),
        ("https://r.example", "https://r.example:444", False),
        ("https://r.example", "https://r.example@b.example", False),
        ("https://r.example", "https://r.example.b.example", False),
    ],
)
def test_a_login_is_for_one_scheme_host_and_port(one: str, other: str, *, same: bool) -> None:
    assert (origin(one) == origin(other)) is same


@pytest.mark.parametrize(
    "realm", ["http://example.org/token", "file:///token", "x", "", "https://["]
)
def test_no_login_goes_where_no_https_is(server: ImageServer, cache: Cache, realm: str) -> None:
    challenge = {"WWW-Authenticate": f'Bearer realm="{realm}"'}
    server.pages["/v2/web/manifests/1"] = Page(status=401, headers=challenge)
    with pytest.raises(HostError, match=r"for a token (where no https is|to no address)"):
        cache.pull(address(server), login=RegistryLogin(USER, PASSWORD))
