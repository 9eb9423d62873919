"""`raptorctl rename`: there is none, and here is why."""

from typing import Annotated

import typer

from raptorctl.cli import options
from raptorctl.cli.options import example
from raptorctl.errors import RefusedError
from raptorctl.model.names import parse_machine

Words = Annotated[
    list[str],
    typer.Argument(
        metavar="TENANT MACHINE NEW",
        help="`alice dev web`, or `alice-dev web`.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    line = example("raptorctl rename alice dev web")
    app.command(epilog=line)(rename)


def rename(words: Words) -> None:
    """Refuse, and say what to do instead: a machine's name stands on everything that is its own."""
    *machine, new = words
    old = options.machine_name(machine)
    wanted = parse_machine(old.tenant, new)
    raise RefusedError(
        f"{old} stays {old}: polkit, DNS, its volume, its UEFI variables and its journals know it "
        "by that name, and no single act changes them all",
        resolution=f"provision {wanted}, copy what matters, deprovision {old}",
    )
