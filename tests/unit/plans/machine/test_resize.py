"""Resize, decided: what changes, in which order, and every reason to refuse."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from raptorctl.errors import MissingError, RefusedError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Domain, State
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.job import Job, Outcome
from raptorctl.model.names import MachineName
from raptorctl.model.sizes import GIB, MIB, Size
from raptorctl.model.tenant import Quota, Tenant, TenantRecord
from raptorctl.model.volume import Volume
from raptorctl.plans.machine.resize import ResizeRequest, plan_resize
from raptorctl.plans.past import Past
from raptorctl.plans.plan import Identity, Plan, decode_plan
from raptorctl.render.read_domain import read_domain
from raptorctl.steps.definition import RedefineDomain
from tests.fakes import settings
from tests.unit.plans.machine.test_provision import JOB, facts, planned, whole_machine

NAME = MachineName("alice", "dev")
NEXT = Identity("j2", JOB.uuid, JOB.by, "2026-11-20T13:00:00Z")


def there(**changes: Any) -> HostFacts:
    """alice-dev runs with 40G, 4 CPUs on 4-7 and 4G of memory, of which the host has 16G."""
    return replace(facts(), **{**whole_machine(), **changes})


def resized(
    size: int | None = None,
    cpus: tuple[int, ...] | None = None,
    memory: int | None = None,
    **changes: Any,
) -> Plan:
    request = ResizeRequest(
        NAME,
        None if size is None else Size(size),
        None if cpus is None else CpuSet(cpus),
        None if memory is None else Size(memory),
    )
    return plan_resize(request, settings(), there(**changes), NEXT)


def off(**changes: Any) -> dict[str, Any]:
    (domain,) = whole_machine()["domains"]
    return {"domains": (replace(domain, state=State.OFF, **changes),)}


def text(plan: Plan) -> str:
    lines = [plan.summary, *(f"{step.title} ({step.reason})" for step in plan.steps)]
    return "\n".join([*lines, *(f"note: {note}" for note in plan.notes), ""])


PLANS: dict[str, Callable[[], Plan]] = {
    "grow": lambda: resized(80 * GIB),
    "move": lambda: resized(cpus=(2, 3, 4, 5)),
    "everything": lambda: resized(80 * GIB, (4, 5, 6, 7, 2), 8 * GIB),
    "off": lambda: resized(80 * GIB, (4, 5), 2 * GIB, **off()),
    "nothing": lambda: resized(40 * GIB, (4, 5, 6, 7), 4 * GIB),
}


@pytest.mark.parametrize("name", PLANS)
def test_golden(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"plans/resize_{name}.txt", text(PLANS[name]()))


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_survives_the_journal(name: str) -> None:
    plan = PLANS[name]()
    assert decode_plan(plan.encode()) == plan


def test_only_what_was_asked_for_changes_in_the_definition() -> None:
    (step,) = (s for s in resized(memory=8 * GIB).steps if isinstance(s, RedefineDomain))
    before, after = read_domain(step.before), read_domain(step.xml)
    assert after == replace(before, memory=Size(8 * GIB), xml=step.xml)
    assert step.before == whole_machine()["domains"][0].xml


def test_cpus_that_it_has_itself_are_free_to_it() -> None:
    assert resized(cpus=(4, 5, 6, 7, 2)).reservation == Reservation(
        "j2", "alice-dev", None, CpuSet((4, 5, 6, 7, 2))
    )


def test_a_size_is_rounded_up_and_said() -> None:
    plan = resized(40 * GIB + 5 * MIB)
    assert plan.summary.startswith("machine alice-dev: 40.0G on")
    assert any("rounded up" in note for note in plan.notes)


BOB = Domain("u2", "bob-web", memory=Size(10 * GIB), pins=CpuSet((2, 3)))
SNAPSHOT = Volume("s", "backup", "lvm-data", Size(1), origin="guest-alice-dev")


def both(*others: Any) -> dict[str, Any]:
    kind = "volumes" if isinstance(others[0], Volume) else "domains"
    return {kind: (*whole_machine()[kind], *others)}


def volume(**changes: Any) -> dict[str, Any]:
    return {"volumes": (replace(whole_machine()["volumes"][0], **changes),)}


def alice(quota: Quota) -> dict[str, Any]:
    record = TenantRecord("alice", 1000, False, "j0", "2026-11-19T08:00:00Z", "carol", quota)
    return {"tenants": (Tenant("alice", record=record),)}


@pytest.mark.parametrize(
    ("wish", "changes", "says"),
    [
        ((20 * GIB,), {}, "has 40G of disk, and a disk only grows"),
        ((300 * GIB,), {}, "260G more asked; volume group lvm-data has 200G free"),
        ((80 * GIB,), both(SNAPSHOT), "backup, which is not raptorctl's: `lvremove lvm-data/backup` if"),
        ((80 * GIB,), volume(kind="thin,sparse"), "not as raptorctl made it: thin,sparse"),
        ((80 * GIB,), volume(tags=(*whole_machine()["volumes"][0].tags, "raptor.dirty")), "not clean"),
        ((80 * GIB,), off(disks=()), "not as raptorctl made it"),
        ((None, (2, 3)), both(BOB), "CPU 2,3 belongs to machine bob-web"),
        ((None, (0, 4)), {}, "CPU 0 is kept for the host"),
        ((None, (4, 99)), {}, "CPU 99 is absent"),
        ((None, None, 8 * GIB), both(BOB), "8G of memory asked; the host has 16G, of which 10G"),
        ((80 * GIB,), alice(Quota(size=Size(60 * GIB))), "has 40G of 60G of disk; 40G more asked"),
        ((None, (2, 3, 4, 5, 6)), alice(Quota(cpus=4)), "has 4 of 4 CPUs; 1 more asked"),
        ((None, None, 5 * GIB), alice(Quota(memory=Size(4 * GIB))), "4G of 4G of memory; 1G more"),
        ((80 * GIB,), {"reservations": (Reservation("j9", "alice-dev"),)}, "job j9 works on"),
        ((80 * GIB,), {"domains": (Domain("u", "alice-dev"),)}, "is not raptorctl's"),
        ((80 * GIB,), {"domains": ()}, "exists without the rest"),
    ],
)  # fmt: skip
def test_it_is_refused(wish: tuple[Any, ...], changes: dict[str, Any], says: str) -> None:
    with pytest.raises(RefusedError, match=says.replace("(", r"\(")):
        resized(*wish, **changes)


def test_a_machine_that_is_not_there_is_missing() -> None:
    with pytest.raises(MissingError, match="no such machine: alice-dev"):
        resized(80 * GIB, domains=(), volumes=())


def test_less_is_allowed_over_quota() -> None:
    quota = alice(Quota(cpus=1, memory=Size(GIB)))
    assert resized(cpus=(4, 5), memory=2 * GIB, **quota).steps


def job(plan: Plan, outcome: Outcome) -> tuple[Job, Plan]:
    who = plan.identity
    return Job(who.job, plan.verb, "alice-dev", who.by, who.at, who.at, outcome, ""), plan


@pytest.mark.parametrize(
    ("outcome", "memory"), [(Outcome.DONE, 8), (Outcome.ROLLED_BACK, 4), (Outcome.UNFINISHED, 4)]
)
def test_a_definition_that_is_lost_comes_back_as_it_was_last(outcome: Outcome, memory: int) -> None:
    past = Past((job(planned(), Outcome.DONE), job(resized(memory=8 * GIB), outcome)))
    made = past.definition(whole_machine()["volumes"][0])
    assert made is not None
    assert (made.job, read_domain(made.xml).memory) == ("j1", memory * GIB)
