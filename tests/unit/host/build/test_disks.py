"""Disks of a build by the real programs: qemu-img, e2fsprogs, mtools, sfdisk; nothing is mounted."""

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

import pytest

from raptorctl.drivers.build import Put
from raptorctl.errors import HostError, InputError
from raptorctl.host.build import ext4, output, partitions
from raptorctl.host.build.room import tool
from raptorctl.host.build.stage import Staged
from raptorctl.host.build.workshop import LocalBuilder
from raptorctl.host.system import command
from raptorctl.host.system.orphans import nothing_to_read
from raptorctl.model.build import BuildFile, DiskFormat, Empty, Filesystem, Fit, Resize
from raptorctl.model.image import Image
from raptorctl.model.settings import Libvirt
from raptorctl.model.sizes import KIB, MIB, Size

ROOT = "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"
TABLES = {
    "gpt": f"label: gpt\n2 : start=2048, size=8192, type=U\n1 : start=16384, size=65536, type={ROOT}",
    "dos": "label: dos\n1 : start=2048, size=8192, type=c\n2 : start=16384, size=65536, type=83",
}
BUILDER = LocalBuilder(Libvirt("test:///default"))


def silent(_done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass
class Base:
    """An image of 48 MiB: a small VFAT partition, and ext4 in the last one, from 8 MiB on."""

    image: Image
    label: str

    @property
    def root(self) -> int:
        return 1 if self.label == "gpt" else 2

    @property
    def digest(self) -> str:
        return hashlib.sha256(Path(self.image.path).read_bytes()).hexdigest()


@pytest.fixture(params=TABLES)
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Base:
    raw, path = tmp_path / "base.raw", tmp_path / "base.qcow2"
    with raw.open("wb") as file:
        file.write(b"boot code".ljust(440, b"!"))
        file.truncate(48 * MIB)
    run("sfdisk", "-q", "--no-reread", "--no-tell-kernel", str(raw), given=TABLES[request.param])
    run("mkfs.vfat", "--offset=2048", str(raw), "4096")
    run("mke2fs", "-q", "-F", "-t", "ext4", "-E", f"offset={8 * MIB}", str(raw), "32768k")
    run("qemu-img", "convert", "-O", "qcow2", str(raw), str(path))
    raw.unlink()
    size = Size(48 * MIB)
    image = Image("base", str(path), "d" * 64, "qcow2", size, size, str(path), "")
    return Base(image, request.param)


def run(*argv: str, given: str = "") -> str:
    path = "/usr/sbin:/usr/bin:/sbin:/bin"
    return subprocess.run(
        argv, input=given, text=True, check=True, capture_output=True, env={"PATH": path}
    ).stdout


def begun(base: Base, folder: Path) -> Path:
    BUILDER.open(str(folder), "j1")
    disk = folder / "disk0.raw"
    BUILDER.copy(base.image, 0, str(disk), silent)
    return disk


def asked(disk: Path, start: int, *commands: str) -> str:
    said = [run("debugfs", "-R", command, f"{disk}?offset={start}") for command in commands]
    return "".join(said)


def test_what_is_on_an_image_is_told_without_reading_all_of_it(base: Base) -> None:
    look = BUILDER.look(base.image)
    assert (look.label, look.size) == (base.label, 48 * MIB)
    assert {area.filesystem for area in look.areas} == {"vfat", "ext4"}
    assert look.root and look.root.number == base.root
    assert look.last == look.root


def test_files_are_put_into_the_root_and_the_image_itself_is_as_it_was(
    base: Base, tmp_path: Path
) -> None:
    before = base.digest
    disk = begun(base, tmp_path / "j1")
    site = tmp_path / "site"
    (site / "sub").mkdir(parents=True)
    (site / 'a "b" c').write_text("one")
    (site / "<2>").write_text("two")
    (site / "sub/link").symlink_to("/etc/motd")
    files = (
        BuildFile("/srv/site", copy=str(site)),
        BuildFile("/etc/motd", content=b"first"),
        BuildFile("/etc/motd", content=b"second", mode=0o640, owner=(70000, 8)),
    )
    for _ in range(2):  # what is there is replaced
        BUILDER.put(Put(str(disk), 0, files), None)
    assert asked(
        disk, 8 * MIB, "cat /etc/motd", 'cat "/srv/site/a ""b"" c"', "cat /srv/site/<2>"
    ) == ("secondonetwo")
    told = asked(disk, 8 * MIB, "stat /etc/motd", "stat /srv/site/sub/link")
    assert "Mode:  0640" in told
    assert "User: 70000   Group:     8" in told
    assert 'dest: "/etc/motd"' in told
    ext4.check(disk, 8 * MIB)
    assert base.digest == before


def test_a_folder_has_its_own_mode_and_all_in_it_the_owner(base: Base, tmp_path: Path) -> None:
    disk, folder = begun(base, tmp_path / "j1"), tmp_path / "sec"
    (folder / "sub").mkdir(parents=True)
    (folder / "link").symlink_to("key")
    (folder / "key").write_text("secret")
    folder.chmod(0o700)
    there = BuildFile("/there/a", content=b"x")
    BUILDER.put(Put(str(disk), 0, (there,)), None)
    files = [
        BuildFile(to, copy=str(folder), owner=(1000, 70000)) for to in ("/root/.ssh", "/there")
    ]
    for _ in range(2):
        BUILDER.put(Put(str(disk), 0, tuple(files)), None)
    told = asked(disk, 8 * MIB, "stat /root/.ssh")
    assert "Mode:  0700" in told
    for name in ("", "/link", "/sub", "/key"):
        told = asked(disk, 8 * MIB, f"stat /root/.ssh{name}")
        assert "User:  1000   Group: 70000" in told, told
        assert ("Type: symlink" in told) == (name == "/link")
    told = asked(disk, 8 * MIB, "stat /there")
    assert "Mode:  0755" in told
    assert "User:  1000   Group: 70000" in told
    ext4.check(disk, 8 * MIB)


def test_a_link_in_the_image_leads_nowhere_outside_of_it(base: Base, tmp_path: Path) -> None:
    disk = begun(base, tmp_path / "j1")
    script = tmp_path / "script"
    script.write_text(f"mkdir /real\nsymlink /inside /real\nsymlink /outside {tmp_path}\n")
    run("debugfs", "-w", "-f", str(script), f"{disk}?offset={8 * MIB}")
    BUILDER.put(Put(str(disk), 0, (BuildFile("/inside/a", content=b"x"),)), None)
    assert asked(disk, 8 * MIB, "cat /real/a") == "x"
    with pytest.raises(HostError, match="debugfs"):
        BUILDER.put(Put(str(disk), 0, (BuildFile("/outside/a", content=b"x"),)), None)
    assert not (tmp_path / "a").exists()


def test_what_does_not_fit_is_told(base: Base, tmp_path: Path) -> None:
    disk = begun(base, tmp_path / "j1")
    (tmp_path / "large").write_bytes(b"x" * (40 * MIB))
    with pytest.raises(HostError, match="debugfs: "):
        BUILDER.put(Put(str(disk), 0, (BuildFile("/a", copy=str(tmp_path / "large")),)), None)


def test_a_folder_is_not_replaced_by_a_file(base: Base, tmp_path: Path) -> None:
    disk = begun(base, tmp_path / "j1")
    files = (BuildFile("/a/b", content=b""),)
    BUILDER.put(Put(str(disk), 0, files), None)
    with pytest.raises(HostError, match="/a is a folder there: name the file in it"):
        BUILDER.put(Put(str(disk), 0, (BuildFile("/a", content=b""),)), None)
    with pytest.raises(InputError, match="'/c/d': '/c' is a file of the same build"):
        both = (BuildFile("/c/d", content=b""), BuildFile("/c", content=b""))
        BUILDER.put(Put(str(disk), 0, both), None)
    with pytest.raises(HostError, match="/a/b is a regular file there, and should be a directory"):
        BUILDER.put(Put(str(disk), 0, (BuildFile("/a/b/c", content=b""),)), None)


@pytest.mark.parametrize(
    ("wanted", "size"),
    [
        (Resize(Fit.TO, Size(64 * MIB)), 64 * MIB),
        (Resize(Fit.TO, Size(40 * MIB)), 40 * MIB),
        (Resize(Fit.DISK, Size(64 * MIB)), 64 * MIB),
        (Resize(Fit.MINIMUM, Size(0)), None),
        (Resize(Fit.MINIMUM, Size(8 * MIB)), None),
    ],
)
def test_a_disk_is_resized_with_its_last_partition_and_its_file_system(
    base: Base, tmp_path: Path, wanted: Resize, size: int | None
) -> None:
    disk = begun(base, tmp_path / "j1")
    before = partitions.table_of(disk)
    BUILDER.put(Put(str(disk), 0, (BuildFile("/a", content=b"kept" * 5000),)), None)
    BUILDER.resize(str(disk), wanted, silent)
    look, table = partitions.look_at(disk), partitions.table_of(disk)
    assert size is None or look.size == size
    assert size or look.size < 48 * MIB
    assert table["id"] == before["id"]
    names = {"uuid", "type", "start"}
    assert [{k: v for k, v in one.items() if k in names} for one in table["partitions"]] == [
        {k: v for k, v in one.items() if k in names} for one in before["partitions"]
    ]
    assert disk.read_bytes()[:440] == b"boot code".ljust(440, b"!")
    ext4.check(disk, 8 * MIB)
    assert asked(disk, 8 * MIB, "cat /a") == "kept" * 5000
    if wanted.fit is not Fit.DISK:
        assert "No errors detected" in run("sfdisk", "--verify", str(disk))
        assert look.last and look.last.start + look.last.size <= look.size


@pytest.mark.parametrize("label", TABLES)
@pytest.mark.parametrize(
    ("start", "length", "wanted"),
    [
        (2048, 30 * MIB, 32 * MIB),  # the file system stays, and the disk ends earlier
        (63, 50 * MIB, 40 * MIB),
        (63, 30 * MIB, 40 * MIB),
        (2048, 30 * MIB, 80 * MIB + 10 * KIB),
        (2048, 62 * MIB, 63 * MIB + 524 * KIB),
        (2048, 62 * MIB + 512 * KIB, 64 * MIB + 8 * KIB),  # nor is it made smaller by a larger disk
        (0, 64 * MIB, 40 * MIB + KIB),
        (0, 64 * MIB, 80 * MIB + KIB),
    ],
)
def test_a_disk_gets_the_size_that_was_asked_for_to_the_byte(
    tmp_path: Path, label: str, start: int, length: int, wanted: int
) -> None:
    disk = tmp_path / "disk0.raw"
    with disk.open("wb") as file:
        file.truncate(64 * MIB)
    if start:
        table = f"label: {label}\nstart={start}, size={length // 512}"
        table = table.replace("gpt", "gpt\nfirst-lba: 34")
        run("sfdisk", "-q", "--no-reread", "--no-tell-kernel", str(disk), given=table)
    at = start * 512
    words = ("-q", "-F", "-t", "ext4", "-b", "4096", "-E", f"offset={at}")
    run("mke2fs", *words, str(disk), f"{length // KIB}k")
    BUILDER.resize(str(disk), Resize(Fit.TO, Size(wanted)), silent)
    look = partitions.look_at(disk)
    assert (disk.stat().st_size, look.size) == (wanted, wanted)
    ext4.check(disk, at)
    told = run("dumpe2fs", "-h", f"{disk}?offset={at}")
    blocks = next(line for line in told.splitlines() if line.startswith("Block count:"))
    assert look.last
    assert wanted - at - 2 * MIB < int(blocks.split()[-1]) * 4096 <= look.last.size
    if start:
        assert "No errors detected" in run("sfdisk", "--verify", str(disk))
    if wanted > 64 * MIB:
        assert look.last.size >= length


def test_what_is_full_is_not_made_smaller_than_it_needs(base: Base, tmp_path: Path) -> None:
    disk = begun(base, tmp_path / "j1")
    BUILDER.put(Put(str(disk), 0, (BuildFile("/a", content=b"x" * (20 * MIB)),)), None)
    with pytest.raises(HostError, match=r"the file system needs .*M, and would get 1[12]M"):
        BUILDER.resize(str(disk), Resize(Fit.TO, Size(20 * MIB)), silent)


def test_a_partition_becomes_a_disk_of_its_own(base: Base, tmp_path: Path) -> None:
    BUILDER.open(str(tmp_path / "j1"), "j1")
    disk = tmp_path / "j1/disk0.raw"
    BUILDER.copy(base.image, base.root, str(disk), silent)
    ext4.check(disk)
    assert disk.stat().st_size == 32 * MIB
    with pytest.raises(HostError, match="base has no partition 5"):
        BUILDER.copy(base.image, 5, str(disk), silent)


@pytest.mark.parametrize("form", DiskFormat)
def test_a_disk_is_exported_whole_in_each_format(
    base: Base, tmp_path: Path, form: DiskFormat
) -> None:
    disk, target = begun(base, tmp_path / "j1"), tmp_path / "o/p/out"
    BUILDER.export(str(disk), form, str(target), silent, last=False)
    run("qemu-img", "compare", "-f", "raw", "-F", form.value, str(disk), str(target))
    told = run("qemu-img", "info", "-f", form.value, str(target))
    assert form is not DiskFormat.QCOW2 or "compat: 1.1" in told
    BUILDER.unexport(str(target), (str(tmp_path / "o/p"), str(tmp_path / "o")))
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("form", DiskFormat)
def test_a_raw_disk_that_nobody_wants_any_more_becomes_the_output_itself(
    base: Base, tmp_path: Path, form: DiskFormat
) -> None:
    disk, target, copy = begun(base, tmp_path / "j1"), tmp_path / "out", tmp_path / "copy"
    BUILDER.export(str(disk), DiskFormat.RAW, str(copy), silent, last=False)
    number = disk.stat().st_ino
    BUILDER.export(str(disk), form, str(target), silent, last=True)
    run("qemu-img", "compare", "-f", "raw", "-F", form.value, str(copy), str(target))
    assert (target.stat().st_ino == number) == (form is DiskFormat.RAW)
    assert disk.exists() == (form is not DiskFormat.RAW)
    assert target.stat().st_mode == copy.stat().st_mode


def test_a_raw_disk_on_another_file_system_is_copied_to_its_output(base: Base) -> None:
    with TemporaryDirectory(dir="/dev/shm") as memory, TemporaryDirectory(dir="/var/tmp") as name:
        disk, target = begun(base, Path(memory) / "j1"), Path(name) / "out"
        assert Path(memory).stat().st_dev != Path(name).stat().st_dev
        BUILDER.export(str(disk), DiskFormat.RAW, str(target), silent, last=True)
        run("qemu-img", "compare", "-f", "raw", "-F", "raw", str(disk), str(target))


@pytest.mark.parametrize("form", [Filesystem.EXT4, Filesystem.VFAT])
def test_an_empty_disk_has_the_file_system_and_label_that_were_asked_for(
    form: Filesystem, tmp_path: Path
) -> None:
    BUILDER.open(str(tmp_path / "j1"), "j1")
    disk, empty = tmp_path / "j1/disk0.raw", Empty(Size(16 * MIB), form, "DATA")
    BUILDER.blank(empty, str(disk))
    BUILDER.put(Put(str(disk), 0, (BuildFile("/some where/a file.txt", content=b"x"),)), empty)
    assert run("blkid", "-p", "-o", "value", "-s", "LABEL", str(disk)).strip() == "DATA"
    assert partitions.look_at(disk).areas[0].filesystem == form


@pytest.mark.parametrize("form", [Filesystem.ISO, Filesystem.VFAT])
def test_a_disk_that_is_made_for_its_files_holds_them_nested_and_of_any_size(
    form: Filesystem, tmp_path: Path
) -> None:
    BUILDER.open(str(tmp_path / "j1"), "j1")
    disk, empty = tmp_path / "j1/disk0.raw", Empty(Size(0), form, "cidata")
    BUILDER.blank(empty, str(disk))
    files = (
        BuildFile("/user-data", content=b"#cloud-config\n"),
        BuildFile("/deep/er/a long name.txt", content=b"y" * (3 * MIB)),
    )
    BUILDER.put(Put(str(disk), 0, files), empty)
    assert run("blkid", "-p", "-o", "value", "-s", "LABEL", str(disk)).strip() == "cidata"
    if form is Filesystem.VFAT:
        assert run("mtype", "-i", str(disk), "::/user-data") == "#cloud-config\n"
        assert len(run("mtype", "-i", str(disk), "::/deep/er/a long name.txt")) == 3 * MIB
    else:
        assert _iso(disk, "/deep/er/a long name.txt") == 3 * MIB
    target = tmp_path / "folder"
    target.mkdir()
    (target / "stale").touch()
    BUILDER.export_folder(str(disk), str(tmp_path / ".folder.j1"))
    BUILDER.publish(str(tmp_path / ".folder.j1"), str(target), str(tmp_path / ".before"))
    found = sorted(str(p.relative_to(target)) for p in target.rglob("*") if p.is_file())
    assert found == ["deep/er/a long name.txt", "user-data"]
    BUILDER.settle(str(tmp_path / ".before"))
    assert not (tmp_path / ".before").exists()


@pytest.mark.parametrize("form", [Filesystem.ISO, Filesystem.VFAT])
@pytest.mark.parametrize("turned", [False, True])
def test_nothing_is_laid_out_through_a_link_that_was_copied_before(
    form: Filesystem, turned: bool, tmp_path: Path
) -> None:
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim/motd").write_text("precious")
    (tmp_path / "site").mkdir()
    (tmp_path / "site/etc").symlink_to(tmp_path / "victim")
    BUILDER.open(str(tmp_path / "j1"), "j1")
    disk, empty = tmp_path / "j1/disk0.raw", Empty(filesystem=form)
    BUILDER.blank(empty, str(disk))
    files = (
        BuildFile("/", copy=str(tmp_path / "site")),
        BuildFile("/etc/motd", content=b"pwned"),
        BuildFile("/etc/new", content=b"pwned"),
    )
    with pytest.raises(InputError, match=r"'/etc/(motd|new)': '/etc' is a link of the same build"):
        BUILDER.put(Put(str(disk), 0, files[::-1] if turned else files), empty)
    found = {path.name: path.read_text() for path in (tmp_path / "victim").iterdir()}
    assert found == {"motd": "precious"}


def test_a_link_that_a_tree_has_anyway_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "refuse_through", lambda _entries, _kind: None)
    (tmp_path / "victim").mkdir()
    (tmp_path / "0").write_text("pwned")
    for path in ("/etc/motd", "/etc"):
        entries = (Staged("/etc", "link", str(tmp_path / "victim")), Staged(path, "file", "0"))
        with pytest.raises(HostError, match="cannot be laid out"):
            output.lay_out(tmp_path, entries, tmp_path / "tree")
    with pytest.raises(HostError, match="'/etc' cannot be laid out: etc is a link"):
        output.lay_out(tmp_path, (entries[0], Staged("/etc", "folder")), tmp_path / "tree")
    assert [*(tmp_path / "victim").iterdir()] == []


