"""What the commands that reach into a guest have in common."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from raptorctl.cli import options, progress
from raptorctl.cli.output import is_terminal, tell
from raptorctl.cli.session import session_of
from raptorctl.model.job import StepState

if TYPE_CHECKING:
    from raptorctl.api.guest import Guest

Identity = Annotated[
    Path | None,
    typer.Option(
        "--identity",
        metavar="FILE",
        help="Your private key. Default: your ssh agent's keys.",
        show_default=False,
    ),
]
User = Annotated[
    str | None,
    typer.Option(
        "--user",
        metavar="NAME",
        help="Account in the guest. Default: the tenant's name.",
        show_default=False,
    ),
]
Timeout = Annotated[float, options.seconds("--timeout", "How long to wait.", most=86400)]


def guest_of(context: typer.Context, words: list[str], *, root: bool = False) -> "Guest":
    """Find a machine that runs; see `raptorctl.api.guest.running`."""
    from raptorctl.api.guest import running

    name = options.machine_name(words)
    return running(session_of(context, root=root), name)


@contextmanager
def telling(
    title: str,
    timeout: float,
    tells: progress.Live | progress.Plain | None = None,
    say: Callable[[str], None] = tell,
) -> Iterator[Callable[[int, int], None]]:
    """Tell that we wait, once there is something to wait for; a live line on a terminal.

    Args:
        title: what for.
        timeout: seconds.
        tells: who tells of it; None for one of its own.
        say: writes a line into a pipe.
    """
    import sys

    tells, begun, began = tells or progress.reporter(), False, time.monotonic()

    def told(done: int, whole: int) -> None:
        nonlocal begun
        if not begun:
            begun = True
            if not is_terminal(sys.stderr):
                say(f"waiting for {title}, at most {timeout:g} s")
            # The first look was waited for, too.
            tells.started(1, 1, f"wait for {title}", began)
        tells.progress(done, whole)

    try:
        yield told
    except BaseException:
        if begun:
            tells.ended(1, 1, f"wait for {title}", StepState.WAITING, "")
        raise
    if begun:
        tells.ended(1, 1, f"wait for {title}", StepState.DONE, "")
