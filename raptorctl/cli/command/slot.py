"""`raptorctl slot`: places on the network."""

from collections.abc import Iterable

import typer

from raptorctl.cli.listing import Listed, View, show_list
from raptorctl.cli.options import example
from raptorctl.cli.output import table, width_of_output
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.model.slot_map import SlotUse


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer()
    group.command("list", epilog=example("sudo raptorctl slot list"))(list_slots)
    app.add_typer(group, name="slot")


@spread
def list_slots(context: typer.Context, *, how: Listed) -> None:
    """List slots: who has which, and what is free."""
    from raptorctl.plans.part.slots import slot_uses

    session = session_of(context)
    uses = slot_uses(session.settings, session.facts())
    show_list(uses, View("slots", SlotUse.encode, _rows, "there are no slots", ("slot",)), how)


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
