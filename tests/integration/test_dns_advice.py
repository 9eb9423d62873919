"""Provision and doctor before a real named: what is in the way is told, and the advice clears it."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from raptorctl.errors import RefusedError
from raptorctl.model.facts import HostFacts
from raptorctl.model.record import Record
from raptorctl.model.settings import Settings
from raptorctl.plans.doctor.fault import Fault, Scene
from raptorctl.plans.doctor.record import queries, records
from raptorctl.plans.machine.provision import plan_provision
from raptorctl.plans.part.records import queries as wanted
from raptorctl.steps.record import AddRecords
from tests.fakes import but, settings
from tests.integration.dns_samples import NAME, POINTER4, POINTER6, Client
from tests.integration.named import REVERSE4, REVERSE6, ZONE, Named, running_named
from tests.unit.plans.machine.test_provision import ALICE, JOB, facts

ABOVE6 = POINTER6.name.partition(".")[2]
CLASSLESS = f"0/25.{REVERSE4}"
_DELETE = re.compile(r"nsupdate: (delete \S+ [A-Z]+)")


def provisioned(
    client: Client, with_slot: int | None = None, **changes: object
) -> list[AddRecords]:
    """Plan `alice dev` on what named answers, and do what the plan says of DNS."""
    known = _settings(**changes)
    seen = replace(facts(), records=client().lookup(wanted(ALICE.name, known)))
    plan = plan_provision(but(ALICE, slot=with_slot), known, seen, JOB)
    steps = [step for step in plan.steps if isinstance(step, AddRecords)]
    for step in steps:
        client().add(step.zone, step.records)
        assert client().lookup((r.name, r.type) for r in step.records) == tuple(
            sorted(step.records)
        )
    return steps


def told(client: Client) -> list[Fault]:
    """What doctor says of the records of a host that has no machine."""
    scene = Scene(_settings(), HostFacts())
    found = client().lookup(queries(scene))
    return list(records(replace(scene, facts=HostFacts(records=found))))


def _settings(**changes: object) -> Settings:
    known = settings()
    return replace(known, dns=replace(known.dns, **changes))  # type: ignore[arg-type]


def test_wildcards_in_all_zones_hinder_no_machine_and_no_doctor(
    named: Named, client: Client
) -> None:
    named.nsupdate(f"update add *.{ZONE} 60 A 192.0.2.99", f"update add *.{ZONE} 60 TXT hello")
    for zone in (REVERSE4, REVERSE6):
        named.nsupdate(f"update add *.{zone} 60 PTR generic.isp.example.")
    assert told(client) == []
    assert len(provisioned(client)) == 3


@pytest.mark.parametrize(
    "line",
    [
        f"{POINTER4.name} 60 PTR mail.example.",
        f"{POINTER4.name} 60 CNAME 1.customer.{REVERSE4}",
        f"{POINTER4.name} 60 NS ns.elsewhere.example.",
        f"{ABOVE6} 60 NS ns.elsewhere.example.",
        f"{ABOVE6} 60 DNAME hosts.elsewhere.example.",
        f"{POINTER6.name} 60 DNAME hosts.elsewhere.example.",
        f"{POINTER4.name} 60 TXT hello",
    ],
)
def test_what_is_in_the_way_of_a_slot_is_told_and_the_advice_clears_it(
    named: Named, client: Client, line: str
) -> None:
    named.nsupdate(f"update add {line}")
    faults = told(client)
    with pytest.raises(RefusedError, match=r"slot 1 cannot be used: .*DNS"):
        provisioned(client, 1)
    for advice in {delete for fault in faults for delete in _DELETE.findall(fault.advice)}:
        named.nsupdate(f"update {advice}")
    assert told(client) == []
    assert len(provisioned(client, 1)) == 3


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"{NAME} 60 CNAME www.{ZONE}", "DNS has CNAME alice-dev"),
        (f"{NAME} 60 A 192.0.2.7", r"DNS has A alice-dev\.raptor\.example already: 192\.0\.2\.7"),
        (f"{NAME} 60 MX 1 mail.example.", "DNS has MX alice-dev"),
        (f"{NAME} 60 NS ns.elsewhere.example.", "DNS delegates alice-dev"),
        (f"{ZONE} 60 DNAME elsewhere.example.", r"DNS has DNAME raptor\.example, so that"),
    ],
)
def test_what_is_in_the_way_of_the_name_is_told(
    named: Named, client: Client, line: str, said: str
) -> None:
    named.nsupdate(f"update add {line}")
    with pytest.raises(RefusedError, match=said):
        provisioned(client)


def test_an_alias_into_a_classless_zone_is_followed_once_the_settings_have_it(
    tmp_path: Path,
) -> None:
    """RFC 2317 section 4."""
    with running_named(tmp_path, (ZONE, REVERSE4, REVERSE6, CLASSLESS)) as named:
        client = Client(named, (CLASSLESS, REVERSE4, REVERSE6))
        named.nsupdate(f"update add {POINTER4.name} 60 CNAME 1.{CLASSLESS}")
        with pytest.raises(RefusedError, match=r"DNS has CNAME 198\.51\.100\.1 already"):
            provisioned(client, 1)
        assert any(f"add {CLASSLESS[:-1]} to dns.reverse_zones" in f.advice for f in told(client))
        assert [check.problem for check in client().probe()] == ["", "", "", ""]
        zones = (CLASSLESS, REVERSE4, REVERSE6)
        _, pointer, _ = provisioned(client, 1, reverse_zones=zones)
        assert pointer.records == (Record(f"1.{CLASSLESS}", "PTR", NAME),)
        assert named.dig(POINTER4.name, "CNAME") == {f"60 CNAME 1.{CLASSLESS}"}
        assert named.dig(f"1.{CLASSLESS}", "PTR") == {f"300 PTR {NAME}"}
