"""`raptorctl disk`: disks of a machine beside its first one, and those that outlive machines."""

from collections.abc import Iterable
from typing import Annotated, Final

import typer

from raptorctl.cli import ask, options
from raptorctl.cli.change import perform
from raptorctl.cli.command.deprovision import told
from raptorctl.cli.listing import Listed, View, show_list
from raptorctl.cli.options import example, named
from raptorctl.cli.output import table, width_of_output
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.errors import InputError
from raptorctl.model.disk import DiskUse, read_disk
from raptorctl.model.names import parse_disk_words
from raptorctl.model.sizes import Size

Added = Annotated[
    list[str],
    typer.Argument(
        metavar="TENANT MACHINE NAME=SIZE",
        help="`alice dev data=100G[,keep][,image=REF][,bus=scsi]`; `data=keep:dev.data` takes up "
        "a kept one.",
        callback=options.completed,
        show_default=False,
    ),
]
Words = Annotated[
    list[str],
    typer.Argument(
        metavar="TENANT MACHINE NAME",
        help="`alice dev data`, also written `alice dev.data`.",
        callback=options.completed,
        show_default=False,
    ),
]
Grown = Annotated[
    list[str],
    typer.Argument(
        metavar="TENANT MACHINE NAME SIZE",
        help="`alice dev data 200G`.",
        callback=options.completed,
        show_default=False,
    ),
]
Tenant = Annotated[
    str | None, typer.Argument(metavar="TENANT", help="Only this tenant.", show_default=False)
]
Keep = Annotated[
    bool | None,
    typer.Option(
        "--keep/--no-keep",
        help="Whether deprovision leaves the disk to its tenant.",
        show_default=False,
    ),
]


NAMED: Final = ("tenant", "machine", "name")


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer()
    said = "sudo raptorctl disk"
    group.command("list", epilog=example(f"{said} list alice"))(list_disks)
    lines = (f"{said} add alice dev data=100G,keep", f"{said} add alice web data=keep:dev.data")
    group.command("add", epilog=example(*lines))(add)
    group.command("grow", epilog=example(f"{said} grow alice dev data 200G"))(grow)
    group.command("set", epilog=example(f"{said} set alice dev data --keep"))(keep)
    group.command("remove", epilog=example(f"{said} remove alice dev data"))(remove)
    app.add_typer(group, name="disk")


@spread
def list_disks(context: typer.Context, tenant: Tenant = None, *, how: Listed) -> None:
    """List disks beside machines' first ones, and those kept from machines that are gone."""
    from raptorctl.api.disk import there_are

    wanted = options.only_tenant(session_of(context, root=False), tenant)
    found = there_are(session_of(context), wanted)
    nothing = f"{wanted} has no further disks" if wanted else "there are no further disks"
    show_list(found, View("disks", DiskUse.encode, _rows, nothing, NAMED), how)


@spread
def add(
    context: typer.Context,
    words: Added,
    *,
    run: options.Manner,
) -> None:
    """Add a disk to a machine, also while it runs; a new one is zeroed and read back."""
    from raptorctl.api import disk as api
    from raptorctl.cli.image_choice import begins_as
    from raptorctl.plans.machine.disk import DiskRequest

    *machine, last = words
    (name, spec), owner = read_disk(last), options.machine_name(machine)
    session = session_of(context)
    request = DiskRequest(owner, name, spec, begins_as(session, spec.image, dry_run=run.dry_run))
    asks = ask.before_it_comes(asks=run.asks)
    perform(session, api.add(request), run, asks)


@spread
def grow(
    context: typer.Context,
    words: Grown,
    *,
    run: options.Manner,
) -> None:
    """Enlarge a disk of a machine, also while it runs."""
    from raptorctl.api import disk as api

    *which, last = words
    size = named("SIZE", Size.parse, last)
    machine, name = parse_disk_words(which)
    asks = ask.before_it_comes(asks=run.asks)
    change = api.grow(machine, name, size)
    perform(session_of(context), change, run, asks)


@spread
def keep(
    context: typer.Context,
    words: Words,
    on: Keep = None,
    *,
    run: options.Unasked,
) -> None:
    """Have a disk outlive its machine, or not."""
    from raptorctl.api import disk as api

    if on is None:
        raise InputError("nothing is to be changed", resolution="say --keep or --no-keep")
    machine, name = parse_disk_words(words)
    perform(session_of(context), api.keep(machine, name, on=on), run)


@spread
def remove(
    context: typer.Context,
    words: Words,
    *,
    run: options.Manner,
) -> None:
    """Remove a disk for good: detached from its machine if it has one, then wiped."""
    from raptorctl.api import disk as api

    machine, name = parse_disk_words(words)
    asks = ask.before_it_goes(f"{machine.machine}.{name}", asks=run.asks)
    session = session_of(context)
    perform(session, api.remove(session, machine, name), run, asks, says=told)


def _rows(found: Iterable[DiskUse]) -> list[str]:
    rows = [
        (
            one.disk.machine.tenant,
            one.disk.label,
            str(one.disk.volume.size),
            "yes" if one.disk.volume.kept else "no",
            one.state,
            one.user.name if one.user else "-",
            one.disk.volume.until[:10] or "-",
        )
        for one in found
    ]
    head = ("TENANT", "DISK", "SIZE", "KEEP", "STATE", "MACHINE", "UNTIL")
    return table(head, rows, right=("SIZE",), columns=width_of_output())
