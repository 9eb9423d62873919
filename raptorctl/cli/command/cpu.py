"""`raptorctl cpu`: host CPUs x machines, as a picture."""

import textwrap
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

import typer

from raptorctl.cli.options import Output, example
from raptorctl.cli.output import Colour, Format, painted, plain, say, say_json
from raptorctl.cli.session import session_of
from raptorctl.model.cpu_map import CpuMap, CpuUse, Pin, cpu_map
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.topology import SLICE

WIDTH: Final = 80
"""Columns that a picture has."""


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer()
    group.command("map", epilog=example("sudo raptorctl cpu map"))(show_map)
    app.add_typer(group, name="cpu")


# A group with one command stays a group: `cpu map`, not `cpu`.
def show_map(context: typer.Context, form: Output = Format.TEXT) -> None:
    """Draw host CPUs: cores, siblings, who is pinned where, what is free."""
    session = session_of(context)
    found = cpu_map(session.facts(), session.settings.cpus.reserved)
    if form is Format.JSON:
        say_json(found.encode())
    else:
        say("\n".join(picture(found)))


def picture(found: CpuMap) -> Iterator[str]:
    """Draw a line per core, its SMT siblings side by side."""
    if not found.cpus:
        yield "no CPU is online"
        return
    widest = max(len(_who(use)) for use in found.cpus) + 2
    digits = len(str(max(use.cpu.number for use in found.cpus)))
    for place, uses in groupby(found.cpus, key=lambda use: (use.cpu.node, use.cpu.socket)):
        yield f"node {place[0]}, socket {place[1]}"
        for _, core in groupby(uses, key=lambda use: use.siblings):
            yield from _core_lines(list(core), digits, widest)
    yield ""
    yield f"free: {found.free or 'none'}"
    yield from _remarks(found)


def _core_lines(core: list[CpuUse], digits: int, widest: int) -> Iterator[str]:
    """Draw the siblings side by side, or below each other where they would be too wide."""
    head = f"  core {core[0].cpu.core:>{digits}} |"
    if len(head) + len(core) * (digits + widest + 2) - 2 <= WIDTH:
        yield (head + "".join(_cell(use, digits, widest) for use in core)).rstrip()
        return
    for use in core:
        room = WIDTH - len(head) - digits - 2
        # Not at hyphens: names have them.
        first, *more = textwrap.wrap(_who(use), room, break_on_hyphens=False)
        yield f"{head} {use.cpu.number:>{digits}} {painted(first, _colour(use))}"
        head = " " * (len(head) - 1) + "|"
        yield from (f"{head} {'':>{digits}} {painted(line, _colour(use))}" for line in more)


def _cell(use: CpuUse, digits: int, widest: int) -> str:
    # Pad before painting: colour has no width.
    return f" {use.cpu.number:>{digits}} {painted(_who(use).ljust(widest), _colour(use))}"


def _who(use: CpuUse) -> str:
    words = [_pin(pin) for pin in use.pins]
    guests = {pin.domain for pin in use.pins}
    words += [
        "+emulator" if name in guests else f"{plain(name)}+emulator" for name in use.emulators
    ]
    if use.reserved:
        words.insert(0, "host")
    if not use.usable:
        words.append(f"not {SLICE}'s")
    return " ".join(words) or "free"


def _pin(pin: Pin) -> str:
    vcpu = "(being made)" if pin.vcpu is None else f":{pin.vcpu}"
    return plain(f"{pin.domain}{vcpu}{f'({pin.form})' if pin.form else ''}")


def _colour(use: CpuUse) -> Colour:
    if use.free:
        return Colour.GOOD
    return Colour.BAD if len(use.owners) > 1 or not use.usable else Colour.STRONG


def _remarks(found: CpuMap) -> Iterator[str]:
    for use in found.cpus:
        if len(use.owners) > 1:
            purpose = ", shared on purpose" if use.sharing else ""
            yield f"note: CPU {use.cpu.number} has {_listed(use.owners)}{purpose}"
    for cpu, pin in found.offline:
        yield f"note: CPU {cpu} is not online, and {_pin(pin)} is pinned to it"
    for core, domains in found.split_cores:
        yield f"note: the core of CPUs {_plainly(core)} is shared by {_listed(domains)}"


def _plainly(core: CpuSet) -> str:
    return ",".join(map(str, core))


def _listed(names: Iterable[str]) -> str:
    return " and ".join(plain(name) for name in names)
