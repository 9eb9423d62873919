"""LVM's reports as nouns, and the command lines that acts become."""

import errno
import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from raptorctl.errors import CommandError, ConflictError, HostError, MissingError
from raptorctl.host.volume import device, lvm, lvm_report, udev
from raptorctl.host.volume.device import Mapping
from raptorctl.host.volume.lvm import LvmGroup
from raptorctl.host.volume.lvm_report import parse_report, unchanged
from raptorctl.model.sizes import GIB, MIB, Size
from raptorctl.model.volume import Volume, VolumeGroup

UUID = "KmPlTn-jZ1C-8Ych-Y0Lp-iEtb-5nBW-hHqXw3"
OTHER = "9dTRrC-bEgF-2e5Y-mGbq-ydmo-Nf2I-hc4pQJ"

# As lvm2 2.03.31 writes it.
ROWS = """
  {
      "report": [
          {
              "lv": [
                  {"lv_uuid":"KmPlTn-jZ1C-8Ych-Y0Lp-iEtb-5nBW-hHqXw3", "lv_name":"guest-alice-dev", \
"vg_name":"lvm-data", "lv_size":"42949672960", \
"lv_tags":"raptor,raptor.clean,raptor.job=j1,raptor.slot=2,raptor.tenant=alice", \
"lv_kernel_major":"253", "lv_kernel_minor":"0", "lv_device_open":"open", \
"lv_layout":"linear", "origin":"", "snap_percent":"", "lv_snapshot_invalid":"", \
"vg_size":"214744170496", "vg_free":"4194304", "vg_extent_size":"4194304",
"vg_missing_pv_count":"1", "max_lv":"7", "lv_count":"2"},
                  {"lv_uuid":"9dTRrC-bEgF-2e5Y-mGbq-ydmo-Nf2I-hc4pQJ", "lv_name":"backup", \
"vg_name":"lvm-data", "lv_size":"4194304", "lv_tags":"", \
"lv_kernel_major":"-1", "lv_kernel_minor":"-1", "lv_device_open":"", \
"lv_layout":"linear", "origin":"guest-alice-dev", "snap_percent":"3.17", "lv_snapshot_invalid":""}
              ]
          }
      ]
  }
"""


