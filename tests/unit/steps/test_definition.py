"""Definitions: put in the place of the known one, and taken back only where they stand."""

from dataclasses import replace

import pytest

from raptorctl.errors import ConflictError, HostError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Domain
from raptorctl.model.sizes import GIB, Size
from raptorctl.render.domain_xml import resized_domain
from raptorctl.steps.definition import PinDomain, RedefineDomain, SetAutostart
from tests.fakes import World
from tests.unit.plans.machine.test_provision import whole_machine
from tests.unit.steps.test_volume import silently

(BEFORE,) = whole_machine()["domains"]
PINS = (CpuSet((2, 3)), CpuSet((2, 3)))
XML = resized_domain(BEFORE.xml, *PINS, Size(GIB))
REDEFINE = RedefineDomain("r", BEFORE.name, BEFORE.uuid, BEFORE.xml, XML)
PIN = PinDomain("r", BEFORE.name, BEFORE.uuid, (BEFORE.pins, BEFORE.emulator), PINS)


@pytest.fixture
def world() -> World:
    world = World()
    world.domains.by_uuid[BEFORE.uuid] = BEFORE
    return world


def now(world: World) -> Domain:
    return world.domains.by_uuid[BEFORE.uuid]


def test_another_definition_and_back(world: World) -> None:
    REDEFINE.apply(world.host(), silently)
    assert (now(world).memory, now(world).pins, now(world).state) == (GIB, PINS[0], BEFORE.state)
    assert REDEFINE.is_done(world.host())
    REDEFINE.undo(world.host(), silently)
    assert now(world) == BEFORE


def test_somebody_elses_definition_is_neither_replaced_nor_undone(world: World) -> None:
    theirs = replace(BEFORE, memory=Size(7 * GIB))
    world.domains.by_uuid[BEFORE.uuid] = theirs
    with pytest.raises(ConflictError, match="domain alice-dev was changed by another program"):
        REDEFINE.apply(world.host(), silently)
    REDEFINE.undo(world.host(), silently)
    assert now(world) == theirs


def test_what_libvirt_does_not_keep_is_an_error(world: World) -> None:
    world.domains.define = lambda xml: None  # type: ignore[method-assign]
    with pytest.raises(HostError, match="did not keep domain alice-dev"):
        REDEFINE.apply(world.host(), silently)


def test_a_domain_that_is_gone_is_said_to_be_and_needs_no_undoing(world: World) -> None:
    world.domains.by_uuid.clear()
    for step in (REDEFINE, PIN, SetAutostart("r", "alice-dev", BEFORE.uuid, on=True)):
        with pytest.raises(HostError, match="is gone"):
            step.is_done(world.host())
        step.undo(world.host(), silently)


def test_a_running_domain_moves_and_moves_back(world: World) -> None:
    PIN.apply(world.host(), silently)
    assert world.domains.pinned[BEFORE.uuid] == PINS
    PIN.undo(world.host(), silently)
    assert world.domains.pinned[BEFORE.uuid] == (BEFORE.pins, BEFORE.emulator)


def test_autostart_that_is_not_kept_is_an_error(world: World) -> None:
    world.domains.set_autostart = lambda uuid, *, on: None  # type: ignore[method-assign]
    with pytest.raises(HostError, match="did not keep whether"):
        SetAutostart("r", "alice-dev", BEFORE.uuid, on=True).apply(world.host(), silently)
