"""The order of a change: look, ask, lock, look again, act."""

import signal

import pytest

from raptorctl.api import change, machine
from raptorctl.engine.lock import hold_lock
from raptorctl.engine.report import Silent
from raptorctl.engine.stop import Stop
from raptorctl.errors import InputError, RaptorError, RefusedError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.error_code import Code
from raptorctl.model.job import StepState
from raptorctl.model.names import MachineName
from raptorctl.model.sizes import Size
from raptorctl.model.spec import MachineSpec
from raptorctl.plans.machine.choice import ProvisionRequest
from raptorctl.plans.plan import Plan
from tests.fakes import World
from tests.unit.api.session import InMemory

DEV = MachineName("alice", "dev")
WANTED = machine.provision(ProvisionRequest(DEV, MachineSpec(Size.parse("1G"), CpuSet.parse("2"))))


class Heard(Silent):
    def __init__(self) -> None:
        self.steps: list[tuple[int, int, StepState]] = []

    def ended(self, number: int, total: int, title: str, state: StepState, problem: str) -> None:
        self.steps.append((number, total, state))


def test_a_plan_that_is_only_looked_at_changes_nothing(session: InMemory, world: World) -> None:
    plan = change.preview(session, WANTED)
    assert len(plan.steps) == 8
    assert (world.domains.list(), session.journals.jobs(), session.lock.exists()) == ((), (), False)


def test_no_is_no(session: InMemory, world: World) -> None:
    with pytest.raises(InputError) as caught:
        change.carry_out(session, WANTED, confirm=lambda _plan: False)
    assert (caught.value.code, caught.value.subject) == (Code.NOT_CONFIRMED, "alice-dev")
    assert (world.domains.list(), session.journals.jobs()) == ((), ())


def test_the_question_is_asked_before_the_lock_and_what_was_shown_is_done(
    session: InMemory, world: World
) -> None:
    shown: list[Plan] = []

    def confirm(plan: Plan) -> bool:
        with Stop() as stop, hold_lock(session.lock, "another", "bob", stop):
            shown.append(plan)
        return True

    heard = Heard()
    done = change.carry_out(session, WANTED, confirm=confirm, reporter=heard)
    assert [plan.encode() for plan in shown] == [done.plan.encode()]
    assert heard.steps == [(number, 8, StepState.DONE) for number in range(1, 9)]
    assert done.job and done.job.by == "carol"
    assert [domain.name for domain in world.domains.list()] == ["alice-dev"]


def test_a_host_that_changed_under_the_question_is_not_touched(
    session: InMemory, world: World
) -> None:
    def confirm(_plan: Plan) -> bool:
        other = ProvisionRequest(
            MachineName("bob", "web"), MachineSpec(Size.parse("1G"), CpuSet.parse("3"))
        )
        change.carry_out(session, machine.provision(other))
        return True

    with pytest.raises(RefusedError) as caught:
        change.carry_out(session, WANTED, confirm=confirm)
    assert caught.value.code is Code.HOST_CHANGED
    assert [domain.name for domain in world.domains.list()] == ["bob-web"]


def test_what_is_so_already_is_neither_asked_nor_done(session: InMemory) -> None:
    change.carry_out(session, WANTED)
    done = change.carry_out(session, WANTED, confirm=lambda _plan: False)
    assert done.job is None


def test_another_thread_stops_a_change_and_nothing_is_left(session: InMemory, world: World) -> None:
    stop = Stop()

    class Impatient(Silent):
        def ended(
            self, number: int, total: int, title: str, state: StepState, problem: str
        ) -> None:
            stop.ask(signal.SIGTERM)

    with pytest.raises(RaptorError) as caught:
        change.carry_out(session, WANTED, reporter=Impatient(), stop=stop)
    assert caught.value.exit_code == 143
    assert (world.domains.list(), world.volumes.list()) == ((), ())
