"""Rebuild, decided: what stays, what is new, what is in the way."""

from dataclasses import replace
from typing import Any

import pytest

from raptorctl.engine.apply import apply
from raptorctl.engine.journals import Journals
from raptorctl.engine.recover import recover
from raptorctl.engine.report import Silent
from raptorctl.engine.stop import Stop
from raptorctl.errors import HostError, LeftoversError, MissingError, RaptorError, RefusedError
from raptorctl.model.domain import Domain
from raptorctl.model.names import MachineName
from raptorctl.model.sizes import GIB, Size
from raptorctl.model.spec import MachineSpec
from raptorctl.model.volume import Volume
from raptorctl.plans.machine.deprovision import plan_deprovision
from raptorctl.plans.machine.provision import plan_provision
from raptorctl.plans.machine.rebuild import RebuildRequest, plan_rebuild
from raptorctl.plans.machine.snapshot import SnapshotRequest, plan_create
from raptorctl.plans.plan import Plan
from tests.fakes import IMAGE, Killed, Tripwire, World, but, settings
from tests.unit.engine.test_crash import SEEDED
from tests.unit.engine.test_crash_life import NEXT, OTHER_BOOT, THEN
from tests.unit.plans.machine.test_provision import ALICE, JOB, TEMPLATES

NAME = ALICE.name
SAME = RebuildRequest(NAME)
OTHER = replace(IMAGE, name="alpine:3.22", digest="a1" * 32, source="/srv/alpine.raw")


@pytest.fixture
def world(tmp_path: Any) -> World:
    """A host with alice's machine, which began as an image."""
    made = World().with_tenants("alice")
    made.images.all = (IMAGE, OTHER)
    wish = but(ALICE, image=IMAGE.name)
    run(made, plan_provision(wish, settings(), made.facts(TEMPLATES), JOB), tmp_path)
    return made


def run(world: World, plan: Plan, folder: Any) -> None:
    apply(plan, world.host(), Journals(folder / "j", folder / "audit"), Silent(), Stop())


def planned(world: World, request: RebuildRequest = SAME, **changes: Any) -> Plan:
    return plan_rebuild(request, settings(), replace(world.facts(TEMPLATES), **changes), NEXT)


def parts(world: World) -> tuple[Volume, Domain]:
    (volume,), (domain,) = world.volumes.list(), world.domains.list()
    return volume, domain


def test_a_removal_without_dns_knows_the_records_that_provision_added(
    world: World, tmp_path: Any
) -> None:
    run(world, planned(world), tmp_path)
    records = world.zones.records
    silent = replace(world.facts(TEMPLATES), records=(), dns_problem="named is silent")
    steps = plan_deprovision(NAME, settings(), silent, THEN).steps
    known = {record for step in steps for record in getattr(step, "records", ())}
    assert known == records
    mark = world.domains.list()[0].mark
    assert mark
    assert (mark.job, mark.named) == (NEXT.job, JOB.job)


def test_the_old_disk_is_wiped_last() -> None:
    assert [step.kind for step in planned(_stands()).steps] == [
        "domain.vacate", "domain.quiet", "volume.retire", "volume.create", "volume.zero",
        "domain.return", "domain.autostart", "domain.start", "volume.wipe", "volume.remove",
    ]  # fmt: skip


def _stands() -> World:
    world = World().with_tenants("alice")
    plan = plan_provision(ALICE, settings(), world.facts(TEMPLATES), JOB)
    for step in plan.steps:
        step.apply(world.host(), lambda *_: None)
    return world


def test_only_the_disk_is_new(world: World, tmp_path: Any) -> None:
    old_volume, old = parts(world)
    run(world, planned(world), tmp_path)
    volume, domain = parts(world)
    assert volume.uuid != old_volume.uuid
    assert old_volume.uuid in world.wiper.wiped
    assert (volume.name, volume.size, volume.slot) == (
        old_volume.name, old_volume.size, old_volume.slot,
    )  # fmt: skip
    for what in (
        "uuid",
        "name",
        "macs",
        "bridges",
        "pins",
        "memory",
        "nvram",
        "autostart",
        "disks",
    ):
        assert getattr(domain, what) == getattr(old, what), what
    assert domain.mark
    assert (domain.mark.job, domain.mark.slot) == (NEXT.job, 1)
    assert domain.mark.image == f"debian:13 sha256:{IMAGE.digest}"


