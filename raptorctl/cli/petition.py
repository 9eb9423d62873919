"""Having something done by root's service for petitions: asked, shown, confirmed, told."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from raptorctl.api import petition_client as service
from raptorctl.cli import ask
from raptorctl.cli.change import described
from raptorctl.cli.options import Manner
from raptorctl.cli.output import Format, plain, say, say_json, tell
from raptorctl.cli.petition_view import told_plan
from raptorctl.cli.progress import reporter
from raptorctl.cli.session import Typed
from raptorctl.errors import InputError
from raptorctl.model.error_code import Code

GOING: Final = frozenset({"rebuild", "deprovision", "snapshot-restore", "snapshot-delete"})
"""What something is lost by for good."""


def asked(session: Typed, said: Mapping[str, Any]) -> Mapping[str, Any]:
    """Ask the service, told step by step, and return the last it answers."""
    service.refuse_others(session)
    return service.ask(said, reporter())


def send(
    session: Typed,
    verb: str,
    machine: str,
    said: Mapping[str, Any],
    run: Manner,
    *,
    goes: bool = False,
) -> None:
    """Show the plan and ask, where somebody is to be asked; then have it done.

    Args:
        session: this run.
        verb: of the service.
        machine: the tenant's.
        said: what else is asked for; None is not said.
        run: whether the plan is only printed, and what the result looks like.
        goes: whether something is lost for good.
    """
    service.refuse_others(session)
    if machine.startswith(f"{session.caller.name}-"):
        short = machine.partition("-")[2]
        raise InputError(f"{plain(machine)} is yours anyway", resolution=f"write {plain(short)}")
    letter: dict[str, Any] = {"verb": verb, "machine": machine}
    letter |= {key: value for key, value in said.items() if value is not None}
    confirm = ask.before_it_goes if goes else lambda _name, asks: ask.before_it_comes(asks=asks)
    question = confirm(machine, asks=run.asks)
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
