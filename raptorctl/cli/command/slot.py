"""`raptorctl slot`: places on the network."""

from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from raptorctl.cli.listing import Listed, View, show_list
from raptorctl.cli.options import Output, example
from raptorctl.cli.output import Format, plain, say, say_json, table, width_of_output
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.model.slot_map import SlotDetails, SlotUse

Number = Annotated[int, typer.Argument(metavar="N", help="The slot's number.")]


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer()
    group.command("list", epilog=example("sudo raptorctl slot list"))(list_slots)
    group.command("show", epilog=example("sudo raptorctl slot show 2"))(show_slot)
    app.add_typer(group, name="slot")


@spread
def list_slots(context: typer.Context, *, how: Listed) -> None:
    """List slots: who has which, and what is free."""
    from raptorctl.plans.part.slots import slot_uses

    session = session_of(context)
    uses = slot_uses(session.settings, session.facts())
    show_list(uses, View("slots", SlotUse.encode, _rows, "there are no slots", ("slot",)), how)


@spread
def show_slot(context: typer.Context, number: Number, form: Output = Format.TEXT) -> None:
    """Show a slot: who has it, its names in DNS, routes, forwarding, proxies."""
    from raptorctl.api.slot import shown

    details = shown(session_of(context), number)
    if form is Format.TEXT:
        say("\n".join(f"{label:<10} {plain(value)}" for label, value in _lines(details)))
    else:
        say_json(details.encode())


def _lines(details: SlotDetails) -> Iterator[tuple[str, str]]:
    use, way = details.use, details.way
    yield "slot", str(use.slot.number)
    yield "machine", ", ".join(use.holders) or ("free" if use.free else "-")
    yield "bridge", f"{use.slot.bridge}, {use.state}"
    yield "mac", use.slot.mac
    yield "addresses", ", ".join(map(str, use.slot.addresses))
    for address, _, names in details.names:
        yield "ptr", f"{address}: {details.dns_problem or ', '.join(names) or 'none'}"
    yield "routed", ", ".join(way.routed) or "none"
    yield "forwards", ", ".join(way.forwards) or "nothing"
    yield "proxy arp", ", ".join(way.arp) or "none"
    yield "proxy ndp", ", ".join(way.ndp) or "none"
    yield from (("lacks", one) for one in details.lacks)


def _rows(uses: Iterable[SlotUse]) -> list[str]:
    head = ("SLOT", "MACHINE", "BRIDGE", "IPV4", "IPV6")
    rows = [
        (
            str(use.slot.number),
            ", ".join(use.holders) or ("free" if use.free else "-"),
            use.slot.bridge if use.state == "up" else f"{use.slot.bridge} {use.state}",
            str(use.slot.ipv4 or "-"),
            str(use.slot.ipv6 or "-"),
        )
        for use in uses
    ]
    return table(head, rows, right=("SLOT",), columns=width_of_output())
