"""The disk by which shares and scripts come into a build's machine, by the real programs."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from raptorctl.errors import HostError, InputError
from raptorctl.host.build import transport
from raptorctl.model.build import BuildFile, BuildShare, BuildStep, Way
from raptorctl.model.build_room import BuildRoom, RoomDisk


@pytest.fixture
def room(tmp_path: Path) -> BuildRoom:
    share, folder = tmp_path / "share", tmp_path / "j1"
    (share / "sub").mkdir(parents=True)
    (share / "sub/a").write_text("one")
    (share / "kept").write_text("kept")
    folder.mkdir()
    (tmp_path / "setup.sh").write_text("#!/bin/sh\necho set up\n")
    return BuildRoom(
        folder=str(folder),
        job="j1",
        way=Way.BOOT,
        disks=(RoomDisk(str(folder / "disk0.raw"), "/"),),
        files=(BuildFile("/etc/motd", content=b"${no} variable"),),
        shares=(
            BuildShare("/mnt", str(share), writable=True),
            BuildShare("/gen", files=(BuildFile("/x/y", content=b"made"),)),
        ),
        steps=(
            BuildStep(run=str(tmp_path / "setup.sh")),
            BuildStep(command=("true",)),
            BuildStep(inline="echo hi"),
        ),
    )


def asked(disk: Path, *commands: str) -> str:
    path = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    return "".join(
        subprocess.run(
            ["debugfs", "-w", "-R", command, disk],
            text=True, check=True, capture_output=True, env=path,
        ).stdout
        for command in commands
    )  # fmt: skip


def test_all_that_steps_need_is_on_it(room: BuildRoom) -> None:
    disk, files = transport.made(room)
    assert asked(disk, "cat /shares/0/sub/a", "cat /shares/1/x/y") == "onemade"
    assert asked(disk, "cat /steps/0") == "#!/bin/sh\necho set up\n"
    assert asked(disk, "cat /steps/2") == "#!/bin/sh -e\necho hi\n"
    assert "Mode:  0755" in asked(disk, "stat /steps/2")
    [file] = files
    assert asked(disk, f"cat /{file.source}") == "${no} variable"


def test_what_steps_wrote_into_a_share_comes_back_and_what_is_gone_there_stays(
    room: BuildRoom, tmp_path: Path
) -> None:
    disk, _ = transport.made(room)
    (tmp_path / "new").write_text("new")
    asked(disk, "rm /shares/0/kept", "rm /shares/0/sub/a", "mkdir /shares/0/more")
    for place in ("/shares/0/sub/a", "/shares/0/more/b"):
        folder, _, name = place.rpartition("/")
        script = tmp_path / "script"
        script.write_text(f"cd {folder}\nwrite {tmp_path / 'new'} {name}\n")
        subprocess.run(["/usr/sbin/debugfs", "-w", "-f", script, disk], check=True)
    asked(disk, "symlink /shares/0/evil /etc/passwd")
    transport.brought_back(room)
    share = tmp_path / "share"
    found = {str(p.relative_to(share)): p.read_text() for p in share.rglob("*") if p.is_file()}
    assert found == {"sub/a": "new", "more/b": "new", "kept": "kept"}


def test_a_share_that_is_made_of_files_has_none_through_a_link(
    room: BuildRoom, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "site").mkdir()
    (tmp_path / "site/way").symlink_to(tmp_path / "out")
    files = (BuildFile("/", copy=str(tmp_path / "site")), BuildFile("/way/a", content=b"evil"))
    with pytest.raises(InputError, match="'/way/a': '/way' is a link of the same build"):
        transport.made(replace(room, shares=(BuildShare("/gen", files=files),)))
    assert [*(tmp_path / "out").iterdir()] == []


def test_a_share_that_comes_back_as_a_link_is_refused(
    room: BuildRoom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, _ = transport.made(room)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/evil").write_text("evil")
    asked(disk, "rm /shares/0/kept", "rm /shares/0/sub/a", "rmdir /shares/0/sub", "rmdir /shares/0")
    asked(disk, f"symlink /shares/0 {tmp_path / 'out'}")
    monkeypatch.setattr("raptorctl.host.build.room._has_room", lambda: False)
    with pytest.raises(HostError, match=r"share.* came back as a link"):
        transport.brought_back(room)
    assert not (tmp_path / "share/evil").exists()


def test_a_share_that_is_read_only_stays_as_it_is(room: BuildRoom, tmp_path: Path) -> None:
    still = replace(room, shares=(replace(room.shares[0], writable=False),))
    disk, _ = transport.made(still)
    asked(disk, "rm /shares/0/kept", "symlink /shares/0/new /x")
    transport.brought_back(still)
    assert sorted(p.name for p in (tmp_path / "share").iterdir()) == ["kept", "sub"]


def test_a_name_that_leads_out_of_the_share_is_refused(
    room: BuildRoom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "ROOM", 0)
    disk, _ = transport.made(room)
    (tmp_path / "j1/disk0.raw").write_text("the disk")
    (tmp_path / "evil").write_text("evil")
    name = b"..Zdisk0.raw"
    script = tmp_path / "script"
    script.write_text(f"cd /shares/0\nwrite {tmp_path / 'evil'} {name.decode()}\n")
    subprocess.run(["/usr/sbin/debugfs", "-w", "-f", script, disk], check=True)
    data = disk.read_bytes()
    assert data.count(name) == 1
    disk.write_bytes(data.replace(name, name.replace(b"Z", b"/")))
    asked(disk, "feature -metadata_csum")  # which would tell, were they not the guest's to write
    with pytest.raises(HostError, match=r"the file system of transport.raw is damaged"):
        transport.brought_back(room)
    with monkeypatch.context() as patch:  # were it not seen
        patch.setattr("raptorctl.host.build.ext4.check", lambda _disk: None)
        transport.brought_back(room)
    assert (tmp_path / "j1/disk0.raw").read_text() == "the disk"


def test_a_folder_does_not_come_back_through_a_link_of_this_side(
    room: BuildRoom, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "share/way").symlink_to(tmp_path / "out")
    disk, _ = transport.made(room)
    (tmp_path / "new").write_text("new")
    asked(disk, "rm /shares/0/way", "mkdir /shares/0/way")
    script = tmp_path / "script"
    script.write_text(f"cd /shares/0/way\nwrite {tmp_path / 'new'} a\n")
    subprocess.run(["/usr/sbin/debugfs", "-w", "-f", script, disk], check=True)
    with pytest.raises(HostError, match="is a link here, and a step made a folder of it"):
        transport.brought_back(room)
    assert [*(tmp_path / "out").iterdir()] == []
