"""Snapshots, decided: taken, put back, removed, and every reason to refuse."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from raptorctl.errors import InputError, RefusedError
from raptorctl.model.domain import Domain, State
from raptorctl.model.facts import Reservation
from raptorctl.model.names import MachineName, parse_snapshot_words, split_snapshot
from raptorctl.model.sizes import GIB, MIB, Size
from raptorctl.model.snapshot import snapshots
from raptorctl.model.tenant import Quota
from raptorctl.model.volume import Volume
from raptorctl.plans.doctor.fault import scene
from raptorctl.plans.doctor.snapshot import lost_snapshots
from raptorctl.plans.machine.deprovision import plan_deprovision
from raptorctl.plans.machine.snapshot import SnapshotRequest, plan_create, plan_delete
from raptorctl.plans.machine.snapshot_restore import plan_restore
from raptorctl.plans.past import NOTHING
from raptorctl.plans.plan import Plan, decode_plan
from raptorctl.plans.tenant.quota import usage
from raptorctl.steps.snapshot import SplitSnapshot, TakeSnapshot, TakeStill
from raptorctl.steps.volume import RemoveVolume
from tests.fakes import settings
from tests.unit.plans.machine.test_provision import whole_machine
from tests.unit.plans.machine.test_resize import NAME, NEXT, alice, both, off, text, there, volume


def kept(name: str = "before", **changes: Any) -> Volume:
    tags = ("raptor", "raptor.tenant=alice", "raptor.job=j1b", "raptor.taken=2026-11-20T12:30:00Z")
    made = Volume(f"uuid-{name}", f"snap-alice-dev.{name}", "lvm-data", Size(8 * GIB), tags)
    return replace(made, **{"origin": "guest-alice-dev", "used": 3.2, **changes})


def create(
    name: str | None = "before", size: int | None = None, *, every: bool = False, **changes: Any
) -> Plan:
    request = SnapshotRequest(NAME, name, None if size is None else Size(size), every)
    return plan_create(request, there(**changes), NEXT)


def further(**changes: Any) -> dict[str, Any]:
    """What `alice dev` is like with a disk `data`, which runs unless told otherwise."""
    (domain,), (first,) = whole_machine()["domains"], whole_machine()["volumes"]
    tags = (*(tag for tag in first.tags if "slot" not in tag), "raptor.disk=data")
    disk = replace(
        first, uuid="uuid-data", name="disk-alice-dev.data", size=Size(10 * GIB), tags=tags
    )
    domain = replace(domain, disks=(*domain.disks, disk.path), **changes)
    return {"domains": (domain,), "volumes": (first, disk)}


def of_all(**changes: Any) -> dict[str, Any]:
    """The same, with a snapshot of both, off."""
    found = further(state=State.OFF)
    data = kept("before.data", origin="disk-alice-dev.data", **changes)
    return {**found, "volumes": (*found["volumes"], kept(), data)}


def restore(name: str | None = "before", **changes: Any) -> Plan:
    return plan_restore(NAME, name, there(**{**off(), **both(kept()), **changes}), NEXT)


def delete(name: str = "before", **changes: Any) -> Plan:
    return plan_delete(NAME, name, there(**{**both(kept()), **changes}), NEXT)


PLANS: dict[str, Callable[[], Plan]] = {
    "create": create,
    "create_by_time_off": lambda: create(None, 5 * MIB, **off()),
    "restore": restore,
    "restore_autostarted": lambda: restore(**off(autostart=True)),
    "delete": delete,
    "delete_nothing": lambda: delete("other"),
    "create_all": lambda: create(every=True, **further()),
    "create_first_of_several": lambda: create(**further()),
    "restore_all": lambda: restore(**of_all()),
    "delete_all": lambda: delete(**of_all()),
}


@pytest.mark.parametrize("name", PLANS)
def test_golden(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"plans/snapshot_{name}.txt", text(PLANS[name]()))


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_survives_the_journal(name: str) -> None:
    plan = PLANS[name]()
    assert decode_plan(plan.encode()) == plan


def test_a_removal_splits_all_wipes_all_and_lets_go_of_the_lock_first() -> None:
    facts = there(**both(kept(), kept("later")))
    steps = plan_deprovision(NAME, settings(), facts, NEXT).steps
    assert [(step.kind, step.reversible) for step in steps if "nvram" not in step.kind] == [
        ("records.remove", True),
        ("domain.undefine", True), ("domain.stop", True),
        ("snapshot.split", False), ("snapshot.split", False),
        ("volume.retire", True), ("volume.retire", True), ("volume.retire", True),
        ("volume.wipe", False), ("volume.remove", False),
        ("volume.wipe", False), ("volume.remove", False),
        ("volume.wipe", False), ("volume.remove", False),
    ]  # fmt: skip
    unlocked = [step.needs_lock for step in steps]
    assert unlocked == sorted(unlocked, reverse=True)


def test_somebody_elses_snapshot_still_keeps_a_machine_from_going() -> None:
    for foreign in (kept(tags=()), kept(name="x", tags=("raptor", "raptor.tenant=bob"))):
        with pytest.raises(
            RefusedError, match=r"is a snapshot of guest-alice-dev: `lvremove lvm-data/"
        ):
            plan_deprovision(NAME, settings(), there(**both(foreign)), NEXT)


def test_an_open_snapshot_keeps_a_machine_from_going() -> None:
    with pytest.raises(RefusedError, match=r"snap-alice-dev\.before is open"):
        plan_deprovision(NAME, settings(), there(**both(kept(is_open=True))), NEXT)


def test_while_a_domain_is_withdrawn_its_cpus_stay_its_own() -> None:
    (domain,) = whole_machine()["domains"]
    assert restore().reservation == Reservation("j2", "alice-dev", None, domain.pins)


def test_a_snapshot_counts_as_its_tenants_disk() -> None:
    assert usage("alice", there(**both(kept()))).size == 48 * GIB


def test_one_of_all_disks_goes_with_its_machine() -> None:
    steps = plan_deprovision(NAME, settings(), there(**of_all()), NEXT).steps
    split = [(step.name, step.origin) for step in steps if isinstance(step, SplitSnapshot)]
    assert split == [
        ("snap-alice-dev.before", "guest-alice-dev"),
        ("snap-alice-dev.before.data", "disk-alice-dev.data"),
    ]
    removed = [step.name for step in steps if isinstance(step, RemoveVolume)]
    assert sorted(removed) == [
        "disk-alice-dev.data", "guest-alice-dev", "snap-alice-dev.before",
        "snap-alice-dev.before.data",
    ]  # fmt: skip


def test_the_room_asked_for_is_each_disks_and_no_larger_than_it() -> None:
    plan = create(size=20 * GIB, every=True, **further())
    taken = [step for step in plan.steps if isinstance(step, TakeSnapshot)]
    assert [step.size for step in taken] == [20 * GIB, 10 * GIB]


def test_one_that_is_off_is_not_suspended_but_must_stay_off() -> None:
    steps = create(every=True, **further(state=State.OFF)).steps
    assert [step.kind for step in steps] == ["snapshot.still", "snapshot.still"]
    assert {step.domain for step in steps if isinstance(step, TakeStill)} == {NEXT.uuid}


LOST = {**off(), **both(kept(invalid=True))}


@pytest.mark.parametrize(
    ("decide", "says"),
    [
        (lambda: create(**both(kept())), "has a snapshot before already, taken 2026-11-20T12:30"),
        (lambda: create(size=41 * GIB), "41G asked; all of guest-alice-dev is 40G"),
        (lambda: create(**volume(kind="thin,sparse")), "not as raptorctl made it: thin,sparse"),
        (lambda: create(**volume(tags=("raptor", "raptor.tenant=alice"))), "is not clean"),
        (lambda: create(**alice(Quota(size=Size(44 * GIB)))), "40G of 44G of disk; 8G more asked"),
        (lambda: create(group=replace(there().group, free=Size(GIB))), "has 1G free"),  # type: ignore[type-var]
        (lambda: create(reservations=(Reservation("j9", "alice-dev"),)), "job j9 works on"),
        (lambda: create(domains=(), volumes=()), "no such machine"),
        (lambda: restore(**running()), "alice-dev is running; its"),
        (lambda: restore("other"), "has no snapshot other: there is: before"),
        (lambda: restore(**of_all(invalid=True)), "snapshot before of alice-dev overflowed"),
        (lambda: create(every=True, **further(), **alice(Quota(size=Size(59 * GIB)))),
         "50G of 59G of disk; 10G more asked"),
        (lambda: restore(volumes=whole_machine()["volumes"]), "has no snapshot before"),
        (lambda: restore(None, **both(kept(), kept("later"))), "several snapshots: name one: before, later"),
        (lambda: restore(**LOST), "overflowed: what it kept is lost: raptorctl snapshot delete"),
        (lambda: delete(**both(kept(is_open=True))), "is open"),
        (lambda: delete(reservations=(Reservation("j9", "alice-dev"),)), "job j9 works on"),
    ],
)  # fmt: skip
def test_it_is_refused(decide: Callable[[], Plan], says: str) -> None:
    with pytest.raises(RefusedError) as caught:
        decide()
    assert says in str(caught.value)


def monday(**changes: Any) -> Volume:
    """Has kept 12G of 16G."""
    return kept("monday", **{"size": Size(16 * GIB), "used": 75.0, **changes})


@pytest.mark.parametrize(
    "other",
    [
        kept("tuesday", size=Size(13 * GIB), used=70.0),
        kept("sunday", size=Size(13 * GIB), used=99.9),  # it keeps all that monday does already
        kept("tuesday", size=Size(10 * GIB), used=100.0, invalid=True),
        kept("tuesday.data", size=Size(1 * GIB), origin="disk-alice-dev.data"),
    ],
)
def test_a_snapshot_that_takes_what_is_written_back_is_no_obstacle(other: Volume) -> None:
    assert restore("monday", **both(monday(), other)).steps


@pytest.mark.parametrize(
    ("one", "others", "says"),
    [
        (monday(), [kept("tuesday", size=Size(12 * GIB), used=60.0)],
         "up to 12.0G to guest-alice-dev, for which other snapshots of it have too little room, and "
         "would be lost: tuesday: `raptorctl snapshot delete alice-dev tuesday`"),
        (monday(), [kept("tuesday"), kept("wednesday", used=0.0)], "lost: tuesday, wednesday"),
        (monday(used=None), [kept("tuesday", size=Size(15 * GIB))], "up to 16G"),
        (monday(), [replace(kept(), name="backup", tags=())],
         "lost: backup: `lvremove lvm-data/backup` if nobody needs it"),
    ],
)  # fmt: skip
def test_a_snapshot_that_would_overflow_is_named_and_nothing_is_restored(
    one: Volume, others: list[Volume], says: str
) -> None:
    with pytest.raises(RefusedError) as caught:
        restore("monday", **both(one, *others))
    assert says in str(caught.value)


def test_the_latest_snapshot_harms_no_other() -> None:
    assert restore("tuesday", **both(monday(), kept("tuesday", used=90.0))).steps


def running() -> dict[str, Any]:
    (domain,) = whole_machine()["domains"]
    return {"domains": (replace(domain, state=State.RUNNING),)}


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["alice", "dev"], (NAME, None)),
        (["alice-dev"], (NAME, None)),
        (["alice", "dev", "before"], (NAME, "before")),
        (["alice-dev", "before"], (NAME, "before")),
    ],
)
def test_both_ways_to_name_a_machine_take_a_snapshot_behind_them(
    words: list[str], found: tuple[MachineName, str | None]
) -> None:
    assert parse_snapshot_words(words) == found


@pytest.mark.parametrize(
    "words",
    [["alice"], ["alice", "dev", "a", "b"], ["alice-dev", "a", "b"], ["alice-dev", "A"],
     ["alice-dev", "a.b"], ["alice-dev", "-a"], ["alice-dev", "a" * 21], ["alice-dev", ""], [""]],
)  # fmt: skip
def test_what_names_no_snapshot_is_bad_input(words: list[str]) -> None:
    with pytest.raises(InputError):
        parse_snapshot_words(words)


def test_names_tell_machine_and_snapshot_apart() -> None:
    ours = MachineName("alice", "dev-a").snapshot("b-c")
    assert split_snapshot(ours) == (MachineName("alice", "dev-a"), "b-c", "")
    assert split_snapshot("snap-alice-dev.b.c") == (MachineName("alice", "dev"), "b", "c")
    for other in (
        "snap-alice-dev.b.",
        "snap-alice-dev.b.c.d",
        "snap-alice-dev",
        "guest-alice-dev.b",
        "snap-.b",
        "snap-alice-dev.B",
        "snap",
    ):
        assert split_snapshot(other) is None


def test_only_marked_ones_of_that_very_volume_are_snapshots_of_ours() -> None:
    foreign = (kept(tags=()), kept(origin=""), kept(origin="root"), kept(tags=("raptor",)))
    assert not snapshots(foreign)
    assert [one.name for one in snapshots([kept("later"), kept()], NAME)] == ["before", "later"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"invalid": True}, "overflowed"), ({"used": 93.4}, "has 93% of its 8G taken"), ({}, "")],
)
def test_doctor_tells_of_what_is_lost(changes: dict[str, Any], says: str) -> None:
    found = list(lost_snapshots(scene(settings(), there(**both(kept(**changes))), NOTHING)))
    assert [says in fault.what for fault in found] == ([True] if says else [])
    busy = there(**both(kept(**changes)), reservations=(Reservation("j9", "alice-dev"),))
    assert not list(lost_snapshots(scene(settings(), busy, NOTHING)))


def test_a_machine_needs_no_domain_for_its_snapshot_to_go() -> None:
    assert delete(domains=()).steps
    assert delete(domains=(Domain("u", "alice-dev"),)).steps
