"""What every plan is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from raptorctl.model.codec import decode, encode
from raptorctl.model.facts import Reservation
from raptorctl.steps import load_all
from raptorctl.steps.step import Step, decode_step


@dataclass(frozen=True)
class Identity:
    """What is chosen before acting, so that every effect can be traced to its job.

    Args:
        job: the job's identifier.
        uuid: the domain's UUID, should one be defined.
        by: the admin, from SUDO_USER.
        at: UTC, ISO 8601, seconds.
    """

    job: str
    uuid: str
    by: str
    at: str


@dataclass(frozen=True)
class Plan:
    """Ordered steps, pure data.

    Args:
        verb: `provision` or `deprovision`.
        identity: of the job that would apply it.
        reservation: what nobody else may take while the job is unfinished.
        steps: in order; none means that all is already so.
        notes: what the admin should know: sizes rounded up, a core shared.
        summary: one line: what will be true.
    """

    verb: str
    identity: Identity
    reservation: Reservation
    steps: tuple[Step, ...]
    summary: str
    notes: tuple[str, ...] = ()

    @property
    def destroys(self) -> tuple[str, ...]:
        """What is lost for good once it is carried out."""
        return tuple(step.destroys for step in self.steps if step.destroys)

    def encode(self) -> dict[str, Any]:
        """Return plain data for `-o json` and for the journal."""
        return {
            "verb": self.verb,
            "summary": self.summary,
            "identity": encode(self.identity),
            "reservation": encode(self.reservation),
            "notes": list(self.notes),
            "destroys": list(self.destroys),
            "steps": [{**step.encode(), "title": step.title} for step in self.steps],
        }


def decode_plan(data: Mapping[str, Any]) -> Plan:
    """Build a plan from what `Plan.encode` gave.

    Raises:
        ShapeError: it is something else.
    """
    load_all()
    steps = [{k: v for k, v in step.items() if k != "title"} for step in data["steps"]]
    return Plan(
        verb=decode(str, data["verb"], "verb"),
        identity=decode(Identity, data["identity"], "identity"),
        reservation=decode(Reservation, data["reservation"], "reservation"),
        steps=tuple(decode_step(step) for step in steps),
        summary=decode(str, data["summary"], "summary"),
        notes=decode(tuple[str, ...], data["notes"], "notes"),
    )
