"""The survey: everything once, from drivers in memory."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from raptorctl.errors import MissingError
from raptorctl.host.inventory import inventory
from raptorctl.host.survey import survey
from raptorctl.model.facts import Reservation
from raptorctl.model.sizes import GIB
from tests.fakes import World, settings


class Missing:
    """A part of the host that is not there."""

    def __getattr__(self, name: str) -> Any:
        def call(*args: object) -> Any:
            raise MissingError("it is not there")

        return call


def test_every_part_is_asked() -> None:
    world = World()
    volume = world.volumes.create("guest-alice-dev", GIB, ["raptor"])
    held = Reservation(job="j1", machine="alice-dev")
    facts = survey(world.host(), settings(), reservations=[held])
    assert facts.volumes == (volume,)
    assert facts.group == world.volumes.group()
    assert facts.bridges == world.links.bridges()
    assert facts.reservations == (held,)
    assert (facts.accelerator, facts.records) == ("qemu", ())
    assert facts.topology.cpus
    assert facts.memory
    assert "virtio-console" in facts.templates


@pytest.mark.parametrize("part", ["volumes", "domains"])
def test_a_part_that_is_missing_is_said(part: str) -> None:
    host = replace(World().host(), **{part: Missing()})
    with pytest.raises(MissingError, match="it is not there"):
        survey(host, settings())


def test_dns_that_does_not_answer_is_a_fact() -> None:
    host = replace(World().host(), zones=Missing())
    facts = survey(host, settings(), [("alice-dev.raptor.example.", "A")])
    assert (facts.records, facts.dns_problem) == ((), "it is not there")


def test_dns_is_not_asked_without_a_question() -> None:
    survey(replace(World().host(), zones=Missing()), settings())


def test_files_are_firmware_and_every_machines_variables(tmp_path: Path) -> None:
    (tmp_path / "alice-dev_VARS.fd").touch()
    (tmp_path / "notes").touch()
    world, given = World(), settings()
    libvirt = replace(given.libvirt, nvram_dir=str(tmp_path))
    files = survey(world.host(), replace(given, libvirt=libvirt)).files
    assert str(tmp_path / "alice-dev_VARS.fd") in files
    assert str(tmp_path / "notes") not in files


def test_the_inventory_asks_for_volumes_and_states_only() -> None:
    world = World()
    volume = world.volumes.create("guest-alice-dev", GIB, ["raptor"])
    host = replace(world.host(), zones=Missing(), links=Missing())
    assert inventory(host) == ((volume,), {})
