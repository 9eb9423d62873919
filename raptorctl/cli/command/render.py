"""`raptorctl render`: what would be written, without writing it."""

from pathlib import Path
from typing import Annotated

import typer

from raptorctl.api import registry_gen
from raptorctl.api.caller import new_identity
from raptorctl.api.makefile import standing
from raptorctl.api.seed import first_boot
from raptorctl.cli import options, request
from raptorctl.cli.image_choice import begins_as, disks_begin_as
from raptorctl.cli.options import Output
from raptorctl.cli.output import Format, plain, say, say_json, tell
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.model.session_host import session_words
from raptorctl.plans.machine.choice import ProvisionRequest
from raptorctl.plans.machine.provision import render_xml

EXAMPLE = options.example(
    "sudo raptorctl render xml alice dev --size 40G --cpus 4-7",
    "sudo raptorctl render xml alice web --profile web-server",
)
MAKE = options.example(
    "raptorctl render makefile web db --base-dir vms",
    "make -C vms/web up",
)
Machines = Annotated[
    list[str], typer.Argument(metavar="MACHINE...", help="Your machines.", show_default=False)
]
BaseDir = Annotated[
    Path, typer.Option("--base-dir", metavar="DIR", help="What the folders are made in.")
]
Prune = Annotated[
    bool, typer.Option("--prune", help="Remove what was generated once, and would not be today.")
]


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer()
    group.command("xml", epilog=EXAMPLE)(xml)
    group.command("makefile", epilog=MAKE)(makefile)
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
        found_iso=begins_as(session, spec.iso, dry_run=True),
        first_boot=first_boot(session, spec, name),
    )

    facts = session.facts(people=(wanted.name.tenant,))
    text = render_xml(wanted, session.settings, facts, new_identity(session.caller.name))
    if form is Format.JSON:
        say_json({"xml": text})
    else:
        say(text.rstrip("\n"))


def makefile(
    context: typer.Context, machines: Machines, base: BaseDir = Path(), prune: Prune = False
) -> None:
    """Write a folder for each machine, whose Makefile needs virsh, and nothing of raptorctl."""
    session = session_of(context)
    owner = session.settings.owner if session.on_session_host else ""
    words = [session_words([one], owner) if owner else [one] for one in machines]
    names = [options.machine_name(word) for word in words]
    found = standing(session, names)
    old = registry_gen.stale(found, base, (), whole=False)
    for path in registry_gen.generate(found, base, {} if prune else old):
        tell(f"Generated {plain(str(path))}")
    if prune:
        for path in registry_gen.remove(old):
            tell(f"Removed {plain(str(path))}")
    elif old:
        tell("note: some files there are stale; --prune removes them")
