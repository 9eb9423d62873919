"""Disks beside a machine's first one, decided: made, taken up, added, grown, removed; or why not."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from raptorctl.errors import DiffersError, InputError, RaptorError, RefusedError
from raptorctl.model.disk import DiskSpec, disks, read_disks
from raptorctl.model.domain import Domain, State
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.names import MachineName
from raptorctl.model.probe import SessionProbe
from raptorctl.model.session_host import places, session_settings
from raptorctl.model.sizes import GIB, MIB, Size
from raptorctl.model.tenant import Quota
from raptorctl.model.volume import Volume, disk_tags
from raptorctl.plans.doctor.disk import overdue, stray_disks
from raptorctl.plans.doctor.fault import scene
from raptorctl.plans.doctor.session import examine_session
from raptorctl.plans.machine.deprovision import plan_deprovision
from raptorctl.plans.machine.disk import DiskRequest, plan_add, plan_grow, plan_keep, plan_remove
from raptorctl.plans.machine.provision import plan_provision
from raptorctl.plans.past import NOTHING
from raptorctl.plans.plan import Plan, decode_plan
from raptorctl.plans.tenant.membership import plan_remove as plan_tenant_remove
from raptorctl.plans.tenant.quota import usage
from raptorctl.render.disk_xml import with_disk, without_disk
from raptorctl.render.read_domain import read_domain
from tests.fakes import IMAGE, but, settings
from tests.unit.plans.machine.test_provision import ALICE, JOB, facts, whole_machine
from tests.unit.plans.machine.test_resize import NEXT

NAME = ALICE.name
GONE = MachineName("alice", "old")


def disk(name: str = "data", machine: MachineName = NAME, **changes: Any) -> Volume:
    keep = changes.pop("keep", False)
    tags = (*disk_tags(machine, "j1", name, keep=keep), "raptor.clean")
    made = Volume(f"uuid-{name}", machine.disk(name), "lvm-data", Size(10 * GIB), tags)
    return replace(made, **changes)


def host(*found: Volume, attached: tuple[str, ...] = (), **changes: Any) -> HostFacts:
    """A host with a machine that runs, whose disks `attached` are, and further volumes."""
    whole = whole_machine()
    (domain,), (first,) = whole["domains"], whole["volumes"]
    xml = domain.xml
    for name in attached:
        request = DiskRequest(NAME, name, DiskSpec(Size(GIB)))
        plan = plan_add(request, settings(), replace(facts(), **whole), JOB)
        path = f"/dev/lvm-data/{NAME.disk(name)}"
        step = next(one.encode() for one in plan.steps if one.kind == "domain.redefine")
        xml = step["xml"] if xml == domain.xml else with_disk(xml, _device(name, path))
    state = changes.pop("state", State.RUNNING)
    domain = replace(read_domain(xml), state=state, **changes.pop("domain", {}))
    told = {**whole, "domains": (domain,), "volumes": (first, *found), **changes}
    return replace(facts(), **told)


def _device(name: str, path: str) -> Any:
    from raptorctl.model.domain import DiskDevice

    return DiskDevice(name, path)


def provision(*typed: str, **changes: Any) -> Plan:
    wanted = but(ALICE, disks=read_disks(typed))
    return plan_provision(wanted, settings(), replace(facts(), **changes), JOB)


def add(typed: str, facts: HostFacts) -> Plan:
    ((name, spec),) = read_disks([typed]).items()
    return plan_add(DiskRequest(NAME, name, spec), settings(), facts, NEXT)


def remove(name: str, facts: HostFacts, machine: MachineName = NAME) -> Plan:
    return plan_remove((machine, name), settings(), facts, NEXT)


def kinds(plan: Plan) -> list[str]:
    assert decode_plan(plan.encode()) == plan
    return [step.kind for step in plan.steps]


def test_each_disk_is_made_zeroed_and_read_back_before_the_domain_names_it() -> None:
    plan = provision("data=10G,keep", "more=4G,image=debian:13", images=(IMAGE,))
    assert kinds(plan)[:9] == [
        "volume.create", "volume.zero",
        "volume.create", "volume.zero",
        "volume.create", "volume.zero", "volume.write-image",
        "domain.define", "slot.take",
    ]  # fmt: skip
    made = plan.steps[2].encode()
    assert (made["name"], made["size"]) == ("disk-alice-dev.data", 10 * GIB)
    assert {"raptor.disk=data", "raptor.keep", "raptor.tenant=alice"} <= set(made["tags"])
    assert "raptor.keep" not in plan.steps[4].encode()["tags"]
    xml = next(step.encode()["xml"] for step in plan.steps if step.kind == "domain.define")
    assert read_domain(xml).disks == tuple(
        f"/dev/lvm-data/{name}"
        for name in ("guest-alice-dev", "disk-alice-dev.data", "disk-alice-dev.more")
    )
    assert "40G on guest-alice-dev, 10G on disk-alice-dev.data, 4G on disk" in plan.summary


def test_no_disk_has_the_name_of_another_machines_first_one() -> None:
    other = MachineName("alice", "dev-data")
    assert NAME.disk("data") != other.volume
    assert disk().machine is None
    assert disk().owner == NAME
    (found,) = disks([disk(), disk(tags=("raptor",)), disk(tags=()), *whole_machine()["volumes"]])
    assert (found.machine, found.label, str(found)) == (NAME, "dev.data", "alice-dev data")


def test_a_kept_disk_is_taken_up_by_name_and_never_made_zeroed_or_wiped() -> None:
    kept = disk(machine=GONE, keep=True)
    plan = provision("work=keep:old.data", volumes=(kept,))
    assert kinds(plan)[:4] == ["volume.create", "volume.zero", "disk.take-up", "domain.define"]
    step = plan.steps[2].encode()
    assert (step["uuid"], step["before"], step["name"], step["disks"]) == (
        "uuid-data", "disk-alice-old.data", "disk-alice-dev.work", ["data", "work"],
    )  # fmt: skip
    assert not [one for one in plan.steps if one.encode().get("uuid") == kept.uuid][1:]


def quota(size: int) -> dict[str, Any]:
    """The host's tenants, of whom alice may have so many GiB of disk."""
    tenants = []
    for tenant in facts().tenants:
        record = tenant.record
        if tenant.name == "alice" and record:
            record = replace(record, quota=Quota(size=Size(size * GIB)))
        tenants.append(replace(tenant, record=record))
    return {"tenants": tuple(tenants)}


