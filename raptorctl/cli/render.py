"""`raptorctl render`: what would be written, without writing it."""

from dataclasses import replace

import typer

from raptorctl.api.caller import new_identity
from raptorctl.cli import options, request
from raptorctl.cli.image_choice import begins_as
from raptorctl.cli.options import Output
from raptorctl.cli.output import Format, say, say_json
from raptorctl.cli.seed import Told, first_boot
from raptorctl.cli.session import session_of
from raptorctl.cli.template import read_profile

EXAMPLE = options.example(
    "sudo raptorctl render xml alice dev --size 40G --cpus 4-7",
    "sudo raptorctl render xml alice web --profile web-server",
)


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
    key: options.KeyFile = None,
    image: request.ImageRef = None,
    profile: request.ProfileName = None,
    user_data: request.UserDataFile = None,
    network: request.NetworkKind = None,
    graphics: request.Screen = None,
    no_seed: request.NoSeed = False,
    allow_private_key: request.AllowPrivateKey = False,
    no_start: request.NoStart = False,
    form: Output = Format.TEXT,
) -> None:
    """Print the domain XML that provision would define."""
    told = Told(user_data, network, no_seed, allow_private_key, key)
    begin, beside = read_profile(profile)
    session = session_of(context)
    wanted = request.request(
        words, size, cpus, memory, slot, template, key, image, begin,
        start=not no_start, own=session.own,
    )  # fmt: skip
    wanted = replace(
        wanted,
        first_boot=first_boot(wanted, begin, beside, told),
        graphics=graphics or begin.graphics,
        image=begins_as(session, image or begin.image, dry_run=True),
    )

    from raptorctl.plans.provision import render_xml

    facts = session.facts(people=(wanted.name.tenant,))
    text = render_xml(wanted, session.settings, facts, new_identity(session.caller.name))
    if form is Format.JSON:
        say_json({"xml": text})
    else:
        say(text.rstrip("\n"))
