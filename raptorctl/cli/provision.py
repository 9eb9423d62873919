"""`raptorctl provision`: a machine stands."""

import typer

from raptorctl.cli import ask, options
from raptorctl.cli.change import Change, carry_out, preview
from raptorctl.cli.options import DryRun, Output, Yes
from raptorctl.cli.output import Format, say, say_json
from raptorctl.cli.session import session_of

EXAMPLE = options.example(
    "sudo raptorctl provision alice dev --size 40G --cpus 4-7",
    "sudo raptorctl provision alice-dev --size 40G --cpus 4-7 --memory 8G --dry-run",
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(short_help="Make a machine.", epilog=EXAMPLE)(provision)


def provision(
    context: typer.Context,
    words: options.Words,
    size: options.SizeText,
    cpus: options.CpusText,
    memory: options.MemoryText = None,
    slot: options.SlotText = "auto",
    template: options.TemplateText = None,
    no_start: options.NoStart = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    form: Output = Format.TEXT,
) -> None:
    """Make a machine: volume, domain, slot, DNS names, and start it."""
    wanted = options.request(words, size, cpus, memory, slot, template, start=not no_start)
    session = session_of(context)

    from raptorctl.plans.provision import plan_provision
    from raptorctl.plans.records import queries

    change = Change(
        verb="provision",
        name=str(wanted.name),
        queries=lambda settings: queries(wanted.name, settings),
        people=(wanted.name.tenant,),
        decide=lambda settings, facts, identity: plan_provision(wanted, settings, facts, identity),
        # It destroys nothing, so it asks only where somebody is there to answer.
        confirm=(lambda: ask.agree("Go on?")) if not yes and ask.somebody_there() else None,
    )
    if dry_run:
        preview(session, change, form)
        return
    done = carry_out(session, change)
    if form is Format.JSON:
        say_json(done.encode())
        return
    say(done.plan.summary)
    if done.job or not no_start:  # what was there already may run, whatever was asked
        say(f"next: virsh {'start' if no_start else 'console'} {wanted.name}")
