"""`raptorctl image`, on real images in a host that is otherwise in memory."""

import json
import os
import re
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from raptorctl.api.image import fetched
from raptorctl.api.unwatched import UNWATCHED
from raptorctl.errors import HostError, InputError, RefusedError
from raptorctl.host.image.cache import LocalImages
from raptorctl.model.domain import Domain, Mark
from raptorctl.model.image import Image
from raptorctl.model.image_version import Provenance
from tests.disks import disk, iso, raw_disk
from tests.fakes import World
from tests.unit.cli.session import PROVISION, CommandLine, FakeSession
from tests.unit.test_docs import shape, told_shape


@pytest.fixture
def raptorctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    world: Any = World()
    world.images = LocalImages(str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    raw_disk(tmp_path / "web.img")
    disk(tmp_path / "db.qcow2")
    return CommandLine(world, tmp_path)


def session(raptorctl: CommandLine) -> FakeSession:
    return raptorctl.session()


def inspected(raptorctl: CommandLine, name: str) -> dict[str, Any]:
    told = json.loads(raptorctl("image", "inspect", name, "-o", "json").out)
    image: dict[str, Any] = told["image"]
    return image


def domain(raptorctl: CommandLine, *disks: str, image: str = "") -> None:
    mark = Mark("alice", "dev", 1, "j1", "2026-11-20T12:00:00Z", "carol", "t", image)
    known = raptorctl.world.domains.by_uuid
    known["u1"] = Domain("u1", "alice-dev", disks=disks, mark=mark)


def test_an_image_is_pulled_listed_inspected_verified_and_removed(raptorctl: CommandLine) -> None:
    pulled = raptorctl("image", "pull", "./db.qcow2")
    assert pulled.code == 0
    assert pulled.out.startswith("image db.qcow2 is pulled: qcow2, 4M, sha256 ")
    assert pulled.err.splitlines()[0].startswith("done: copy ")
    listed = raptorctl("image", "list").out.splitlines()
    assert listed[0].split() == ["NAME", "FORMAT", "SIZE", "STORED", "SHA256", "PULLED"]
    assert listed[1].split()[:3] == ["db.qcow2", "qcow2", "4M"]
    assert f"{Path.cwd()}/db.qcow2" in raptorctl("image", "inspect", "db.qcow2").out
    assert raptorctl("image", "verify").out.splitlines()[1].endswith("whole")
    removed = raptorctl("image", "remove", "db.qcow2")
    assert (removed.code, removed.out) == (0, "image db.qcow2 is removed\n")
    assert raptorctl("image", "list").out.startswith("there are no images")


def test_pulling_what_is_here_says_so_and_nothing_else(raptorctl: CommandLine) -> None:
    raptorctl("image", "pull", "./web.img")
    again = raptorctl("image", "pull", "./web.img")
    assert again.code == 0
    assert "image web.img is already here: raw, 4M" in again.out
    assert again.err == ""


def test_a_list_fits_eighty_columns(raptorctl: CommandLine) -> None:
    raptorctl("image", "pull", "./db.qcow2", "--name", "x" * 64 + ":" + "y" * 63)
    lines = raptorctl("image", "list", terminal=True).out.splitlines()
    assert max(map(len, lines)) <= 80


def test_a_person_at_a_terminal_sees_what_was_done(raptorctl: CommandLine) -> None:
    seen = raptorctl("image", "pull", "./db.qcow2", terminal=True).err
    assert re.search(r"✓\x1b\[0m look at it(?: \[[\d.]+ s\])?\n\Z", seen)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["pull", "wob:1"], "'wob:1' is in no catalogue of images: known: alpine, arch, debian"),
        (["pull", "./web.img", "--name", "a/b"], "--name: 'a/b' is not an image's name"),
        (["pull", "./web.img", "--sha256", "abc"], "--sha256: 'abc' is not a SHA-256"),
        (["pull", "./web.img", "--checksum-url", "ftp://x"], "--checksum-url: 'ftp://x' is not"),
        (["pull", "./nothing.img"], "nothing.img cannot be read: No such file"),
        (["pull", "./web.img", "--password-file", "./nothing"], "cannot be read: No such file"),
        (["convert", "web.img", "--to", "vmdk"], "--to takes raw or qcow2"),
        (["pull", "oci://x/y:1", "--checksum-url", "https://x/y"], "goes with no oci:// source"),
        (["pull", "./\udcff.img"], "is not a path"),
        (["pull", "https://u:p@example.org/x"], "no user, password, blank or # belongs into it"),
    ],
)  # fmt: skip
def test_bad_input_is_exit_code_2(raptorctl: CommandLine, words: list[str], said: str) -> None:
    result = raptorctl("image", *words)
    assert result.code == 2
    assert said in result.complaint
    assert not Path("cache").exists()


