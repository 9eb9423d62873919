"""Volumes that grow: the command lines, and what is looked at afterwards.

The rows are as lvm2 2.03.16 writes them; that each command is one commit was tried with it.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from raptorctl.errors import ConflictError, HostError
from raptorctl.host.volume.lvm_life import LivingGroup
from raptorctl.model.sizes import MIB
from raptorctl.model.volume import Extents, Volume
from tests.unit.host.volume.test_lvm import UUID, Lvm

ROW = {
    "lv_uuid": UUID, "lv_name": "guest-alice-dev", "vg_name": "lvm-data", "lv_size": "33554432",
    "lv_tags": "raptor,raptor.clean", "lv_kernel_major": "253", "lv_kernel_minor": "0",
    "lv_device_open": "", "lv_layout": "linear", "origin": "",
    "snap_percent": "", "lv_snapshot_invalid": "",
}  # fmt: skip
RANGES = ("/dev/vdb:5-15", "/dev/vdc:58-61")


def quiet(_done: int, _all: int) -> None:
    pass


class LivingLvm(Lvm):
    """Counts commits, as LVM does."""

    commit = 7

    def __call__(self, program: str, *args: str, timeout: float = 0, ok: object = ()) -> str:
        if program == "vgs":
            row = {"vg_name": "lvm-data", "vg_size": "0", "vg_free": "0",
                   "vg_extent_size": "4194304", "vg_missing_pv_count": "0",
                   "max_lv": "0", "lv_count": "1", "vg_seqno": str(self.commit)}  # fmt: skip
            return json.dumps({"report": [{"vg": [row]}]})
        if "lv_uuid,seg_pe_ranges" in args:
            rows = [{"lv_uuid": UUID, "seg_pe_ranges": part} for part in self.ranges]
            return json.dumps({"report": [{"lv": rows}]})
        return super().__call__(program, *args)

    ranges: tuple[str, ...] = RANGES


@pytest.fixture
def lvm2(monkeypatch: pytest.MonkeyPatch) -> LivingLvm:
    fake = LivingLvm([dict(ROW)])
    fake.stand_in(monkeypatch)
    return fake


def made(lvm2: LivingLvm, size: int, commits: int = 1) -> Callable[[], None]:
    def act() -> None:
        lvm2.rows[0]["lv_size"] = str(size)
        lvm2.commit += commits

    return act


def group_and_volume() -> tuple[LivingGroup, Volume]:
    group = LivingGroup("lvm-data")
    volume = group.find(UUID)
    assert volume
    return group, volume


def test_where_a_volume_lies(lvm2: LivingLvm) -> None:
    group, volume = group_and_volume()
    assert group.extents(volume) == Extents(RANGES, 7)


@pytest.mark.parametrize("ranges", [(), ("pool_tdata:0-9",), ("/dev/vdb:0",)])
def test_what_lies_on_no_disk_cannot_be_handed_over(lvm2: LivingLvm, ranges: Any) -> None:
    lvm2.ranges = ranges
    group, volume = group_and_volume()
    with pytest.raises(HostError, match="not on disks alone"):
        group.extents(volume)


def test_it_grows_by_those_extents_and_no_others(lvm2: LivingLvm) -> None:
    group, volume = group_and_volume()
    lvm2.changes["lvextend"] = made(lvm2, 92 * MIB)
    group.extend(volume, Extents(RANGES, commit=6))  # 7 was their removal
    assert lvm2.acts == [
        f"lvextend --size {92 * MIB}b -- lvm-data/guest-alice-dev /dev/vdb:5-15 /dev/vdc:58-61"
    ]


def test_somebody_elses_commit_in_between_is_told(lvm2: LivingLvm) -> None:
    group, volume = group_and_volume()
    lvm2.changes["lvextend"] = made(lvm2, 92 * MIB)
    lvm2.changes["lvreduce"] = made(lvm2, 32 * MIB)
    with pytest.raises(ConflictError, match="lvm-data was changed by another program"):
        group.extend(volume, Extents(RANGES, commit=5))
    assert lvm2.acts[-1].startswith("lvreduce --yes --force")
    found = group.find(UUID)
    assert found
    assert found.size == 32 * MIB


def test_another_size_than_asked_for_is_an_error(lvm2: LivingLvm) -> None:
    group, volume = group_and_volume()
    with pytest.raises(HostError, match="lvextend left lvm-data/guest-alice-dev with 32M"):
        group.extend(volume, Extents(RANGES, commit=6))


def test_it_shrinks_back_and_a_second_time_is_nothing(lvm2: LivingLvm) -> None:
    group, volume = group_and_volume()
    lvm2.changes["lvreduce"] = made(lvm2, 16 * MIB)
    for _ in range(2):
        group.shrink(volume, 16 * MIB)
    assert lvm2.acts == [
        f"lvreduce --yes --force --fs ignore --size {16 * MIB}b -- lvm-data/guest-alice-dev"
    ]


@pytest.mark.parametrize("act", ["extend", "shrink"])
def test_what_is_not_ours_is_left_alone(lvm2: LivingLvm, act: str) -> None:
    group, volume = group_and_volume()
    lvm2.rows[0]["lv_tags"] = ""
    with pytest.raises(ConflictError, match="is not ours"):
        getattr(group, act)(volume, Extents(RANGES, 6) if act == "extend" else MIB)
    assert not lvm2.acts


def test_zeroes_that_are_needed_are_not_discarded(lvm2: LivingLvm) -> None:
    group, volume = group_and_volume()
    lvm2.changes["lvremove"] = lvm2.rows.clear
    group.remove(volume, discard=False)
    assert lvm2.acts[0].startswith("lvremove --config devices/issue_discards=0 --yes --select")


SNAP = {"lv_name": "snap-alice-dev.before", "lv_uuid": UUID.replace("K", "L"),
        "origin": "guest-alice-dev", "lv_size": "8388608", "snap_percent": "3.17"}  # fmt: skip


def with_snapshot(lvm2: LivingLvm, **fields: str) -> Callable[[], None]:
    return lambda: lvm2.rows.append({**ROW, **SNAP, **fields})


def test_a_snapshot_is_one_command_and_read_back(lvm2: LivingLvm) -> None:
    group, volume = group_and_volume()
    lvm2.changes["lvcreate"] = with_snapshot(lvm2)
    made = group.snapshot(volume, SNAP["lv_name"], 8 * MIB, ["raptor", "raptor.job=j2"], quiet)
    assert (made.origin, made.used, made.invalid) == ("guest-alice-dev", 3.17, False)
    assert lvm2.acts == [
        "lvcreate --yes --snapshot --addtag raptor --addtag raptor.job=j2 --size 8388608b"
        " --name snap-alice-dev.before -- lvm-data/guest-alice-dev"
    ]


@pytest.mark.parametrize("fields", [{"origin": "root"}, {"lv_size": "4194304"}])
def test_another_snapshot_than_asked_for_is_an_error(
    lvm2: LivingLvm, fields: dict[str, str]
) -> None:
    group, volume = group_and_volume()
    lvm2.changes["lvcreate"] = with_snapshot(lvm2, **fields)
    with pytest.raises(HostError, match="lvcreate made another"):
        group.snapshot(volume, SNAP["lv_name"], 8 * MIB, [], quiet)


def test_an_overflowed_snapshot_is_known(lvm2: LivingLvm) -> None:
    with_snapshot(lvm2, lv_snapshot_invalid="snapshot invalid", snap_percent="100.00")()
    found = LivingGroup("lvm-data").find(SNAP["lv_uuid"])
    assert found
    assert found.invalid


def test_a_snapshot_is_split_off_once_and_keeps_its_uuid(lvm2: LivingLvm) -> None:
    with_snapshot(lvm2)()
    group = LivingGroup("lvm-data")
    snapshot = group.find(SNAP["lv_uuid"])
    assert snapshot
    lvm2.changes["lvconvert"] = lambda: lvm2.rows[1].update(origin="")
    for _ in range(2):
        assert group.split(snapshot).uuid == snapshot.uuid
    assert lvm2.acts == ["lvconvert --yes --splitsnapshot -- lvm-data/snap-alice-dev.before"]


@pytest.mark.parametrize(
    ("fields", "says"), [({"lv_device_open": "open"}, "is open"), ({"lv_tags": ""}, "is not ours")]
)
def test_a_snapshot_that_is_used_or_not_ours_is_not_split(
    lvm2: LivingLvm, fields: dict[str, str], says: str
) -> None:
    with_snapshot(lvm2, **fields)()
    group = LivingGroup("lvm-data")
    snapshot = group.find(SNAP["lv_uuid"])
    assert snapshot
    with pytest.raises(ConflictError, match=says):
        group.split(snapshot)
    assert not lvm2.acts


def test_one_that_stays_a_snapshot_is_an_error(lvm2: LivingLvm) -> None:
    with_snapshot(lvm2)()
    group = LivingGroup("lvm-data")
    snapshot = group.find(SNAP["lv_uuid"])
    assert snapshot
    with pytest.raises(HostError, match="lvconvert left"):
        group.split(snapshot)
