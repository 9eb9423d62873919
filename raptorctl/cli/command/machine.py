"""`raptorctl list` and `raptorctl show`: which machines there are."""

from collections.abc import Iterable
from typing import Annotated

import typer

from raptorctl.api.machine import listed, shown, with_expiry
from raptorctl.cli import options
from raptorctl.cli.listing import Listed, View, show_list
from raptorctl.cli.options import Output
from raptorctl.cli.output import Format, plain, say, say_json, table, width_of_output
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.model.machine import Machine
from raptorctl.model.sizes import Size
from raptorctl.render.machine_lines import machine_lines

Tenant = Annotated[
    str | None, typer.Argument(metavar="TENANT", help="Only this tenant.", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(
        "list",
        epilog=options.example("sudo raptorctl list alice", "sudo raptorctl list --sort expires"),
    )(list_machines)
    app.command(
        "show",
        epilog=options.example("sudo raptorctl show alice dev -o json"),
    )(show)


@spread
def list_machines(context: typer.Context, tenant: Tenant = None, *, how: Listed) -> None:
    """List machines: tenant, state, slot, size."""
    session = session_of(context, root=False)
    wanted = options.only_tenant(session, tenant)
    found = listed(session, wanted)
    if how.has("expires"):
        found = with_expiry(session, found)
    nothing = f"{wanted} has no machines" if wanted else "there are no machines"
    show_list(found, View("machines", Machine.encode, _rows, nothing), how)


def show(context: typer.Context, words: options.Words, form: Output = Format.TEXT) -> None:
    """Show one machine: CPUs, memory, addresses, disk, who created it."""
    name = options.machine_name(words)
    details = shown(session_of(context, root=False), name)
    if form is Format.JSON:
        say_json(details.encode())
    else:
        lines = machine_lines(details)
        say("\n".join(f"{label:<10} {plain(value)}".rstrip() for label, value in lines))


def _rows(found: Iterable[Machine]) -> list[str]:
    found = tuple(found)
    rows = [[m.name.tenant, m.name.machine, m.state, _number(m.slot), _size(m.size)] for m in found]
    head = ["TENANT", "MACHINE", "STATE", "SLOT", "SIZE"]
    if any(m.snapshots for m in found):
        head.append("SNAPSHOTS")
        rows = [[*row, _number(m.snapshots)] for row, m in zip(rows, found, strict=True)]
    if any(m.disks for m in found):
        head.append("DISKS")
        rows = [[*row, _number(m.disks)] for row, m in zip(rows, found, strict=True)]
    if any(m.expires for m in found):
        head.append("EXPIRES")
        rows = [[*row, m.expires or "-"] for row, m in zip(rows, found, strict=True)]
    if any(m.shared for m in found):
        head.append("SHARED")
        rows = [[*row, _shared(m)] for row, m in zip(rows, found, strict=True)]
    return table(head, rows, right=head[3:], columns=width_of_output())


def _shared(machine: Machine) -> str:
    return f"by {machine.name.tenant}" if machine.shared else "-"


def _size(size: Size | None) -> str:
    return "-" if size is None else str(size)


def _number(number: int | None) -> str:
    return "-" if number is None else str(number)