@pytest.mark.parametrize("verb", ["inspect", "remove", "verify"])
def test_an_image_that_is_not_here_is_exit_code_3(raptorctl: CommandLine, verb: str) -> None:
    result = raptorctl("image", verb, "web")
    assert result.code == 3
    assert "no such image: web: see `raptorctl image list`" in result.complaint


def test_what_is_no_image_is_exit_code_1(raptorctl: CommandLine) -> None:
    Path("page.img").write_text("<!doctype html>")
    result = raptorctl("image", "pull", "./page.img")
    assert result.code == 1
    assert result.err.splitlines()[-1].endswith(
        "page.img: it is not an image of a disk but a web page (HTML), perhaps an error or a login"
    )


def test_a_taken_name_is_exit_code_3(raptorctl: CommandLine) -> None:
    raptorctl("image", "pull", "./web.img", "--name", "web")
    assert raptorctl("image", "pull", "./db.qcow2", "--name", "web").code == 3


def test_a_damaged_image_is_exit_code_1_and_named(raptorctl: CommandLine) -> None:
    raptorctl("image", "pull", "./db.qcow2")
    raptorctl("image", "pull", "./web.img")
    path = Path(inspected(raptorctl, "web.img")["path"])
    path.chmod(0o600)
    path.write_bytes(bytes(4 << 20))
    result = raptorctl("image", "verify")
    assert result.code == 1
    assert [line.split()[-1] for line in result.out.splitlines()] == ["STATE", "whole", "DAMAGED"]
    assert result.err.splitlines()[-1].startswith("raptorctl: damaged: web.img: ")
    assert raptorctl("image", "verify", "db.qcow2").code == 0


# Damaged is not unknown


def shorten(path: Path) -> None:
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1])


def lengthen(path: Path) -> None:
    path.chmod(0o600)
    path.write_bytes(path.read_bytes() + b"x")


def spoil(path: Path) -> None:
    (path.parents[1] / "names/mine.json").write_text("{")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (shorten, "its file is cut off: it has 4194303 bytes, and had 4194304"),
        (lengthen, "its file is longer than it was: it has 4194305 bytes"),
        (Path.unlink, "its file is gone"),
        (spoil, "names/mine.json cannot be read"),
    ],
)
def test_a_damaged_image_is_said_to_be_so_wherever_it_is_named(
    raptorctl: CommandLine, damage: Callable[[Path], None], said: str
) -> None:
    raptorctl("image", "pull", "./web.img", "--name", "mine")
    raptorctl("image", "pull", "./db.qcow2")
    damage(Path(inspected(raptorctl, "mine")["path"]))
    listed = raptorctl("image", "list").out.splitlines()
    assert [line.split()[0] for line in listed] == ["NAME", "db.qcow2", "mine"]
    assert listed[0].endswith("STATE")
    assert "DAMAGED" in listed[2]
    assert "DAMAGED" not in listed[1]
    told = json.loads(raptorctl("image", "list", "-o", "json").out)["images"]
    assert [bool(image["problem"]) for image in told] == [False, True]
    assert said in told[1]["problem"]
    assert said in inspected(raptorctl, "mine")["problem"]
    assert re.search(rf"^DAMAGED .*{said}", raptorctl("image", "inspect", "mine").out, re.MULTILINE)
    verified = raptorctl("image", "verify")
    assert verified.code == 1
    assert "damaged: mine: " in verified.err
    converted = raptorctl("image", "convert", "mine", "--to", "qcow2")
    assert (converted.code, "image mine is damaged: " in converted.complaint) == (3, True)
    for more in ([], ["--dry-run"]):
        made = raptorctl(*PROVISION, "--image", "mine", *more)
        assert made.code == 3
        assert "image mine is damaged: " in made.complaint
        assert said in made.complaint
        assert "catalogue" not in made.complaint


