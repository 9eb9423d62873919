"""`raptorctl rebuild`: the same machine with a disk that begins anew."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from raptorctl.api import machine
from raptorctl.api.session import Session
from raptorctl.cli import ask, deprovision, options, request
from raptorctl.cli.change import perform
from raptorctl.cli.image_choice import begins_as
from raptorctl.cli.options import DryRun, Output, Yes
from raptorctl.cli.output import Format
from raptorctl.cli.seed import Told, first_boot
from raptorctl.cli.session import session_of
from raptorctl.cli.template import read_profile
from raptorctl.model.domain import Mark
from raptorctl.model.names import MachineName

if TYPE_CHECKING:
    from raptorctl.plans.rebuild import RebuildRequest

EXAMPLE = options.example(
    "sudo raptorctl rebuild alice dev",
    "sudo raptorctl rebuild alice dev --image debian:13 --reset-nvram",
)
NewImage = Annotated[
    str | None,
    typer.Option(
        "--image",
        metavar="REF",
        help="Image for the new disk. Default: the one it was made from.",
        show_default=False,
    ),
]
ResetNvram = Annotated[bool, typer.Option("--reset-nvram", help="Reset its UEFI variables.")]
LeaveOff = Annotated[bool, typer.Option("--no-start", help="Do not start it.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLE)(rebuild)


def rebuild(
    context: typer.Context,
    words: options.Words,
    image: NewImage = None,
    reset_nvram: ResetNvram = False,
    profile: request.ProfileName = None,
    user_data: request.UserDataFile = None,
    network: request.NetworkKind = None,
    no_seed: request.NoSeed = False,
    allow_private_key: request.AllowPrivateKey = False,
    no_start: LeaveOff = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    form: Output = Format.TEXT,
) -> None:
    """Give a machine a new disk; name, UUID, MAC, addresses, CPUs and memory are kept."""
    told = Told(user_data, network, no_seed, allow_private_key)
    session, name = session_of(context), options.machine_name(words)
    wanted = _wanted(session, name, image, profile, told, dry_run=dry_run)
    wanted = replace(wanted, reset_nvram=reset_nvram, start=not no_start)
    asks = ask.before_it_goes(str(name), asks=not yes and not dry_run)
    change = machine.rebuild(wanted)
    perform(session, change, form, dry_run=dry_run, confirm=asks, says=deprovision.told)


def _wanted(
    session: Session,
    name: MachineName,
    image: str | None,
    profile: str | None,
    told: Told,
    *,
    dry_run: bool,
) -> "RebuildRequest":
    """Find out what the disk begins as, and what cloud-init is told."""
    from raptorctl.plans.rebuild import RebuildRequest

    begin, beside = read_profile(profile)
    mark = session.machine(name).mark
    asked = image or begin.image or _missing(session, mark)
    wanted = RebuildRequest(name, asked or (mark and mark.image_name) or None)
    return replace(
        wanted,
        first_boot=first_boot(wanted, begin, beside, told),
        image=begins_as(session, asked, dry_run=dry_run),
    )


def _missing(session: Session, mark: Mark | None) -> str | None:
    """The image that the machine's disk began as, if it is not in the cache any more."""
    there = {image.digest for image in session.host.images.list()}
    return mark.image_name if mark and mark.image and mark.image_digest not in there else None
