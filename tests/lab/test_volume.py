"""Volumes on real LVM, driven by our driver and looked at by LVM's own tools."""

from collections.abc import Iterator

import pytest

from tests.lab.drive import drive, fields, tidied
from tests.lab.host import Lab

NAME = "guest-zz-one"
MADE = f'volume = GROUP.create("{NAME}", 12 << 20, TAGS)\n'
GIVEN = f'volume = GROUP.named("{NAME}")\n'


@pytest.fixture
def host(lab: Lab) -> Iterator[Lab]:
    with tidied(lab):
        yield lab


def seqno(lab: Lab) -> int:
    return int(lab.run("vgs", "--noheadings", "-o", "vg_seqno", "lvm-data").stdout)


def is_kept(lab: Lab, name: str = NAME) -> bool:
    return fields(lab, name, "lv_name") == [name]


def test_a_new_volume_is_as_asked_for_and_has_a_node(host: Lab) -> None:
    before = seqno(host)
    assert drive(host, MADE + "print(volume.uuid, volume.major, volume.minor)").split() == fields(
        host, NAME, "lv_uuid", "lv_kernel_major", "lv_kernel_minor"
    )
    assert seqno(host) == before + 1
    assert fields(host, NAME, "lv_size", "lv_tags", "lv_autoactivation", "segtype", "lv_active") == [
        str(12 << 20), "raptor,raptor.dirty,raptor.job=zz", "", "linear", "active"
    ]  # fmt: skip
    host.run("test", "-b", f"/dev/lvm-data/{NAME}")


def test_a_name_in_use_is_refused(host: Lab) -> None:
    drive(host, MADE)
    assert "already exists" in drive(host, MADE)


def test_a_group_that_is_full_is_said(host: Lab) -> None:
    said = drive(host, f'GROUP.create("{NAME}", 1 << 50, TAGS)')
    assert said.startswith("CommandError: lvcreate failed")
    assert "insufficient free space" in said
    assert not is_kept(host)


def test_tags_and_boot_change_in_one_commit(host: Lab) -> None:
    drive(host, MADE)
    before = seqno(host)
    change = 'GROUP.retag(volume, add=["raptor.clean"], remove=["raptor.dirty"], at_boot=True)'
    assert drive(host, GIVEN + change) == ""
    assert seqno(host) == before + 1
    tags, boot = fields(host, NAME, "lv_tags", "lv_autoactivation")
    assert (tags, boot) == ("raptor,raptor.clean,raptor.job=zz", "enabled")
    assert drive(host, GIVEN + change) == ""  # already so


def test_a_renamed_volume_is_the_same_one(host: Lab) -> None:
    drive(host, MADE)
    (uuid,) = fields(host, NAME, "lv_uuid")
    script = GIVEN + 'GROUP.rename(volume, "wipe-zz-one"); print(GROUP.find(volume.uuid).path)'
    assert drive(host, script) == "/dev/lvm-data/wipe-zz-one"
    assert fields(host, "wipe-zz-one", "lv_uuid") == [uuid]
    host.run("test", "-b", "/dev/lvm-data/wipe-zz-one")
    assert not is_kept(host)


def test_an_inactive_volume_gets_its_node(host: Lab) -> None:
    drive(host, MADE)
    host.run("lvchange", "-an", f"lvm-data/{NAME}")
    script = GIVEN + "print(volume.major); volume = GROUP.activate(volume); print(volume.minor)"
    minor = drive(host, script).split()
    assert minor == ["-1", *fields(host, NAME, "lv_kernel_minor")]
    host.run("test", "-b", f"/dev/lvm-data/{NAME}")


def test_a_removed_volume_is_gone_with_its_node_and_removing_it_again_is_fine(host: Lab) -> None:
    drive(host, MADE)
    assert drive(host, GIVEN + "GROUP.remove(volume); GROUP.remove(volume)") == ""
    assert not is_kept(host)
    host.run("test", "!", "-e", f"/dev/lvm-data/{NAME}")


def test_a_volume_of_somebody_else_is_neither_renamed_nor_removed(host: Lab) -> None:
    host.run("lvcreate", "-y", "-L", "8m", "-n", NAME, "lvm-data")
    for act in ("GROUP.remove(volume)", 'GROUP.rename(volume, "wipe-zz-one")'):
        said = drive(host, GIVEN + act)
        assert said == f"ConflictError: lvm-data/{NAME} is not ours: it has no LVM tag raptor"
    assert is_kept(host)


def test_an_open_volume_is_not_removed(host: Lab) -> None:
    drive(host, MADE)
    with host.start("bash", "-c", f"exec 3</dev/lvm-data/{NAME}; echo held; cat") as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        said = drive(host, GIVEN + "GROUP.remove(volume)")
        assert said.startswith(f"ConflictError: lvm-data/{NAME} is open")
        holder.communicate()
    assert is_kept(host)
    assert drive(host, GIVEN + "GROUP.remove(volume)") == ""


def test_a_volume_with_a_snapshot_is_not_removed(host: Lab) -> None:
    drive(host, MADE)
    host.run("lvcreate", "-s", "-L", "8m", "-n", "guest-zz-snapshot", f"lvm-data/{NAME}")
    said = drive(host, GIVEN + "GROUP.remove(volume)")
    assert said == f"ConflictError: lvm-data/{NAME} has snapshots: guest-zz-snapshot"
    assert is_kept(host)
    assert is_kept(host, "guest-zz-snapshot")


@pytest.mark.parametrize(
    ("meanwhile", "says"),
    [
        (("lvcreate", "-s", "-L", "8m", "-n", "guest-zz-snapshot"), "has snapshots: guest-zz-snap"),
        (("lvchange", "--addtag", "raptor.clean"), "lvremove left"),
        (("lvchange", "--deltag", "raptor"), "is not ours"),
    ],
    ids=["a snapshot", "another state", "not ours"],
)
def test_a_volume_that_changed_since_the_last_look_is_not_removed(
    host: Lab, meanwhile: tuple[str, ...], says: str
) -> None:
    drive(host, MADE)
    act = f"import subprocess; subprocess.run({(*meanwhile, f'lvm-data/{NAME}')}, stdout=2)\n"
    assert says in drive(host, GIVEN + act + "GROUP.remove(volume)")
    assert is_kept(host)


def test_another_volume_under_the_same_name_is_not_taken_for_it(host: Lab) -> None:
    drive(host, MADE)
    old = drive(host, GIVEN + "print(volume.uuid)")
    host.run("lvremove", "-y", f"lvm-data/{NAME}")
    drive(host, MADE)
    given = GIVEN + f'volume = replace(volume, uuid="{old}")\n'
    assert drive(host, given + "GROUP.remove(volume)") == ""  # that one is gone: already so
    assert "is gone" in drive(host, given + 'GROUP.rename(volume, "wipe-zz-one")')
    assert "is gone" in drive(
        host, given + 'GROUP.retag(volume, add=["x"], remove=[], at_boot=True)'
    )
    assert fields(host, NAME, "lv_tags") == ["raptor,raptor.dirty,raptor.job=zz"]


def test_a_group_that_is_not_there_is_said(host: Lab) -> None:
    script = 'print(LvmGroup("zz-none").group()); LvmGroup("zz-none").list()'
    assert drive(host, script).splitlines() == [
        "None",
        "MissingError: there is no volume group zz-none: "
        "set storage.volume_group, or make one with vgcreate",
    ]
