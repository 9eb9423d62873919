"""`raptorctl access`: who may do what with libvirt, as polkit itself answers."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

import typer

from raptorctl.cli import ask
from raptorctl.cli.change import Change, perform
from raptorctl.cli.options import DryRun, Output, Yes, example
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
from raptorctl.cli.session import Session, session_of
from raptorctl.errors import DONE, REFUSED, MissingError
from raptorctl.model.access import OUTSIDER, Answer, Question, decide, needs, questions
from raptorctl.model.error_code import Code
from raptorctl.model.names import parse_words, shown
from raptorctl.model.tenant import Account

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
    wanted = needs(what)
    domain = str(parse_words(machine)) if machine else ""
    session = session_of(context)
    account = _account(session, who)
    asked = tuple(Question(name, domain if name.startswith("domain.") else "") for name in wanted)
    answers = session.host.authority.answers(account, asked)
    said = tuple(zip(asked, answers, _told(session, account, asked), strict=True))
    allowed = all(answers)
    if form is Format.JSON:
        say_json({"account": who, "allowed": allowed, "permissions": [*map(_encoded, said)]})
        return
    on = f" {domain}" if domain else ""
    say(f"{_word(allowed)}: {who} may {'' if allowed else 'not '}{plain(what)}{on}\n")
    rows = [(q.permission, _word(yes), _rule(yes, answer)) for q, yes, answer in said]
    say("\n".join(table(("PERMISSION", "POLKIT", "RULE"), rows, columns=width_of_output())))


def test(
    context: typer.Context, everything: Everything = False, form: Output = Format.TEXT
) -> None:
    """Ask polkit for everything, as a tenant, an outsider and an admin; changes nothing.

    Exit code 3 when an answer is not the table's.
    """
    session = session_of(context)
    trial = _trial(session)
    if form is Format.JSON:
        say_json(trial.encode())
    else:
        say("\n".join(_test_lines(trial, everything=everything)))
    raise typer.Exit(REFUSED if trial.wrong else DONE)


def install(
    context: typer.Context, dry_run: DryRun = False, yes: Yes = False, form: Output = Format.TEXT
) -> None:
    """Lay polkit's rules and try them; when an answer is wrong, the old ones come back."""
    from raptorctl.plans.access import plan_install

    change = Change(
        verb="access-install",
        name="access",
        decide=plan_install,
        confirm=ask.before_it_comes(asks=not yes),
    )
    perform(session_of(context), change, form, dry_run=dry_run)


@dataclass(frozen=True)
class Trial:
    """What polkit answered to everything.

    Args:
        people: in which part who asked: `own` and `foreign` are the tenant's.
        answers: by permission, then by part.
        wrong: what is not as the table says, as sentences.
    """

    people: Mapping[str, str]
    answers: Mapping[str, Mapping[str, bool]]
    wrong: tuple[str, ...]

    def encode(self) -> dict[str, object]:
        """Return the shape that `access test -o json` documents."""
        rows = [{"permission": name, **parts} for name, parts in self.answers.items()]
        return {"people": dict(self.people), "answers": rows, "wrong": list(self.wrong)}


def _trial(session: Session) -> Trial:
    from raptorctl.plans.access import some_tenant

    facts = session.facts(people=(OUTSIDER,))
    tenant, admin = some_tenant(facts), _admin(session)
    domain = f"{tenant.name}-trial" if tenant else "alice-trial"
    asked: list[tuple[str, Account, str]] = []
    if tenant and tenant.account:
        asked += [("own", tenant.account, domain), ("foreign", tenant.account, "nobodys-trial")]
    asked.append(("outsider", _account(session, OUTSIDER), domain))
    if admin:
        asked.append(("admin", admin, domain))
    return _ask(session, asked)


def _ask(session: Session, asked: Iterable[tuple[str, Account, str]]) -> Trial:
    actions = session.host.authority.actions()
    if not actions:
        raise MissingError("polkit knows no action of libvirt", resolution="install libvirt")
    answers: dict[str, dict[str, bool]] = {}
    people, wrong = {}, []
    for part, account, domain in asked:
        people[part] = account.name
        about = questions(actions, domain)
        told = _told(session, account, about)
        said = session.host.authority.answers(account, about)
        for question, yes, answer in zip(about, said, told, strict=True):
            answers.setdefault(question.permission, {})[part] = yes
            if yes is not answer.allowed:
                on = f" on {question.domain}" if question.domain else ""
                wrong.append(f"{account.name}: {question.permission}{on} is {_word(yes)}")
    return Trial(people, answers, tuple(wrong))


def _told(session: Session, account: Account, asked: Iterable[Question]) -> tuple[Answer, ...]:
    from raptorctl.model.access_trial import person

    groups = session.settings.access.admin_groups
    return tuple(decide(person(account), question, groups) for question in asked)


def _account(session: Session, name: str) -> Account:
    account = session.host.accounts.find(name)
    if account is None:
        raise MissingError(
            f"there is no account {shown(name)}", code=Code.ACCOUNT_NOT_FOUND, subject=name
        )
    return account


def _admin(session: Session) -> Account | None:
    for group in session.settings.access.admin_groups:
        for account in session.host.accounts.members(group):
            return account
    return None


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
    yield "asked as " + ", ".join(f"{name} ({part})" for part, name in trial.people.items())
    for part in ("own", "admin"):
        if part not in parts:
            yield f"nobody to ask as: {'a tenant' if part == 'own' else 'an admin'}"
    yield from (painted(f"wrong: {text}", Colour.BAD) for text in trial.wrong)
    if not trial.wrong:
        yield "every answer is the table's"


def _rule(allowed: bool, answer: Answer) -> str:
    return answer.rule if allowed is answer.allowed else f"the rules say otherwise: {answer.rule}"


def _encoded(said: tuple[Question, bool, Answer]) -> dict[str, object]:
    question, allowed, answer = said
    return {
        "permission": question.permission,
        "allowed": allowed,
        "rule": answer.rule,
        "as_told": allowed is answer.allowed,
    }


def _word(allowed: bool) -> str:
    return "yes" if allowed else "no"
