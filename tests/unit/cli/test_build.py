"""`raptorctl build` on a host in memory."""

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from raptorctl.drivers.build import Put
from raptorctl.drivers.image import Pulled, Watch
from raptorctl.drivers.tick import Tick
from raptorctl.errors import MissingError
from raptorctl.host.build.obstacle import obstacle
from raptorctl.model.build import DiskFormat, Empty
from raptorctl.model.image_version import Provenance
from tests.fakes import IMAGE, World
from tests.unit.cli.session import CommandLine

FILE = """
[vars]
name = "web"
[build.web]
from = "debian:13"
files = [{ content = "${arg_1} ${build_id}", to = "/etc/motd" }]
output = [{ image = "${name}" }, { file = "out/web.vmdk" }]
[build.data]
from = { empty = "1G", filesystem = "ext4" }
output = [{ file = "out/data.raw" }]
"""


@pytest.fixture
def file(tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> Path:
    world.images.all = (IMAGE,)
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "raptor.toml").write_text(FILE)
    return folder


def test_every_build_of_a_file_is_done(file: Path, raptorctl: CommandLine, world: World) -> None:
    done = raptorctl("build", "--", "hi")
    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        f"web is built: image web, {file}/out/web.vmdk",
        f"data is built: {file}/out/data.raw",
    ]
    assert world.builder.files[f"{file}/out/web.vmdk"] == "vmdk: 5eed +/etc/motd"
    assert world.images.built["web"].source_digest == IMAGE.digest
    assert not [path for path in world.builder.files if "/builds/" in path]


def test_one_build_is_done_and_what_it_is_made_of_is_told(
    file: Path, raptorctl: CommandLine
) -> None:
    done = raptorctl("build", "web", "--var", "name=other", "-o", "json", "--", "hi")
    [built] = json.loads(done.out)["builds"]
    assert (built["name"], built["outcome"], built["way"]) == ("web", "built", "edit")
    assert [(o["kind"], o["target"]) for o in built["outputs"]] == [
        ("image", "other"),
        ("file", f"{file}/out/web.vmdk"),
    ]
    assert built["job"]
    assert len(built["inputs"]) == 64


def test_outputs_are_listed_and_nothing_is_touched(
    file: Path, raptorctl: CommandLine, world: World
) -> None:
    done = raptorctl("build", "raptor.toml", "data", "--list-outputs", "-o", "json", "--", "a")
    assert json.loads(done.out) == {
        "outputs": [
            {
                "build": "data", "kind": "file", "target": f"{file}/out/data.raw", "format": "raw",
            }
        ]
    }  # fmt: skip
    assert world.builder.files == {}


def test_a_plan_is_shown_and_says_the_way(file: Path, raptorctl: CommandLine, world: World) -> None:
    done = raptorctl("build", "web", "--dry-run", "--", "a")
    assert "note: its disks are edited without being mounted" in done.out
    assert world.builder.files == {}


