"""Killed anywhere, failing anywhere: after `recover` the host is as before, or as wished.

Every driver call and every journal line is a place to die, before it acts and after. What a wiped
volume holds is checked too: nothing of ours is ever removed while it holds a tenant's data.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from raptorctl.engine.apply import apply
from raptorctl.engine.journal import Journal
from raptorctl.engine.journals import Journals
from raptorctl.engine.recover import recover
from raptorctl.engine.report import Silent
from raptorctl.engine.stop import Stop
from raptorctl.errors import HostError, LeftoversError, RaptorError, RolledBackError
from raptorctl.model.job import Outcome
from raptorctl.model.record import Record
from raptorctl.model.seed import FirstBoot, HostKey
from raptorctl.model.volume import Volume
from raptorctl.plans.deprovision import plan_deprovision
from raptorctl.plans.plan import Plan
from raptorctl.plans.provision import plan_provision
from tests.fakes import IMAGE, Killed, Tripwire, World, settings
from tests.unit.plans.test_provision import ALICE, JOB, TEMPLATES

SEEDED = replace(
    ALICE, first_boot=FirstBoot(("ssh-ed25519 AAAA alice",), HostKey("secret", "ssh-ed25519 BBBB"))
)
REMOVAL = JOB.__class__("j2", JOB.uuid, JOB.by, "2026-11-20T13:00:00Z")


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fdatasync", lambda _: None)
    monkeypatch.setattr(os, "fsync", lambda _: None)


class Case:
    """A fresh host, a job, and what may be true afterwards."""

    def __init__(self, folder: Path, verb: str) -> None:
        self.world = LeakWatch()
        self.world.zones.records.add(Record("bob-web.raptor.example.", "A", "192.0.2.7"))
        self.journals = Journals(folder / "journal", folder / "audit.jsonl")
        if verb != FIRST:
            self.world.with_tenants("alice")
        empty = self.world.picture()
        self.wanted = SEEDED if "seed" in verb else ALICE
        if verb == IMAGED:
            self.world.images.all = (IMAGE,)
        if not verb.startswith("deprovision"):
            self.before = empty
            self.plan = self._provision(IMAGE.name if verb == IMAGED else None)
            self.wished = {repr(empty)}
        else:
            self.run(self._provision())
            self.before = self.world.picture()
            self.plan = plan_deprovision(
                ALICE.name, settings(), self.world.facts(TEMPLATES), REMOVAL
            )
            self.wished = {repr(self.before), repr(empty)}

    def _provision(self, image: str | None = None) -> Plan:
        wish = replace(self.wanted, image=image)
        return plan_provision(wish, settings(), self.world.facts(TEMPLATES), JOB)

    def run(self, plan: Plan, wire: Tripwire | None = None) -> None:
        apply(plan, self.world.host(wire), self.journals, Silent(), Stop())

    def recover(self, wire: Tripwire | None = None) -> None:
        recover(self.world.host(wire), self.journals, Silent(), Stop())

    def check(self) -> None:
        committed = self.journals.jobs()[-1:] and self.journals.jobs()[-1].outcome is Outcome.DONE
        if not (committed and self.plan.verb == "provision"):
            assert repr(self.world.picture()) in self.wished
        assert self.world.leaked == []
        assert not self.journals.open_files()


class LeakWatch(World):
    """Notices when a volume leaves with a tenant's data on it."""

    def __init__(self) -> None:
        super().__init__()
        self.leaked: list[str] = []
        really_remove = self.volumes.remove

        def remove(volume: Volume, *, discard: bool = True) -> None:
            data = self.volumes.data.get(volume.uuid, "")
            if data.startswith("written by"):
                self.leaked.append(data)
            really_remove(volume, discard=discard)

        self.volumes.remove = remove  # type: ignore[method-assign]


@pytest.fixture
def case(tmp_path: Path) -> Callable[[str], Case]:
    numbers = itertools.count()
    return lambda verb: Case(tmp_path / str(next(numbers)), verb)


def calls_of(case: Case, act: Callable[[Tripwire], object]) -> int:
    wire = Tripwire()
    act(wire)
    return len(wire.calls)


def points(count: int) -> Iterator[tuple[int, bool]]:
    return itertools.product(range(1, count + 1), (False, True))


FIRST = "provision that makes the tenant"
IMAGED = "provision from an image"
VERBS = pytest.mark.parametrize(
    "verb",
    ["provision", FIRST, IMAGED, "provision with a seed", "deprovision", "deprovision with a seed"],
)


@VERBS
def test_nothing_fails(case: Callable[[str], Case], verb: str) -> None:
    one = case(verb)
    one.run(one.plan)
    assert not one.journals.open_files()
    assert one.journals.jobs()[-1].outcome is Outcome.DONE
    assert one.world.leaked == []


