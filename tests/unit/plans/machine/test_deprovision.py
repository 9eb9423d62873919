"""Deprovision, decided."""

from dataclasses import replace

import pytest

from raptorctl.errors import RefusedError
from raptorctl.model.domain import Domain, State
from raptorctl.model.facts import HostFacts
from raptorctl.model.names import MachineName
from raptorctl.model.record import Record
from raptorctl.model.sizes import Size
from raptorctl.model.volume import Volume
from raptorctl.plans.machine.deprovision import plan_deprovision
from raptorctl.plans.plan import decode_plan
from tests.fakes import World, settings
from tests.unit.plans.machine.test_provision import ALICE, JOB, TEMPLATES, planned, whole_machine

NAME = MachineName("alice", "dev")


def there() -> HostFacts:
    records = tuple(r for s in planned().steps if s.kind == "records.add" for r in s.records)  # type: ignore[attr-defined]
    return replace(World().facts(TEMPLATES), **{**whole_machine(), "records": records})


def test_names_go_first_and_the_wipe_comes_after_the_definition_is_gone() -> None:
    plan = plan_deprovision(NAME, settings(), there(), JOB)
    assert [step.kind for step in plan.steps] == [
        "records.remove", "records.remove", "records.remove", "domain.undefine", "domain.stop",
        "volume.retire", "nvram.remove", "volume.wipe", "volume.remove",
    ]  # fmt: skip
    assert decode_plan(plan.encode()) == plan
    assert plan.destroys == (
        "/var/lib/libvirt/qemu/nvram/alice-dev_VARS.fd",
        "volume guest-alice-dev",
    )


def test_a_wipe_keeps_nobody_else_waiting_whatever_goes_besides() -> None:
    """The host's lock is let go once only steps are left that need none."""
    files = frozenset(
        {
            *there().files,
            "/var/log/raptorctl/console/alice-dev.log",
            "/var/log/raptorctl/steps/alice-dev.log",
            "/var/lib/libvirt/raptorctl/alice-dev-seed.iso",
        }
    )
    steps = plan_deprovision(NAME, settings(), replace(there(), files=files), JOB).steps
    kinds = [step.kind for step in steps]
    assert {"log.remove", "seed.remove"} <= set(kinds)
    assert not any(step.needs_lock for step in steps[kinds.index("volume.wipe") :])


def test_nothing_there_is_said_and_is_no_work() -> None:
    plan = plan_deprovision(NAME, settings(), World().facts({}), JOB)
    assert not plan.steps
    assert "no machine alice-dev" in plan.summary


def test_records_that_are_not_ours_stay() -> None:
    foreign = Record("alice-dev.raptor.example.", "TXT", "v=spf1 -all")
    plan = plan_deprovision(NAME, settings(), replace(World().facts({}), records=(foreign,)), JOB)
    assert not plan.steps
    mixed = replace(there(), records=(*there().records, foreign))
    removed = [
        r
        for s in plan_deprovision(NAME, settings(), mixed, JOB).steps
        for r in getattr(s, "records", ())
    ]
    assert foreign not in removed
    assert len(removed) == 5


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"domains": (Domain("u", "alice-dev"),)}, "domain alice-dev exists and is not raptorctl's"),
        ({"volumes": (Volume("v", "guest-alice-dev", "lvm-data", Size(1)),)}, "is not raptorctl's"),
        ({"volumes": (*whole_machine()["volumes"],
                      Volume("s", "snap", "lvm-data", Size(1), origin="guest-alice-dev"))}, "snapshot"),
    ],
)  # fmt: skip
def test_refuses_what_is_not_ours(changes: dict[str, object], says: str) -> None:
    with pytest.raises(RefusedError, match=says):
        plan_deprovision(NAME, settings(), replace(there(), **changes), JOB)  # type: ignore[arg-type]


def test_another_disk_is_left_alone_and_said() -> None:
    (domain,) = there().domains
    also = replace(domain, disks=(*domain.disks, "/dev/lvm-data/other"))
    plan = plan_deprovision(NAME, settings(), replace(there(), domains=(also,)), JOB)
    assert any("/dev/lvm-data/other" in note for note in plan.notes)


def test_the_request_and_the_removal_speak_of_the_same_machine() -> None:
    assert ALICE.name == NAME


def test_with_dns_silent_half_a_machine_whose_names_nobody_knows_stays() -> None:
    silent = replace(there(), records=(), dns_problem="named is silent", domains=())
    with pytest.raises(RefusedError, match="DNS does not answer, and without a domain"):
        plan_deprovision(NAME, settings(), silent, JOB)


def test_with_dns_silent_it_expects_what_provision_added() -> None:
    answered = plan_deprovision(NAME, settings(), there(), JOB)
    silent = replace(there(), records=(), dns_problem="named is silent")
    plan = plan_deprovision(NAME, settings(), silent, JOB)
    assert {s for s in plan.steps if s.deferrable} == {s for s in answered.steps if s.deferrable}
    assert any("recover" in note for note in plan.notes)


def test_an_address_that_changed_in_the_settings_goes_too() -> None:
    old = Record("alice-dev.raptor.example.", "A", "203.0.113.9")
    plan = plan_deprovision(
        NAME, settings(), replace(there(), records=(*there().records, old)), JOB
    )
    assert old in [r for s in plan.steps for r in getattr(s, "records", ())]


@pytest.mark.parametrize("trouble", ["another domain", "open"])
def test_a_volume_somebody_else_uses_is_refused_before_anything_is_touched(trouble: str) -> None:
    facts = there()
    (volume,) = facts.volumes
    if trouble == "open":
        stopped = replace(facts.domains[0], state=State.OFF)
        facts = replace(facts, volumes=(replace(volume, is_open=True),), domains=(stopped,))
    else:
        rescue = Domain("u2", "rescue", disks=(volume.path,))
        facts = replace(facts, domains=(*facts.domains, rescue))
    with pytest.raises(RefusedError, match=r"rescue|is open"):
        plan_deprovision(NAME, settings(), facts, JOB)


def test_variables_that_another_domain_uses_stay() -> None:
    path = "/var/lib/libvirt/qemu/nvram/alice-dev_VARS.fd"
    renamed = Domain("u2", "legacy", nvram=path)
    for facts in (there(), World().facts({})):
        other = replace(facts, domains=(*facts.domains, renamed), files=frozenset([path]))
        plan = plan_deprovision(NAME, settings(), other, JOB)
        assert "nvram.remove" not in [step.kind for step in plan.steps]