def test_what_is_pushed_below_ones_home_goes_there(
    file: Path, raptorctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pwd.getpwnam", lambda _name: SimpleNamespace(pw_dir="/home/carol"))
    (file / "raptor.toml").write_text(FILE.replace('file = "out/data.raw"', 'push = "~/images"'))
    done = raptorctl("build", "data", "--dry-run", "--", "a")
    assert "push it to /home/carol/images (" in done.out


def test_without_libvirt_no_disk_is_copied_for_a_machine_that_is_to_boot(
    file: Path, raptorctl: CommandLine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def states() -> None:
        raise MissingError("libvirt does not answer", resolution="start it")

    monkeypatch.setattr(world.domains, "states", states)
    (file / "raptor.toml").write_text(FILE.replace("[build.data]", 'way = "boot"\n[build.data]'))
    done = raptorctl("build", "web", "--", "a")
    assert (done.code, "libvirt does not answer" in done.err) == (3, True)
    assert "rolled back" not in done.err
    assert raptorctl("build", "data", "--", "a").code == 0


def test_what_is_built_of_the_same_is_left(
    file: Path, raptorctl: CommandLine, world: World
) -> None:
    assert raptorctl("build", "--", "hi").code == 0
    again = raptorctl("build", "--if-changed", "--", "hi")
    assert again.out.splitlines() == [
        "web: nothing to do, it is built of the same already",
        "data: nothing to do, it is built of the same already",
    ]
    assert raptorctl("build", "web", "--if-changed", "--", "other").out.startswith("web is built")
    del world.builder.files[f"{file}/out/data.raw"]
    assert raptorctl("build", "data", "--if-changed", "--", "a").out.startswith("data is built")


def test_a_step_that_fails_exports_nothing(
    file: Path, raptorctl: CommandLine, world: World
) -> None:
    text = FILE.replace("[build.data]", 'after = [{ command = ["check"] }]\n[build.data]')
    (file / "raptor.toml").write_text(text)
    world.builder.failing.add("check")
    done = raptorctl("build", "--", "hi")
    assert done.code == 1
    assert "check ended with status 1; rolled back, the host is as before" in done.err
    assert world.builder.files == {}
    assert world.images.all == (IMAGE,)


def test_the_folder_is_kept_where_that_is_asked_for_and_named(
    file: Path, raptorctl: CommandLine, world: World
) -> None:
    done = raptorctl("build", "data", "--keep", "--", "a")
    kept = {path.rpartition("/")[0] for path in world.builder.files if "/builds/" in path}
    assert len(kept) == 1
    assert kept.pop() in done.out


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "raptor.toml has no build: a build is a table, [build.NAME]"),
        (
            FILE.replace('"debian:13"', '"nope:1"'),
            "raptor.toml:5:1: build.web.from: 'nope:1' is in no catalogue of images",
        ),
        (
            FILE.replace('content = "${arg_1} ${build_id}"', 'copy = "gone"'),
            "folder/gone cannot be read: No such file or directory",
        ),
        (
            FILE.replace('"debian:13"', '{ image = "debian:13", partition = 5 }'),
            "raptor.toml:5:1: build.web.from: debian:13 has no partition 5 (there: 1)",
        ),
        (
            FILE.replace("files = [", 'files = [{ content = "", to = "/etc" }, '),
            "raptor.toml:6:26: build.web.files[0].to: /etc would be a file, and /etc/motd is in it",
        ),
        (
            FILE.replace("[build.data]", 'shares = [{ path = "x", at = "/x" }]\n[build.data]'),
            "raptor.toml:8:13: build.web.shares[0].path: there is no folder x",
        ),
    ],
)
def test_what_cannot_be_is_told_in_its_place_and_nothing_is_touched(
    text: str, told: str, file: Path, raptorctl: CommandLine, world: World
) -> None:
    (file / "raptor.toml").write_text(text)
    done = raptorctl("build", "--", "a")
    assert done.code == 2
    assert told in done.err
    assert world.builder.files == {}


SOURCES = """
[build.web]
from = "{begins}"
files = [{{ copy = "secret", to = "/a" }}, {{ copy = "site/", to = "/b" }},
         {{ merge = ["base.yaml"], to = "/c" }}]
shares = [{{ path = "share", at = "/mnt" }}]
steps = [{{ run = "setup.sh" }}]
output = [{{ file = "{target}" }}]
"""


SHARED = """
[build.web]
from = "debian:13"
shares = [{ path = "share", at = "/mnt" }]
steps = [{ inline = "true" }]
output = [{ file = "share/out.raw" }]
"""


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("secret", "{}/secret is copied into it"),
        ("alias/secret", "{}/alias/secret is copied into it"),
        ("site/x.raw", "{0}/site/x.raw is in {0}/site, which is copied into it"),
        ("share/new", "{0}/share/new is in {0}/share, which is shared with its steps"),
        ("setup.sh", "{}/setup.sh is run by it"),
        ("alias/base.yaml", "{}/alias/base.yaml is read by the build"),
        ("./raptor.toml", "{}/raptor.toml is read by the build"),
        ("alias/base.raw", "{}/alias/base.raw is what it begins as"),
        ("link.raw", "{}/link.raw is what it begins as"),
    ],
)
def test_a_build_writes_over_nothing_that_it_is_made_of(
    target: str, told: str, file: Path, raptorctl: CommandLine, world: World
) -> None:
    for name in ("secret", "base.raw", "setup.sh"):
        (file / name).write_text("precious")
    (file / "base.yaml").write_text("a: 1\n")
    for name in ("site/x.raw", "share/new"):
        (file / name).parent.mkdir()
        (file / name).write_text("precious")
    (file / "alias").symlink_to(".")
    (file / "link.raw").symlink_to("base.raw")
    begins = "./link.raw" if "raw" in target else "debian:13"
    (file / "raptor.toml").write_text(SOURCES.format(begins=begins, target=target))
    for typed in (("build",), ("build", "--dry-run")):
        done = raptorctl(*typed)
        said = f"raptor.toml:8:11: build.web.output[0]: {told.format(file)}"
        assert (done.code, said in done.err) == (2, True), done.err
    assert world.builder.files == {}


