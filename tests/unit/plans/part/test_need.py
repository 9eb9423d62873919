"""What the planner refuses on a host without machines, doctor tells: each refusal has its twin."""

import ast
import inspect
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from raptorctl.errors import MissingError, RaptorError, RefusedError
from raptorctl.host.system.files import templates
from raptorctl.model.access import Daemon
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.disk import DiskSpec
from raptorctl.model.facts import HostFacts
from raptorctl.model.names import MachineName
from raptorctl.model.part import Part, SessionPart
from raptorctl.model.probe import Finding, SessionProbe, Trouble, Verdict
from raptorctl.model.settings import Settings
from raptorctl.model.sizes import GIB, MIB, Size
from raptorctl.model.slot import Bridge
from raptorctl.model.spec import MachineSpec
from raptorctl.model.volume import Volume, VolumeGroup
from raptorctl.plans.doctor.examine import examine
from raptorctl.plans.doctor.fault import NOBODY
from raptorctl.plans.doctor.session import examine_session
from raptorctl.plans.machine import again, diff, diff_disk, diff_guest, existing, provision
from raptorctl.plans.machine.choice import ProvisionRequest
from raptorctl.plans.machine.deprovision import plan_deprovision
from raptorctl.plans.machine.disk import DiskRequest, plan_add
from raptorctl.plans.machine.provision import plan_provision
from raptorctl.plans.machine.rebuild import RebuildRequest, plan_rebuild
from raptorctl.plans.machine.resize import ResizeRequest, plan_resize
from raptorctl.plans.machine.snapshot import SnapshotRequest, plan_create
from raptorctl.plans.machine.snapshot_restore import plan_restore
from raptorctl.plans.machine.wipe import plan_wipe
from raptorctl.plans.part import (
    address,
    cpus,
    disk,
    expiry,
    extra,
    hardware,
    image,
    log,
    medium,
    need,
    net,
    owner,
    records,
    room,
    seed,
    session_host,
    slots,
)
from raptorctl.plans.past import NOTHING
from raptorctl.plans.tenant import common as tenants
from raptorctl.plans.tenant import membership as tenant
from raptorctl.plans.tenant import quota, refusal
from tests.fakes import World, settings, topology
from tests.session_host import SessionWorld
from tests.unit.plans.doctor.test_examine import healthy
from tests.unit.plans.machine.test_provision import ALICE, JOB, whole_machine

PLANNERS = (address, again, cpus, diff, diff_disk, diff_guest, disk, existing, expiry, extra, hardware, image, log, medium, need, net, owner, session_host,
            provision, quota, records, refusal, room, seed, slots, tenant, tenants)  # fmt: skip
"""What plan_provision calls, however far away."""

GROUP = VolumeGroup("lvm-data", Size(200 * GIB), Size(100 * GIB), Size(4 * MIB))


@dataclass(frozen=True)
class Bare:
    """A host without machines that lacks something.

    Args:
        by: the function that refuses it.
        facts: what is otherwise.
        settings: likewise.
        own: it is a host of one's own.
    """

    by: str
    facts: dict[str, Any]
    settings: dict[str, Any] | None = None
    own: bool = False


BARE = [
    Bare("room.group", {"group": None}),
    Bare("room.refuse_missing_disks", {"group": replace(GROUP, missing=1)}),
    Bare("room.refuse_unfit_group", {"group": replace(GROUP, most=3, count=3)}),
    Bare("room.refuse_unfit_group", {"group": replace(GROUP, free=Size(MIB))}),
    Bare("room.refuse_missing_firmware", {"files": frozenset()}),
    Bare("room.refuse_memory", {"memory": Size(128 * MIB)}),
    Bare("cpus.refuse_none", {}, {"cpus": CpuSet(tuple(range(8)))}),
    Bare("cpus.refuse_none", {"topology": replace(topology(), allowed=CpuSet((0, 1)))}),
    Bare("slots.choose", {"bridges": ()}),
    Bare("slots.choose", {"bridges": (Bridge("br-vm1", up=False),)}),
    Bare("need._refuse_silent_dns", {"dns_problem": "named does not answer"}),
    Bare("provision._choose", {"templates": {}}),
    Bare("refusal.refuse_declarative", {"declarative": True}),
    Bare(
        "refusal.refuse_unasked",
        {
            "unasked": (
                Daemon("virtqemud", "/etc/libvirt/virtqemud.conf", polkit=False, anonymous=0),
            )
        },
    ),
    Bare("session_host.forward", {"ports": ()}, own=True),
]

