"""A machine that nobody asked for, planned to see whether one could be: doctor's last word. Pure.

Whatever the planner refuses on a host, for whatever reason, is so told by doctor too.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from raptorctl.errors import RaptorError
from raptorctl.model.facts import HostFacts
from raptorctl.model.names import MachineName
from raptorctl.model.probe import Finding, Verdict
from raptorctl.model.settings import Settings
from raptorctl.model.sizes import Size
from raptorctl.model.spec import MachineSpec
from raptorctl.plans.doctor.fault import NOBODY
from raptorctl.plans.machine.choice import ProvisionRequest
from raptorctl.plans.machine.provision import plan_provision
from raptorctl.plans.part import need

TENANT: Final = "doctor"
MACHINE: Final = "trial"
SMALLEST: Final = Size(1)
"""Bytes; rounded up to one extent."""


def readiness(settings: Settings, facts: HostFacts, told: frozenset[str]) -> Iterator[Finding]:
    """Say what keeps provision from making a machine, as far as no check has said it.

    Args:
        settings: the host's.
        facts: the host, all of it that a planner looks at.
        told: the checks that have failed already.
    """
    lacking = [(one, error) for one, error in need.missing(settings, facts)]
    for one, error in lacking:
        if one.check not in told:
            yield Finding(one.check, Verdict.FAIL, error.brief, error.resolution)
    if not lacking and not told and (problem := refusal(settings, facts)):
        full = bool(facts.domains or facts.volumes)  # others have what this one would need
        verdict = Verdict.WARN if full else Verdict.FAIL
        what = "no other machine fits" if full else "no machine can be made"
        yield Finding("room", verdict, f"{what}: {problem.brief}", problem.resolution)


def refusal(settings: Settings, facts: HostFacts) -> RaptorError | None:
    """Plan the smallest machine, with every default; returns why that is refused."""
    own = not settings.has_tenants
    name = MachineName(settings.owner if own else TENANT, MACHINE)
    known = any(tenant.ours for tenant in facts.tenants)
    asked = ProvisionRequest(name, MachineSpec(size=None if own else SMALLEST, cpus=1))
    seen = replace(facts, tenants=(), declarative=facts.declarative and not known)
    try:
        plan_provision(asked, settings, seen, NOBODY)
    except RaptorError as error:
        return error
    return None
