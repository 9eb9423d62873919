"""`up` killed at any call: after `recover` and another `up`, the end is the same, steps and all.

Two machines are at their steps side by side, and two are wiped so, when it happens.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from raptorctl.api import raptor_file, recover
from raptorctl.api.caller import Caller
from raptorctl.api.up import Up
from raptorctl.model.file_plan import Allowed
from raptorctl.steps import load_all
from tests.fakes import IMAGE, Killed, Tripwire, World
from tests.unit.api.session import InMemory

ROOT = Caller("carol", root=True)
STEPS = 'steps = [{ run = "a.sh" }]\n'
BEFORE = """
name = "lab"
[defaults]
size = "1G"
memory = "1G"
cpus = 1
image = "debian:13"
[machine.alice-old]
"""
AFTER = (
    BEFORE.replace("[machine.alice-old]", "[machine.alice-web]").replace('"1G"', '"4G"')
    + STEPS
    + "[machine.alice-db]\n"
    + STEPS
    + "[machine.alice-old]\n"
)
"""Two more, before another that grows, and two that go."""
GONE = "[machine.alice-gone]\n[machine.alice-past]\n"


class Case:
    """A host before `up`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder, self.world = folder, World().with_tenants("alice")
        self.world.images.all = (IMAGE.__class__(**{**vars(IMAGE), "size": 1 << 30}),)
        self.world.guests.banners = ["SSH-2.0-x"]
        (folder / "a.sh").write_text("#!/bin/sh\n")
        self.up(BEFORE + GONE)

    def session(self, wire: Tripwire | None = None) -> InMemory:
        found = InMemory(caller=ROOT)
        found.put(self.world, self.folder)
        found.wire = wire or found.wire
        return found

    def up(self, text: str = AFTER, wire: Tripwire | None = None) -> None:
        session, may = self.session(wire), Allowed(prune=True, restart=True, allow=2)
        file = raptor_file.read(session, str(self.folder / "raptor.toml"), text)
        wish = raptor_file.wish_of(session, file)
        plan = raptor_file.plan_of(session, wish, may)
        for brought in Up(session, wish, plan, identity=self.folder / "a.sh").run():
            assert brought.error is None or session.wire.killed

    def recover(self) -> None:
        list(recover.recover(self.session()))

    def end(self) -> object:
        """What it all comes to; identifiers aside."""
        marks = ((d.mark, d) for d in self.world.domains.list())
        domains = sorted(
            (d.name, d.state, d.memory, d.vcpus, d.autostart, m and (m.file, m.steps, m.image))
            for m, d in marks
        )
        volumes = sorted((v.name, v.size, v.clean) for v in self.world.volumes.list())
        records = sorted((r.name, r.type) for r in self.world.zones.records)
        return domains, volumes, records


def kills(case: Case) -> Iterator[int]:
    wire = Tripwire()
    case.up(wire=wire)
    yield from range(1, len(wire.calls) + 1)


def check(folder: Path, every: int) -> None:
    load_all()
    undisturbed = Case(folder / "0")
    places = list(kills(undisturbed))
    assert len(places) > 110
    killed = 0
    for at in places[::every]:
        case, wire = Case(folder / str(at)), Tripwire(at)
        with suppress(Killed):  # threads may make a call less, so that the last is never made
            case.up(wire=wire)
        killed += wire.killed
        case.recover()
        case.up()
        assert case.end() == undisturbed.end(), at
        before = case.world.picture()
        case.up()
        assert case.world.picture() == before
    assert killed >= len(places[::every]) - 2


def test_killed_here_and_there(tmp_path: Path) -> None:
    check(tmp_path, every=17)


@pytest.mark.long
def test_killed_at_every_call(tmp_path: Path) -> None:
    check(tmp_path, every=1)