OF_A_REQUEST = {
    "again.already",  # it is there, and differs
    "again._started",  # it is there, and cannot be started now
    "net._refuse_unhelped",  # a bridge
    "cpus.chosen",  # more CPUs than are free; none at all is refuse_none
    "cpus.refuse",  # these CPUs
    "cpus._refuse_unfit",
    "cpus._refuse_taken",
    "session_host.refuse_pins",
    "cpus.refuse_many",
    "cpus.refuse_stuck",  # it is there, and its CPUs are not
    "room.refuse_long_file",
    "existing.find",
    "existing.refuse_foreign",
    "existing.refuse_reserved",
    "room.refuse_origin",  # it is to go
    "room.refuse_unclean",  # it is there, and is to grow or to be kept as it is
    "extra._kept",  # these further disks
    "extra._new",
    "extra._refuse_unfit",
    "extra.refuse_at_work",
    "existing.whole",
    "image.chosen",
    "image.known",
    "medium.chosen",
    "medium.refuse_unreadable",  # it is there, and what is in its drive is not
    "image.refuse_large",
    "hardware.refuse",
    "hardware.refuse_uneven",
    "hardware.firmware",
    "hardware._refuse_pages",
    "log.refuse_old",
    "net._slot_number",
    "net._refuse_other_host",
    "net._refuse_ungranted",
    "net._refuse_absent",  # of what was granted
    "net._refuse_taken",  # this port
    "session_host.refuse_other",
    "owner._refuse_expired",
    "provision._refuse_taken_names",
    "quota.refuse_over",
    "room.refuse_large",  # a size; no room at all is refuse_unfit_group
    "room.refuse_old_nvram",
    "expiry.day",
    "expiry._refuse_policy",
    "seed.refuse_old",
    "seed.refuse_stranger",  # a key of the caller's
    "seed.seed_steps",
    "refusal.refuse_anothers_number",
    "refusal.refuse_lookalikes",
    "refusal.refuse_other",
    "refusal.refuse_unfit",
    "membership.plan_remove",
    "common.keys_of",
    "common.refuse_half",
    "common.whole",
}
"""Refusals of what was asked for: another request would pass on the same host."""


def refusing(module: ModuleType) -> Iterator[str]:
    """Its functions that raise an error of ours."""
    short = module.__name__.rpartition(".")[2]
    for function in ast.parse(inspect.getsource(module)).body:
        if isinstance(function, ast.FunctionDef):
            raised = [node.exc for node in ast.walk(function) if isinstance(node, ast.Raise)]
            if any(isinstance(exc, ast.Call) for exc in raised):
                yield f"{short}.{function.name}"


def test_every_refusal_of_the_planners_has_a_twin_or_is_one_of_a_request() -> None:
    found = {name for module in PLANNERS for name in refusing(module)}
    assert found == {case.by for case in BARE} | OF_A_REQUEST


def test_what_provision_calls_is_all_looked_at() -> None:
    """A planner that is new to provision has to be named above."""
    seen, queue = set(), [provision]
    while queue:
        module = queue.pop()
        seen.add(module)
        parts = [value for value in vars(module).values() if inspect.ismodule(value)]
        queue += [part for part in parts if part not in seen and "raptorctl.plans" in part.__name__]
    assert seen <= set(PLANNERS)


def own_facts(changes: dict[str, Any], home: Path) -> tuple[Settings, HostFacts]:
    world = SessionWorld(home)
    return world.settings, replace(world.facts(), **changes)


def refused(case: Bare, home: Path) -> RefusedError:
    """What plan_provision says, and that it is this function that says it."""
    if case.own:
        known, facts = own_facts(case.facts, home)
    else:
        known = changed(case)
        facts = replace(World().facts(templates()), **case.facts)
    name = MachineName(known.owner if case.own else "alice", "dev")
    asked = ProvisionRequest(name, MachineSpec(size=Size(1), cpus=1))
    with pytest.raises(RaptorError) as caught:
        plan_provision(asked, known, facts, NOBODY)
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert f"{last.filename.rpartition('/')[2][:-3]}.{last.name}" == case.by
    return caught.value  # type: ignore[return-value] # InputError, of the settings' template


