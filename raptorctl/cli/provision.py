"""`raptorctl provision`: a machine stands."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import typer

from raptorctl.api import machine
from raptorctl.api.change import Done
from raptorctl.api.guest import running
from raptorctl.api.session import Session
from raptorctl.api.steps import GuestEntry, carry_out, new_job_key, refuse_keyless
from raptorctl.cli import ask, options, request
from raptorctl.cli.change import perform
from raptorctl.cli.guest import Identity
from raptorctl.cli.image_choice import begins_as
from raptorctl.cli.options import DryRun, Output, Yes
from raptorctl.cli.output import Format
from raptorctl.cli.run import Copies, Screen, Scripts, given
from raptorctl.cli.seed import Told, first_boot
from raptorctl.cli.session import session_of
from raptorctl.cli.template import read_profile
from raptorctl.errors import InputError, RefusedError
from raptorctl.model.facts import HostFacts
from raptorctl.model.settings import Settings
from raptorctl.plans import plan as plans
from raptorctl.plans.provision import ProvisionRequest, plan_provision

EXAMPLE = options.example(
    "sudo raptorctl provision alice dev --size 40G --cpus 4-7",
    "sudo raptorctl provision alice web --profile web-server --dry-run",
    "sudo raptorctl provision alice-dev --size 40G --cpus 4-7 --memory 8G --dry-run",
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLE)(provision)


def provision(
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
    scripts: Scripts = None,
    copies: Copies = None,
    identity: Identity = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    form: Output = Format.TEXT,
) -> None:
    """Create a machine (volume, domain, slot, DNS names) and start it."""
    told = Told(user_data, network, no_seed, allow_private_key, key)
    begin, beside = read_profile(profile)
    wanted = request.request(
        words,
        size,
        cpus,
        memory,
        slot,
        template,
        key,
        image,
        begin,
        start=not no_start,
        own=session_of(context, root=False).own,
    )
    wanted = replace(
        wanted,
        first_boot=first_boot(wanted, begin, beside, told),
        graphics=graphics or begin.graphics,
    )
    session = session_of(context)
    boot, job_key = wanted.first_boot, None
    steps = given(session.typed, scripts, copies, identity, has_key=boot is not None or session.own)
    if steps and no_start:
        raise InputError("--no-start leaves no guest to --run or --copy in")
    if steps and identity:
        from raptorctl.host.login_key import public_half

        wanted = replace(wanted, login=public_half(identity))
    wanted = replace(wanted, image=begins_as(session, image or begin.image, dry_run=dry_run))
    if steps and boot and identity is None:
        job_key = new_job_key()
        wanted = replace(wanted, first_boot=replace(boot, keys=(*boot.keys, job_key.public)))

    change = replace(
        machine.provision(wanted),
        decide=_decide(wanted, identity, steps=bool(steps), own=session.own),
        after=tuple(step.title for step in steps),
    )

    def says(done: Done) -> Iterator[str]:
        yield done.plan.summary
        if done.job or not no_start:  # what was there already may run, whatever was asked
            yield f"next: {_next(session, start=no_start)} {wanted.name}"

    done = perform(
        session, change, form, dry_run=dry_run, confirm=ask.before_it_comes(asks=not yes), says=says
    )
    if steps and done:
        user = boot.account if boot and boot.account else None
        if not _makes(done.plan):
            job_key = None
        entry = GuestEntry(user, identity, job_key)
        carry_out(running(session, wanted.name), steps, entry, Screen())


def _decide(
    wanted: ProvisionRequest, identity: Path | None, *, steps: bool, own: bool
) -> Callable[[Settings, HostFacts, plans.Identity], plans.Plan]:
    """The planner; what stands is entered by a key of the caller's: it never got this job's."""

    def decide(settings: Settings, facts: HostFacts, job: plans.Identity) -> plans.Plan:
        plan = plan_provision(wanted, settings, facts, job)
        if steps and not own and not _makes(plan):
            refuse_keyless(identity)
        # On a shared host it may boot from the network of its slot.
        if steps and own and _makes(plan) and not wanted.image:
            raise RefusedError(
                f"the disk of {wanted.name} is empty: there is no guest to --run or --copy in",
                resolution="say what it begins as with --image",
            )
        return plan

    return decide


def _makes(plan: plans.Plan) -> bool:
    """Whether the machine is made by it, and did not stand before."""
    return any(step.kind == "domain.define" for step in plan.steps)


def _next(session: Session, *, start: bool) -> str:
    # virsh alone would speak with another libvirt there: root's.
    program = "raptorctl" if session.own else "virsh"
    return f"{program} {'start' if start else 'console'}"
