"""Machines made and removed: killed or failing anywhere, the host is as before, or as wished.

What a wiped volume holds is checked too: nothing of ours is ever removed while it holds a tenant's
data.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from raptorctl.engine.apply import apply
from raptorctl.engine.report import Silent
from raptorctl.engine.stop import Stop
from raptorctl.errors import HostError, LeftoversError, RaptorError, RolledBackError
from raptorctl.model.job import Outcome, StepState
from raptorctl.model.record import Record
from raptorctl.model.seed import FirstBoot, HostKey
from raptorctl.model.volume import Volume
from raptorctl.plans.machine.deprovision import plan_deprovision
from raptorctl.plans.machine.provision import plan_provision
from tests.fakes import IMAGE, Killed, Tripwire, World, but, settings
from tests.unit.engine.ordeal import EVERY, Ordeal, Trial, undisturbed
from tests.unit.plans.machine.test_provision import ALICE, JOB, TEMPLATES

pytestmark = pytest.mark.long

SEEDED = replace(
    ALICE, first_boot=FirstBoot(("ssh-ed25519 AAAA alice",), HostKey("secret", "ssh-ed25519 BBBB"))
)
REMOVAL = JOB.__class__("j2", JOB.uuid, JOB.by, "2026-11-20T13:00:00Z")


class Case(Trial):
    """A fresh host, or one with a machine, before its first or its last job."""

    fewest_calls = 16

    def __init__(self, folder: Path, verb: str) -> None:
        super().__init__(World(), folder)
        self.world.zones.records.add(Record("bob-web.raptor.example.", "A", "192.0.2.7"))
        if verb != FIRST:
            self.world.with_tenants("alice")
        if verb == IMAGED:
            self.world.images.all = (IMAGE,)
        wanted = SEEDED if "seed" in verb else ALICE
        image = IMAGE.name if verb == IMAGED else None
        empty, known = self.picture(), None
        facts = self.world.facts(TEMPLATES)
        tpm = True if "TPM" in verb else None
        plan = plan_provision(but(wanted, image=image, tpm=tpm), settings(), facts, JOB)
        if verb.startswith("deprovision"):
            self.run(plan)
            facts = self.world.facts(TEMPLATES)
            plan, known = plan_deprovision(ALICE.name, settings(), facts, REMOVAL), empty
        self.stand_before(plan, known)


FIRST = "provision that makes the tenant"
IMAGED = "provision from an image"
VERBS = pytest.mark.parametrize(
    "verb",
    ["provision", FIRST, IMAGED, "provision with a seed", "provision with a TPM", "deprovision",
     "deprovision with a seed", "deprovision with a TPM"],
)  # fmt: skip


@EVERY
@VERBS
def test_all_or_nothing(case: Callable[[str], Case], verb: str, ordeal: Ordeal) -> None:
    ordeal(case(verb))


@VERBS
def test_a_defect_of_ours_is_rolled_back_too(case: Callable[[str], Case], verb: str) -> None:
    one = case(verb)
    with pytest.raises(ZeroDivisionError):
        one.run(one.plan, Tripwire(3, ZeroDivisionError))
    assert one.world.picture() == one.before


def test_dns_down_at_removal_finishes_the_rest_and_stays_open(case: Callable[[str], Case]) -> None:
    wished, _ = undisturbed(case("deprovision"))
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
    one.check(wished)


def test_dns_down_does_not_keep_a_failed_removal_from_being_undone(
    case: Callable[[str], Case],
) -> None:
    one = case("deprovision")

    def down(*_: object, **__: object) -> None:
        raise HostError("no answer")

    one.world.zones.lookup = down  # type: ignore[method-assign, assignment]
    one.world.volumes.rename = down  # type: ignore[method-assign, assignment]
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
    one.check(one.before)


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


def test_dns_down_before_anything_was_sent_leaves_nothing_to_undo(
    case: Callable[[str], Case],
) -> None:
    one = case("provision")

    def down(*_: object, **__: object) -> None:
        raise HostError("named does not answer")

    one.world.zones.lookup = down  # type: ignore[method-assign, assignment]
    with pytest.raises(RolledBackError):
        one.run(one.plan)
    assert one.world.picture() == one.before
    (job,) = one.journals.jobs()
    assert job.outcome is Outcome.ROLLED_BACK
    (failed,) = [step for step in job.steps if step.problem]
    assert (failed.state, failed.problem) == (StepState.WAITING, "named does not answer")


def test_a_job_that_ends_while_another_one_is_recovered_is_left_alone(
    case: Callable[[str], Case],
) -> None:
    one, ended = case("deprovision"), False
    with pytest.raises(Killed):
        one.run(one.plan, Tripwire(20))
    other = replace(one.plan, identity=replace(one.plan.identity, job="j3"))
    work = one.journals.begin(other)
    assert [job.id for job in one.journals.unfinished()] == ["j2"]
    find = one.world.volumes.find

    def meanwhile(uuid: str) -> Volume | None:
        nonlocal ended
        if not ended:
            one.journals.close(work, "ROLLED_BACK", Silent().note)
            work.__exit__(None, None, None)
        ended = True
        return find(uuid)

    one.world.volumes.find = meanwhile  # type: ignore[method-assign]
    one.recover()
    assert ended