def changed(case: Bare) -> Settings:
    known = settings()
    reserved = (case.settings or {}).get("cpus")
    return replace(known, cpus=replace(known.cpus, reserved=reserved)) if reserved else known


def findings(case: Bare, home: Path) -> tuple[Finding, ...]:
    if case.own:
        known, facts = own_facts(case.facts, home)
        return examine_session(SessionProbe(known, facts, (11, 3, 0), "/usr/bin/qemu", True, "/q"))
    return examine(replace(healthy(**case.facts), settings=changed(case)))


@pytest.mark.parametrize("case", BARE, ids=lambda case: f"{case.by}-{sorted(case.facts)}")
def test_doctor_is_not_ready_where_provision_must_refuse(case: Bare, tmp_path: Path) -> None:
    error = refused(case, tmp_path)
    failed = [
        finding for finding in findings(case, tmp_path / "again") if finding.verdict is Verdict.FAIL
    ]
    assert failed
    assert all(finding.advice for finding in failed) or not error.resolution


def test_a_host_that_is_full_is_ready_for_no_other_machine_and_told_as_a_doubt() -> None:
    world = World()
    world.volumes.create("guest-alice-dev", 4 * MIB, ["raptor"])
    taken = replace(healthy(volumes=world.volumes.list()), settings=changed(Bare("", {})))
    small = replace(taken, facts=replace(taken.facts, memory=Size(1)))
    (doubt,) = [f for f in examine(small) if f.check == "room"]
    assert doubt.verdict is Verdict.WARN
    assert doubt.what.startswith("no other machine fits: ")


CHANGES: dict[str, Callable[[HostFacts], object]] = {
    "deprovision": lambda facts: plan_deprovision(ALICE.name, settings(), facts, JOB),
    "rebuild": lambda facts: plan_rebuild(RebuildRequest(ALICE.name), settings(), facts, JOB),
    "resize": lambda facts: plan_resize(
        ResizeRequest(ALICE.name, Size(50 * GIB)), settings(), facts, JOB
    ),
    "disk add": lambda facts: plan_add(
        DiskRequest(ALICE.name, "data", DiskSpec(Size(GIB))), settings(), facts, JOB
    ),
    "snapshot": lambda facts: plan_create(SnapshotRequest(ALICE.name), facts, JOB),
    "restore": lambda facts: plan_restore(ALICE.name, None, facts, JOB),
    "wipe": lambda facts: plan_wipe(None, NOTHING, facts, JOB),
}


@pytest.mark.parametrize("verb", CHANGES)
def test_whoever_changes_volumes_refuses_a_group_that_misses_a_disk(verb: str) -> None:
    retired = Volume("u9", "wipe-u9", "lvm-data", Size(GIB), ("raptor", "raptor.dirty"))
    whole = whole_machine()
    volumes = (*whole["volumes"], *((retired,) if verb == "wipe" else ()))
    facts = replace(World().facts(templates()), **{**whole, "volumes": volumes})
    with pytest.raises(MissingError, match="misses a disk"):
        CHANGES[verb](replace(facts, group=replace(GROUP, missing=1)))


@pytest.mark.parametrize("part", [*Part, *SessionPart])
def test_on_a_host_of_ones_own_no_trouble_goes_untold(
    part: Part | SessionPart, tmp_path: Path
) -> None:
    known, facts = own_facts({}, tmp_path)
    probe = SessionProbe(known, facts, (11, 3, 0), "/usr/bin/qemu", True, "/q")
    assert all(finding.verdict is not Verdict.FAIL for finding in examine_session(probe))
    told = examine_session(replace(probe, troubles={part: Trouble("it is gone", "bring it back")}))
    assert any(f.verdict is Verdict.FAIL and f.what == "it is gone" for f in told)


@pytest.mark.parametrize("part", [Part.LIBVIRT, SessionPart.VOLUMES])
def test_no_machine_is_called_a_half_where_the_other_half_cannot_be_seen(
    part: Part | SessionPart,
) -> None:
    volume = World().volumes.create("guest-alice-dev", MIB, ["raptor", "raptor.tenant=alice"])
    probe = SessionProbe(settings(), HostFacts(volumes=(volume,)))
    assert "alice-dev has no domain" in [finding.what for finding in examine_session(probe)]
    blind = replace(probe, troubles={part: Trouble("it does not answer")})
    assert [f for f in examine_session(blind) if f.check == "machines"] == []
