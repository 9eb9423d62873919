"""`raptorctl rebuild`: the same machine with a disk that begins anew."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from raptorctl.api import machine
from raptorctl.api.guest import running
from raptorctl.api.image import lost
from raptorctl.api.seed import first_boot
from raptorctl.api.session import Session
from raptorctl.api.steps import GuestEntry, carry_out, with_job_key
from raptorctl.cli import ask, options, request, seed_options
from raptorctl.cli.change import perform
from raptorctl.cli.command import deprovision
from raptorctl.cli.command.run import GuestSteps
from raptorctl.cli.image_choice import begins_as
from raptorctl.cli.screen import Screen
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.model.names import MachineName

if TYPE_CHECKING:
    from raptorctl.plans.machine.rebuild import RebuildRequest

EXAMPLE = options.example(
    "sudo raptorctl rebuild alice dev",
    "sudo raptorctl rebuild alice dev --image debian:13 --reset-nvram",
    "sudo raptorctl rebuild alice dev --run setup.sh",
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
GuestKeys = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="FILE|-",
        help="Public ssh keys that its guest lets in, beside its owner's; - is standard input.",
        show_default=False,
    ),
]
LeaveOff = Annotated[bool, typer.Option("--no-start", help="Do not start it.")]


@dataclass(frozen=True)
class Options:
    """What may be said of the machine's next life."""

    image: NewImage = None
    reset_nvram: ResetNvram = False
    profile: request.ProfileNames = None
    key: GuestKeys = None
    user_data: seed_options.UserDataFile = None
    vendor_data: seed_options.VendorDataFile = None
    network: request.NetworkKind = None
    network_config: seed_options.NetworkFile = None
    meta_data: seed_options.MetaDataFile = None
    cloud_init: seed_options.SeedFolder = None
    no_seed: seed_options.NoSeed = False
    allow_private_key: seed_options.AllowPrivateKey = False
    allow_jinja: seed_options.AllowJinja = False
    no_start: LeaveOff = False

    def __post_init__(self) -> None:
        self.of_machine  # noqa: B018 - it refuses what was typed together

    @property
    def of_machine(self) -> request.MachineOptions:
        """The same, as what may be said of any machine."""
        return request.MachineOptions(
            image=self.image,
            profile=self.profile,
            key=self.key,
            user_data=self.user_data,
            vendor_data=self.vendor_data,
            network=self.network,
            network_config=self.network_config,
            meta_data=self.meta_data,
            cloud_init=self.cloud_init,
            no_seed=self.no_seed,
            allow_private_key=self.allow_private_key,
            allow_jinja=self.allow_jinja,
        )


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLE)(rebuild)


@spread
def rebuild(
    context: typer.Context,
    words: options.Words,
    said: Options,
    then: GuestSteps,
    run: options.Manner,
) -> None:
    """Give a machine a new disk; name, UUID, MAC, addresses, CPUs and memory are kept."""
    session, name = session_of(context), options.machine_name(words)
    wanted = _wanted(session, name, said, dry_run=run.dry_run)
    boot = wanted.first_boot
    has_key = boot is not None or session.on_session_host
    steps = then.checked(session.typed, has_key=has_key, starts=wanted.start)
    boot, job_key = with_job_key(boot, steps, then.identity)
    wanted = replace(wanted, first_boot=boot)
    change = replace(machine.rebuild(wanted), after=tuple(step.title for step in steps))
    asks = ask.before_it_goes(str(name), asks=run.asks)
    done = perform(session, change, run, asks, says=deprovision.told)
    if steps and done:
        user = wanted.spec.account if boot else None
        entry = GuestEntry(user, then.identity, job_key)
        carry_out(running(session, name), steps, entry, Screen())


def _wanted(
    session: Session, name: MachineName, said: Options, *, dry_run: bool
) -> "RebuildRequest":
    """Find out what the disk begins as, and what cloud-init is told."""
    from raptorctl.plans.machine.rebuild import RebuildRequest

    spec = request.asked(said.of_machine, session)
    mark = session.machine(name).mark
    image = spec.image or lost(session, mark)
    system = image or (mark and mark.image_name) or None
    return RebuildRequest(
        name,
        spec,
        found=begins_as(session, image, dry_run=dry_run),
        reset_nvram=said.reset_nvram,
        start=not said.no_start,
        first_boot=first_boot(session, replace(spec, image=system), name),
    )