def test_it_begins_as_the_image_it_had_even_if_that_name_means_another_now(world: World) -> None:
    newer = replace(IMAGE, digest="77" * 32)
    moved = replace(IMAGE, name="sha256:" + IMAGE.digest)
    (step,) = [s for s in planned(world, images=(newer, moved)).steps if s.kind.endswith("image")]
    assert step.encode()["image"]["digest"] == IMAGE.digest


def test_of_two_names_of_one_content_it_begins_as_the_one_it_had(world: World) -> None:
    plan = planned(world, images=(replace(IMAGE, name="another"), IMAGE))
    (step,) = [s for s in plan.steps if s.kind.endswith("image")]
    assert step.encode()["image"]["name"] == IMAGE.name


def test_another_image_is_written_when_asked_for(world: World, tmp_path: Any) -> None:
    run(
        world,
        planned(world, RebuildRequest(NAME, MachineSpec(image="alpine:3.22"), start=False)),
        tmp_path,
    )
    volume, domain = parts(world)
    assert world.volumes.data[volume.uuid] == f"image {OTHER.digest}"
    assert volume.image == OTHER.digest
    assert not domain.state.active


def test_uefi_variables_stay_unless_they_are_to_go(world: World, tmp_path: Any) -> None:
    _, domain = parts(world)
    world.files.texts[domain.nvram] = ("boot keys", 0o600)
    assert "file.set-aside" not in [step.kind for step in planned(world).steps]
    run(world, planned(world, replace(SAME, reset_nvram=True)), tmp_path)
    assert world.files.texts[domain.nvram] == ("variables of alice-dev", 0o600)
    assert [path for path in world.files.texts if "VARS" in path] == [domain.nvram]


def test_until_the_wipe_begins_everything_can_be_taken_back(world: World) -> None:
    steps = planned(world, replace(SAME, reset_nvram=True)).steps
    first = next(n for n, step in enumerate(steps) if not step.reversible)
    assert steps[first].kind == "volume.wipe"
    assert not any(step.needs_lock for step in steps[first:])


def test_recovered_in_the_wipe_the_machine_that_runs_is_left_alone(
    world: World, tmp_path: Any
) -> None:
    def dies(*_args: object) -> None:
        raise Killed

    journals = Journals(tmp_path / "j", tmp_path / "audit")
    world.wiper.wipe, wipe = counted(world.wiper.wipe, dies), world.wiper.wipe  # type: ignore[method-assign]
    with pytest.raises(Killed):
        apply(planned(world), world.host(), journals, Silent(), Stop())
    world.wiper.wipe = wipe  # type: ignore[method-assign]
    wire = Tripwire()
    recover(world.host(wire), journals, Silent(), Stop())
    assert not {"FakeDomains.undefine", "FakeDomains.shut_down", "FakeDomains.start"} & {
        *wire.calls
    }
    assert not journals.open_files()


def counted(first: Any, second: Any) -> Any:
    """Does one thing the first time, and another from then on."""
    acts = iter([first])

    def act(*args: Any, **options: Any) -> Any:
        return next(acts, second)(*args, **options)

    return act


def test_while_the_new_machine_stands_the_old_one_is_not_put_over_it(
    world: World, tmp_path: Any
) -> None:
    """An undo that fails is tried again, in order: nothing is lost, and the old machine comes back."""
    journals = Journals(tmp_path / "j", tmp_path / "audit")
    before = world.picture()
    undefine, start = world.domains.undefine, world.domains.start

    def fails(*_args: object, **_options: object) -> None:
        raise HostError("no memory")

    world.domains.start = fails  # type: ignore[method-assign]
    world.domains.undefine = counted(undefine, fails)  # type: ignore[method-assign]
    with pytest.raises(LeftoversError):
        apply(planned(world), world.host(), journals, Silent(), Stop())
    world.domains.undefine, world.domains.start = undefine, start  # type: ignore[method-assign]
    recover(world.host(), journals, Silent(), Stop())
    assert world.picture() == before
    assert not journals.open_files()


