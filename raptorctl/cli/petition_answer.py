"""`raptorctl request approve` and `deny`: what an admin says to requests."""

import sys
from typing import Annotated, Any

import typer

from raptorctl.api import approval
from raptorctl.api.change import preview
from raptorctl.api.petition_service import view
from raptorctl.api.session import Session
from raptorctl.cli import options
from raptorctl.cli.change import described, perform
from raptorctl.cli.image_watch import watched
from raptorctl.cli.options import example
from raptorctl.cli.output import Format, say, say_json
from raptorctl.cli.petition import Identifier, question_of, told
from raptorctl.cli.petition_view import lines, say_lines
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.errors import RaptorError

Why = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why not; the tenant sees it.")]


def register(group: typer.Typer) -> None:
    """Add the commands of admins."""
    said = "sudo raptorctl request"
    group.command(epilog=example(f"{said} approve 20261129-204501-a1b2"))(approve)
    denied = f"{said} deny 20261129-204501-a1b2 --reason 'ask again in January'"
    group.command(epilog=example(denied))(deny)


@spread
def approve(context: typer.Context, identifier: Identifier, *, run: options.Manner) -> None:
    """Have a request done: planned anew, within the tenant's quota, whatever the policy."""
    session = session_of(context)
    one = approval.waiting(session, identifier)
    if run.dry_run:
        perform(session, approval.approved(session, one), run)
        return
    with watched() as watch:
        change = approval.approved(session, one, watch)
    verb = one.petition.verb
    asks = question_of(verb, one.machine, one.petition.name or "", asks=run.asks)
    with approval.approving(session, one) as yes:
        done = perform(
            session,
            change,
            run,
            lambda: (asks is None or asks()) and yes.claim(),
            says=lambda done: told(verb, done.receipts, done.plan.summary),
        )
        if done:
            yes.finish(done)


def deny(context: typer.Context, identifier: Identifier, reason: Why) -> None:
    """Say no to a request, and why."""
    one = approval.deny(session_of(context), identifier, reason)
    say(f"request {one.id} of {one.who.tenant} is denied")


def everybodys(session: Session) -> list[dict[str, Any]]:
    """All requests, as the service shows a tenant theirs."""
    return [view(one) for one in approval.kept(session)]


def show(session: Session, identifier: str, form: Format) -> None:
    """Print one, with the plan as it would be carried out now, or why it cannot be."""
    one = approval.found(session, identifier)
    if form is Format.JSON:
        say_json({"request": view(one)})
        return
    say_lines(lines(view(one)))
    if one.answered:
        return
    try:
        plan = preview(session, approval.approved(session, one))
    except RaptorError as error:
        say(f"now       {error}")
    else:
        say("\n".join(("", *described(plan, sys.stdout))))
