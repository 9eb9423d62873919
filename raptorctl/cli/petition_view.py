"""Requests as `request list` and `request show` print them, and plans as the service tells them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from raptorctl.cli.output import plain, say, table, width_of_output


@dataclass(frozen=True)
class ToldStep:
    """A step of a plan that another process made."""

    title: str
    reason: str


@dataclass(frozen=True)
class ToldPlan:
    """A plan that another process made, as far as it is told."""

    verb: str
    summary: str
    steps: tuple[ToldStep, ...]
    notes: tuple[str, ...]


def told_plan(said: Mapping[str, Any]) -> ToldPlan:
    """Read a plan as the service tells it; what is beyond the policy is among its notes."""
    waits = [f"{what}: an admin will be asked" for what in said["beyond"]]
    steps = tuple(ToldStep(step["title"], step["reason"]) for step in said["steps"])
    return ToldPlan(said["verb"], said["summary"], steps, (*said["notes"], *waits))


def rows(found: Iterable[Mapping[str, Any]]) -> list[str]:
    """Lay out the list."""
    cells = [(one["id"], one["tenant"], one["state"], one["asked"], _remark(one)) for one in found]
    head = ("ID", "TENANT", "STATE", "REQUEST", "WHY")
    return table(head, cells, columns=width_of_output())


def _remark(one: Mapping[str, Any]) -> str:
    return one["why"] or "; ".join(one["beyond"]) or "-"


def lines(one: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Everything about one, as label and value."""
    yield "request", one["id"]
    yield "tenant", one["tenant"]
    yield "at", one["at"]
    yield "asks for", one["asked"]
    yield "state", one["state"]
    label = "beyond"
    for what in one["beyond"]:
        yield label, what
        label = ""
    if one["answered"]:
        yield "answered", " by ".join(filter(None, (one["answered"], one["by"])))
    if one["why"]:
        yield "why", one["why"]
    if one["job"]:
        yield "job", one["job"]
    for key in ("user_data", "keys"):
        label = key.replace("_", "-")
        for line in (one["request"][key] or "").splitlines():
            yield label, line
            label = ""


def say_lines(told: Iterable[tuple[str, str]]) -> None:
    """Print labels and values."""
    for label, value in told:
        say(f"{label:<9} {plain(value)}".rstrip())
