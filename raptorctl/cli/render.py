"""`raptorctl render`: what would be written, without writing it."""

import typer

from raptorctl.cli import options, request
from raptorctl.cli.identity import new_identity
from raptorctl.cli.options import Output
from raptorctl.cli.output import Format, say, say_json
from raptorctl.cli.session import session_of

EXAMPLE = options.example("sudo raptorctl render xml alice dev --size 40G --cpus 4-7")


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer()
    group.command("xml", epilog=EXAMPLE)(xml)
    app.add_typer(group, name="render")


def xml(
    context: typer.Context,
    words: options.Words,
    size: request.SizeText = None,
    cpus: request.CpusText = None,
    memory: request.MemoryText = None,
    slot: request.SlotText = "auto",
    template: request.TemplateText = None,
    no_start: request.NoStart = False,
    form: Output = Format.TEXT,
) -> None:
    """Print the domain XML that provision would define."""
    session = session_of(context)
    wanted = request.request(
        words, size, cpus, memory, slot, template, start=not no_start, own=session.own
    )

    from raptorctl.plans.provision import render_xml

    facts = session.facts(people=(wanted.name.tenant,))
    text = render_xml(wanted, session.settings, facts, new_identity())
    if form is Format.JSON:
        say_json({"xml": text})
    else:
        say(text.rstrip("\n"))