def test_while_the_new_disk_has_its_name_the_old_machine_is_not_started_on_it(
    world: World, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody looks at the new disk just when the job is rolled back."""
    old, before = world.volumes.list()[0].uuid, world.picture()

    def start(_: str) -> None:
        for uuid, volume in world.volumes.by_uuid.items():
            world.volumes.by_uuid[uuid] = replace(volume, is_open=uuid != old)
        raise HostError("libvirt could not start it")

    with monkeypatch.context() as patch:
        patch.setattr(world.domains, "start", start)
        with pytest.raises(LeftoversError):
            run(world, planned(world), tmp_path)
    assert world.domains.list() == ()
    (new,) = (uuid for uuid in world.volumes.by_uuid if uuid != old)
    world.volumes.by_uuid[new] = replace(world.volumes.by_uuid[new], is_open=False)
    recover(world.host(), Journals(tmp_path / "j", tmp_path / "audit"), Silent(), Stop())
    assert world.picture() == before


def test_a_machine_that_does_not_start_with_the_host_still_does_not(
    world: World, tmp_path: Any
) -> None:
    world.domains.set_autostart(JOB.uuid, on=False)
    run(world, planned(world), tmp_path)
    _, domain = parts(world)
    assert (domain.state.active, domain.autostart) == (True, False)


def test_it_is_told_anew_and_has_a_new_host_key(tmp_path: Any) -> None:
    world = World().with_tenants("alice")
    run(world, plan_provision(SEEDED, settings(), world.facts(TEMPLATES), JOB), tmp_path)
    _, old = parts(world)
    seeds = [path for path in world.files.texts if "seed" in path]
    before = world.files.texts[seeds[0]]
    run(world, planned(world, replace(SAME, first_boot=OTHER_BOOT)), tmp_path)
    _, domain = parts(world)
    assert [path for path in world.files.texts if "seed" in path] == seeds
    assert world.files.texts[seeds[0]] != before
    assert domain.disks == old.disks
    assert domain.mark
    assert domain.mark.host_key == "ssh-ed25519 CCCC"


def test_without_a_seed_the_old_one_goes(tmp_path: Any) -> None:
    world = World().with_tenants("alice")
    run(world, plan_provision(SEEDED, settings(), world.facts(TEMPLATES), JOB), tmp_path)
    run(world, planned(world), tmp_path)
    _, domain = parts(world)
    assert not [path for path in {*world.files.texts, *world.files.paths} if "seed" in path]
    assert not [disk for disk in domain.disks if "seed" in disk]


def test_what_is_in_the_way_is_said(world: World, tmp_path: Any) -> None:
    def refusal(request: RebuildRequest = SAME, **changes: Any) -> RaptorError:
        with pytest.raises(RaptorError) as caught:
            planned(world, request, **changes)
        return caught.value

    facts = world.facts(TEMPLATES)
    assert isinstance(refusal(RebuildRequest(MachineName("alice", "web"))), MissingError)
    large = replace(OTHER, size=Size(50 * GIB))
    said = refusal(RebuildRequest(NAME, MachineSpec(image=large.name)), images=(large,))
    assert isinstance(said, RefusedError)
    assert "alpine:3.22 has 50G, the disk is to have 40G" in said.brief
    assert facts.group
    full = replace(facts.group, free=Size(39 * GIB))
    assert "the new disk of 40G" in refusal(group=full).brief
    run(world, plan_create(SnapshotRequest(NAME, "one"), facts, THEN), tmp_path)
    assert "has a snapshot of the disk that would go: one" in refusal().brief