def test_an_output_may_be_new_in_a_folder_that_is_shared_and_replace_itself(
    file: Path, raptorctl: CommandLine
) -> None:
    (file / "share").mkdir()
    (file / "raptor.toml").write_text(SHARED)
    for _ in range(2):
        done = raptorctl("build", "--trust")
        assert done.code == 0, done.err
        (file / "share/out.raw").write_text("as a machine left it")


def test_builds_of_one_command_do_not_write_over_each_other(
    file: Path, raptorctl: CommandLine, world: World
) -> None:
    (file / "alias").symlink_to("out")
    (file / "raptor.toml").write_text(FILE.replace("out/data.raw", "alias/web.vmdk"))
    done = raptorctl("build", "--dry-run", "--", "a")
    said = (
        f"raptor.toml:10:11: build.data.output[0]: {file}/alias/web.vmdk is written twice, by web"
    )
    assert (done.code, said in done.err) == (2, True), done.err
    assert raptorctl("build", "data", "--", "a").code == 0


def test_a_build_that_is_not_there_is_told(file: Path, raptorctl: CommandLine) -> None:
    done = raptorctl("build", "wep", "--", "a")
    assert done.complaint == "raptorctl: raptor.toml has no build wep: did you mean web?"


MADE = """
[vars]
name = "web"
[build.seed]
from = { filesystem = "iso9660", label = "cidata" }
files = [
    { to = "/user-data", merge = ["base.yaml", "more/web.yaml"], expand = true },
    { to = "/plain", merge = ["list.yaml"] },
]
output = [{ file = "seed.iso" }]
"""