def _iso(disk: Path, path: str) -> int:
    import io

    import pycdlib

    iso, out = pycdlib.PyCdlib(), io.BytesIO()
    iso.open(str(disk))
    iso.get_file_from_iso_fp(out, rr_path=path)
    iso.close()
    return len(out.getvalue())


@pytest.mark.parametrize("before", ["stood", None])
def test_what_was_published_is_withdrawn_again_as_often_as_it_takes(
    before: str | None, tmp_path: Path
) -> None:
    staged, target, aside = (str(tmp_path / name) for name in (".a.j1", "a", ".a.j1.before"))
    Path(staged).write_text("new")
    if before:
        Path(target).write_text(before)
    BUILDER.publish(staged, target, aside)
    assert BUILDER.published(staged, target)
    assert Path(target).read_text() == "new"
    for _ in range(2):
        BUILDER.withdraw(staged, target, aside)
        BUILDER.unexport(staged, ())
        assert {p.name: p.read_text() for p in tmp_path.iterdir()} == (
            {"a": before} if before else {}
        )


def test_a_build_that_was_cut_off_while_it_was_published_is_withdrawn(tmp_path: Path) -> None:
    staged, target, aside = (tmp_path / name for name in (".a.j1", "a", ".a.j1.before"))
    staged.write_text("new")
    target.write_text("stood")
    aside.hardlink_to(target)  # then came the power cut
    BUILDER.withdraw(str(staged), str(target), str(aside))
    BUILDER.unexport(str(staged), ())
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a", "stood")]


