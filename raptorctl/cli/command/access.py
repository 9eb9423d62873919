"""`raptorctl access`: who may do what with libvirt, as polkit itself answers."""

from collections.abc import Iterator
from typing import Annotated

import typer

from raptorctl.api.access import Permission, Trial, explained
from raptorctl.api.access import install as installed
from raptorctl.api.access import trial as tried
from raptorctl.cli import ask
from raptorctl.cli.change import perform
from raptorctl.cli.options import Manner, Output, example
from raptorctl.cli.output import (
    Colour,
    Format,
    painted,
    plain,
    say,
    say_json,
    table,
    width_of_output,
)
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.model.exit_code import DONE, REFUSED
from raptorctl.model.names import parse_words

Who = Annotated[
    str, typer.Argument(metavar="ACCOUNT", help="Account to ask about.", show_default=False)
]
What = Annotated[
    str,
    typer.Argument(
        metavar="COMMAND", help="console, start, ..., or domain.write.", show_default=False
    ),
]
On = Annotated[
    list[str] | None,
    typer.Argument(metavar="MACHINE", help="`bob web` or `bob-web`.", show_default=False),
]
Everything = Annotated[bool, typer.Option("--all", help="Include what only admins may do.")]


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer()
    explain_example = example("sudo raptorctl access explain alice console bob-web")
    group.command("explain", epilog=explain_example)(explain)
    group.command("test", epilog=example("sudo raptorctl access test"))(test)
    group.command("install", epilog=example("sudo raptorctl access install"))(install)
    app.add_typer(group, name="access")


def explain(
    context: typer.Context, who: Who, what: What, machine: On = None, form: Output = Format.TEXT
) -> None:
    """Explain whether an account may do something, and by which rule; asks polkit."""
    domain = str(parse_words(machine)) if machine else ""
    said = explained(session_of(context), who, what, domain)
    allowed = all(one.allowed for one in said)
    if form is Format.JSON:
        permissions = [one.encode() for one in said]
        say_json({"account": who, "allowed": allowed, "permissions": permissions})
        return
    on = f" {domain}" if domain else ""
    say(f"{_word(allowed)}: {who} may {'' if allowed else 'not '}{plain(what)}{on}\n")
    rows = [(one.question.permission, _word(one.allowed), _rule(one)) for one in said]
    say("\n".join(table(("PERMISSION", "POLKIT", "RULE"), rows, columns=width_of_output())))


def test(
    context: typer.Context, everything: Everything = False, form: Output = Format.TEXT
) -> None:
    """Ask polkit for everything, as a tenant, an outsider and an admin; changes nothing.

    Exit code 3 when an answer is not the table's.
    """
    trial = tried(session_of(context))
    if form is Format.JSON:
        say_json(trial.encode())
    else:
        say("\n".join(_test_lines(trial, everything=everything)))
    raise typer.Exit(REFUSED if trial.wrong else DONE)


@spread
def install(
    context: typer.Context,
    *,
    run: Manner,
) -> None:
    """Lay polkit's rules and try them; when an answer is wrong, the old ones come back."""
    asks = ask.before_it_comes(asks=run.asks)
    perform(session_of(context), installed(), run, asks)


def _test_lines(trial: Trial, *, everything: bool) -> Iterator[str]:
    parts = tuple(trial.people)
    names = {"own": "OWN", "foreign": "ANOTHER'S", "outsider": "OUTSIDER", "admin": "ADMIN"}
    shut = {part: part == "admin" for part in parts}
    shown_rows = {n: row for n, row in trial.answers.items() if everything or row != shut}
    rows = [(name, *(_word(row[part]) for part in parts)) for name, row in shown_rows.items()]
    if rows:
        yield from table(("PERMISSION", *(names[part] for part in parts)), rows)
        yield ""
    if rest := len(trial.answers) - len(rows):
        yield f"{rest} more: no{' for everybody but admins' if 'admin' in parts else ''}"
    yield from _share_lines(trial)
    yield "asked as " + ", ".join(f"{name} ({part})" for part, name in trial.people.items())
    for part in ("own", "admin"):
        if part not in parts:
            yield f"nobody to ask as: {'a tenant' if part == 'own' else 'an admin'}"
    yield from (painted(f"wrong: {text}", Colour.BAD) for text in trial.wrong)
    if not trial.wrong:
        yield "every answer is the table's"


def _share_lines(trial: Trial) -> Iterator[str]:
    for one in trial.shares:
        allowed = ", ".join(name.removeprefix("domain.") for name in one.allowed) or "nothing"
        yield f"{one.share.tenant}, on {one.share.machine} {one.share.told}: {allowed}"


def _rule(said: Permission) -> str:
    wrong = said.allowed is not said.told.allowed
    return f"the rules say otherwise: {said.told.rule}" if wrong else said.told.rule


def _word(allowed: bool) -> str:
    return "yes" if allowed else "no"