def test_yaml_files_are_merged_by_appending(
    file: Path, raptorctl: CommandLine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (file / "raptor.toml").write_text(MADE)
    (file / "base.yaml").write_text("#cloud-config\nruncmd: [a]\nhostname: ${name}\n")
    (file / "more").mkdir()
    (file / "more" / "web.yaml").write_text("runcmd: b\nswap: {size: 1}\n")
    (file / "list.yaml").write_text("[1, x]\n")
    put = world.builder.put
    made: list[bytes | None] = []

    def seen(files: Put, empty: Empty | None) -> None:
        made.extend(one.content for one in files.files)
        put(files, empty)

    monkeypatch.setattr(world.builder, "put", seen)
    assert raptorctl("build", "--if-changed").out.startswith("seed is built")
    assert made == [
        b'#cloud-config\nruncmd:\n  - "a"\n  - "b"\nhostname: "web"\nswap:\n  size: 1\n',
        b'- 1\n- "x"\n',
    ]
    assert raptorctl("build", "--if-changed").out.startswith("seed: nothing to do")
    (file / "more" / "web.yaml").write_text("runcmd: c\n")
    assert raptorctl("build", "--if-changed").out.startswith("seed is built")


def test_parts_that_cannot_both_be_are_told_with_their_place(
    file: Path, raptorctl: CommandLine
) -> None:
    (file / "raptor.toml").write_text(MADE.replace(", expand = true", ""))
    (file / "base.yaml").write_text("a: 1\n")
    (file / "more").mkdir()
    (file / "more" / "web.yaml").write_text("a: 2\n")
    done = raptorctl("build")
    assert done.code == 2
    assert "raptor.toml:7:5: build.seed.files[0]: a is '1' in one part and '2'" in done.err
    assert "list.yaml" in done.err


@pytest.mark.skipif(os.geteuid() != 0, reason="as root only, somebody else is asked for")
def test_under_sudo_root_writes_no_file_where_the_build_says(
    file: Path, raptorctl: CommandLine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_UID", "65534")
    done = raptorctl("build", "data", "--", "a")
    assert done.code == 2
    assert "build.data.output[0]: root would write /" in done.err
    assert world.builder.files == {}


def test_what_is_no_number_multiplies_no_time_limit(file: Path, raptorctl: CommandLine) -> None:
    done = raptorctl("build", "--timeout-factor", "nan", "--", "a")
    assert (done.code, done.err) == (2, "raptorctl: --timeout-factor: nan is no number\n")


CHAIN = """
[build.top]
from = "nbase"
size = "8G"
output = [{ file = "out/top.raw" }]
disks = { data = { from = "out/data.raw" } }
[build.data]
from = { empty = "1G" }
output = [{ file = "out/data.raw" }]
[build.base]
from = "debian:13"
files = [{ content = "${label}", to = "/label" }]
output = [{ image = "nbase" }]
"""


@pytest.fixture
def chain(file: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of builds of each other, on a host whose images differ by what they are made of."""
    (file / "raptor.toml").write_text(CHAIN)
    keep, export = world.images.keep_built, world.builder.export

    def keep_built(path: str, name: str, built: Provenance, watch: Watch) -> Pulled:
        pulled = keep(path, name, built, watch)
        image = replace(pulled.image, digest=built.steps_digest)
        world.images.all = (*(one for one in world.images.all if one.name != name), image)
        return replace(pulled, image=image)

    def exported(disk: str, form: DiskFormat, target: str, tick: Tick, *, last: bool) -> None:
        export(disk, form, target, tick, last=last)
        (file / "out").mkdir(exist_ok=True)
        (file / "out" / "data.raw").touch()

    monkeypatch.setattr(world.images, "keep_built", keep_built)
    monkeypatch.setattr(world.builder, "export", exported)
    return file


def test_a_build_begins_as_what_another_one_of_the_run_has_just_made(
    chain: Path, raptorctl: CommandLine, world: World
) -> None:
    first = raptorctl("build", "--if-changed", "--var", "label=one")
    assert first.code == 0, first.err
    assert [line.partition(":")[0] for line in first.out.splitlines()] == [
        "data is built", "base is built", "top is built",
    ]  # fmt: skip
    old = world.images.built["nbase"].steps_digest
    assert world.builder.files[f"{chain}/out/top.raw"].startswith(f"raw: {old[:4]}")
    same = raptorctl("build", "--if-changed", "--var", "label=one")
    assert same.out.count("nothing to do") == 3
    assert raptorctl("build", "base", "--var", "label=two").code == 0
    third = raptorctl("build", "--if-changed", "--var", "label=three")
    assert third.out.splitlines()[1:] == [
        "base is built: image nbase", f"top is built: {chain}/out/top.raw",
    ]  # fmt: skip
    new = world.images.built["nbase"].steps_digest
    assert new != old
    assert world.builder.files[f"{chain}/out/top.raw"].startswith(f"raw: {new[:4]}")


def test_what_another_build_is_to_make_is_not_known_yet_to_a_dry_run(
    chain: Path, raptorctl: CommandLine, world: World
) -> None:
    shown = raptorctl("build", "--dry-run", "--var", "label=one")
    assert shown.code == 0, shown.err
    assert "note: it begins as nbase, which base makes first: what is on that is not known" in (
        shown.out
    )
    assert "copy image nbase" in shown.out
    assert "copy image nbase," not in shown.out
    assert raptorctl("build", "--list-outputs", "--var", "label=one").code == 0
    assert raptorctl("build", "--dry-run", "-o", "json", "--var", "label=one").code == 0
    assert world.builder.files == {}


def test_what_is_wrong_with_an_image_that_was_just_made_has_its_place(
    chain: Path, raptorctl: CommandLine, world: World
) -> None:
    text = CHAIN.replace('"nbase"\nsize = "8G"', '{ image = "nbase", partition = 5 }')
    (chain / "raptor.toml").write_text(text)
    done = raptorctl("build", "--var", "label=one")
    assert (done.code, "nbase" in world.images.built) == (2, True)
    assert "raptor.toml:3:1: build.top.from: nbase has no partition 5 (there: 1)" in done.err


def test_builds_that_wait_for_each_other_are_refused(
    chain: Path, raptorctl: CommandLine, world: World
) -> None:
    (chain / "raptor.toml").write_text(CHAIN.replace('"debian:13"', '"./out/top.raw"'))
    done = raptorctl("build", "--var", "label=one")
    assert done.code == 2
    assert done.complaint == (
        "raptorctl: raptor.toml:3:1: build.top.from: these builds begin as what the next one "
        "makes, in a circle: top -> base -> top; have one of them begin as something else"
    )
    assert world.builder.files == {}


CHANGING = """
[vars]
ver = "1"
[build.web]
from = "debian:13"
files = [
    { copy = "ver", to = "/ver", expand = true },
    { copy = "tool", to = "/tool" },
    { copy = "dir/", to = "/dir" },
]
output = [{ image = "web" }]
"""


@pytest.fixture
def changing(file: Path) -> Path:
    (file / "raptor.toml").write_text(CHANGING)
    (file / "dir" / "sub").mkdir(parents=True)
    for name, text in {"ver": "${ver}", "tool": "#!", "dir/a": "a", "b": "b"}.items():
        (file / name).write_text(text)
    return file


CHANGES: dict[str, Callable[[Path], object]] = {
    "a mode": lambda folder: (folder / "tool").chmod(0o755),
    "an empty file": lambda folder: (folder / "dir/__init__.py").touch(),
    "a mode within": lambda folder: (folder / "dir/a").chmod(0o600),
    "a folder's mode": lambda folder: (folder / "dir").chmod(0o700),
    "a text": lambda folder: (folder / "dir/a").write_text("b"),
    "a name": lambda folder: (folder / "dir/a").rename(folder / "dir/b"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_file_that_changed_is_built_anew(
    what: str, changing: Path, raptorctl: CommandLine
) -> None:
    assert raptorctl("build").code == 0
    assert "nothing to do" in raptorctl("build", "--if-changed").out
    CHANGES[what](changing)
    assert raptorctl("build", "--if-changed").out.startswith("web is built")


def test_a_variable_that_is_put_into_a_file_is_built_anew(
    changing: Path, raptorctl: CommandLine
) -> None:
    assert raptorctl("build").code == 0
    assert "nothing to do" in raptorctl("build", "--if-changed").out
    assert raptorctl("build", "--if-changed", "--var", "ver=2").out.startswith("web is built")
    (changing / "raptor.toml").write_text(CHANGING.replace("expand = true", "expand = false"))
    assert raptorctl("build").code == 0
    assert "nothing to do" in raptorctl("build", "--if-changed", "--var", "ver=2").out


def test_what_is_new_each_time_may_be_in_a_name(
    file: Path, raptorctl: CommandLine, world: World
) -> None:
    text = FILE.replace('"${name}"', '"web-${build_id}"')
    (file / "raptor.toml").write_text(text)
    done = raptorctl("build", "web", "--if-changed", "--", "hi")
    assert done.code == 0, done.err
    [name] = world.images.built
    assert re.fullmatch(r"web-\d{8}-\d{6}-[0-9a-f]{4}", name)
    assert "nothing to do" in raptorctl("build", "web", "--if-changed", "--", "hi").out


ODD = """
[build.web]
from = "debian:13"
files = [{ copy = "%s", to = "/a" }]
after = [{ command = ["%s"] }]
output = [{ file = "%s" }]
"""


@pytest.mark.parametrize(
    ("copied", "word", "written", "told"),
    [
        ("a" * 300, "a", "out", "4:12: build.web.files[0].copy: "),
        ("a/" * 3000 + "a", "a", "out", "4:12: build.web.files[0].copy: "),
        ("a\\u0000b", "a", "out", "4:12: build.web.files[0].copy: "),
        ("b", "a\\u0000b", "out", "5:12: build.web.after[0].command: has a NUL"),
        ("b", "a", "a\\u0000b", "6:11: build.web.output[0]: "),
        ("b", "a", "a/" * 3000 + "a", "6:11: build.web.output[0]: "),
        ("b", "a", "a" * 300 + "/a", "6:11: build.web.output[0]: "),
    ],
)
def test_what_no_file_and_no_argument_can_be_is_told_in_its_place(
    copied: str, word: str, written: str, told: str,
    file: Path, raptorctl: CommandLine, world: World, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def seen(target: str, record: str, *, folder: bool) -> str:
        return obstacle(Path(target), folder=folder, wrote=())

    monkeypatch.setattr(world.builder, "obstacle", seen)
    (file / "b").touch()
    (file / "raptor.toml").write_text(ODD % (copied, word, written))
    done = raptorctl("build", "--dry-run")
    assert done.code == 2, done.err
    assert f"raptor.toml:{told}" in done.err, done.err
    assert world.builder.files == {}
