"""Having something done by root's service for petitions: asked, shown, confirmed, told."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Final

import typer

from raptorctl.api import petition_client as service
from raptorctl.cli import ask
from raptorctl.cli.change import described
from raptorctl.cli.options import Manner
from raptorctl.cli.output import Format, plain, say, say_json, tell
from raptorctl.cli.petition_view import told_plan
from raptorctl.cli.progress import reporter
from raptorctl.cli.session import Typed, session_of
from raptorctl.errors import InputError
from raptorctl.model.error_code import Code

Machine = Annotated[
    str, typer.Argument(metavar="MACHINE", help="Yours: `dev`.", show_default=False)
]
Identifier = Annotated[
    str, typer.Argument(metavar="ID", help="As `request list` shows it.", show_default=False)
]

GOING: Final = frozenset({"rebuild", "deprovision", "snapshot-restore", "snapshot-delete"})
"""What something is lost by for good."""


def asked(session: Typed, said: Mapping[str, Any]) -> Mapping[str, Any]:
    """Ask the service, told step by step, and return the last it answers."""
    service.refuse_others(session)
    return service.ask(said, reporter())


def send(
    context: typer.Context,
    verb: str,
    machine: str,
    said: Mapping[str, Any],
    run: Manner,
) -> None:
    """Show the plan and ask, where somebody is to be asked; then have it done.

    Args:
        context: of this run.
        verb: of the service.
        machine: the tenant's.
        said: what else is asked for; None is not said.
        run: whether the plan is only printed, and what the result looks like.
    """
    session = session_of(context, root=False)
    service.refuse_others(session)
    if machine.startswith(f"{session.caller.name}-"):
        short = machine.partition("-")[2]
        raise InputError(f"{plain(machine)} is yours anyway", resolution=f"write {plain(short)}")
    letter: dict[str, Any] = {"verb": verb, "machine": machine}
    letter |= {key: value for key, value in said.items() if value is not None}
    question = question_of(verb, machine, str(letter.get("name", "")), asks=run.asks)
    if run.dry_run or question:
        plan = asked(session, {**letter, "dry_run": True})["plan"]
        if run.dry_run:
            _show(plan, run.form)
            return
        tell("\n".join(described(told_plan(plan), sys.stderr)))
        if question and plan["steps"] and not question():
            raise InputError("not confirmed, nothing was touched", code=Code.NOT_CONFIRMED)
        letter["agreed"] = plan["digest"]
    _tell(asked(session, letter), run.form)


def question_of(verb: str, machine: str, name: str, *, asks: bool) -> ask.Question:
    """What confirms a request: what goes for good is typed.

    Args:
        verb: of the service.
        machine: as who is asked calls it.
        name: of a snapshot, or "".
        asks: whether anybody is to be asked.

    Raises:
        InputError: somebody is to be asked, and nobody is there.
    """
    if verb == "snapshot-restore":
        loses = f"on that {machine} loses what it has written since"
        lost = f"All that {machine} has written since then will be lost. Go on?"
        return ask.before(loses, lost, asks=asks, about=machine)
    if verb in GOING:
        return ask.before_it_goes(name or machine, asks=asks)
    return ask.before_it_comes(asks=asks)


def _show(plan: Mapping[str, Any], form: Format) -> None:
    if form is Format.JSON:
        say_json({"plan": plan})
    else:
        say("\n".join(described(told_plan(plan), sys.stdout)))


def _tell(answer: Mapping[str, Any], form: Format) -> None:
    """Say what came of it: done, or kept for an admin."""
    done, waiting = answer.get("done"), answer.get("waiting")
    if form is Format.JSON:
        say_json({"done": done, "waiting": waiting})
    elif done:
        for line in told(done["verb"], done["receipts"], done["summary"]):
            say(line)
    elif waiting:
        say(f"request {waiting['id']} waits for an admin: {'; '.join(waiting['beyond'])}")


def told(verb: str, receipts: Iterable[str], summary: str) -> Iterator[str]:
    """What came of it, in lines: what was wiped is told where something goes."""
    yield from receipts if verb in GOING else ()
    yield summary