@pytest.mark.parametrize(
    ("typed", "changes", "says"),
    [
        ("data=170G", {}, "210G asked; volume group lvm-data has 200G free"),
        ("data=16G", quota(55), "alice has 0B of 55G of disk; 56G more asked"),
        ("data=1G", {"volumes": (disk(),)}, "a disk data of alice-dev is there already, with 10G"),
        ("data=1G", {"volumes": (disk(keep=True),)}, "--disk data=keep:dev.data takes it up"),
        ("data=2G,image=debian:13", {"images": (IMAGE,)}, "debian:13 has 3G, disk data is to have 2G"),
        ("data=keep:old.data", {}, "alice has no kept disk old.data: see `raptorctl disk list`"),
        ("data=keep:old.data", {"volumes": (disk(machine=GONE),)}, "alice has no kept disk"),
        ("data=keep:old.x", {"volumes": (disk(machine=GONE, keep=True),)}, "there is: old.data"),
        ("data=keep:old.data",
         {"volumes": (disk(machine=MachineName("bob", "old"), keep=True),)}, "alice has no kept"),
        ("data=keep:old.data", {"volumes": (disk(machine=GONE, keep=True, is_open=True),)}, "is open"),
        ("data=keep:old.data",
         {"volumes": (disk(machine=GONE, keep=True),),
          "domains": (Domain("u", "x", disks=("/dev/lvm-data/disk-alice-old.data",)),)},
         "domain x uses disk old.data of alice"),
        ("data=keep:old.data",
         {"volumes": (disk(machine=GONE, keep=True),),
          "reservations": (Reservation("j9", "alice-old"),)}, "job j9 works on alice-old"),
        ("data=keep:old.data",
         {"volumes": (disk(machine=GONE, keep=True), disk(keep=True, uuid="other"))},
         "a disk data of alice-dev is there already"),
    ],
)  # fmt: skip
def test_a_disk_that_cannot_be_is_refused_before_anything_is_touched(
    typed: str, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(RefusedError) as caught:
        provision(typed, **changes)
    assert says in str(caught.value)


def test_a_kept_disk_counts_in_the_quota_and_is_not_counted_twice() -> None:
    kept = disk(machine=GONE, keep=True)
    held = replace(facts(), volumes=(kept,))
    assert (usage("alice", held).size, usage("alice", held).machines) == (10 * GIB, 0)
    assert provision("work=keep:old.data", volumes=(kept,), **quota(50))


def test_a_removal_takes_what_is_not_kept_retires_all_of_it_first_and_says_what_stays() -> None:
    found = host(disk(keep=True), disk("scratch"), attached=("data", "scratch"))
    plan = plan_deprovision(NAME, settings(), found, NEXT)
    assert [kind for kind in kinds(plan) if kind.startswith("volume")] == [
        "volume.retire", "volume.retire",
        "volume.wipe", "volume.remove", "volume.wipe", "volume.remove",
    ]  # fmt: skip
    assert "uuid-data" not in str(plan.encode())
    assert plan.notes[:1] == ("disk dev.data stays, with its 10G: it is kept",)


def test_somebody_elses_use_of_a_disk_keeps_its_machine_from_going() -> None:
    other = Domain("u", "x", disks=(disk().path,))
    found = host(disk())
    with pytest.raises(RefusedError, match=r"domain x uses volume disk-alice-dev\.data too"):
        plan_deprovision(NAME, settings(), replace(found, domains=(*found.domains, other)), NEXT)


def test_a_disk_is_added_to_what_runs_and_to_what_is_off() -> None:
    plan = add("data=10G", host())
    assert kinds(plan) == ["volume.create", "volume.zero", "domain.redefine", "disk.plug"]
    assert plan.steps[2].reason == "its guest finds it as /dev/disk/by-id/virtio-data"
    assert kinds(add("data=10G", host(state=State.OFF)))[2:] == ["domain.redefine"]
    cold = add("data=10G,bus=sata", host())
    assert kinds(cold)[2:] == ["domain.redefine"]
    assert cold.notes == ("it runs and takes no sata disk meanwhile: stop and start it",)
    (first,) = add("data=10G,bus=scsi", host()).steps[2:]
    there = host()
    (domain,) = there.domains
    scsi = replace(read_domain(first.encode()["xml"]), state=domain.state)
    more = add("more=1G,bus=scsi", replace(there, domains=(scsi,)))
    assert kinds(more)[2:] == ["domain.redefine", "disk.plug"]
    assert more.steps[2].encode()["xml"].count('<controller type="scsi"') == 1


def test_what_is_there_already_is_so_or_differs() -> None:
    there = host(disk(), attached=("data",))
    plan = add("data=10G", there)
    assert (plan.steps, plan.summary) == ((), "disk alice-dev data is already so")
    for typed, says in (
        ("data=20G", "disk data 10G, not 20G: now\n  raptorctl disk grow alice-dev data 20G"),
        ("data=5G", "disk data 10G, not 5G: no command changes it"),
        ("data=10G,keep", "keep off, not keep on: now\n  raptorctl disk set alice-dev data --keep"),
        ("data=10G,bus=scsi", "bus of disk data virtio, not scsi: no command changes it"),
    ):
        with pytest.raises(DiffersError) as caught:
            add(typed, there)
        assert says in caught.value.details


def test_provision_tells_disks_apart() -> None:
    there = host(disk(), attached=("data",))
    same = but(ALICE, disks=read_disks(["data=10G"]))
    assert "already so" in plan_provision(same, settings(), there, NEXT).summary
    assert "already so" in plan_provision(ALICE, settings(), there, NEXT).summary
    with pytest.raises(DiffersError) as caught:
        plan_provision(but(ALICE, disks=read_disks(["web=4G,keep"])), settings(), there, NEXT)
    details = caught.value.details
    assert "disk web none, not 4G: now\n  raptorctl disk add alice-dev web=4G,keep" in details
    assert "disk data 10G, not none: now\n  raptorctl disk remove alice-dev data" in details


def test_a_disk_that_goes_is_detached_first_and_wiped_last() -> None:
    there = host(disk(), attached=("data",))
    assert kinds(remove("data", there)) == [
        "domain.redefine", "disk.unplug", "volume.retire", "volume.wipe", "volume.remove",
    ]  # fmt: skip
    off = host(disk(), attached=("data",), state=State.OFF)
    assert kinds(remove("data", off))[:2] == ["domain.redefine", "volume.retire"]
    kept = replace(facts(), volumes=(disk(machine=GONE, keep=True),))
    assert kinds(remove("data", kept, GONE)) == ["volume.retire", "volume.wipe", "volume.remove"]
    assert remove("data", host()).steps == ()


def test_a_disk_that_is_lost_is_taken_out_of_its_domain() -> None:
    assert kinds(remove("data", host(attached=("data",), state=State.OFF))) == ["domain.redefine"]


def test_one_grows_while_it_runs_by_what_was_zeroed_before() -> None:
    there = host(disk(), attached=("data",))
    plan = plan_grow(NAME, "data", Size(20 * GIB), there, NEXT)
    assert kinds(plan) == ["volume.reserve-growth", "volume.grow", "disk.give"]
    assert plan.steps[0].encode()["name"] == "grow-alice-dev.data"
    assert plan_grow(NAME, "data", Size(10 * GIB), there, NEXT).steps == ()
    rounded = plan_grow(NAME, "data", Size(10 * GIB + MIB), there, NEXT)
    assert any("rounded up" in note for note in rounded.notes)


def test_a_kept_one_that_no_machine_has_grows_as_well() -> None:
    lone = host(disk(keep=True), domains=())
    plan = plan_grow(NAME, "data", Size(20 * GIB), lone, NEXT)
    assert kinds(plan) == ["volume.reserve-growth", "volume.grow", "disk.give"]
    assert [step.title for step in plan.steps][-1] == "mark disk-alice-dev.data as grown"
    with pytest.raises(RaptorError, match="alice-dev"):
        plan_grow(NAME, "data", Size(20 * GIB), host(disk(), domains=()), NEXT)


def test_whether_it_outlives_its_machine_can_be_changed() -> None:
    there = host(disk(), attached=("data",))
    assert kinds(plan_keep(NAME, "data", there, NEXT, keep=True)) == ["disk.keep"]
    assert plan_keep(NAME, "data", there, NEXT, keep=False).steps == ()


SAVED: dict[str, Any] = {"state": State.SAVED, "attached": ("data",)}


@pytest.mark.parametrize(
    ("decide", "says"),
    [
        (lambda: add("more=1G", host(state=State.SAVED)), "is saved, and would resume"),
        (lambda: remove("data", host(disk(), **SAVED)), "is saved, and would resume"),
        (lambda: plan_grow(NAME, "data", Size(20 * GIB), host(disk(), **SAVED), NEXT), "is saved"),
        (lambda: add("more=1000G", host()), "1000G asked; volume group"),
        (lambda: add("more=16G", host(**quota(55))), "16G more asked"),
        (lambda: plan_grow(NAME, "x", Size(GIB), host(disk(), attached=("data",)), NEXT),
         "alice-dev has no disk x: it has: data"),
        (lambda: plan_grow(NAME, "data", Size(GIB), host(disk(), attached=("data",)), NEXT),
         "a disk only grows"),
        (lambda: plan_grow(NAME, "data", Size(900 * GIB), host(disk(), attached=("data",)), NEXT),
         "890G more asked"),
        (lambda: remove("data", replace(facts(), volumes=(disk(is_open=True),))), "is open"),
        (lambda: remove("data", replace(facts(), volumes=(disk(),), domains=(
            Domain("u", "x", disks=(disk().path,)),))), "domain x uses volume disk-alice-dev.data"),
        (lambda: remove("data", host(reservations=(Reservation("j9", "alice-dev"),))), "job j9 works"),
        (lambda: plan_tenant_remove("alice", replace(facts(), volumes=(disk(keep=True),)), NEXT),
         "alice has kept disks: dev.data"),
    ],
)  # fmt: skip
def test_it_is_refused(decide: Callable[[], Plan], says: str) -> None:
    with pytest.raises(RaptorError) as caught:
        decide()
    assert says in str(caught.value)


def test_what_is_no_virtio_disk_leaves_a_machine_that_is_off_alone() -> None:
    there = host(disk(), attached=("data",))
    (domain,) = there.domains
    xml = domain.xml.replace('dev="vdb" bus="virtio"', 'dev="sda" bus="sata"')
    with pytest.raises(RefusedError, match="alice-dev runs and lets go of no sata disk meanwhile"):
        remove("data", replace(there, domains=(replace(domain, xml=xml),)))


def faults(found: HostFacts) -> list[str]:
    return [one.what for one in stray_disks(scene(settings(), found, NOTHING))]


def test_doctor_tells_kept_disks_from_leaked_ones_by_their_tags() -> None:
    assert faults(host(disk(), attached=("data",))) == []
    assert faults(host(disk(keep=True))) == []
    assert faults(host(disk())) == ["disk alice-dev data is not kept, and no domain uses it"]
    assert faults(host(attached=("data",))) == [
        "domain alice-dev lacks its disk data, and does not start"
    ]
    lone = disk(machine=MachineName("zoe", "x"), keep=True)
    assert faults(host(lone)) == ["disk zoe-x data is kept, and there is no tenant zoe"]
    busy = (Reservation("j9", "alice-dev"),)
    assert faults(host(disk(), reservations=busy)) == []


def test_doctor_of_a_session_host_tells_of_them_as_well_and_needs_no_tenant_for_a_kept_one() -> (
    None
):
    known = session_settings(places({}, "/home/alice"), "alice", ("/code", "/vars"))
    for volume, says in ((disk(), True), (disk(keep=True), False)):
        found = examine_session(SessionProbe(known, host(volume, tenants=())))
        told = [one.what for one in found if one.check == "disks"]
        assert bool(told) is says, told


def test_a_definition_gets_and_loses_a_disk_and_is_as_before() -> None:
    (domain,) = host().domains
    with_one = with_disk(domain.xml, _device("data", "/dev/lvm-data/disk-alice-dev.data"))
    assert 'dev="vdb"' in with_one
    assert "<serial>data</serial>" in with_one
    without = without_disk(with_one, "/dev/lvm-data/disk-alice-dev.data")
    port = '    <controller type="pci" model="pcie-root-port"/>\n'  # the disk's own is spare now
    assert without.replace(port, "", 1) == domain.xml
    assert with_disk(without, _device("data", "/dev/lvm-data/disk-alice-dev.data")) == with_one


def test_there_are_no_more_disks_than_letters() -> None:
    (domain,) = host().domains
    xml = domain.xml
    for number in range(24):
        xml = with_disk(xml, _device(f"d{number}", f"/dev/lvm-data/disk-alice-dev.d{number}"))
    assert 'dev="vdz"' not in xml
    with pytest.raises(InputError, match="as many virtio disks as there may be"):
        with_disk(xml, _device("more", "/dev/lvm-data/disk-alice-dev.more"))


@pytest.mark.parametrize(("today", "late"), [("2026-12-04", False), ("2026-12-05", True)])
def test_what_should_be_wiped_for_three_days_is_told(today: str, late: bool) -> None:
    kept = disk(keep=True)
    dated = ("raptor.retired=j0", "raptor.until=2026-12-01T12:00:00Z")
    there = host(replace(kept, tags=(*kept.tags, *dated)))
    found = [one.what for one in overdue(scene(settings(), there, NOTHING), today)]
    said = "what is kept of alice-dev was to be wiped on 2026-12-01"
    assert found == ([said] if late else [])