def test_a_damaged_image_comes_anew_by_its_source_and_that_is_said(raptorctl: CommandLine) -> None:
    raptorctl("image", "pull", "./web.img", "--name", "mine")
    shorten(Path(inspected(raptorctl, "mine")["path"]))
    again = raptorctl("image", "pull", "./web.img", "--name", "mine")
    assert "mine is damaged, and comes anew: its file is cut off" in again.err
    assert "STATE" not in raptorctl("image", "list").out
    assert raptorctl("image", "verify").code == 0


def test_an_own_image_that_is_damaged_is_not_replaced_by_the_catalogues(
    raptorctl: CommandLine,
) -> None:
    raptorctl("image", "pull", "./db.qcow2", "--name", "debian:13")
    shorten(Path(inspected(raptorctl, "debian:13")["path"]))
    with pytest.raises(RefusedError, match=r"debian:13 is damaged: .*image pull /.*/db.qcow2"):
        fetched(session(raptorctl), "debian:13")


# Two names of one content


def test_a_file_of_two_names_is_counted_once(raptorctl: CommandLine) -> None:
    raptorctl("image", "pull", "./web.img", "--name", "one")
    raptorctl("image", "pull", "./web.img", "--name", "two")
    rows = raptorctl("image", "list").out.splitlines()[1:]
    assert [row.split()[3:5] for row in rows][1] == ["as", "one"]
    told = json.loads(raptorctl("image", "list", "-o", "json").out)
    assert told["stored"] == told["images"][0]["stored"] == told["images"][1]["stored"]


def test_gc_counts_no_file_that_stays(raptorctl: CommandLine) -> None:
    raptorctl("image", "pull", "./web.img")
    raptorctl("image", "pull", "./web.img", "--name", "kept")
    raw_disk(Path("web.img"), size=8 << 20, seed=2)
    raptorctl("image", "pull", "./web.img")
    assert raptorctl("image", "gc", "--dry-run").out.splitlines()[-1] == "0B would be free"


def test_an_image_that_a_disk_is_built_on_stays(raptorctl: CommandLine) -> None:
    raptorctl("image", "pull", "./db.qcow2")
    domain(raptorctl, "/pool/alice-dev.qcow2", inspected(raptorctl, "db.qcow2")["path"])
    result = raptorctl("image", "remove", "db.qcow2")
    assert result.code == 3
    assert "db.qcow2 is what the disk of alice-dev is built on" in result.complaint
    raptorctl("image", "pull", "./db.qcow2", "--name", "other")
    assert raptorctl("image", "remove", "db.qcow2").code == 0
    assert raptorctl("image", "remove", "other").code == 3


def test_gc_tells_what_it_would_do_and_does_it(raptorctl: CommandLine) -> None:
    raptorctl("image", "pull", "./web.img")
    old = inspected(raptorctl, "web.img")["digest"]
    domain(raptorctl, image=f"web.img sha256:{old}")
    raw_disk(Path("web.img"), size=8 << 20, seed=2)
    assert raptorctl("image", "pull", "./web.img").code == 0
    assert raptorctl("image", "gc").out == "nothing to remove\n"
    domain(raptorctl)
    shown = raptorctl("image", "gc", "--dry-run").out
    assert f"web.img@{old[:12]}" in shown
    assert "would be free" in shown
    assert raptorctl("image", "inspect", old).code == 0
    assert raptorctl("image", "gc").out == shown.replace("would be", "is")
    assert raptorctl("image", "inspect", old).code == 3


