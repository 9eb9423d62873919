"""Folders of images: of this host, of another over a real sshd, and behind a web server."""

import functools
import hashlib
import http.server
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from raptorctl.api import image_share
from raptorctl.api.caller import Caller
from raptorctl.drivers.image import Pushed
from raptorctl.errors import HostError, InputError, RefusedError, UploadError
from raptorctl.host.image import ssh_folder, ssh_way
from raptorctl.host.image.folder import Folder, LocalFolder
from raptorctl.host.image.folder_push import FolderPush
from raptorctl.host.image.ssh_way import SshWay
from raptorctl.model.error_code import Code
from raptorctl.model.image_target import SshPlace
from raptorctl.model.image_version import Provenance
from tests.disks import disk, raw_disk
from tests.images import Cache
from tests.integration.sshd import Sshd, make_key


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "images"


class OneSession:
    """What the api asks of a session, with a real cache."""

    def __init__(self, cache: Cache) -> None:
        self.images = cache.images
        self.caller = Caller("carol")

    def require_root(self) -> None:
        pass


def push(cache: Cache, name: str, target: str, expires: str = "") -> Pushed:
    session: Any = OneSession(cache)
    where = image_share.target_of(session, name, target, expires=expires)
    return image_share.push(session, name, where, watch=cache.watcher)


def built(cache: Cache, made: Path, when: str, name: str = "web") -> str:
    """Have a build's image in a cache, and return its build."""
    known = Provenance("debian:13", "ab" * 32, "cd" * 32, "carol", when, "0.1.0")
    return cache.images.keep_built(str(made), name, known, cache.watcher).image.short


OLD, NEW = "2026-11-20T12:00:00Z", "2026-11-21T12:00:00Z"


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder by Python's own web server, which knows nothing of images."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_args: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@contextmanager
def sshd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    """Run an sshd that ssh's settings know."""
    keys = tmp_path / "sshd"
    keys.mkdir()
    with Sshd(keys) as running:
        known = keys / "known"
        known.write_text(f"[127.0.0.1]:{running.port} {running.key.type} {running.key.blob}\n")
        way = SshWay("127.0.0.1", running.port, "", "", (str(keys / "own"),), (str(known),), "")

        def to(place: SshPlace) -> SshWay:
            return SshWay(**{**vars(way), "user": _me(), "port": place.port})

        monkeypatch.setattr(ssh_folder, "way_to", to)
        yield running


def _me() -> str:
    import getpass

    return getpass.getuser()


def test_what_is_in_a_folder_is_pulled_byte_for_byte(
    cache: Cache, other: Cache, folder: Path, tmp_path: Path
) -> None:
    build = built(cache, disk(tmp_path / "out"), OLD)
    done = push(cache, "web", str(folder))
    assert (done.outcome, done.newest) == ("pushed", True)
    assert done.places == (f"{folder}/index.json#web@{build}", f"{folder}/index.json#web")
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["index.json", f"web@{build}.json", f"web@{build}.qcow2"]
    for place in done.places:
        assert other.pull(place).image.short == build
    assert other.names == ["web", f"web@{build}"]
    assert push(cache, "web", str(folder)).outcome == "already there"


def test_any_web_server_serves_a_folder(
    cache: Cache, other: Cache, folder: Path, tmp_path: Path
) -> None:
    build = built(cache, disk(tmp_path / "out"), OLD, "web:1.0")
    push(cache, "web:1.0", str(folder))
    with served(folder) as url:
        done = other.pull(f"{url}/index.json#web:1.0")
        assert (done.image.name, done.image.short) == ("web:1.0", build)
        assert other.pull(f"{url}/index.json#web:1.0").outcome == "already here"
        again = other.pull(f"{url}/index.json#web:1.0", refresh=True)
        assert again.outcome == "already here"


