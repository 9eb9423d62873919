"""What of a machine is on the host already, and whether it is ours."""

from collections.abc import Iterator
from dataclasses import dataclass

from raptorctl.errors import RefusedError
from raptorctl.model.domain import Domain, Mark, State
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts
from raptorctl.model.machine import no_such_machine
from raptorctl.model.names import MachineName
from raptorctl.model.volume import Volume


@dataclass(frozen=True)
class Existing:
    """A whole machine of ours."""

    volume: Volume
    domain: Domain
    mark: Mark


def find(name: MachineName, facts: HostFacts) -> Existing | None:
    """Return the machine if all of it is there and ours, None if nothing of it is there.

    Raises:
        RefusedError: somebody else's, or half of ours.
    """
    volume, domain = facts.volume(name), facts.domain(name)
    refuse_foreign(name, facts)
    if domain and volume and domain.mark:
        return Existing(volume, domain, domain.mark)
    if domain or volume:
        half = f"domain {name.domain}" if domain else f"volume {name.volume}"
        raise RefusedError(
            f"{half} exists without the rest of the machine",
            resolution=f"see `raptorctl doctor`, or `raptorctl deprovision {name}`",
            code=Code.MACHINE_INCOMPLETE,
            subject=str(name),
        )
    return None


def whole(name: MachineName, facts: HostFacts) -> Existing:
    """Return a machine that must be there, whole and ours, with no job at work on it.

    Raises:
        RefusedError: it is not.
    """
    refuse_reserved(name, facts)
    there = find(name, facts)
    if there is None:
        raise no_such_machine(name)
    return there


def save_notes(domain: Domain | None) -> Iterator[str]:
    """Say what becomes of a managed save when its domain's definition goes for a while."""
    if domain and domain.state is State.SAVED:
        yield "what was saved of it is given up, also if this job is rolled back"


def refuse_foreign(name: MachineName, facts: HostFacts) -> None:
    """Refuse a domain or volume of the machine's name that does not carry our mark.

    Raises:
        RefusedError: names it.
    """
    volume, domain = facts.volume(name), facts.domain(name)
    if domain and not domain.ours:
        raise RefusedError(
            f"domain {name.domain} exists and is not raptorctl's",
            code=Code.NOT_OURS,
            subject=name.domain,
        )
    if volume and volume.machine != name:
        raise RefusedError(
            f"volume {name.volume} exists and is not raptorctl's",
            code=Code.NOT_OURS,
            subject=name.volume,
        )


def refuse_reserved(name: MachineName, facts: HostFacts) -> None:
    """Refuse a machine that an unfinished job works on.

    Raises:
        RefusedError: names the job.
    """
    for kept in facts.reservations:
        if kept.machine == name.domain:
            raise RefusedError(
                f"job {kept.job} works on {name}",
                resolution=f"wait for it; if it was cut off, `raptorctl recover {kept.job}`",
                code=Code.BUSY,
                subject=str(name),
            )