def test_a_converted_image_is_called_by_its_format(raptorctl: CommandLine) -> None:
    raptorctl("image", "pull", "./db.qcow2", "--name", "db:1")
    assert (
        "image db:1-raw is converted: raw"
        in raptorctl("image", "convert", "db:1", "--to", "raw").out
    )
    again = raptorctl("image", "convert", "db:1", "--to", "qcow2")
    assert "image db:1 is already here: qcow2" in again.out
    other = raptorctl("image", "convert", "db:1", "--to", "qcow2", "--name", "db:2")
    assert other.code == 2
    assert "db:1 is qcow2 already" in other.complaint


def test_an_iso_is_pulled_as_one_and_converted_to_no_disk(raptorctl: CommandLine) -> None:
    iso(Path("install.img"))
    pulled = raptorctl("image", "pull", "./install.img")
    assert pulled.out.startswith("image install.img is pulled: iso, 4M, sha256 ")
    assert raptorctl("image", "list").out.splitlines()[1].split()[1] == "iso"
    assert raptorctl("image", "verify").out.splitlines()[1].endswith("whole")
    for form in ("raw", "qcow2"):
        refused = raptorctl("image", "convert", "install.img", "--to", form)
        assert (refused.code, "is an ISO, which is converted" in refused.complaint) == (2, True)


def test_what_a_drive_holds_a_copy_of_stays(raptorctl: CommandLine) -> None:
    iso(Path("install.iso"))
    raptorctl("image", "pull", "./install.iso")
    old = inspected(raptorctl, "install.iso")["digest"]
    copy = f"/srv/alice-dev-cd-{old}.iso"
    raptorctl.world.domains.by_uuid["u1"] = Domain("u1", "alice-dev", disks=(copy,), cdroms=(copy,))
    refused = raptorctl("image", "remove", "install.iso")
    assert (refused.code, "in the CD drive of alice-dev" in refused.complaint) == (3, True)
    iso(Path("install.iso")).open("ab").write(b"more")
    assert raptorctl("image", "pull", "./install.iso").code == 0
    assert raptorctl("image", "gc").out == "nothing to remove\n"
    raptorctl.world.domains.by_uuid.clear()
    assert f"install.iso@{old[:12]}" in raptorctl("image", "gc").out


def test_everybody_reads_and_root_changes(raptorctl: CommandLine) -> None:
    raptorctl("image", "pull", "./web.img")
    raptorctl.root = False
    for words in (["list"], ["inspect", "web.img"], ["verify"]):
        assert raptorctl("image", *words).code == 0
    for words in (["pull", "./web.img"], ["remove", "web.img"], ["gc"],
                  ["convert", "web.img", "--to", "qcow2"]):  # fmt: skip
        result = raptorctl("image", *words)
        assert result.code == 3
        assert "this needs root" in result.complaint