def test_a_folder_of_another_host_is_pushed_to_and_pulled_from(
    cache: Cache, other: Cache, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = built(cache, raw_disk(tmp_path / "out"), OLD)
    with sshd(tmp_path, monkeypatch) as running:
        target = f"ssh://127.0.0.1:{running.port}{folder}"
        done = push(cache, "web", target)
        assert done.places[1] == f"{target}/index.json#web"
        assert other.pull(f"{target}#web").image.short == build
        assert push(cache, "web", target).outcome == "already there"
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_the_newest_is_pulled_and_each_can_be_pinned(
    cache: Cache, other: Cache, folder: Path, tmp_path: Path
) -> None:
    new = built(cache, disk(tmp_path / "1"), NEW)
    old = built(other, raw_disk(tmp_path / "2"), OLD)
    assert push(cache, "web", str(folder)).newest
    assert not push(other, "web", str(folder)).newest
    third = Cache(tmp_path / "third")
    index = f"{folder}/index.json"
    assert third.pull(f"{index}#web").image.short == new
    assert third.pull(f"{index}#web@{old}").image.short == old
    assert [e["build"] for e in json.loads((folder / "index.json").read_text())["images"]] == [
        new,
        old,
    ]


def test_what_is_pinned_is_nothing_that_went_by(
    cache: Cache, other: Cache, folder: Path, tmp_path: Path
) -> None:
    build = built(cache, disk(tmp_path / "1"), NEW)
    push(cache, "web", str(folder))
    source = f"{folder}/index.json#web@{build}"
    other.pull(source)
    assert other.pull(source).outcome == "already here"
    assert other.images.waste((), ()) == ()


def test_two_that_write_the_index_at_once_are_both_in_it(
    cache: Cache, other: Cache, folder: Path, tmp_path: Path
) -> None:
    """The other one pushes between our look at the folder and our index."""
    first = built(cache, disk(tmp_path / "1"), NEW)
    second = built(other, raw_disk(tmp_path / "2"), OLD)

    class Interrupted(LocalFolder):
        turns = 0

        def write(self, name: str, data: bytes) -> None:
            if name == "index.json" and not self.turns:
                Interrupted.turns = 1
                push(other, "web", str(folder))
            super().write(name, data)

    session: Any = OneSession(cache)
    reference = session.images.reference(cache.images.list()[0])
    offer = image_share.offer_of(reference, image_share.target_of(session, "web", str(folder)))
    FolderPush(Interrupted(str(folder))).push(offer, cache.watcher)
    entries = json.loads((folder / "index.json").read_text())["images"]
    assert [entry["build"] for entry in entries] == [first, second]


def cut(cache: Cache, after: int) -> Callable[[], None]:
    """Cut the next push off once it has sent so much; return what ends that."""
    patient = cache.watcher.tick

    def stop(done: int, total: int) -> None:
        patient(done, total)
        if done >= after:
            raise KeyboardInterrupt

    cache.watcher.tick = stop  # type: ignore[method-assign]

    def mend() -> None:
        cache.watcher.tick = patient  # type: ignore[method-assign]

    return mend


def test_an_upload_by_ssh_that_was_cut_off_goes_on(
    cache: Cache, other: Cache, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh_folder, "PIECE", 1 << 20)
    size = 16 << 20  # more than is on its way at a time
    build = built(cache, raw_disk(tmp_path / "out", size), OLD)
    with sshd(tmp_path, monkeypatch) as running:
        target = f"ssh://127.0.0.1:{running.port}{folder}"
        mend = cut(cache, 2 << 20)
        with pytest.raises(KeyboardInterrupt):
            push(cache, "web", target)
        assert [path.name for path in folder.iterdir()] == [f".web@{build}.raw.part"]
        mend()
        cache.watcher.ticks.clear()
        push(cache, "web", target)
        sent = [done for done, total in cache.watcher.ticks if total == size]
        assert (2 << 20) < sent[0] < sent[-1] == size
        assert other.pull(f"{target}#web").image.short == build


def test_what_came_and_is_not_the_same_is_sent_anew(
    cache: Cache, other: Cache, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = built(cache, raw_disk(tmp_path / "out"), OLD)
    folder.mkdir()
    (folder / f".web@{build}.raw.part").write_bytes(bytes(range(256)) * 4096)
    with sshd(tmp_path, monkeypatch) as running:
        target = f"ssh://127.0.0.1:{running.port}{folder}"
        push(cache, "web", target)
        assert other.pull(f"{target}#web").image.short == build


def test_a_download_by_ssh_that_was_cut_off_goes_on(
    cache: Cache, other: Cache, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh_folder, "PIECE", 1 << 20)
    build = built(cache, raw_disk(tmp_path / "out"), OLD)
    push(cache, "web", str(folder))
    with sshd(tmp_path, monkeypatch) as running:
        source = f"ssh://127.0.0.1:{running.port}{folder}#web"
        mend = cut(other, 2 << 20)
        with pytest.raises(KeyboardInterrupt):
            other.pull(source)
        mend()
        other.watcher.ticks.clear()
        assert other.pull(source).image.short == build
        assert other.watcher.ticks[0][0] == 3 << 20


def test_a_local_push_that_is_cut_off_leaves_nothing(
    cache: Cache, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built(cache, raw_disk(tmp_path / "out"), OLD)
    monkeypatch.setattr(LocalFolder, "_settle", _stop)
    with pytest.raises(KeyboardInterrupt):
        push(cache, "web", str(folder))
    assert list(folder.iterdir()) == []


def _stop(*_args: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("known", "code", "said"),
    [
        ("", Code.HOST_KEY_UNKNOWN, "no host key of 127.0.0.1 is known"),
        ("other", Code.HOST_KEY_CHANGED, "127.0.0.1 shows another host key"),
    ],
)
def test_a_host_that_is_not_known_is_not_talked_to(
    cache: Cache,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    known: str,
    code: Code,
    said: str,
) -> None:
    built(cache, disk(tmp_path / "out"), OLD)
    with sshd(tmp_path, monkeypatch) as running:
        other = make_key(tmp_path / "another")
        line = f"[127.0.0.1]:{running.port} {other.type} {other.blob}\n" if known else ""
        (tmp_path / "sshd" / "known").write_text(line)
        with pytest.raises((HostError, RefusedError), match=said) as caught:
            push(cache, "web", f"ssh://127.0.0.1:{running.port}{folder}")
    assert caught.value.code is code
    assert not folder.exists()


def test_who_is_not_let_in_is_told_so(
    cache: Cache, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built(cache, disk(tmp_path / "out"), OLD)
    with sshd(tmp_path, monkeypatch) as running:
        (tmp_path / "sshd" / "authorized").write_text("")
        with pytest.raises(HostError, match=r"127\.0\.0\.1 lets .* not in by any key of ssh's"):
            push(cache, "web", f"ssh://127.0.0.1:{running.port}{folder}")


def test_where_nobody_answers_it_is_told_so(
    cache: Cache, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built(cache, disk(tmp_path / "out"), OLD)
    with sshd(tmp_path, monkeypatch) as running:
        running.stop()
        with pytest.raises(UploadError, match=r"127\.0\.0\.1: connection refused"):
            push(cache, "web", f"ssh://127.0.0.1:{running.port}{folder}")


@contextmanager
def jumped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Sshd, Sshd]]:
    """Run two sshds, of which one is reached over the other; yields where, the jump, the end."""
    with sshd(tmp_path, monkeypatch) as running:
        to: Callable[[SshPlace], SshWay] = getattr(ssh_folder, "way_to")  # noqa: B009 - replaced
        (tmp_path / "jump").mkdir()
        with sshd(tmp_path / "jump", monkeypatch) as jump:
            to_jump: Callable[[SshPlace], SshWay] = getattr(ssh_folder, "way_to")  # noqa: B009
            over = to_jump(SshPlace("", "", "", jump.port))

            def way_to(place: SshPlace) -> SshWay:
                return replace(to(place), over=(over,))

            monkeypatch.setattr(ssh_folder, "way_to", way_to)
            yield f"ssh://127.0.0.1:{running.port}", jump, running


def test_a_folder_is_reached_over_another_host(
    cache: Cache, other: Cache, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = built(cache, disk(tmp_path / "out"), OLD)
    with jumped(tmp_path, monkeypatch) as (where, jump, _):
        push(cache, "web", f"{where}{folder}")
        assert other.pull(f"{where}{folder}#web").image.short == build
        jump.stop()
        with pytest.raises(UploadError, match="connection refused"):
            push(cache, "web", f"{where}{folder}")


@pytest.mark.parametrize("which", ["jump", "end"])
def test_each_host_on_the_way_must_be_known(
    cache: Cache, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    built(cache, disk(tmp_path / "out"), OLD)
    with jumped(tmp_path, monkeypatch) as (where, jump, end):
        ((jump if which == "jump" else end).folder / "known").write_text("")
        with pytest.raises(RefusedError, match=r"no host key of 127\.0\.0\.1 is known"):
            push(cache, "web", f"{where}{folder}")
    assert not folder.exists()


SETTINGS_OF_SSH = {
    "images": "hostname 192.0.2.1\nport 22\nuser carol\nproxyjump bob@door:2222,[2001:db8::1]\n",
    "door": "hostname door.example\nport 2222\nuser bob\n",
    "2001:db8::1": "hostname 2001:db8::1\nport 22\nuser carol\n",
    "round": "port 22\nuser carol\nproxyjump door\n",
    "behind": "port 22\nuser carol\nproxyjump far\n",
    "far": "port 22\nuser carol\nproxyjump further\n",
    "program": "port 22\nuser carol\nproxycommand nc %h 22\n",
    "broken": "port 22\nuser carol\nproxyjump a b\n",
}


def asked_of_ssh(argv: Sequence[str], **_options: object) -> bytes:
    return SETTINGS_OF_SSH[argv[-1]].encode()


def test_what_ssh_jumps_over_is_followed_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh_way, "run_as_caller", asked_of_ssh)
    way = ssh_way.way_to(SshPlace("images", "/srv/images"))
    over = [(hop.host, hop.port, hop.user) for hop in way.over]
    assert (way.host, way.user) == ("192.0.2.1", "carol")
    assert over == [("door.example", 2222, "bob"), ("2001:db8::1", 22, "carol")]
    assert ssh_way.way_to(SshPlace("door", "/")).over == ()
    assert [hop.host for hop in ssh_way.way_to(SshPlace("round", "/")).over] == ["door.example"]


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("behind", "ssh reaches far by proxyjump, which is not followed"),
        ("program", "ssh reaches program by proxycommand, which is not followed"),
        ("broken", "ssh reaches broken over 'a b', which is no host"),
    ],
)
def test_what_is_not_followed_is_refused(
    monkeypatch: pytest.MonkeyPatch, host: str, said: str
) -> None:
    monkeypatch.setattr(ssh_way, "run_as_caller", asked_of_ssh)
    with pytest.raises(RefusedError, match=said):
        ssh_way.way_to(SshPlace(host, "/"))


def test_ssh_itself_says_how_a_host_is_reached() -> None:
    way = ssh_way.way_to(SshPlace("images.example.org", "/srv/images", "carol", 2222))
    assert (way.host, way.port, way.user) == ("images.example.org", 2222, "carol")
    assert any(path.endswith("/.ssh/known_hosts") for path in way.known)
    assert not any("~" in path for path in (*way.known, *way.identities))


def test_an_index_of_something_else_is_not_overwritten(
    cache: Cache, folder: Path, tmp_path: Path
) -> None:
    built(cache, disk(tmp_path / "out"), OLD)
    folder.mkdir()
    (folder / "index.json").write_text('{"mine": true}')
    with pytest.raises(RefusedError, match="is no index of images, and is not overwritten"):
        push(cache, "web", str(folder))
    assert [path.name for path in folder.iterdir()] == ["index.json"]


def test_what_cannot_be_read_is_told_and_stays(cache: Cache, folder: Path, tmp_path: Path) -> None:
    build = built(cache, disk(tmp_path / "out"), OLD)
    folder.mkdir()
    spoilt = folder / f"db@{'0' * 12}.json"
    spoilt.write_text("{")
    push(cache, "web", str(folder))
    assert any("it stays, and is not in the index" in note for note in cache.watcher.notes)
    assert spoilt.read_text() == "{"
    entries = json.loads((folder / "index.json").read_text())["images"]
    assert [entry["build"] for entry in entries] == [build]


def test_an_index_that_has_expired_is_refused(
    cache: Cache, other: Cache, folder: Path, tmp_path: Path
) -> None:
    built(cache, disk(tmp_path / "out"), OLD)
    push(cache, "web", str(folder), expires="2020-01-01")
    with pytest.raises(RefusedError, match=r"index\.json has expired on 2020-01-01") as caught:
        other.pull(f"{folder}/index.json#web")
    assert caught.value.code is Code.IMAGE_EXPIRED


def test_a_name_that_is_not_there_is_answered_with_those_that_are(
    cache: Cache, other: Cache, folder: Path, tmp_path: Path
) -> None:
    built(cache, disk(tmp_path / "out"), OLD)
    push(cache, "web", str(folder))
    with pytest.raises(InputError, match="there is no db") as caught:
        other.pull(f"{folder}/index.json#db")
    assert caught.value.resolution == "there is web"


def test_bytes_that_changed_in_the_folder_are_refused(
    cache: Cache, other: Cache, folder: Path, tmp_path: Path
) -> None:
    built(cache, disk(tmp_path / "out"), OLD)
    push(cache, "web", str(folder))
    image = next(folder.glob("*.qcow2"))
    image.write_bytes(image.read_bytes()[:-1] + b"x")
    with pytest.raises(HostError, match="its checksum is another"):
        other.pull(f"{folder}/index.json#web")
    assert other.left("files", "names", "partial") == []


@pytest.mark.parametrize("by_ssh", [False, True])
def test_what_is_damaged_here_is_not_shared(
    cache: Cache, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, by_ssh: bool
) -> None:
    built(cache, raw_disk(tmp_path / "out"), OLD)
    kept = Path(cache.images.list()[0].path)
    data = kept.read_bytes()
    kept.chmod(0o600)
    kept.write_bytes(b"x" + data[1:])
    with sshd(tmp_path, monkeypatch) as running:
        target = f"ssh://127.0.0.1:{running.port}{folder}" if by_ssh else str(folder)
        with pytest.raises(UploadError, match="is not the image: sha256 should be"):
            push(cache, "web", target)
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told(cache: Cache, tmp_path: Path) -> None:
    built(cache, disk(tmp_path / "out"), OLD)
    with pytest.raises(UploadError, match=r"/no/such/place: cannot .*No such file or directory"):
        push(cache, "web", "/no/such/place")
    with pytest.raises(UploadError, match=r"/proc/x: cannot create"):
        push(cache, "web", "/proc/x")
    (tmp_path / "file").touch()
    with pytest.raises(UploadError, match=r"/file: cannot access .*Not a directory"):
        push(cache, "web", str(tmp_path / "file"))


def test_a_server_of_simplestreams_gives_its_images(
    other: Cache, folder: Path, tmp_path: Path
) -> None:
    version = "20240101_05:24"
    data = disk(tmp_path / "disk.qcow2").read_bytes()
    place = folder / "images" / "debian" / version
    place.mkdir(parents=True)
    (place / "disk.qcow2").write_bytes(data)
    (folder / "streams" / "v1").mkdir(parents=True)
    item = {
        "ftype": "disk-kvm.img",
        "path": f"images/debian/{version}/disk.qcow2",
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data),
    }
    product = {"arch": "amd64", "aliases": "debian/13,debian/trixie", "versions": {version: {"items": {"disk.qcow2": item}}}}  # fmt: skip
    lists = {"index": {"images": {"datatype": "image-downloads", "format": "products:1.0", "path": "streams/v1/images.json"}}, "format": "index:1.0"}  # fmt: skip
    products = {"format": "products:1.0", "products": {"debian:trixie:amd64": product}}
    (folder / "streams" / "v1" / "index.json").write_text(json.dumps(lists))
    (folder / "streams" / "v1" / "images.json").write_text(json.dumps(products))
    with served(folder) as url:
        index = f"{url}/streams/v1/index.json"
        done = other.pull(f"{index}#debian/13")
        assert (done.image.name, done.image.digest) == ("debian-13", item["sha256"])
        assert other.pull(f"{index}#debian/13", refresh=True).outcome == "already here"
        assert other.pull(f"{index}#debian/13@{version}").image.name == f"debian-13@{version}"
        with pytest.raises(InputError, match="there is no disk of a virtual machine"):
            other.pull(f"{index}#ubuntu:24.04")
    assert other.pull(f"{folder}/streams/v1/index.json#debian/trixie").outcome == "pulled"
    (place / "disk.qcow2").write_bytes(data[:-1] + b"x")
    with pytest.raises(HostError, match="its checksum is another"):
        other.pull(f"{folder}/streams/v1/index.json#debian:trixie:amd64")


def keeps_the_port(folder: LocalFolder, other: ssh_folder.SshFolder) -> tuple[Folder, Folder]:
    """Both are folders, as far as types tell."""
    return folder, other
