"""`raptorctl up`, `reload`: machines stand as a file says."""

from dataclasses import dataclass
from typing import Annotated

import typer

from raptorctl.api import raptor_file as api
from raptorctl.api.bring import refuse_stuck
from raptorctl.api.change import refuse_unfinished
from raptorctl.api.guest import private_key
from raptorctl.api.up import Up
from raptorctl.cli import ask, options, raptor_file
from raptorctl.cli.guest import Identity
from raptorctl.cli.image_watch import watched
from raptorctl.cli.onlooker import onlooker
from raptorctl.cli.options import example
from raptorctl.cli.output import Format, say, say_json, tell
from raptorctl.cli.session import Typed, session_of
from raptorctl.cli.spread import spread
from raptorctl.cli.watch import Stream, Watch, refuse_unwatchable
from raptorctl.errors import InputError
from raptorctl.model.error_code import Code
from raptorctl.model.file_plan import Allowed, FilePlan, FileWish, SavedPlan
from raptorctl.plans.file.compare import refuse_unsafe

EXAMPLE = example(
    "sudo raptorctl up",
    "sudo raptorctl up lab.toml alice-web --dry-run",
    "sudo raptorctl up --rebuild --prune --allow 3",
)
RELOAD = example("sudo raptorctl reload lab.toml alice-web")
Restart = Annotated[bool, typer.Option("--restart", help="Switch off and on what needs that.")]
Rebuild = Annotated[bool, typer.Option("--rebuild", help="Give a new disk to what needs that.")]
Prune = Annotated[
    bool, typer.Option("--prune", help="Remove machines of this file that are no longer in it.")
]
Allow = Annotated[
    int, typer.Option("--allow", metavar="N", min=0, help="How many disks may be lost at once.")
]
KeepGoing = Annotated[bool, typer.Option("--keep-going", help="Go on after a failure.")]
SavedFile = Annotated[
    str | None,
    typer.Option(
        "--plan",
        metavar="PLAN",
        help="Do what `--dry-run -o json` wrote, if nothing has changed since.",
        show_default=False,
    ),
]
NO_MACHINE = "the file names no machine"
LARGEST = 1 << 26
"""Bytes of a plan."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog=EXAMPLE)(up)
    app.command(epilog=RELOAD)(reload)


@dataclass(frozen=True)
class May:
    """What it may do besides."""

    restart: Restart = False
    rebuild: Rebuild = False
    prune: Prune = False
    allow: Allow = 1

    @property
    def allowed(self) -> Allowed:
        """The same, for planners."""
        return Allowed(self.restart, self.rebuild, self.prune, self.allow)


@dataclass(frozen=True)
class UpWay:
    """How it goes about it."""

    keep_going: KeepGoing = False
    identity: Identity = None
    watch: Watch = False


@spread
def up(
    context: typer.Context,
    words: raptor_file.Words = None,
    variables: raptor_file.Variables = None,
    said: raptor_file.FormatOfFile = None,
    *,
    may: May,
    saved: SavedFile = None,
    way: UpWay,
    run: options.Manner,
) -> None:
    """Make what stands as a file of machines says: make, change and start machines."""
    session = session_of(context)
    refuse_unwatchable(run.form, watch=way.watch)
    private_key(way.identity)  # one that cannot be read is refused before anything is done
    before = None if saved is None else SavedPlan.read(options.given_text(saved, LARGEST), saved)
    if before is None:
        named, allowed = raptor_file.named(session, words, variables, said), may.allowed
    elif words or variables or said or may.allowed != Allowed():
        raise InputError("--plan says all of it already", resolution="leave the rest out")
    else:
        named, allowed = raptor_file.saved(before), before.may
    if allowed.prune and named.machines:
        raise InputError("--prune looks at the whole file", resolution="name no machine with it")
    wish = named.wish(session, looks=run.dry_run)
    refuse_unfinished(session, tell)
    plan = api.plan_of(session, wish, allowed)
    if before is not None:
        before.refuse_changed(plan)
    if run.dry_run:
        _shown(plan, wish, run, named.saved(allowed, plan))
    _refuse(wish, plan, allowed, way)
    if not run.dry_run:
        _carry_out(session, wish, plan, way, run)


@spread
def reload(
    context: typer.Context,
    words: raptor_file.Words = None,
    variables: raptor_file.Variables = None,
    said: raptor_file.FormatOfFile = None,
    *,
    way: UpWay,
    run: options.Manner,
) -> None:
    """Rebuild machines of a file, and do their steps again; name, MAC and slot are kept."""
    session = session_of(context)
    refuse_unwatchable(run.form, watch=way.watch)
    private_key(way.identity)
    named = raptor_file.named(session, words, variables, said)
    wish = named.wish(session, looks=run.dry_run)
    refuse_unfinished(session, tell)
    plan = api.reload_of(session, wish)
    if run.dry_run:
        _shown(plan, wish, run)
    _refuse(wish, plan, Allowed(allow=len(plan.destroyed)), way)
    if not run.dry_run:
        _carry_out(session, wish, plan, way, run)


def _refuse(wish: FileWish, plan: FilePlan, may: Allowed, way: UpWay) -> None:
    if not way.keep_going:
        refuse_stuck(plan.stuck, wish.file)
    refuse_unsafe(plan, may)


def _shown(
    plan: FilePlan, wish: FileWish, run: options.Manner, saved: SavedPlan | None = None
) -> None:
    steps = list(raptor_file.guest_steps(wish, plan))
    if run.form is Format.JSON:
        shape = saved.encode() if saved else {"rows": [row.encode() for row in plan.rows]}
        say_json({"plan": shape | {"guest_steps": steps}})
        return
    nothing = "all of it is already so" if _named(wish, plan) else NO_MACHINE
    say("\n".join(raptor_file.laid_out(plan.rows) or [nothing]))
    if steps:
        say("\n".join(["then, in the guests:", *(f"  {line}" for line in steps)]))


def _named(wish: FileWish, plan: FilePlan) -> bool:
    return bool(wish.machines or wish.tenants or plan.rows)


def _carry_out(
    session: Typed, wish: FileWish, plan: FilePlan, way: UpWay, run: options.Manner
) -> None:
    if not _named(wish, plan) and run.form is Format.TEXT:
        say(NO_MACHINE)
    _agreed(wish, plan, run)
    eye = Stream() if way.watch else onlooker(plan)
    work = Up(session, wish, plan, way.identity, way.keep_going, eye.show)
    with watched() as watch:
        work.pull(watch)
    raptor_file.told(work.run(), plan, run.form, eye)


def _agreed(wish: FileWish, plan: FilePlan, run: options.Manner) -> None:
    if run.yes or not plan.rows:
        return
    if plan.destroyed:
        ask.refuse_unseen("that disks are lost", plan.destroyed[0])
    elif not ask.somebody_there():
        return
    tell("\n".join(raptor_file.laid_out(plan.rows)))
    for line in raptor_file.guest_steps(wish, plan):
        tell(f"then {line}")
    lost = f"Everything on the disks of {', '.join(plan.destroyed)} will be gone. "
    if not ask.agree(f"{lost if plan.destroyed else ''}Go on?"):
        raise InputError("not confirmed, nothing was touched", code=Code.NOT_CONFIRMED)
