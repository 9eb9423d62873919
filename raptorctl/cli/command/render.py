"""`raptorctl render`: what would be written, without writing it."""

import typer

from raptorctl.api.caller import new_identity
from raptorctl.api.seed import first_boot
from raptorctl.cli import options, request
from raptorctl.cli.image_choice import begins_as, disks_begin_as
from raptorctl.cli.options import Output
from raptorctl.cli.output import Format, say, say_json
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.plans.machine.provision import ProvisionRequest, render_xml

EXAMPLE = options.example(
    "sudo raptorctl render xml alice dev --size 40G --cpus 4-7",
    "sudo raptorctl render xml alice web --profile web-server",
)


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer()
    group.command("xml", epilog=EXAMPLE)(xml)
    app.add_typer(group, name="render")


@spread
def xml(
    context: typer.Context,
    words: options.Words,
    said: request.MachineOptions,
    no_start: request.NoStart = False,
    form: Output = Format.TEXT,
) -> None:
    """Print the domain XML that provision would define."""
    name, session = options.machine_name(words), session_of(context)
    spec = request.new_machine(said, session)
    wanted = ProvisionRequest(
        name,
        spec,
        found=begins_as(session, spec.image, dry_run=True),
        found_disks=disks_begin_as(session, spec.disks, dry_run=True),
        first_boot=first_boot(spec, name),
    )

    facts = session.facts(people=(wanted.name.tenant,))
    text = render_xml(wanted, session.settings, facts, new_identity(session.caller.name))
    if form is Format.JSON:
        say_json({"xml": text})
    else:
        say(text.rstrip("\n"))