def test_a_folder_of_another_job_is_left_alone(tmp_path: Path) -> None:
    BUILDER.open(str(tmp_path / "b"), "j2")
    with pytest.raises(HostError, match="is not of the job j1"):
        BUILDER.discard(str(tmp_path / "b"), "j1")
    BUILDER.discard(str(tmp_path / "b"), "j2")
    assert not (tmp_path / "b").exists()


def test_a_look_that_was_killed_is_cleared_by_the_next(
    base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ended = subprocess.Popen(["true"])
    ended.wait()
    for name in (f"{ended.pid}-x", f"{os.getpid()}-x", "odd"):
        (tmp_path / f"raptorctl-look-{name}").mkdir()
    BUILDER.look(base.image)
    left = sorted(path.name for path in tmp_path.glob("raptorctl-look-*"))
    assert left == [f"raptorctl-look-{os.getpid()}-x", "raptorctl-look-odd"]


def test_a_disk_that_no_file_system_holds_is_told(tmp_path: Path) -> None:
    BUILDER.open(str(tmp_path / "j1"), "j1")
    disk = tmp_path / "j1/disk0.raw"
    with pytest.raises(HostError, match=r"no disk of \d+.* can be here: (File|Invalid)"):
        BUILDER.blank(Empty(Size(2**63 - 4096), Filesystem.EXT4), str(disk))


def test_a_program_that_fails_in_its_room_is_named(base: Base, tmp_path: Path) -> None:
    disk = begun(base, tmp_path / "j1")
    with pytest.raises(HostError, match=r"e2fsck failed \(exit status 8\)"):
        ext4.resize(disk, 40 * MIB)  # the whole disk is none
    with pytest.raises(HostError, match="the partition table does not fit a disk of 9M: "):
        partitions.resized(disk, 1 if base.label == "dos" else 2, 9 * MIB)


def test_what_a_program_leaves_in_the_builds_folder_is_no_link(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"sh left 'disk0.filesystem', which is no file"):
        tool(tmp_path, "sh", "-c", "ln -s /etc/shadow disk0.filesystem")


def test_recover_waits_for_no_program_of_a_build(
    base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool(tmp_path, "true")  # what a room takes is tried once
    asked: list[bool] = []

    def noted(*, awaited: bool = True) -> IO[bytes]:
        asked.append(awaited)
        return nothing_to_read(awaited=awaited)

    monkeypatch.setattr(command, "nothing_to_read", noted)
    disk = begun(base, tmp_path / "j1")
    BUILDER.resize(str(disk), Resize(Fit.MINIMUM, Size(8 * MIB)), silent)
    BUILDER.put(Put(str(disk), 0, (BuildFile("/etc/motd", content=b"hello"),)), None)
    BUILDER.export(str(disk), DiskFormat.QCOW2, str(tmp_path / "out"), silent, last=True)
    assert len(asked) > 5
    assert not any(asked)


KILLED = """
import sys
from pathlib import Path
from raptorctl.host.build import disks
from raptorctl.host.system import command
from raptorctl.model.build import DiskFormat
command.PATH = f"{sys.argv[1]}:{command.PATH}"
disks.convert((), DiskFormat.RAW, Path(sys.argv[1], "disk"), 1, lambda *_: None)
"""


def test_a_conversion_ends_with_the_build_that_is_killed(tmp_path: Path) -> None:
    slow, runs = tmp_path / "qemu-img", tmp_path / "runs"
    slow.write_text(f"#!/bin/sh\necho $$ > {runs}.part\nmv {runs}.part {runs}\nexec sleep 60\n")
    slow.chmod(0o755)
    with subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)]) as build:
        while not runs.exists():
            assert build.poll() is None
            time.sleep(0.02)
        build.kill()
    said = Path("/proc", runs.read_text().strip(), "cmdline")
    deadline = time.monotonic() + 20
    with suppress(OSError):  # it is gone; a zombie has no words
        while said.read_bytes():
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_no_file_takes_the_place_of_a_folder_on_vfat_nor_the_other_way_round(
    tmp_path: Path,
) -> None:
    BUILDER.open(str(tmp_path / "j1"), "j1")
    disk, empty = tmp_path / "j1/disk0.raw", Empty(Size(16 * MIB), Filesystem.VFAT)
    BUILDER.blank(empty, str(disk))

    def put(*paths: str) -> None:
        files = tuple(BuildFile(path, content=path.encode()) for path in paths)
        BUILDER.put(Put(str(disk), 0, files), empty)

    put("/a/b", "/a/c/d")
    put("/A/b", "/e")
    with pytest.raises(HostError, match="'/a' is a folder there: name the file in it"):
        put("/a")
    with pytest.raises(HostError, match="'/A/C' is a folder there: name the file in it"):
        put("/A/C")
    with pytest.raises(HostError, match="'/E' is a file there, and should be a folder"):
        put("/E/f")
    with pytest.raises(InputError, match="'/x/y': '/x' is a file of the same build"):
        put("/x/y", "/x")
    listed = run("mdir", "-/", "-b", "-i", str(disk), "::").split()
    assert sorted(listed) == ["::/a/", "::/a/b", "::/a/c/", "::/a/c/d", "::/e"]