@VERBS
def test_killed_at_every_call(case: Callable[[str], Case], verb: str) -> None:
    total = calls_of(one := case(verb), lambda wire: one.run(one.plan, wire))
    assert total > 15
    for at, after in points(total):
        one = case(verb)
        with pytest.raises(Killed):
            one.run(one.plan, Tripwire(at, after=after))
        one.recover()
        one.check()
        picture = one.world.picture()
        one.recover()
        assert one.world.picture() == picture


@VERBS
def test_killed_at_every_journal_line(
    case: Callable[[str], Case], verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_write = Journal.write
    for at, after in points(30):
        one = case(verb)
        wire = Tripwire(at, after=after)
        monkeypatch.setattr(
            Journal, "write", lambda *a, w=wire, **k: w.guard("write", really_write)(*a, **k)
        )
        try:
            one.run(one.plan)
        except Killed:
            monkeypatch.setattr(Journal, "write", really_write)
            one.recover()
            one.check()
        monkeypatch.setattr(Journal, "write", really_write)


@VERBS
def test_killed_again_while_recovering(case: Callable[[str], Case], verb: str) -> None:
    total = calls_of(one := case(verb), lambda wire: one.run(one.plan, wire))
    for at in range(1, total + 1):
        for again in itertools.count(1):
            one = case(verb)
            with pytest.raises(Killed):
                one.run(one.plan, Tripwire(at, after=True))
            try:
                one.recover(Tripwire(again, after=again % 2 == 0))
            except Killed:
                one.recover()
                one.check()
            else:
                one.check()
                break


@VERBS
def test_a_fault_at_every_call(case: Callable[[str], Case], verb: str) -> None:
    total = calls_of(one := case(verb), lambda wire: one.run(one.plan, wire))
    for at, after in points(total):
        one = case(verb)
        wire = Tripwire(at, lambda: HostError("the disk is on fire"), after=after)
        try:
            one.run(one.plan, wire)
        except RolledBackError as error:
            assert "the disk is on fire" in str(error)
            assert one.world.picture() == one.before
        except LeftoversError as error:
            assert error.leftovers
            assert one.journals.open_files()
            one.recover()
        one.check()


@VERBS
def test_a_defect_of_ours_is_rolled_back_too(case: Callable[[str], Case], verb: str) -> None:
    one = case(verb)
    with pytest.raises(ZeroDivisionError):
        one.run(one.plan, Tripwire(3, ZeroDivisionError))
    assert one.world.picture() == one.before


def test_dns_down_at_removal_finishes_the_rest_and_stays_open(case: Callable[[str], Case]) -> None:
    one = case("deprovision")
    records = set(one.world.zones.records)

    def down(*_: object) -> None:
        raise HostError("named does not answer")

    one.world.zones.lookup = down  # type: ignore[method-assign, assignment]
    with pytest.raises(LeftoversError, match="all is done but for DNS") as caught:
        one.run(one.plan)
    assert caught.value.exit_code == 4
    assert not one.world.volumes.list()
    assert one.journals.unfinished()[0].outcome is Outcome.PENDING
    assert one.world.zones.records == records
    del one.world.zones.lookup
    one.recover()
    one.check()


def test_dns_down_does_not_keep_a_failed_removal_from_being_undone(
    case: Callable[[str], Case],
) -> None:
    one = case("deprovision")

    def down(*_: object, **__: object) -> None:
        raise HostError("no answer")

    one.world.zones.lookup = down  # type: ignore[method-assign, assignment]
    one.world.volumes.rename = down  # type: ignore[method-assign]
    with pytest.raises(RolledBackError):
        one.run(one.plan)
    assert one.world.picture() == one.before
    assert not one.journals.open_files()


def test_an_undo_that_fails_is_named_and_the_others_go_on(case: Callable[[str], Case]) -> None:
    one = case("provision")

    def stuck(*_: object, **__: object) -> None:
        raise HostError("libvirt hangs")

    one.world.links.bridges = stuck  # type: ignore[method-assign, assignment]
    really_undefine, one.world.domains.undefine = one.world.domains.undefine, stuck  # type: ignore[method-assign]
    with pytest.raises(LeftoversError) as caught:
        one.run(one.plan)
    assert any("domain alice-dev" in line for line in caught.value.leftovers)
    assert any(f"recover {JOB.job}" in str(caught.value) for _ in "x")
    one.world.domains.undefine = really_undefine  # type: ignore[method-assign]
    one.recover()
    one.check()


def test_asked_to_stop_it_rolls_back_with_the_signals_code(case: Callable[[str], Case]) -> None:
    for signum, code in ((2, 130), (15, 143)):
        one = case("provision")
        stop = Stop()
        reporter = Silent()
        reporter.progress = lambda *_, s=stop, n=signum: s.ask(n)  # type: ignore[method-assign]
        with pytest.raises(RaptorError) as caught:
            apply(one.plan, one.world.host(), one.journals, reporter, stop)
        assert caught.value.exit_code == code
        assert one.world.picture() == one.before
