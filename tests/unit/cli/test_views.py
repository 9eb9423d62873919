"""What reading commands print: golden files, as text at 80 columns and as JSON."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Domain, Mark, State
from raptorctl.model.record import Record
from raptorctl.model.sizes import GIB, Size
from raptorctl.model.slot import Bridge
from raptorctl.model.volume import Volume
from tests.fakes import World
from tests.unit.cli.session import CommandLine

Golden = Callable[[str, str], None]

VIEWS = {
    "list": ["list"],
    "list_tenant": ["list", "alice"],
    "show": ["show", "alice", "dev"],
    "show_half": ["show", "bob", "ci"],
    "slot_list": ["slot", "list"],
    "slot_show": ["slot", "show", "2"],
    "cpu_map": ["cpu", "map"],
    "doctor": ["doctor"],
}


def volume(name: str, tenant: str, slot: int, size: int, state: str = "clean") -> Volume:
    tags = ("raptor", f"raptor.tenant={tenant}", "raptor.job=20261120-101010-aaaa",
            f"raptor.slot={slot}", f"raptor.{state}")  # fmt: skip
    return Volume(f"uuid-of-{name}", name, "lvm-data", Size(size), tags)


@pytest.fixture
def busy(world: World) -> World:
    """A host with a machine, half a machine, somebody else's domain, and a bridge that is down."""
    volumes = [
        volume("guest-alice-dev", "alice", 2, 40 * GIB),
        volume("guest-bob-ci", "bob", 1, 3 * GIB // 2, "dirty"),
        Volume("uuid-of-root", "root", "lvm-data", Size(20 * GIB)),
    ]
    world.volumes.by_uuid = {v.uuid: v for v in volumes}
    mark = Mark("alice", "dev", 2, "20261120-204001-3f9c", "2026-11-20T20:40:01Z", "carol",
                "virtio-console")  # fmt: skip
    ours = Domain(
        "5b5a3f9e-0000-4000-8000-000000000001", "alice-dev", State.RUNNING, Size(4 * GIB),
        CpuSet((4, 5, 2)), CpuSet((5, 2)), ("52:54:00:00:00:02",), ("br-vm2",),
        ("/dev/lvm-data/guest-alice-dev",), mark=mark, autostart=True,
    )  # fmt: skip
    foreign = Domain("5b5a3f9e-0000-4000-8000-000000000002", "web", State.OFF, pins=CpuSet((3,)))
    world.domains.by_uuid = {d.uuid: d for d in (ours, foreign)}
    world.links.all = (
        Bridge("br-vm1", up=True, ports=("keep-vm1", "eth1")),
        Bridge("br-vm2", up=True, ports=("keep-vm2", "vnet0")),
        Bridge("br-vm3", up=True),
        Bridge("br-vm4", up=False),
    )
    world.zones.records = {
        Record("alice-dev.raptor.example.", "A", "198.51.100.2"),
        Record("2.100.51.198.in-addr.arpa.", "PTR", "alice-dev.raptor.example."),
        Record("4.100.51.198.in-addr.arpa.", "PTR", "other.raptor.example."),
    }
    return world


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("view", VIEWS)
def test_text(raptorctl: CommandLine, golden: Golden, view: str) -> None:
    shown = raptorctl(*VIEWS[view]).out
    golden(f"cli/{view}.txt", shown)
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("view", VIEWS)
def test_json(raptorctl: CommandLine, golden: Golden, view: str) -> None:
    shown = raptorctl(*VIEWS[view], "-o", "json").out
    json.loads(shown)
    golden(f"cli/{view}.json", shown)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["list"], "there are no machines\n"),
        (["list", "alice"], "alice has no machines\n"),
        (["job", "list"], "there are no jobs\n"),
        (["recover"], "there is nothing to recover\n"),
    ],
)
def test_nothing_is_said_in_words(raptorctl: CommandLine, typed: list[str], said: str) -> None:
    done = raptorctl(*typed)
    assert (done.code, done.out, done.err) == (0, said, "")


@pytest.mark.parametrize(("typed", "key"), [(["list"], "machines"), (["job", "list"], "jobs")])
def test_nothing_is_an_empty_list_in_json(
    raptorctl: CommandLine, typed: list[str], key: str
) -> None:
    assert json.loads(raptorctl(*typed, "-o", "json").out) == {key: []}


@pytest.mark.usefixtures("busy")
def test_colour_is_for_terminals(raptorctl: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[" not in raptorctl("doctor").out
    assert "\x1b[" in raptorctl("doctor", terminal=True).out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in raptorctl("doctor", terminal=True).out
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b[" not in raptorctl("doctor", terminal=True).out


def test_the_longest_names_fit_a_terminal_and_stay_whole_in_a_pipe(
    raptorctl: CommandLine, world: World
) -> None:
    machine = "x" * 40
    long = volume(f"guest-{'t' * 16}-{machine}", "t" * 16, 200, 40 * GIB)
    world.volumes.by_uuid = {long.uuid: long}
    assert machine in raptorctl("list").out
    seen = raptorctl("list", terminal=True).out
    assert max(map(len, seen.splitlines())) <= 80


def test_domains_of_others_cannot_move_the_cursor(raptorctl: CommandLine, world: World) -> None:
    evil = Domain("uuid", "web\x1b[2J\n", State.OFF, pins=CpuSet((3,)))
    world.domains.by_uuid = {evil.uuid: evil}
    assert "\x1b" not in raptorctl("cpu", "map").out


def test_more_than_one_machine_on_a_cpu_is_told(raptorctl: CommandLine, busy: World) -> None:
    first = busy.domains.list()[0]
    twin = replace(first, uuid="other", name="bob-ci", mark=None)
    busy.domains.by_uuid["other"] = twin
    assert "note: CPU 4 has alice-dev and bob-ci" in raptorctl("cpu", "map").out


def test_a_slot_that_is_not_there_is_told_with_those_that_are(raptorctl: CommandLine) -> None:
    done = raptorctl("slot", "show", "99")
    assert (done.code, "there is no slot 99: this host has 1, 2" in done.complaint) == (2, True)