def test_a_signal_ends_a_pull_with_its_own_exit_code(
    raptorctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(LocalImages, "pull", lambda *_: signal.raise_signal(signal.SIGTERM))
    result = raptorctl("image", "pull", "./web.img")
    assert result.code == 143
    assert "the same command goes on with it" in result.err
    assert result.err.splitlines()[-1] == "raptorctl: stopped by SIGTERM"
    assert signal.getsignal(signal.SIGTERM) is before


# Logins


def test_a_password_file_that_others_may_read_is_refused(raptorctl: CommandLine) -> None:
    Path("token").write_text("t0ken")
    Path("token").chmod(0o644)
    result = raptorctl("image", "pull", "oci://127.0.0.1:1/web:1", "--password-file", "token")
    assert result.code == 2
    assert "'token' can be read by others: chmod 0600 token" in result.complaint


def test_a_password_file_of_who_says_sudo_is_taken_and_a_strangers_is_not(
    raptorctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from raptorctl.host.image import login as image_login
    from raptorctl.host.image.login import registry_login
    from raptorctl.host.system import caller
    from raptorctl.host.system.caller import Sudoer

    path = raptorctl.directory / "token"
    path.write_text("t0ken")
    path.chmod(0o600)
    real, stranger = os.fstat, path.stat().st_uid + 1000

    def another(descriptor: int) -> os.stat_result:
        return os.stat_result([*real(descriptor)[:4], stranger, *real(descriptor)[5:]])

    who = Sudoer(stranger, stranger, ())
    monkeypatch.setattr(caller, "open_as", lambda _who, path, flags: os.open(path, flags))
    monkeypatch.setattr(os, "fstat", another)
    for module in (caller, image_login):
        monkeypatch.setattr(module, "caller", lambda: who)
    assert registry_login(str(path), {}).password == "t0ken"
    for module in (caller, image_login):
        monkeypatch.setattr(module, "caller", lambda: None)
    with pytest.raises(InputError, match="is neither yours nor root's"):
        registry_login(str(path), {})


@pytest.mark.parametrize(
    ("text", "user", "password"), [("alice:a:b\n", "alice", "a:b"), ("t0ken\n", "", "t0ken")]
)
def test_a_password_file_holds_one_login(
    raptorctl: CommandLine, text: str, user: str, password: str
) -> None:
    from raptorctl.host.image.login import registry_login

    path = raptorctl.directory / "token"
    path.write_text(text)
    path.chmod(0o600)
    login = registry_login(str(path), {"RAPTORCTL_REGISTRY_PASSWORD": "not this"})
    assert (login.user, login.password) == (user, password)
    assert password not in repr(login)


def test_a_login_may_be_in_the_environment() -> None:
    from raptorctl.host.image.login import registry_login

    environment = {"RAPTORCTL_REGISTRY_USER": "alice", "RAPTORCTL_REGISTRY_PASSWORD": "secret"}
    login = registry_login(None, environment)
    assert (login.user, login.password) == ("alice", "secret")


@pytest.mark.parametrize("text", ["", "\n", "a:b\nc:d\n"])
def test_a_password_file_of_another_shape_is_refused(raptorctl: CommandLine, text: str) -> None:
    from raptorctl.host.image.login import registry_login

    path = raptorctl.directory / "token"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(InputError, match="should have one line"):
        registry_login(str(path), {})


# For those who make machines


def test_a_machines_image_is_fetched_by_whatever_names_it(raptorctl: CommandLine) -> None:
    first = fetched(session(raptorctl), "./db.qcow2")
    for text in ("db.qcow2", "./db.qcow2", str(Path.cwd() / "db.qcow2"), first.digest, first.short):
        assert fetched(session(raptorctl), text) == first


def test_a_machines_image_that_nobody_knows_is_bad_input(raptorctl: CommandLine) -> None:
    with pytest.raises(InputError, match="in no catalogue"):
        fetched(session(raptorctl), "wob:1")


def test_a_name_given_to_an_own_image_needs_no_network(raptorctl: CommandLine) -> None:
    raptorctl("image", "pull", "./db.qcow2", "--name", "debian:13")
    assert fetched(session(raptorctl), "debian:13").source.endswith("/db.qcow2")


def test_a_machines_image_that_changed_is_fetched_anew(raptorctl: CommandLine) -> None:
    first = fetched(session(raptorctl), "./web.img")
    raw_disk(Path("web.img"), size=8 << 20, seed=2)
    second = fetched(session(raptorctl), "./web.img")
    assert second == replace(first, digest=second.digest, size=second.size,
                             stored=second.stored, path=second.path, pulled=second.pulled)  # fmt: skip
    assert second.digest != first.digest


def test_what_is_no_image_is_no_machines(raptorctl: CommandLine) -> None:
    Path("bad.qcow2").write_text("no")
    with pytest.raises(HostError, match=r"bad\.qcow2"):
        fetched(session(raptorctl), "./bad.qcow2")


# As JSON

BUILT = {
    f"{where}.built.{key}"
    for where in ("versions", "image.version")
    for key in ("source", "source_digest", "steps_digest", "who", "when", "raptorctl")
}
"""What is told of builds alone."""


def test_images_as_json_are_as_told(raptorctl: CommandLine) -> None:
    def told(*words: str) -> Any:
        return json.loads(raptorctl("image", *words, "-o", "json").out)

    heading = "`image pull` and `image convert`"
    pulled = told("pull", "./db.qcow2")
    assert shape(pulled) == told_shape(heading)
    assert set(pulled["image"]) == set(Image.__dataclass_fields__)
    assert shape(told("convert", "db.qcow2", "--to", "raw")) == told_shape(heading)
    for verb in ("list", "verify"):
        assert shape(told(verb)) == told_shape(f"`image {verb}`")
    assert shape(told("inspect", "db.qcow2")) == told_shape("`image inspect`") - BUILT
    assert shape(told("list", "--versions")) == told_shape("`image list`", 1) - BUILT
    (Path("cache/files") / ("0" * 64)).write_text("")
    assert shape(told("gc", "--dry-run")) == told_shape("`image gc`")
    assert shape(told("remove", "db.qcow2")) == told_shape("`image remove`")


# Versions


def build(raptorctl: CommandLine, seed: int) -> Image:
    """Have an image here as a build makes it."""
    built = Provenance(
        "debian:13", "ab" * 32, "cd" * 32, "carol", f"2026-11-2{seed}T12:00:00Z", "0.1"
    )
    made = raw_disk(Path(f"out{seed}"), seed=seed)
    images: Any = raptorctl.world.images
    image: Image = images.keep_built(str(made.absolute()), "web", built, UNWATCHED).image
    return image


def test_versions_are_listed_the_newest_first(raptorctl: CommandLine) -> None:
    old, new = build(raptorctl, 1), build(raptorctl, 2)
    lines = raptorctl("image", "list", "--versions").out.splitlines()
    assert lines[0].split() == ["NAME", "BUILD", "MADE", "SIGNED", "FROM"]
    assert [line.split() for line in lines[1:]] == [
        ["web", new.short, "2026-11-22", "no", "debian:13"],
        ["web", old.short, "2026-11-21", "no", "debian:13"],
    ]


def test_how_an_image_was_made_is_shown(raptorctl: CommandLine) -> None:
    image = build(raptorctl, 1)
    said = raptorctl("image", "inspect", f"web@{image.short}").out
    assert "built    2026-11-21 12:00:00 by carol with raptorctl 0.1" in said
    assert f"from     debian:13, sha256 {'ab' * 32}" in said
    assert f"steps    sha256 {'cd' * 32}" in said
    told = inspected(raptorctl, "web")
    assert told["version"]["built"]["who"] == "carol"


def test_gc_keeps_as_many_versions_as_was_said(raptorctl: CommandLine) -> None:
    old, *_ = (build(raptorctl, seed) for seed in (1, 2, 3))
    said = raptorctl("image", "keep", "2", "web")
    assert said.out.splitlines()[0] == "of web, the newest 2 will be kept"
    assert (
        said.out.splitlines()[1]
        == f"`raptorctl image gc` removes web@{old.short}, unless a machine needs it"
    )
    assert raptorctl("image", "gc").code == 0
    assert len(raptorctl("image", "list", "-o", "name").out.split()) == 2
    told = json.loads(raptorctl("image", "keep", "all", "web", "-o", "json").out)
    assert told == {"name": "web", "keep": None, "superfluous": []}
    assert shape(told) == told_shape("`image keep`")


@pytest.mark.parametrize("count", ["0", "-1", "some", "1.5", "10001", "\u0661"])
def test_no_other_number_of_versions_is_kept(raptorctl: CommandLine, count: str) -> None:
    build(raptorctl, 1)
    assert raptorctl("image", "keep", "--", count, "web").code == 2


def test_what_cannot_be_read_is_told_by_gc_and_stays(raptorctl: CommandLine) -> None:
    build(raptorctl, 1)
    spoilt = Path("cache/names/web.json")
    spoilt.write_text("{")
    said = raptorctl("image", "gc").out
    assert said.startswith("web: what is known of it cannot be read; it stays, and so do all files")
    assert spoilt.read_text() == "{"
    assert len(list(Path("cache/files").iterdir())) == 1
