"""Provision, decided: what a plan holds, and every reason to refuse."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from raptorctl.errors import DiffersError, InputError, MissingError, RaptorError, RefusedError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Domain, State
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.image import Image
from raptorctl.model.names import MachineName
from raptorctl.model.record import Record
from raptorctl.model.sizes import GIB, MIB, Size
from raptorctl.model.slot import Bridge
from raptorctl.model.spec import MachineSpec
from raptorctl.model.volume import Volume
from raptorctl.plans.machine.choice import ProvisionRequest
from raptorctl.plans.machine.provision import plan_provision, render_xml
from raptorctl.plans.part.records import queries
from raptorctl.plans.plan import Identity, Plan, decode_plan
from raptorctl.render.read_domain import read_domain
from tests.fakes import World, but, settings

TEMPLATES = {
    path.stem: path.read_text()
    for path in (Path(__file__).parents[4] / "domain_templates").glob("*.xml")
}
ALICE = ProvisionRequest(
    MachineName("alice", "dev"), MachineSpec(Size(40 * GIB), CpuSet((4, 5, 6, 7)))
)
JOB = Identity("j1", "5f0c1d6e-0000-4000-8000-000000000001", "carol", "2026-11-20T12:00:00Z")


def facts() -> HostFacts:
    return World().with_tenants("alice", "bob").facts(TEMPLATES)


def planned(request: ProvisionRequest = ALICE, **changes: Any) -> Plan:
    return plan_provision(request, settings(), replace(facts(), **changes), JOB)


def test_the_order_is_volume_domain_slot_records_start() -> None:
    assert [step.kind for step in planned().steps] == [
        "volume.create", "volume.zero", "domain.define", "slot.take",
        "records.add", "records.add", "records.add", "domain.start",
    ]  # fmt: skip


def test_everything_is_named_after_the_machine() -> None:
    text = "\n".join(step.title for step in planned().steps)
    for name in (
        "guest-alice-dev",
        "alice-dev",
        "br-vm1",
        "52:54:00:00:00:01",
        "alice-dev.raptor.example",
    ):
        assert name in text


def test_an_image_that_was_removed_meanwhile_is_missed_before_anything_is_touched() -> None:
    with pytest.raises(RefusedError, match="there is no image of digest abababababab"):
        planned(but(ALICE, image="ab" * 32))


def test_the_domain_is_rendered_when_the_plan_is_made() -> None:
    xml = next(step.encode()["xml"] for step in planned().steps if step.kind == "domain.define")
    domain = read_domain(xml)
    assert domain.pins == CpuSet((4, 5, 6, 7))
    assert domain.emulator == CpuSet((6, 7))
    assert domain.disks == ("/dev/lvm-data/guest-alice-dev",)
    assert domain.mark is not None
    assert (domain.mark.job, domain.mark.created_by) == ("j1", "carol")
    assert render_xml(ALICE, settings(), facts(), JOB) == xml


def test_a_plan_survives_the_journal() -> None:
    plan = planned()
    assert decode_plan(plan.encode()) == plan


def test_no_start_means_no_start() -> None:
    assert "domain.start" not in [s.kind for s in planned(but(ALICE, start=False)).steps]


def test_a_size_is_rounded_up_to_extents_and_said() -> None:
    plan = planned(but(ALICE, size=Size(5 * MIB)))
    assert plan.steps[0].encode()["size"] == 8 * MIB
    assert any("rounded up" in note for note in plan.notes)


def test_the_survey_asks_for_the_name_and_every_slots_pointer() -> None:
    asked = queries(ALICE.name, settings())
    assert ("alice-dev.raptor.example.", "TXT") in asked
    assert ("5.100.51.198.in-addr.arpa.", "PTR") in asked
    assert len(asked) == 3 + 10


def test_auto_takes_the_first_slot_nobody_has() -> None:
    first = Domain("u1", "bob-web", macs=("52:54:00:00:00:01",), memory=Size(GIB))
    second = Volume(
        "v2", "guest-eve-x", "lvm-data", Size(GIB), ("raptor", "raptor.tenant=eve", "raptor.slot=2")
    )
    third = Reservation("j0", "carl-db", 3)
    plan = planned(domains=(first,), volumes=(second,), reservations=(third,))
    assert plan.reservation.slot == 4


NVRAM = "/var/lib/libvirt/qemu/nvram/alice-dev_VARS.fd"


def test_auto_passes_over_a_slot_whose_address_has_a_name() -> None:
    pointer = Record("1.100.51.198.in-addr.arpa.", "PTR", "x.example.")
    assert planned(records=(pointer,)).reservation.slot == 2


def bob(**changes: object) -> Domain:
    domain = Domain("u1", "bob-web", memory=Size(GIB), bridges=("br-vm1",), pins=CpuSet((2, 3)))
    return replace(domain, **changes)  # type: ignore[arg-type]


def test_a_core_shared_with_another_tenant_is_a_warning() -> None:
    plan = planned(but(ALICE, cpus=CpuSet((4,))), domains=(bob(pins=CpuSet((5,))),))
    assert any("shares a core with bob-web" in note for note in plan.notes)
    mine = bob(name="alice-web", pins=CpuSet((5,)))
    assert not planned(but(ALICE, cpus=CpuSet((4,))), domains=(mine,)).notes


def test_cpus_on_two_nodes_are_a_warning() -> None:
    assert any("NUMA" in note for note in planned(but(ALICE, cpus=CpuSet((3, 4)))).notes)


@pytest.mark.parametrize(
    ("request_", "changes", "error", "says"),
    [
        (but(ALICE, size=Size(400 * GIB)), {}, RefusedError, "has 200G free"),
        (but(ALICE, cpus=CpuSet((40,))), {}, RefusedError, "this host has 0-7"),
        (but(ALICE, cpus=CpuSet((0,))), {}, RefusedError, "kept for the host"),
        (but(ALICE, cpus=CpuSet((2, 3))), {"domains": (bob(),)}, RefusedError, "bob-web"),
        (ALICE, {"reservations": (Reservation("j0", "x-y", None, CpuSet((4,))),)}, RefusedError, "j0"),
        (but(ALICE, memory=Size(64 * GIB)), {}, RefusedError, "the host has 16G"),
        (but(ALICE, memory=Size(15 * GIB)), {"domains": (bob(memory=Size(2 * GIB)),)}, RefusedError,
         "2G is promised"),
        (but(ALICE, slot=9), {}, InputError, "this host has 1, 2, 3, 4, 5"),
        (but(ALICE, slot=1), {"domains": (bob(),)}, RefusedError, "bob-web has it"),
        (but(ALICE, slot=1), {"bridges": ()}, RefusedError, "br-vm1 is not there"),
        (but(ALICE, slot=1), {"bridges": (Bridge("br-vm1", up=False),)}, RefusedError, "is down"),
        (ALICE, {"bridges": ()}, RefusedError, "no slot is free"),
        (but(ALICE, template="nope"), {}, InputError, "virtio-console"),
        (ALICE, {"group": None}, MissingError, "volume group lvm-data"),
        (ALICE, {"dns_problem": "named is silent"}, MissingError, "named is silent"),
        (ALICE, {"files": frozenset()}, MissingError, "OVMF"),
        (ALICE, {"domains": (Domain("u", "alice-dev"),)}, RefusedError, "not raptorctl's"),
        (ALICE, {"volumes": (Volume("v", "guest-alice-dev", "lvm-data", Size(1)),)}, RefusedError,
         "not raptorctl's"),
        (ALICE, {"reservations": (Reservation("j0", "alice-dev"),)}, RefusedError, "recover j0"),
        (ALICE, {"records": (Record("alice-dev.raptor.example.", "A", "192.0.2.1"),)}, RefusedError,
         "192.0.2.1"),
        (but(ALICE, slot=1), {"records": (Record("1.100.51.198.in-addr.arpa.", "PTR", "x.example."),)},
         RefusedError, "x.example"),
        (ALICE, {"files": frozenset([*facts().files, NVRAM])}, RefusedError, "is there already"),
        (ALICE, {"domains": (bob(nvram=NVRAM),)}, RefusedError, "belongs to domain bob-web"),
    ],
)  # fmt: skip
def test_refuses_in_one_line_that_says_why(
    request_: ProvisionRequest, changes: dict[str, object], error: type[RaptorError], says: str
) -> None:
    with pytest.raises(error) as caught:
        planned(request_, **changes)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code in {2, 3}


def whole_machine() -> dict[str, Any]:
    xml = render_xml(ALICE, settings(), facts(), JOB)
    tags = ("raptor", "raptor.tenant=alice", "raptor.job=j1", "raptor.slot=1", "raptor.clean")
    volume = Volume("v1", "guest-alice-dev", "lvm-data", Size(40 * GIB), tags)
    domain = replace(read_domain(xml), state=State.RUNNING)
    mark = Record(
        "alice-dev.raptor.example.", "TXT", "heritage=raptorctl tenant=alice machine=dev job=j1"
    )
    return {"domains": (domain,), "volumes": (volume,), "records": (mark,)}


def test_the_same_again_is_already_so() -> None:
    plan = planned(**whole_machine())
    assert not plan.steps
    assert "already so" in plan.summary


def test_something_else_again_says_what_differs() -> None:
    other = but(ALICE, size=Size(80 * GIB), cpus=CpuSet((4, 5)), memory=Size(GIB), slot=3)
    with pytest.raises(DiffersError) as caught:
        planned(other, **whole_machine())
    for part in ("size 40G, not 80G", "CPUs 4-7, not 4,5", "memory 4G, not 1G", "slot 1, not 3"):
        assert part in caught.value.details


def test_half_a_machine_is_refused_with_the_way_out() -> None:
    with pytest.raises(RefusedError, match="deprovision alice-dev"):
        planned(volumes=whole_machine()["volumes"])


def test_a_machine_that_lost_its_records_or_its_cleanness_is_not_already_so() -> None:
    with pytest.raises(DiffersError) as caught:
        planned(**{**whole_machine(), "records": ()})
    assert caught.value.details == "it has no DNS records"
    (volume,) = whole_machine()["volumes"]
    dirty = replace(volume, tags=(*volume.tags, "raptor.dirty"))
    with pytest.raises(DiffersError) as caught:
        planned(**{**whole_machine(), "volumes": (dirty,)})
    assert caught.value.details == "volume guest-alice-dev is not clean"


@pytest.mark.parametrize(("cpus", "said"), [((2,), "(1 CPU on 2,"), ((2, 3), "(2 CPUs on 2")])
def test_one_cpu_is_not_called_cpus(cpus: tuple[int, ...], said: str) -> None:
    plan = planned(but(ALICE, cpus=CpuSet(cpus)))
    assert any(said in f"{step.title} ({step.reason})" for step in plan.steps)


def test_an_image_that_is_too_large_asks_for_no_more_than_it_needs() -> None:
    image = Image("tiny", "./t", "ab" * 32, "raw", Size(64 * MIB), Size(64 * MIB), "/t", "")
    with pytest.raises(RefusedError, match="ask for --size 64M or more"):
        planned(but(ALICE, image="tiny", size=Size(60 * MIB)), images=(image,))