class Lvm:
    """Stands in for `run` and the kernel: reports rows, notes acts, lets each change the rows.

    An act whose selection does not fit is none.
    """

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows
        self.acts: list[str] = []
        self.looks = 0
        self.changes: dict[str, Callable[[], object]] = {}

    def __call__(self, program: str, *args: str, timeout: float = 0, ok: object = ()) -> str:
        if program == "lvs":
            self.looks += 1
            return json.dumps({"report": [{"lv": self.rows}]})
        self.acts.append(" ".join((program, *args)))
        if "--select" not in args or any(selected(row, args) for row in self.rows):
            self.changes.get(program, lambda: None)()
        return ""

    def mapping(self, number: int) -> Mapping:
        """What the kernel says: it knows what the rows say."""
        for row in self.rows:
            if os.makedev(253, int(row["lv_kernel_minor"]) % 256) == number:
                name = f"lvm--data-{row['lv_name'].replace('-', '--')}"
                uuid = f"LVM-{'g' * 32}{row['lv_uuid'].replace('-', '')}"
                return Mapping(uuid, int(row["lv_device_open"] == "open"), name)
        raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))

    def stand_in(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take the place of LVM, udev and the kernel."""
        for module in (lvm, lvm_report):
            monkeypatch.setattr(module, "run", self)
        monkeypatch.setattr(device, "mapping", self.mapping)
        for name in ("wait_for_node", "wait_until_gone", "settle"):
            monkeypatch.setattr(udev, name, lambda *_: None)


def selected(row: dict[str, Any], args: tuple[str, ...]) -> bool:
    """Whether LVM would select a row; a list has an item, or has it not (lvmreport(7))."""
    selection = args[args.index("--select") + 1]
    return all(
        (value.strip('"') in row.get(field, "").split(",")) == (is_or_not == "=")
        for term in selection.split(" && ")
        for field, is_or_not, value in [re.split("(!?=)", term, maxsplit=1)]
    )


@pytest.fixture
def lvm2(monkeypatch: pytest.MonkeyPatch) -> Lvm:
    fake = Lvm(parse_report(ROWS, "lv"))
    fake.stand_in(monkeypatch)
    return fake


@pytest.fixture
def group(lvm2: Lvm) -> LvmGroup:
    return LvmGroup("lvm-data")


def ours(group: LvmGroup) -> Volume:
    volume = group.find(UUID)
    assert volume
    return volume


# Reading


def test_a_report_becomes_volumes(group: LvmGroup) -> None:
    used, inactive = group.list()
    assert (used.uuid, used.name, used.group) == (UUID, "guest-alice-dev", "lvm-data")
    assert (used.size, used.major, used.minor) == (40 * GIB, 253, 0)
    assert (used.ours, used.clean, used.slot, used.job) == (True, True, 2, "j1")
    assert str(used.machine) == "alice-dev"
    assert (used.is_open, used.kind, used.origin) == (True, "linear", "")
    assert (inactive.ours, inactive.tags, inactive.is_open) == (False, (), False)
    assert (inactive.major, inactive.minor, inactive.origin) == (-1, -1, "guest-alice-dev")


def test_volumes_are_found_by_uuid_and_by_name(group: LvmGroup) -> None:
    assert group.find(OTHER) == group.named("backup") == group.list()[1]
    assert group.find(UUID.replace("K", "L")) is None
    assert group.named("guest") is None


def test_a_group_is_read_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {
        "vg_name": "lvm-data",
        "vg_size": "214744170496",
        "vg_free": "4194304",
        "vg_extent_size": "4194304",
        "vg_missing_pv_count": "1",
        "max_lv": "7",
        "lv_count": "2",
    }
    seen: list[str] = []

    def answer(*argv: str) -> str:
        seen.extend(argv)
        return json.dumps({"report": [{"vg": [row]}]})

    monkeypatch.setattr(lvm_report, "run", answer)
    found = LvmGroup("lvm-data").group()
    assert isinstance(found, VolumeGroup)
    assert (found.size, found.free, found.extent) == (214744170496, 4 * MIB, 4 * MIB)
    assert "--reportformat json --units b --nosuffix -o vg_name" in " ".join(seen)
    assert seen[-2:] == ["--", "lvm-data"]


def failing(stderr: str) -> Callable[..., str]:
    def run(program: str, *args: str) -> str:
        raise CommandError((program, *args), 5, stderr)

    return run


def test_a_missing_group_is_none_or_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    said = '  Volume group "lvm-data" not found\n  Cannot process volume group lvm-data\n'
    monkeypatch.setattr(lvm_report, "run", failing(said))
    assert LvmGroup("lvm-data").group() is None
    with pytest.raises(MissingError, match=r"no volume group lvm-data: .*vgcreate"):
        LvmGroup("lvm-data").list()
    with pytest.raises(MissingError, match=r"no volume group lvm-data: .*vgcreate"):
        LvmGroup("lvm-data").look()


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("  Volume group lvm-data is exported\n", "vgimport lvm-data"),
        ("  Cannot access VG lvm-data with system ID a with local system ID b.\n", "lvmsystemid"),
    ],
)
def test_a_group_that_is_not_for_this_host_is_a_state_to_mend(
    monkeypatch: pytest.MonkeyPatch, said: str, advice: str
) -> None:
    monkeypatch.setattr(lvm_report, "run", failing(said))
    for ask in (LvmGroup("lvm-data").group, LvmGroup("lvm-data").look):
        with pytest.raises(MissingError) as caught:
            ask()
        assert advice in caught.value.resolution


def test_what_lvm_fails_at_for_no_known_cause_stays_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lvm_report, "run", failing("  Something new.\n"))
    with pytest.raises(CommandError, match="Something new"):
        LvmGroup("lvm-data").look()


def test_another_failure_of_lvm_is_not_taken_for_a_missing_group(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        lvm_report, "run", failing("  /run/lock/lvm: open failed: Permission denied\n")
    )
    with pytest.raises(CommandError, match="Permission denied"):
        LvmGroup("lvm-data").group()
    with pytest.raises(CommandError, match="Permission denied"):
        LvmGroup("lvm-data").list()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"report": [{"vg": []}]}', "  WARNING: x\n{"])
def test_a_report_that_is_none_is_an_error(text: str) -> None:
    with pytest.raises(HostError, match="report has an unexpected form"):
        parse_report(text, "lv")


@pytest.mark.parametrize(
    "uuid", ["", "x", f"{UUID} || lv_size>0", f"{UUID}\n", '"" || vg_name!=""']
)
def test_nothing_but_a_uuid_gets_into_a_selection(group: LvmGroup, uuid: str) -> None:
    volume = replace(ours(group), uuid=uuid)
    with pytest.raises(ValueError, match="not a volume's UUID"):
        group.retag(volume, add=[], remove=[], at_boot=True)
    with pytest.raises(ValueError, match="not a volume's UUID"):
        unchanged(volume)


def test_nothing_but_a_name_gets_into_a_selection(group: LvmGroup) -> None:
    volume = replace(ours(group), name='x" || lv_size>0')
    with pytest.raises(ValueError, match="not a volume's name"):
        group.retag(volume, add=[], remove=[], at_boot=True)


def test_a_volume_that_only_udev_has_open_is_looked_at_again(
    group: LvmGroup, lvm2: Lvm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(udev, "settle", lambda _timeout: lvm2.rows[0].update(lv_device_open=""))
    assert not ours(group).is_open


def test_the_group_and_its_volumes_are_one_report(group: LvmGroup, lvm2: Lvm) -> None:
    found, volumes = group.look()
    sizes = (Size(214744170496), Size(4 * MIB), Size(4 * MIB))
    assert found == VolumeGroup("lvm-data", *sizes, missing=1, most=7, count=2)
    assert [volume.name for volume in volumes] == ["guest-alice-dev", "backup"]
    assert group.seen() == volumes
    assert lvm2.looks == 1


def test_what_was_seen_is_looked_at_again_after_an_act(group: LvmGroup, lvm2: Lvm) -> None:
    volume = ours(group)
    lvm2.changes["lvrename"] = lambda: lvm2.rows[0].update(lv_name="wipe-1")
    assert group.rename(volume, "wipe-1", read_back=False).name == "wipe-1"
    assert (lvm2.looks, group.seen()[0].name, lvm2.looks) == (1, "wipe-1", 2)


def test_who_has_a_volume_open_is_asked_of_the_kernel(group: LvmGroup, lvm2: Lvm) -> None:
    volume = ours(group)
    assert group.held(volume)
    lvm2.rows[0]["lv_device_open"] = ""
    assert not group.held(volume)
    assert lvm2.looks == 1


@pytest.mark.parametrize("minor", ["-1", "7"])
def test_a_volume_that_is_not_behind_its_number_any_more_is_looked_for(
    group: LvmGroup, lvm2: Lvm, minor: str
) -> None:
    volume = replace(ours(group), minor=int(minor))
    lvm2.rows[1]["lv_kernel_minor"] = minor  # whose it is, now
    assert group.held(volume)
    assert not group.held(replace(volume, uuid=OTHER.replace("9", "8")))


def test_a_kernel_that_tells_nothing_is_no_proof_that_a_volume_is_closed(
    group: LvmGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume = ours(group)

    def mute(_: int) -> Mapping:
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(device, "mapping", mute)
    with pytest.raises(PermissionError):
        group.held(volume)


# Acting


def test_create_is_one_command_that_zeroes_nothing_and_reads_back(
    group: LvmGroup, lvm2: Lvm
) -> None:
    lvm2.changes["lvcreate"] = lambda: lvm2.rows.append(
        {
            **lvm2.rows[0],
            "lv_uuid": UUID.replace("K", "L"),
            "lv_name": "guest-alice-new",
            "lv_tags": "raptor,raptor.dirty",
            "lv_size": "8388608",
        }
    )
    made = group.create("guest-alice-new", 8 * MIB, ["raptor", "raptor.dirty"])
    assert made.name == "guest-alice-new"
    assert lvm2.acts == [
        "lvcreate --yes --type linear -Zn -Wn --setautoactivation n --addtag raptor"
        " --addtag raptor.dirty --size 8388608b --name guest-alice-new -- lvm-data"
    ]


@pytest.mark.parametrize("row", [{"lv_size": "4194304"}, {"lv_tags": "raptor"}])
def test_a_volume_other_than_asked_for_is_an_error(
    group: LvmGroup, lvm2: Lvm, row: dict[str, str]
) -> None:
    wanted = {"lv_name": "guest-b-c", "lv_size": "8388608", "lv_tags": "raptor,raptor.dirty"}
    made = {**lvm2.rows[1], "lv_uuid": UUID.replace("K", "L"), **wanted, **row}
    lvm2.changes["lvcreate"] = lambda: lvm2.rows.append(made)
    with pytest.raises(HostError, match="made another lvm-data/guest-b-c"):
        group.create("guest-b-c", 8 * MIB, ["raptor", "raptor.dirty"])


def test_retag_is_one_command_by_uuid(group: LvmGroup, lvm2: Lvm) -> None:
    lvm2.changes["lvchange"] = lambda: lvm2.rows[0].update(lv_tags="raptor,raptor.dirty")
    group.retag(ours(group), add=["raptor.dirty"], remove=["raptor.clean"], at_boot=False)
    assert lvm2.acts == [
        "lvchange --addtag raptor.dirty --deltag raptor.clean --setautoactivation n"
        f' --select lv_uuid={UUID} && lv_name="guest-alice-dev" && lv_tags=raptor -- lvm-data'
    ]


def test_a_volume_that_was_renamed_meanwhile_is_not_retagged(group: LvmGroup, lvm2: Lvm) -> None:
    volume = ours(group)
    lvm2.rows[0]["lv_name"] = "else"
    lvm2.changes["lvchange"] = lambda: lvm2.rows[0].update(lv_tags="raptor,x")
    with pytest.raises(ConflictError, match="guest-alice-dev is else: somebody renamed it"):
        group.retag(volume, add=["x"], remove=[], at_boot=True)
    assert "x" not in lvm2.rows[0]["lv_tags"].split(",")


def test_tags_that_did_not_change_are_an_error(group: LvmGroup) -> None:
    with pytest.raises(HostError, match="left lvm-data/guest-alice-dev with tags"):
        group.retag(ours(group), add=["raptor.dirty"], remove=[], at_boot=False)
    with pytest.raises(HostError, match="left lvm-data/guest-alice-dev with tags"):
        group.retag(ours(group), add=[], remove=["raptor.clean"], at_boot=False)


def test_rename_takes_the_name_of_now_and_reads_back(group: LvmGroup, lvm2: Lvm) -> None:
    volume = ours(group)
    lvm2.rows[0]["lv_name"] = "guest-alice-renamed"
    lvm2.changes["lvrename"] = lambda: lvm2.rows[0].update(lv_name="wipe-1")
    group.rename(volume, "wipe-1")
    group.rename(volume, "wipe-1")  # already so
    assert lvm2.acts == ["lvrename -- lvm-data guest-alice-renamed wipe-1"]


def test_rename_refuses_a_name_in_use_and_a_foreign_volume(group: LvmGroup, lvm2: Lvm) -> None:
    lvm2.changes["lvrename"] = lambda: failing('"backup" already exists')("lvrename")
    with pytest.raises(ConflictError, match="lvm-data/backup already"):
        group.rename(ours(group), "backup")
    with pytest.raises(CommandError, match="already exists"):
        group.rename(ours(group), "wipe-1")
    lvm2.acts.clear()
    with pytest.raises(ConflictError, match="lvm-data/backup is not ours"):
        group.rename(group.list()[1], "mine")
    assert lvm2.acts == []


def test_rename_needs_no_look_before_where_the_kernel_knows_the_name(
    group: LvmGroup, lvm2: Lvm
) -> None:
    volume = ours(group)
    group.rename(volume, "wipe-1", read_back=False)
    assert lvm2.looks == 1


def test_a_volume_exchanged_during_rename_is_noticed(group: LvmGroup) -> None:
    with pytest.raises(ConflictError, match="wipe-1 is guest-alice-dev: somebody renamed it"):
        group.rename(ours(group), "wipe-1")


def test_activate_only_what_is_not(group: LvmGroup, lvm2: Lvm) -> None:
    assert group.activate(ours(group)).minor == 0
    assert lvm2.acts == []
    lvm2.changes["lvchange"] = lambda: lvm2.rows[1].update(lv_kernel_major="253")
    assert group.activate(group.list()[1]).major == 253
    assert lvm2.acts == [f"lvchange -ay --select lv_uuid={OTHER} -- lvm-data"]


def closed(lvm2: Lvm) -> None:
    lvm2.rows[0]["lv_device_open"] = ""
    lvm2.rows[1]["origin"] = ""


def test_remove_goes_by_uuid_and_mark(group: LvmGroup, lvm2: Lvm) -> None:
    closed(lvm2)
    volume = ours(group)
    lvm2.changes["lvremove"] = lambda: lvm2.rows.pop(0)
    group.remove(volume)
    assert lvm2.acts == [
        f'lvremove --yes --select lv_uuid={UUID} && lv_name="guest-alice-dev" && lv_tags=raptor'
        " && lv_tags=raptor.clean && lv_tags!=raptor.dirty && lv_tags!=raptor.wiped"
        " && lv_role!=origin -- lvm-data"
    ]
    group.remove(volume)  # already so
    assert len(lvm2.acts) == 1


def test_an_open_volume_is_not_removed(group: LvmGroup, lvm2: Lvm) -> None:
    with pytest.raises(ConflictError, match="guest-alice-dev is open: see `fuser /dev/lvm-data"):
        group.remove(ours(group))
    assert lvm2.acts == []


def test_a_foreign_volume_is_not_removed(group: LvmGroup, lvm2: Lvm) -> None:
    with pytest.raises(ConflictError, match="lvm-data/backup is not ours"):
        group.remove(group.list()[1])
    assert lvm2.acts == []


def test_a_volume_with_a_snapshot_is_not_removed(group: LvmGroup, lvm2: Lvm) -> None:
    lvm2.rows[0]["lv_device_open"] = ""
    with pytest.raises(ConflictError, match="has snapshots: backup"):
        group.remove(ours(group))
    assert lvm2.acts == []


def test_a_snapshot_that_was_taken_since_is_named(group: LvmGroup, lvm2: Lvm) -> None:
    closed(lvm2)
    volume = ours(group)
    lvm2.rows[0]["lv_role"], lvm2.rows[1]["origin"] = "public,origin", "guest-alice-dev"
    lvm2.changes["lvremove"] = lvm2.rows.clear
    with pytest.raises(ConflictError, match="has snapshots: backup"):
        group.remove(volume)
    assert len(lvm2.rows) == 2


@pytest.mark.parametrize(
    ("since", "says"),
    [
        ({"lv_tags": "raptor,raptor.clean,raptor.dirty"}, "there, with tags .*'raptor.dirty'"),
        ({"lv_tags": "raptor.clean"}, "is not ours"),
        ({"lv_name": "guest-bob-web"}, "left lvm-data/guest-bob-web there"),
        ({"lv_role": "public,origin"}, "left lvm-data/guest-alice-dev there"),
    ],
)
def test_a_volume_that_changed_since_it_was_seen_is_not_removed(
    group: LvmGroup, lvm2: Lvm, since: dict[str, str], says: str
) -> None:
    closed(lvm2)
    volume = ours(group)
    lvm2.rows[0].update(since)
    lvm2.changes["lvremove"] = lambda: lvm2.rows.pop(0)
    with pytest.raises(ConflictError, match=says):
        group.remove(volume)
    assert len(lvm2.rows) == 2


def test_acts_on_a_volume_that_is_gone_are_refused(group: LvmGroup, lvm2: Lvm) -> None:
    volume = ours(group)
    lvm2.rows.pop(0)
    acts: list[Callable[[], Volume]] = [
        lambda: group.rename(volume, "wipe-1"),
        lambda: group.activate(volume),
        lambda: group.retag(volume, add=[], remove=[], at_boot=True),
    ]
    for act in acts:
        with pytest.raises(ConflictError, match="is gone"):
            act()
