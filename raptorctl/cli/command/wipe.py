"""`raptorctl wipe`: volumes that wait for their wipe, and taking it up again."""

from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from raptorctl.cli import ask
from raptorctl.cli.change import perform
from raptorctl.cli.command.deprovision import told
from raptorctl.cli.listing import Listed, View, show_list
from raptorctl.cli.options import Manner, example
from raptorctl.cli.output import plain
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.errors import InputError
from raptorctl.model.wipe import Unwiped

VolumeText = Annotated[
    str | None,
    typer.Argument(
        metavar="VOLUME", help="Name or LVM UUID, as in `wipe list`.", show_default=False
    ),
]
Every = Annotated[bool, typer.Option("--all", help="All volumes that no unfinished job holds.")]


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer()
    group.command("list", epilog=example("sudo raptorctl wipe list"))(list_volumes)
    group.command("resume", epilog=example("sudo raptorctl wipe resume --all"))(resume)
    app.add_typer(group, name="wipe")


@spread
def list_volumes(context: typer.Context, *, how: Listed) -> None:
    """List volumes that are out of use and not wiped, or were never finished, and why."""
    from raptorctl.api.wipe import waiting as unwiped

    found = unwiped(session_of(context))
    view = View("volumes", Unwiped.encode, _rows, "no volume waits for its wipe", ("volume",))
    show_list(found, view, how)


def _rows(found: Iterable[Unwiped]) -> list[str]:
    return [line for waiting in found for line in _lines(waiting)]


@spread
def resume(
    context: typer.Context,
    volume: VolumeText = None,
    every: Every = False,
    *,
    run: Manner,
) -> None:
    """Wipe a volume that no job finishes any more, read it back, and remove it."""
    if (volume is None) is not every:
        raise InputError("name a VOLUME, or --all", resolution="see `raptorctl wipe list`")
    asks = ask.before("the wipe on", "Wipe and remove it?", asks=run.asks, about=volume or "")
    from raptorctl.api import wipe as api

    session = session_of(context)
    perform(session, api.resume(session, volume), run, asks, says=told)


def _lines(waiting: Unwiped) -> Iterator[str]:
    owner = f"of {waiting.machine}" if waiting.machine else ""
    yield plain(f"{waiting.volume.name}  {waiting.volume.size}  {owner}").rstrip()
    for line in (*waiting.why.split("; "), f"-> {waiting.advice}"):
        yield f"  {plain(line)}"
