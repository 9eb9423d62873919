"""Domains: only clean volumes, only this job's domain, and libvirt is believed by what it kept."""

from dataclasses import replace

import pytest

from raptorctl.errors import ConflictError, HostError, RefusedError, StoppedError
from raptorctl.model.domain import Domain, State
from raptorctl.model.volume import IMAGE as IMAGE_TAG
from raptorctl.render.read_domain import read_domain
from raptorctl.steps.definition import RunDomain
from raptorctl.steps.domain import DefineDomain, StartDomain, StopDomain, UndefineDomain
from raptorctl.steps.slot import TakeSlot
from tests.fakes import IMAGE, ISO, World
from tests.unit.plans.machine.test_provision import planned

STEPS = {step.kind: step for step in planned().steps}
DEFINE = STEPS["domain.define"]
START = STEPS["domain.start"]
SLOT = STEPS["slot.take"]


def silently(done: int, total: int) -> None:
    """Nobody watches."""


def ready() -> World:
    world = World()
    for kind in ("volume.create", "volume.zero"):
        STEPS[kind].apply(world.host(), silently)
    return world


def running(*, autostart: bool) -> tuple[World, Domain, UndefineDomain]:
    """A machine that runs, and the step that takes its definition away."""
    world = ready()
    DEFINE.apply(world.host(), silently)
    START.apply(world.host(), silently)
    (domain,) = world.domains.list()
    ids = (domain.name, domain.uuid, domain.xml)
    return world, domain, UndefineDomain("r", *ids, autostart=autostart, was_active=True)


def test_a_dirty_volume_is_neither_defined_nor_started() -> None:
    world = World()
    STEPS["volume.create"].apply(world.host(), silently)
    for step in (DEFINE, START):
        with pytest.raises(ConflictError, match="is dirty"):
            step.apply(world.host(), silently)
    assert not world.domains.list()


@pytest.mark.parametrize("at_first", [True, False])
def test_a_machine_whose_iso_is_gone_is_not_started_whoever_has_looked_before(
    at_first: bool,
) -> None:
    world = ready()
    DEFINE.apply(world.host(), silently)
    (volume,), (domain,) = world.volumes.list(), world.domains.list()
    held = (f"/srv/alice-dev-cd-{ISO.digest}.iso",)
    world.domains.by_uuid[domain.uuid] = replace(domain, cdroms=held)
    run = RunDomain("asked to run", domain.name, domain.uuid, volume.name)
    with pytest.raises(RefusedError, match=r"CD drive of alice-dev cannot be read: ISO .* is gone"):
        (START if at_first else run).apply(world.host(), silently)
    assert world.domains.list()[0].state is State.OFF


def test_a_file_over_an_image_that_was_cut_is_not_started() -> None:
    world = ready()
    DEFINE.apply(world.host(), silently)
    (volume,) = world.volumes.list()
    (domain,) = world.domains.list()
    run = RunDomain("asked to run", domain.name, domain.uuid, volume.name)
    tags = (*volume.tags, f"{IMAGE_TAG}{IMAGE.digest}")
    world.volumes.by_uuid[volume.uuid] = replace(volume, group="/srv/disks", tags=tags)
    world.images.all = (replace(IMAGE, name="mine"),)
    world.images.spoilt = {"mine": "its file is cut off"}
    said = "the image below the disk of alice-dev is damaged: mine: its file is cut off"
    for step in (START, run):
        with pytest.raises(RefusedError, match=said):
            step.apply(world.host(), silently)
    assert world.domains.list()[0].state is State.OFF
    world.volumes.by_uuid[volume.uuid] = replace(volume, tags=tags)  # LVM's holds a copy
    START.apply(world.host(), silently)


def test_what_libvirt_did_not_keep_is_noticed() -> None:
    world = ready()
    really = world.domains.define

    def loses_pins(xml: str) -> None:
        really(xml)
        (domain,) = world.domains.list()
        world.domains.by_uuid[domain.uuid] = replace(domain, pins=domain.pins - [4])

    world.domains.define = loses_pins  # type: ignore[method-assign]
    with pytest.raises(HostError, match="did not keep"):
        DEFINE.apply(world.host(), silently)


def test_undoing_a_definition_that_somebody_started_stops_it_first() -> None:
    world = ready()
    DEFINE.apply(world.host(), silently)
    (domain,) = world.domains.list()
    world.domains.start(domain.uuid)
    DEFINE.undo(world.host(), silently)
    assert not world.domains.list()


def test_a_domain_of_another_job_is_never_undone() -> None:
    world = ready()
    DEFINE.apply(world.host(), silently)
    (domain,) = world.domains.list()
    assert domain.mark is not None
    other = replace(domain, mark=replace(domain.mark, job="j9"), state=State.RUNNING)
    world.domains.by_uuid[domain.uuid] = other
    for step in (DEFINE, START):
        with pytest.raises(ConflictError):
            step.undo(world.host(), silently)
    assert world.domains.list() == (other,)


def test_a_removal_that_is_undone_defines_it_as_it_was() -> None:
    world, domain, step = running(autostart=True)
    step.apply(world.host(), silently)
    assert step.is_done(world.host())
    world.domains.shut_down(domain.uuid, 0, silently)
    assert not world.domains.list(), "undefined while it ran, it is gone once it stops"
    step.undo(world.host(), silently)
    assert world.domains.list()[0].autostart
    assert world.domains.list()[0].state.active
    assert read_domain(world.domains.list()[0].xml).pins == domain.pins


def test_who_stops_a_removal_while_it_shuts_down_has_it_running_again() -> None:
    world, domain, gone = running(autostart=False)
    stop = StopDomain("r", domain.name, domain.uuid, 60.0)
    gone.apply(world.host(), silently)

    def asked(_done: int, _all: int) -> None:
        raise StoppedError(2)

    with pytest.raises(StoppedError):
        stop.apply(world.host(), asked)
    assert world.domains.pressed == {domain.uuid}, "it will go off by itself"
    for step in (stop, gone):
        step.undo(world.host(), silently)
    assert world.domains.list()[0].state.active
    assert not world.domains.pressed


def test_somebody_who_took_the_slot_by_hand_meanwhile_is_named() -> None:
    world = ready()
    DEFINE.apply(world.host(), silently)
    (domain,) = world.domains.list()
    world.domains.by_uuid["u"] = replace(domain, uuid="u", name="by-hand", macs=())
    with pytest.raises(ConflictError, match="by-hand"):
        SLOT.apply(world.host(), silently)
    assert isinstance(SLOT, TakeSlot)
    assert isinstance(DEFINE, DefineDomain)
    assert isinstance(START, StartDomain)
