"""`raptorctl run`: steps in a guest, in the order typed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import typer

from raptorctl.api.steps import GuestEntry, carry_out, checked
from raptorctl.cli import options
from raptorctl.cli.guest import Identity, Timeout, User, guest_of
from raptorctl.cli.options import Output, example
from raptorctl.cli.output import Format, say, say_json
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.errors import InputError
from raptorctl.model.guest_step import ACCOUNT, ENTRY, GuestStep, in_order, is_guest_dir
from raptorctl.model.guest_step import TIMEOUT as STEP_TIMEOUT
from raptorctl.model.names import shown

Scripts = Annotated[
    list[str] | None,
    typer.Option(
        "--run",
        metavar="SCRIPT",
        help="Script to run in the guest; may be repeated.",
        show_default=False,
    ),
]
Inlines = Annotated[
    list[str] | None,
    typer.Option(
        "--inline",
        metavar="COMMANDS",
        help="Lines of a shell to run in the guest; may be repeated.",
        show_default=False,
    ),
]
Copies = Annotated[
    list[str] | None,
    typer.Option(
        "--copy",
        metavar="SRC:DST",
        help="File to copy into the guest; may be repeated.",
        show_default=False,
    ),
]
StepTimeout = Annotated[
    float, options.seconds("--step-timeout", "How long a step may take.", most=86400, least=1)
]


As = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="NAME",
        help="Account in the guest that does it, by sudo. Default: the one that logs in.",
        show_default=False,
    ),
]

Dir = Annotated[
    str | None,
    typer.Option(
        "--dir",
        metavar="PATH",
        help="Where in the guest scripts are run. Default: the home of the account that logs in.",
        show_default=False,
    ),
]
IgnoreErrors = Annotated[
    bool,
    typer.Option("--ignore-errors", help="Go on after a script that ends with an error; say so."),
]


@dataclass(frozen=True)
class GuestSteps:
    """What is done in a guest, and by whose key."""

    scripts: Scripts = None
    inlines: Inlines = None
    copies: Copies = None
    acting_as: As = None
    dir: Dir = None
    ignore_errors: IgnoreErrors = False
    identity: Identity = None

    def checked(
        self, typed: Sequence[str], *, has_key: bool = False, starts: bool = True
    ) -> tuple[GuestStep, ...]:
        """Return the steps in the order typed; see `raptorctl.api.steps.checked`."""
        asked = {"--run": self.scripts, "--inline": self.inlines, "--copy": self.copies}
        steps = in_order(typed, {option: values or () for option, values in asked.items()})
        if self.acting_as is not None:
            if not ACCOUNT.fullmatch(self.acting_as):
                raise InputError(f"--as: {shown(self.acting_as)} is not an account's name")
            if not steps:
                raise InputError("--as is for steps, and there is no --run, --inline or --copy")
            steps = tuple(replace(step, user=self.acting_as) for step in steps)
        steps = self._of_scripts(steps)
        if steps and not starts:
            raise InputError("--no-start leaves no guest to do steps in")
        return checked(steps, self.identity, has_key=has_key)

    def _of_scripts(self, steps: tuple[GuestStep, ...]) -> tuple[GuestStep, ...]:
        """Say of each script where it is run, and whether its error counts."""
        if self.dir is None and not self.ignore_errors:
            return steps
        option = "--dir" if self.dir is not None else "--ignore-errors"
        if all(step.target for step in steps):
            raise InputError(f"{option} is for scripts, and there is no --run or --inline")
        if self.dir is not None and not is_guest_dir(self.dir):
            raise InputError(f"--dir: {shown(self.dir)} is not a path in the guest, from /")
        return tuple(
            step
            if step.target
            else replace(step, dir=self.dir or "", ignore_errors=self.ignore_errors)
            for step in steps
        )


def register(app: typer.Typer) -> None:
    """Add the command."""
    line = "sudo raptorctl run alice dev --copy app.conf:/etc/app.conf --run setup.sh"
    app.command(epilog=example(f"{line} \\", "  --identity ~/.ssh/id_ed25519"))(run)


@spread
def run(
    context: typer.Context,
    words: options.Words,
    asked: GuestSteps,
    *,
    user: User = None,
    timeout: Timeout = ENTRY,
    step_timeout: StepTimeout = STEP_TIMEOUT,
    form: Output = Format.TEXT,
) -> None:
    """Run scripts in a guest and copy files to it, in order; stop at the first failure."""
    from raptorctl.cli.screen import Screen

    session = session_of(context)
    # On a session host ssh's own files may have a key; that none fits is told at the login.
    steps = asked.checked(session.typed, has_key=session.on_session_host)
    if not steps:
        raise InputError("there is nothing to do", resolution="say --run, --inline or --copy")
    guest = guest_of(context, words, root=True)
    entry = GuestEntry(user, asked.identity, timeout=timeout, step_timeout=step_timeout)
    done = carry_out(guest, steps, entry, Screen())
    if form is Format.JSON:
        say_json({"machine": guest.domain.name, "steps": done})
    else:
        say(f"{guest.domain.name}: {len(done)} step{'s' * (len(done) != 1)} done")
