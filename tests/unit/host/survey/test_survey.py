"""The survey: everything once, from drivers in memory."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from raptorctl.errors import MissingError
from raptorctl.host.survey.inventory import inventory
from raptorctl.host.survey.probe import Prober
from raptorctl.host.survey.survey import Scope, survey
from raptorctl.model.domain import Domain
from raptorctl.model.facts import Reservation
from raptorctl.model.part import Part
from raptorctl.model.sizes import GIB
from raptorctl.model.tenant import record_path
from tests.fakes import ISO, World, settings


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
    facts = survey(world.host(), settings(), Scope(reservations=(held,)))
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


@pytest.mark.parametrize(
    ("part", "missing"),
    [
        (Part.LVM, "volumes"),
        (Part.LIBVIRT, "domains"),
        (Part.LINKS, "links"),
        (Part.IMAGES, "images"),
    ],
)
def test_doctor_reads_the_rest_and_notes_what_does_not_answer(part: Part, missing: str) -> None:
    world, prober = World().with_tenants("alice"), Prober()
    volume = world.volumes.create("guest-alice-dev", GIB, ["raptor"])
    host = replace(world.host(), **{missing: Missing()})
    facts = survey(host, settings(), attempt=prober.attempt)
    assert {name: trouble.what for name, trouble in prober.troubles.items()} == {
        part: "it is not there"
    }
    assert [tenant.name for tenant in facts.tenants] == ["alice"]
    assert facts.volumes == (() if missing == "volumes" else (volume,))
    assert facts.topology.cpus


def test_what_is_no_record_hides_neither_tombstones_nor_anything_else() -> None:
    world, prober = World(), Prober()
    world.files.write(record_path("alice"), "no record", 0o644)
    facts = survey(world.host(), settings(), attempt=prober.attempt)
    assert set(prober.troubles) == {Part.TENANTS}
    assert facts.bridges == world.links.bridges()


def test_seeds_are_among_the_files(tmp_path: Path) -> None:
    """What plans and doctor know of them is the same."""
    (tmp_path / "alice-dev-seed.iso").touch()
    given = settings()
    given = replace(given, images=replace(given.images, seed_dir=str(tmp_path)))
    seen = survey(World().host(), given, attempt=Prober().attempt).files
    assert str(tmp_path / "alice-dev-seed.iso") in seen


def test_dns_that_does_not_answer_is_a_fact() -> None:
    host = replace(World().host(), zones=Missing())
    facts = survey(host, settings(), Scope(queries=(("alice-dev.raptor.example.", "A"),)))
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


def test_what_is_in_drives_is_looked_at_by_its_length() -> None:
    world = World()
    path = f"/srv/alice-dev-cd-{ISO.digest}.iso"
    world.images.all = (ISO,)
    world.domains.by_uuid["u1"] = Domain("u1", "alice-dev", cdroms=("", "/dev/sr0", path))
    assert survey(world.host(), settings()).unreadable == {path: f"ISO {ISO.digest[:12]} is gone"}
    world.files.paths.add(path)
    world.files.sizes[path] = ISO.size - 1
    assert list(survey(world.host(), settings()).unreadable) == [path]
    world.files.sizes[path] = ISO.size
    assert survey(world.host(), settings()).unreadable == {}
