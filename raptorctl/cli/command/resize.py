"""`raptorctl resize`: a larger disk, other CPUs, other memory."""

from typing import Annotated

import typer

from raptorctl.api import machine
from raptorctl.cli import ask, options
from raptorctl.cli.change import perform
from raptorctl.cli.options import named
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.errors import InputError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.sizes import Size
from raptorctl.read.count import count, cpu_words

EXAMPLE = options.example(
    "sudo raptorctl resize alice dev --size 80G",
    "sudo raptorctl resize alice dev --cpus 4-9 --memory 8G",
)
NewSize = Annotated[
    str | None,
    typer.Option("--size", metavar="SIZE", help="New disk size; a disk only grows: 80G."),
]
NewCpus = Annotated[
    str | None,
    typer.Option(
        "--cpus",
        metavar="N|SET",
        help="How many CPUs: 6; or which, one for each virtual CPU, in order: 4-9. One alone is "
        "4-4.",
    ),
]
DropSaved = Annotated[
    bool,
    typer.Option("--drop-saved", help="Discard its saved state, as if its power were cut."),
]
NewMemory = Annotated[str | None, typer.Option("--memory", metavar="SIZE", help="New memory: 8G.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLE)(resize)


@spread
def resize(
    context: typer.Context,
    words: options.Words,
    size: NewSize = None,
    cpus: NewCpus = None,
    memory: NewMemory = None,
    drop_saved: DropSaved = False,
    *,
    run: options.Manner,
) -> None:
    """Change a machine's disk size, CPUs or memory; anything not given is kept."""
    from raptorctl.plans.machine.resize import ResizeRequest

    if size is cpus is memory is None:
        raise InputError("nothing is to be changed", resolution="say --size, --cpus or --memory")
    read = count if session_of(context, root=False).on_session_host else cpu_words
    asked = None if cpus is None else named("--cpus", read, cpus)
    wanted = ResizeRequest(
        name=options.machine_name(words),
        size=None if size is None else named("--size", Size.parse, size),
        cpus=asked if isinstance(asked, CpuSet) else None,
        memory=None if memory is None else named("--memory", Size.parse_memory, memory),
        vcpus=asked if isinstance(asked, int) else None,
        drop_saved=drop_saved,
    )
    asks = ask.before_it_comes(asks=run.asks)
    perform(session_of(context), machine.resize(wanted), run, asks)
