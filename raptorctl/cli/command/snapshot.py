"""`raptorctl snapshot`: what a machine's disks held at one moment, kept and put back."""

from collections.abc import Iterable
from typing import Annotated

import typer

from raptorctl.api.change import Done
from raptorctl.cli import ask, options
from raptorctl.cli.change import perform
from raptorctl.cli.command.deprovision import told
from raptorctl.cli.listing import Listed, View, show_list
from raptorctl.cli.options import example, named
from raptorctl.cli.output import table, width_of_output
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.errors import InputError
from raptorctl.model.names import parse_snapshot_words
from raptorctl.model.sizes import Size
from raptorctl.model.snapshot import Snapshot

Words = Annotated[
    list[str],
    typer.Argument(
        metavar="TENANT MACHINE [NAME]",
        help="`alice dev before`, or `alice-dev before`; on a host of your own `dev before`.",
        callback=options.completed,
    ),
]
Machine = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="TENANT MACHINE",
        help="Only this machine.",
        callback=options.completed_if_any,
        show_default=False,
    ),
]
Room = Annotated[
    str | None,
    typer.Option(
        "--size",
        metavar="SIZE",
        help="Space for changed data, of each disk: 8G. Default: a fifth of it.",
        show_default=False,
    ),
]
AllDisks = Annotated[
    bool,
    typer.Option("--all-disks", help="Include further disks, all at one moment."),
]


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer()
    said = "sudo raptorctl snapshot"
    group.command("create", epilog=example(f"{said} create alice dev before --size 8G"))(create)
    group.command("list", epilog=example(f"{said} list alice dev"))(list_snapshots)
    group.command("restore", epilog=example(f"{said} restore alice dev before"))(restore)
    group.command("delete", epilog=example(f"{said} delete alice dev before"))(delete)
    app.add_typer(group, name="snapshot")


@spread
def create(
    context: typer.Context,
    words: Words,
    size: Room = None,
    all_disks: AllDisks = False,
    *,
    run: options.Manner,
) -> None:
    """Take a snapshot of a machine's disk. Default NAME: the time, at-20261120-130000."""
    from raptorctl.api import snapshot as api
    from raptorctl.plans.machine.snapshot import SnapshotRequest

    machine, name = parse_snapshot_words(words)
    room = None if size is None else named("--size", Size.parse, size)
    change = api.create(SnapshotRequest(machine, name, room, all_disks))
    asks = ask.before_it_comes(asks=run.asks)
    perform(session_of(context), change, run, asks)


@spread
def list_snapshots(context: typer.Context, words: Machine = None, *, how: Listed) -> None:
    """List snapshots: when they were taken, and how much of their space is used."""
    from raptorctl.api.snapshot import taken

    machine = options.machine_name(words) if words else None
    found = taken(session_of(context), machine)
    nothing = f"{machine} has no snapshots" if machine else "there are no snapshots"
    view = View("snapshots", Snapshot.encode, _rows, nothing, ("machine", "name"))
    show_list(found, view, how)


@spread
def restore(
    context: typer.Context,
    words: Words,
    *,
    run: options.Manner,
) -> None:
    """Restore a snapshot to the disk of a machine that is off; the only one needs no NAME."""
    from raptorctl.api import snapshot as api

    machine, name = parse_snapshot_words(words)
    loses = f"on that {machine} loses what it has written since"
    question = f"All that {machine} has written since then will be lost. Go on?"
    asks = ask.before(loses, question, asks=run.asks, about=str(machine))
    perform(session_of(context), api.restore(machine, name), run, asks, says=_restored)


@spread
def delete(
    context: typer.Context,
    words: Words,
    *,
    run: options.Manner,
) -> None:
    """Delete a snapshot; the data it kept is wiped and read back."""
    from raptorctl.api import snapshot as api

    machine, name = parse_snapshot_words(words)
    if name is None:
        raise InputError(
            f"which snapshot of {machine}?", resolution="see `raptorctl snapshot list`"
        )
    change, asks = api.delete(machine, name), ask.before_it_goes(name, asks=run.asks)
    perform(session_of(context), change, run, asks, says=told)


def _restored(done: Done) -> Iterable[str]:
    for step in done.job.steps if done.job else ():
        if report := step.observed.get("restored"):
            size, differing = Size(report["size"]), Size(report["differing"])
            compared = f"compared {size}, " if size else ""
            yield f"{compared}put back {differing} in {report['seconds']:.1f} s"
    yield done.plan.summary


def _rows(snapshots: Iterable[Snapshot]) -> list[str]:
    found = tuple(snapshots)
    head = ["MACHINE", "NAME", "TAKEN", "SIZE", "USED", "STATE"]
    rows = [
        [
            one.machine.domain,
            one.name,
            one.volume.taken.replace("T", " ").removesuffix("Z") or "-",
            str(one.volume.size),
            one.usage,
            one.state,
        ]
        for one in found
    ]
    if any(one.disk for one in found):  # most are of the first alone
        head.append("DISK")
        rows = [[*row, one.disk or "-"] for row, one in zip(rows, found, strict=True)]
    return table(head, rows, right=("SIZE", "USED"), columns=width_of_output())
