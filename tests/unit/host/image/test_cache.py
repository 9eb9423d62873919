"""The cache on real files: names, what changes, what is removed."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from raptorctl.drivers.image import Wanted
from raptorctl.errors import (
    HostError,
    InputError,
    RefusedError,
    StoppedError,
    UnreachableError,
    WaitError,
)
from raptorctl.host.image import store as image_store
from raptorctl.host.image.cache import LocalImages
from raptorctl.host.image.store import ImageStore
from raptorctl.host.system.durable import unfinished
from raptorctl.model.catalogue import Catalogue
from raptorctl.model.image import find
from raptorctl.model.image_source import Source, parse_source
from raptorctl.model.image_version import Provenance
from tests.disks import disk, iso, packed, raw_disk
from tests.images import Cache, Watcher


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def test_a_cache_that_was_never_used_is_empty(cache: Cache) -> None:
    assert cache.images.list() == ()
    assert cache.images.waste((), ()) == ()
    assert not cache.directory.exists()


def test_an_image_is_kept_read_only_and_without_its_source(cache: Cache, tmp_path: Path) -> None:
    source = disk(tmp_path / "web.qcow2")
    content = source.read_bytes()
    done = cache.pull(str(source))
    source.unlink()
    kept = Path(done.image.path)
    assert kept.read_bytes() == content
    assert kept.stat().st_mode & 0o777 == 0o444
    assert cache.pull(str(source)).outcome == "already here"
    assert cache.images.list() == (done.image,)


def test_that_nobody_answers_is_another_error_than_that_there_is_no_image(cache: Cache) -> None:
    for text in ("http://127.0.0.1:1/x.qcow2", "oci://127.0.0.1:1/x:1"):
        with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:1/x"):
            cache.images.foresee(Wanted(parse_source(text, Catalogue(), "/")))


def test_a_file_that_is_the_same_is_not_read_again(cache: Cache, tmp_path: Path) -> None:
    source = raw_disk(tmp_path / "web.img")
    cache.pull(str(source))
    cache.watcher.titles.clear()
    assert cache.pull(str(source)).outcome == "already here"
    assert cache.watcher.titles == []


def test_a_file_that_changed_is_another_image(cache: Cache, tmp_path: Path) -> None:
    source = raw_disk(tmp_path / "web.img")
    old = cache.pull(str(source)).image
    raw_disk(source, seed=2)
    os.utime(source, ns=(1, 1))
    new = cache.pull(str(source))
    assert new.outcome == "pulled"
    assert new.image.digest != old.digest
    assert cache.names == ["web.img", f"web.img@{old.short}"]
    assert "has changed" in cache.watcher.notes[0]


def test_a_file_that_was_only_touched_is_the_same_image(cache: Cache, tmp_path: Path) -> None:
    source = raw_disk(tmp_path / "web.img")
    cache.pull(str(source))
    os.utime(source, ns=(1, 1))
    assert cache.pull(str(source)).outcome == "already here"
    assert cache.names == ["web.img"]


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda p: p.symlink_to("/dev/null")])
def test_only_regular_files_are_read(
    cache: Cache, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "odd")
    with pytest.raises(InputError, match=r"regular file|symbolic link|cannot be read"):
        cache.pull(str(tmp_path / "odd"))


def test_a_missing_file_is_bad_input(cache: Cache, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        cache.pull(str(tmp_path / "nothing"))


@pytest.mark.parametrize("kind", ["xz", "gz"])
def test_a_checksum_is_that_of_the_archive(cache: Cache, tmp_path: Path, kind: str) -> None:
    image = raw_disk(tmp_path / "web.raw")
    archive = packed(image, kind)
    with pytest.raises(HostError, match=f"{archive}: its checksum is another"):
        cache.pull(str(archive), sha256=cache.pull(str(image)).image.digest)
    assert cache.names == ["web.raw"]


def test_what_is_refused_leaves_nothing(cache: Cache, tmp_path: Path) -> None:
    source = tmp_path / "web.qcow2"
    source.write_bytes(disk(tmp_path / "whole").read_bytes()[:-70_000])
    with pytest.raises(HostError, match=f"^{source}: it is a qcow2 that is damaged or cut off"):
        cache.pull(str(source))
    assert cache.left("files", "names", "partial") == []


def test_what_is_stopped_leaves_nothing(cache: Cache, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise StoppedError(2)

    cache.watcher.tick = stop  # type: ignore[method-assign]
    with pytest.raises(StoppedError):
        cache.pull(str(raw_disk(tmp_path / "web.img")))
    assert cache.left("files", "names", "partial") == []


@pytest.mark.parametrize("at", ["look at it", "hash it"])
def test_what_is_stopped_late_leaves_nothing(cache: Cache, tmp_path: Path, at: str) -> None:
    image = cache.pull(str(disk(tmp_path / "web.qcow2"))).image
    before = cache.left("files", "names", "partial")

    def stop(title: str) -> None:
        if title == at:
            raise StoppedError(2)

    cache.watcher.begin = stop  # type: ignore[method-assign]
    with pytest.raises(StoppedError):
        if at == "hash it":
            cache.images.convert(image, "raw", "web-raw", cache.watcher)
        else:
            cache.pull(str(raw_disk(tmp_path / "web.img")))
    assert cache.left("files", "names", "partial") == before


# Names


def test_a_second_name_costs_nothing(cache: Cache, tmp_path: Path) -> None:
    source = str(raw_disk(tmp_path / "web.img"))
    first = cache.pull(source).image
    done = cache.pull(source, name="other")
    assert (done.outcome, done.image.digest) == ("named", first.digest)
    assert cache.names == ["other", "web.img"]
    assert len(cache.left("files")) == 1


def test_a_name_that_is_given_anew_leaves_what_it_stood_for(cache: Cache, tmp_path: Path) -> None:
    source = raw_disk(tmp_path / "web.img")
    old = cache.pull(str(source), name="b").image
    raw_disk(source, seed=2)
    os.utime(source, ns=(1, 1))
    new = cache.pull(str(source), name="a").image
    done = cache.pull(str(source), name="b")
    assert (done.outcome, done.image.digest) == ("named", new.digest)
    assert cache.names == ["a", "b", f"b@{old.short}"]
    assert [waste.image for waste in cache.images.waste((), ())] == [f"b@{old.short}"]


def test_images_are_listed_by_name(cache: Cache, tmp_path: Path) -> None:
    source = str(raw_disk(tmp_path / "a.img"))
    for name in ("web-raw", "web", "web:1", "a"):
        cache.pull(source, name=name)
    assert cache.names == ["a", "web", "web-raw", "web:1"]


def test_a_chosen_name_of_another_image_is_refused(cache: Cache, tmp_path: Path) -> None:
    cache.pull(str(raw_disk(tmp_path / "a.img")), name="web")
    with pytest.raises(RefusedError, match=r"web is already an image, from .*image remove web"):
        cache.pull(str(raw_disk(tmp_path / "b.img", seed=2)), name="web")
    assert cache.names == ["web"]


def test_a_name_that_somebody_gave_goes_before_the_catalogues(cache: Cache, tmp_path: Path) -> None:
    mine = cache.pull(str(raw_disk(tmp_path / "a.img")), name="debian:13").image
    listed = Source("https://192.0.2.1/debian.qcow2", "debian:13", listed=True)
    assert cache.images.pull(Wanted(listed), cache.watcher).image == mine


def test_a_catalogue_that_names_another_url_gets_another_image(
    cache: Cache, tmp_path: Path
) -> None:
    first, second = raw_disk(tmp_path / "a.img"), raw_disk(tmp_path / "b.img", seed=2)
    for path in (first, second):
        source = Source(str(path), "debian:13", listed=True)
        image = cache.images.pull(Wanted(source), cache.watcher).image
        assert (image.name, image.source) == ("debian:13", str(path))
    assert len(cache.names) == 2


# Damage


def test_an_image_that_lost_a_byte_is_no_longer_listed(cache: Cache, tmp_path: Path) -> None:
    image = cache.pull(str(raw_disk(tmp_path / "web.img"))).image
    os.truncate(image.path, 1024)
    assert cache.images.list() == ()
    assert [known.name for known in cache.images.known()] == ["web.img"]
    assert not cache.images.is_whole(image, lambda _done, _all: None)


def test_an_image_with_a_wrong_bit_is_found_by_its_digest(cache: Cache, tmp_path: Path) -> None:
    image = cache.pull(str(raw_disk(tmp_path / "web.img"))).image
    assert cache.images.is_whole(image, lambda _done, _all: None)
    content = bytearray(Path(image.path).read_bytes())
    content[-1] ^= 1
    Path(image.path).chmod(0o600)
    Path(image.path).write_bytes(content)
    assert not cache.images.is_whole(image, lambda _done, _all: None)


def test_a_pull_mends_what_is_gone(cache: Cache, tmp_path: Path) -> None:
    source = raw_disk(tmp_path / "web.img")
    image = cache.pull(str(source)).image
    Path(image.path).unlink()
    assert not cache.images.is_whole(image, lambda _done, _all: None)
    assert cache.pull(str(source)).outcome == "pulled"
    assert cache.images.is_whole(image, lambda _done, _all: None)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"image": 1, "origin": 2}', "\xff"])
def test_a_name_that_cannot_be_read_disturbs_nobody(
    cache: Cache, tmp_path: Path, text: str
) -> None:
    cache.pull(str(raw_disk(tmp_path / "web.img")))
    (cache.directory / "names" / "bad.json").write_bytes(text.encode("latin-1"))
    assert cache.names == ["web.img"]
    assert cache.images.damaged().keys() == {"bad"}


def test_a_name_that_cannot_be_read_stays_and_so_does_any_file_that_may_be_its(
    cache: Cache, tmp_path: Path
) -> None:
    image = cache.pull(str(raw_disk(tmp_path / "web.img"))).image
    name = cache.directory / "names" / "web.img.json"
    name.write_text("{")
    assert cache.images.waste((), ()) == ()
    name.unlink()
    (waste,) = cache.images.waste((), ())
    assert (waste.path, waste.reason) == (image.path, "has no name")


def test_a_digest_that_is_a_path_is_not_followed(cache: Cache, tmp_path: Path) -> None:
    cache.pull(str(raw_disk(tmp_path / "web.img")))
    name = cache.directory / "names" / "web.img.json"
    data = json.loads(name.read_text())
    data["image"]["digest"] = "../../etc/passwd"
    name.write_text(json.dumps(data))
    assert cache.images.known() == ()


# Removal


def test_a_file_goes_with_its_last_name(cache: Cache, tmp_path: Path) -> None:
    source = str(raw_disk(tmp_path / "web.img"))
    first = cache.pull(source).image
    second = cache.pull(source, name="other").image
    cache.images.remove(first)
    assert cache.images.list() == (second,)
    cache.images.remove(second)
    assert cache.left("files", "names") == []


def superseded(cache: Cache, tmp_path: Path) -> str:
    """Pull a file, change it, pull it again; return the old digest."""
    source = raw_disk(tmp_path / "web.img")
    old = cache.pull(str(source)).image
    raw_disk(source, seed=2)
    os.utime(source, ns=(1, 1))
    cache.pull(str(source))
    return old.digest


def swept(cache: Cache, marks: list[str], disks: list[str]) -> None:
    for waste in cache.images.waste(marks, disks):
        cache.images.sweep(waste)


def test_gc_removes_what_was_replaced_and_keeps_what_has_a_name(
    cache: Cache, tmp_path: Path
) -> None:
    old = superseded(cache, tmp_path)
    (waste,) = cache.images.waste((), ())
    assert waste.image == f"web.img@{old[:12]}"
    swept(cache, [], [])
    assert cache.names == ["web.img"]
    assert old not in cache.left("files")


def test_gc_keeps_what_a_machine_began_as(cache: Cache, tmp_path: Path) -> None:
    old = superseded(cache, tmp_path)
    swept(cache, [f"web.img sha256:{old}", ""], [])
    assert old in cache.left("files")
    assert len(cache.names) == 2


def test_gc_keeps_what_a_disk_is_built_on_even_without_a_name(cache: Cache, tmp_path: Path) -> None:
    old = superseded(cache, tmp_path)
    (cache.directory / "names" / f"web.img@{old[:12]}.json").unlink()
    swept(cache, [], [f"{cache.directory}/files/{old}"])
    assert old in cache.left("files")
    swept(cache, [], [])
    assert old not in cache.left("files")


def test_gc_looks_again_before_it_removes(cache: Cache, tmp_path: Path) -> None:
    source = raw_disk(tmp_path / "web.img")
    image = cache.pull(str(source)).image
    name = cache.directory / "names" / "web.img.json"
    text = name.read_text()
    name.unlink()
    (waste,) = cache.images.waste((), ())
    name.write_text(text)  # another process has given it its name again
    cache.images.sweep(waste)
    assert cache.images.list() == (image,)


def test_gc_removes_downloads_of_more_than_a_day_ago(cache: Cache) -> None:
    ImageStore(cache.directory).prepare()
    old, new = (cache.directory / "partial" / f"{digit * 32}.part" for digit in "ab")
    half = unfinished(old.with_suffix(".json"))
    for path in (old, new, half):
        path.write_bytes(b"x")
    for path in (old, half):
        os.utime(path, (time.time() - 90_000, time.time() - 90_000))
    swept(cache, [], [])
    assert cache.left("partial") == [new.name]


def test_gc_leaves_a_download_that_somebody_goes_on_with(cache: Cache) -> None:
    store = ImageStore(cache.directory)
    store.prepare()
    old = cache.directory / "partial" / f"{image_store.key_of('x')}.part"
    old.write_bytes(b"x")
    os.utime(old, (1, 1))
    with store.alone("x", Watcher()):
        swept(cache, [], [])
    assert old.exists()


# Waiting


def test_who_waits_too_long_for_somebody_else_gives_up(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_store, "PATIENCE", 0.0)
    source = str(raw_disk(tmp_path / "web.img"))
    with (
        ImageStore(cache.directory).alone(source, Watcher()),
        pytest.raises(WaitError, match=f"waited 0 s for another pull of {source}"),
    ):
        cache.pull(source)
    assert cache.watcher.notes == [f"another process is at work on {source}: waiting for it"]


def test_a_cache_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    images = LocalImages(str(tmp_path / "file" / "cache"))
    source = Source(str(raw_disk(tmp_path / "web.img")), "web")
    with pytest.raises(RefusedError, match="images cannot be kept in"):
        images.pull(Wanted(source), Watcher())


def test_a_cache_that_is_not_for_us_to_read_is_said_so(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(_path: Path) -> None:
        raise PermissionError(13, "Permission denied")  # root, as in tests, may read everything

    monkeypatch.setattr(Path, "iterdir", denied)
    with pytest.raises(RefusedError, match="cannot be read: Permission denied"):
        cache.images.list()


# Another format


@pytest.mark.parametrize(("form", "to"), [("qcow2", "raw"), ("vmdk", "qcow2")])
def test_an_image_is_converted_once(cache: Cache, tmp_path: Path, form: str, to: str) -> None:
    image = cache.pull(str(disk(tmp_path / f"web.{form}", form))).image
    done = cache.images.convert(image, to, "web-too", cache.watcher)
    assert (done.outcome, done.image.format, done.image.size) == ("converted", to, image.size)
    assert cache.images.convert(image, to, "web-too", cache.watcher).outcome == "already here"
    assert cache.left("partial") == []
    raw_disk(tmp_path / "raw")
    if to == "raw":
        assert Path(done.image.path).read_bytes() == (tmp_path / "raw").read_bytes()


def test_what_was_converted_is_another_image_with_another_name(
    cache: Cache, tmp_path: Path
) -> None:
    image = cache.pull(str(disk(tmp_path / "web.qcow2"))).image
    with pytest.raises(RefusedError, match=r"web\.qcow2 is already an image"):
        cache.images.convert(image, "raw", "web.qcow2", cache.watcher)


def test_a_damaged_image_cannot_be_converted(cache: Cache, tmp_path: Path) -> None:
    image = cache.pull(str(disk(tmp_path / "web.qcow2"))).image
    Path(image.path).chmod(0o600)
    Path(image.path).write_bytes(b"QFI\xfb")
    with pytest.raises(HostError, match=r"web\.qcow2: "):
        cache.images.convert(image, "raw", "web-raw", cache.watcher)
    assert cache.left("partial") == []


# What would come, before it comes


def wish(text: str) -> Wanted:
    return Wanted(parse_source(text, Catalogue(), "/"))


@pytest.mark.parametrize(
    "content",
    [b"", b"#!/bin/sh\necho\n", b"\x7fELF" + bytes(600), bytes(4096), b"QFI\xfb" + bytes(20)],
)
def test_what_a_pull_refuses_at_sight_is_foreseen_in_the_same_words(
    cache: Cache, tmp_path: Path, content: bytes
) -> None:
    source = tmp_path / "web.img"
    source.write_bytes(content)
    with pytest.raises(HostError) as foreseen:
        cache.images.foresee(wish(str(source)))
    assert not cache.directory.exists()
    with pytest.raises(HostError) as pulled:
        cache.pull(str(source))
    assert str(foreseen.value) == str(pulled.value)


def test_a_file_that_is_missing_is_foreseen(cache: Cache, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        cache.images.foresee(wish(str(tmp_path / "none.qcow2")))


@pytest.mark.parametrize("form", ["raw", "qcow2", "vmdk"])
def test_name_format_and_size_are_foreseen_as_they_come(
    cache: Cache, tmp_path: Path, form: str
) -> None:
    source = raw_disk(tmp_path / "web.img")
    if form != "raw":
        target = tmp_path / f"web.{form}"
        subprocess.run(["qemu-img", "convert", "-O", form, source, target], check=True)
        source = target
    seen = cache.images.foresee(wish(str(source)))
    assert not cache.directory.exists()
    came = cache.pull(str(source)).image
    assert (seen.name, seen.format, seen.size) == (came.name, came.format, came.size)
    assert seen.digest == ""
    assert cache.images.foresee(wish(str(source))) == came


def test_one_that_is_too_large_is_foreseen(tmp_path: Path) -> None:
    small = Cache(tmp_path / "cache", largest=1 << 20)
    source = disk(tmp_path / "web.qcow2")
    with pytest.raises(HostError, match="more than 1M"):
        small.images.foresee(wish(str(source)))


def test_a_copy_for_a_drive_is_whole_and_roots_alone_or_not_there(
    cache: Cache, tmp_path: Path
) -> None:
    image = cache.pull(str(iso(tmp_path / "install.iso"))).image
    target, told = tmp_path / "drives" / "copy.iso", []
    cache.images.copy(image, str(target), lambda done, size: told.append((done, size)))
    assert target.read_bytes() == (tmp_path / "install.iso").read_bytes()
    assert target.stat().st_mode & 0o777 == 0o600
    assert told[-1] == (image.size, image.size)
    target.unlink()
    kept = Path(image.path)
    kept.chmod(0o600)
    kept.write_bytes(kept.read_bytes()[:-1] + b"x")
    with pytest.raises(HostError, match=r"install\.iso is damaged"):
        cache.images.copy(image, str(target), lambda *_: None)

    def stop(*_: int) -> None:
        raise StoppedError(2)

    with pytest.raises(StoppedError):
        cache.images.copy(image, str(target), stop)
    kept.unlink()
    with pytest.raises(HostError, match=r"cannot copy image install.iso to .*: No such file"):
        cache.images.copy(image, str(target), lambda *_: None)
    assert list(target.parent.iterdir()) == []


BUILT = Provenance("debian:13", "ab" * 32, "cd" * 32, "carol", "2026-11-20T12:00:00Z", "0.1.0")


def test_what_a_build_made_is_an_image_whose_making_is_known(cache: Cache, tmp_path: Path) -> None:
    made = disk(tmp_path / "out.qcow2")
    data = made.read_bytes()
    done = cache.images.keep_built(str(made), "web", BUILT, cache.watcher)
    assert (done.outcome, done.image.name, done.image.format) == ("built", "web", "qcow2")
    assert Path(done.image.path).read_bytes() == data
    assert not made.exists()
    known = cache.images.reference(done.image)
    assert known and known.built == BUILT
    assert cache.left("partial") == []


def test_what_a_build_made_elsewhere_is_copied(cache: Cache, tmp_path: Path) -> None:
    with TemporaryDirectory(dir="/dev/shm") as name:
        made = disk(Path(name) / "out.qcow2")
        assert made.stat().st_dev != tmp_path.stat().st_dev
        image = cache.images.keep_built(str(made), "web", BUILT, cache.watcher).image
        assert Path(image.path).read_bytes() == made.read_bytes()


def test_what_is_built_again_gets_the_name_and_the_old_one_stays(
    cache: Cache, tmp_path: Path
) -> None:
    first = cache.images.keep_built(str(disk(tmp_path / "1")), "web", BUILT, cache.watcher).image
    again = raw_disk(tmp_path / "2")
    cache.images.keep_built(str(again), "web", BUILT, cache.watcher)
    assert cache.names == ["web", f"web@{first.short}"]


def test_no_build_takes_the_name_of_what_was_pulled(cache: Cache, tmp_path: Path) -> None:
    cache.pull(str(disk(tmp_path / "web")))
    with pytest.raises(RefusedError, match="web is already an image, from "):
        cache.images.keep_built(str(raw_disk(tmp_path / "2")), "web", BUILT, cache.watcher)


def test_what_a_build_made_that_is_no_image_is_not_kept(cache: Cache, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("<html>oops</html>")
    with pytest.raises(HostError, match="a web page"):
        cache.images.keep_built(str(tmp_path / "out"), "web", BUILT, cache.watcher)
    assert cache.left("files", "names", "partial") == []


def rebuilt(cache: Cache, tmp_path: Path, count: int) -> list[str]:
    """Build a name several times; return the builds, the newest first."""
    found: list[str] = []
    for number in range(count):
        when = f"2026-11-{20 + number}T12:00:00Z"
        built = Provenance("debian:13", "ab" * 32, "cd" * 32, "carol", when, "0.1.0")
        made = raw_disk(tmp_path / f"out{number}", seed=number)
        image = cache.images.keep_built(str(made), "web", built, cache.watcher).image
        record = cache.directory / "names" / "web.json"
        told = json.loads(record.read_text())
        told["image"]["pulled"] = when
        record.write_text(json.dumps(told))
        found.insert(0, image.short)
    return found


def gone(cache: Cache) -> set[str]:
    return {waste.image for waste in cache.images.waste((), ())}


def test_so_many_versions_stay_as_somebody_said(cache: Cache, tmp_path: Path) -> None:
    builds = rebuilt(cache, tmp_path, 4)
    older = [f"web@{build}" for build in builds[1:]]
    assert gone(cache) == set(older)
    cache.images.keep("web", 3)
    assert gone(cache) == {older[2]}
    cache.images.keep("db", 1)
    cache.images.keep("web", None)
    assert gone(cache) == set()
    cache.images.keep("web", 1)
    assert gone(cache) == set(older)
    assert cache.images.keeps() == {"db": 1, "web": 1}


def test_a_version_that_is_needed_stays_whatever_was_said(cache: Cache, tmp_path: Path) -> None:
    builds = rebuilt(cache, tmp_path, 3)
    cache.images.keep("web", 1)
    path = next(i.path for i in cache.images.list() if i.short == builds[2])
    assert {w.image for w in cache.images.waste((), [path])} == {f"web@{builds[1]}"}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"web": 0}', '{"web": true}', '{"web": "2"}'])
def test_nothing_goes_while_nobody_knows_what_is_kept(
    cache: Cache, tmp_path: Path, text: str
) -> None:
    rebuilt(cache, tmp_path, 2)
    (cache.directory / "keep.json").write_text(text)
    with pytest.raises(HostError, match="nobody knows which versions are kept"):
        cache.images.waste((), ())


def test_a_version_is_found_by_its_build_whether_it_is_the_newest_or_not(
    cache: Cache, tmp_path: Path
) -> None:
    for build in rebuilt(cache, tmp_path, 2):
        found = find(cache.images.list(), f"web@{build}")
        assert found and found.short == build
    assert find(cache.images.list(), "web@" + "0" * 12) is None
