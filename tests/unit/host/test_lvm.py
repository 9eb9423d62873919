"""LVM's reports as nouns, and the command lines that acts become."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from raptorctl.errors import CommandError, ConflictError, HostError, MissingError
from raptorctl.host import lvm, udev
from raptorctl.host.lvm import LvmGroup, parse_report
from raptorctl.model.sizes import GIB, MIB
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
"lv_layout":"linear", "origin":"", "snap_percent":"", "lv_snapshot_invalid":""},
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
    """Stands in for `run`: answers reports from rows, notes acts, and lets each change the rows."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows
        self.acts: list[str] = []
        self.changes: dict[str, Callable[[], object]] = {}

    def __call__(self, program: str, *args: str, timeout: float = 0, ok: object = ()) -> str:
        if program == "lvs":
            return json.dumps({"report": [{"lv": [r for r in self.rows if self._fits(r, args)]}]})
        self.acts.append(" ".join((program, *args)))
        self.changes.get(program, lambda: None)()
        return ""

    def _fits(self, row: dict[str, Any], args: tuple[str, ...]) -> bool:
        if "--select" not in args:
            return True
        key, _, value = args[args.index("--select") + 1].partition("=")
        return bool(row[key] == value)


@pytest.fixture
def lvm2(monkeypatch: pytest.MonkeyPatch) -> Lvm:
    fake = Lvm(parse_report(ROWS, "lv"))
    monkeypatch.setattr(lvm, "run", fake)
    monkeypatch.setattr(udev, "wait_for_node", lambda _volume: None)
    monkeypatch.setattr(udev, "wait_until_gone", lambda _volume: None)
    monkeypatch.setattr(udev, "settle", lambda _timeout: None)
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
    }
    seen: list[str] = []

    def answer(*argv: str) -> str:
        seen.extend(argv)
        return json.dumps({"report": [{"vg": [row]}]})

    monkeypatch.setattr(lvm, "run", answer)
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
    monkeypatch.setattr(lvm, "run", failing(said))
    assert LvmGroup("lvm-data").group() is None
    with pytest.raises(MissingError, match=r"no volume group lvm-data: .*vgcreate"):
        LvmGroup("lvm-data").list()


def test_another_failure_of_lvm_is_not_taken_for_a_missing_group(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lvm, "run", failing("  /run/lock/lvm: open failed: Permission denied\n"))
    with pytest.raises(CommandError, match="Permission denied"):
        LvmGroup("lvm-data").group()
    with pytest.raises(CommandError, match="Permission denied"):
        LvmGroup("lvm-data").list()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"report": [{"vg": []}]}', "  WARNING: x\n{"])
def test_a_report_that_is_none_is_an_error(text: str) -> None:
    with pytest.raises(HostError, match="report is not what it should be"):
        parse_report(text, "lv")


@pytest.mark.parametrize(
    "uuid", ["", "x", f"{UUID} || lv_size>0", f"{UUID}\n", '"" || vg_name!=""']
)
def test_nothing_but_a_uuid_gets_into_a_selection(group: LvmGroup, uuid: str) -> None:
    with pytest.raises(ValueError, match="not a volume's UUID"):
        group.find(uuid)


def test_a_volume_that_only_udev_has_open_is_looked_at_again(
    group: LvmGroup, lvm2: Lvm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(udev, "settle", lambda _timeout: lvm2.rows[0].update(lv_device_open=""))
    assert not ours(group).is_open


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
        f" --select lv_uuid={UUID} -- lvm-data"
    ]


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
    with pytest.raises(ConflictError, match="lvm-data/backup already"):
        group.rename(ours(group), "backup")
    with pytest.raises(ConflictError, match="lvm-data/backup is not ours"):
        group.rename(group.list()[1], "mine")
    assert lvm2.acts == []


def test_a_volume_exchanged_during_rename_is_noticed(group: LvmGroup) -> None:
    with pytest.raises(ConflictError, match="exchanged"):
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
    assert lvm2.acts == [f"lvremove --yes --select lv_uuid={UUID} && lv_tags=raptor -- lvm-data"]
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


def test_a_volume_that_stays_is_an_error(group: LvmGroup, lvm2: Lvm) -> None:
    closed(lvm2)
    with pytest.raises(HostError, match="left lvm-data/guest-alice-dev there"):
        group.remove(ours(group))


def test_acts_on_a_volume_that_is_gone_are_refused(group: LvmGroup, lvm2: Lvm) -> None:
    volume = ours(group)
    lvm2.rows.pop(0)
    for act in (
        lambda: group.rename(volume, "wipe-1"),
        lambda: group.activate(volume),
        lambda: group.retag(volume, add=[], remove=[], at_boot=True),
    ):
        with pytest.raises(ConflictError, match="is gone"):
            act()