def test_a_disk_that_is_made_for_its_files_holds_any_number_of_names(tmp_path: Path) -> None:
    BUILDER.open(str(tmp_path / "j1"), "j1")
    disk, empty = tmp_path / "j1/disk0.raw", Empty(filesystem=Filesystem.VFAT, label="cidata")
    site = tmp_path / "site"
    site.mkdir()
    for number in range(60):
        (site / f"{number:0200}").write_text("x")
    for number in range(300):
        (site / f"folder{number}").mkdir()
    BUILDER.blank(empty, str(disk))
    BUILDER.put(Put(str(disk), 0, (BuildFile("/", copy=str(site)),)), empty)
    assert len(run("mdir", "-b", "-i", str(disk), "::").split()) == 360


def test_a_root_that_is_full_is_told(tmp_path: Path) -> None:
    BUILDER.open(str(tmp_path / "j1"), "j1")
    disk, empty = tmp_path / "j1/disk0.raw", Empty(Size(4 * MIB), Filesystem.VFAT)
    BUILDER.blank(empty, str(disk))
    files = tuple(BuildFile(f"/{number:0250}", content=b"") for number in range(40))
    with pytest.raises(HostError, match=r"could not be written: .*No directory slots.*a folder"):
        BUILDER.put(Put(str(disk), 0, files), empty)


def test_a_name_on_vfat_is_what_it_was_and_one_that_cannot_be_is_refused(tmp_path: Path) -> None:
    BUILDER.open(str(tmp_path / "j1"), "j1")
    disk, empty = tmp_path / "j1/disk0.raw", Empty(filesystem=Filesystem.VFAT, label="cidata")
    BUILDER.blank(empty, str(disk))
    files = (
        BuildFile("/Grüße/日本", content=b"one"),
        BuildFile("/Grüße/Änderungen.yaml", content=b"two"),
    )
    BUILDER.put(Put(str(disk), 0, files), empty)
    told = subprocess.run(
        ["mdir", "-/", "-b", "-i", disk, "::"], env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin"},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert set(told.split()) == {"::/Grüße/", "::/Grüße/日本", "::/Grüße/Änderungen.yaml"}
    with pytest.raises(HostError, match=r"'/a\[1\]/b': on VFAT no name may have \["):
        BUILDER.put(Put(str(disk), 0, (BuildFile("/a[1]/b", content=b""),)), None)
