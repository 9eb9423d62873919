"""`raptorctl provision`: a machine stands."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import typer

from raptorctl.api import machine
from raptorctl.api.change import Done
from raptorctl.api.seed import first_boot
from raptorctl.api.session import Session
from raptorctl.api.steps import GuestEntry, carry_out, refuse_keyless, with_job_key
from raptorctl.cli import ask, options, request
from raptorctl.cli.change import perform
from raptorctl.cli.command.run import GuestSteps
from raptorctl.cli.image_choice import begins_as, disks_begin_as
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.errors import RefusedError
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts
from raptorctl.model.net import is_reached
from raptorctl.model.settings import Settings
from raptorctl.plans import plan as plans
from raptorctl.plans.machine.choice import ProvisionRequest
from raptorctl.plans.machine.provision import plan_provision

EXAMPLE = options.example(
    "sudo raptorctl provision alice dev --size 40G --cpus 4-7",
    "sudo raptorctl provision alice web --profile web-server --dry-run",
    "sudo raptorctl provision alice-dev --size 40G --cpus 4-7 --memory 8G --dry-run",
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLE)(provision)


@spread
def provision(
    context: typer.Context,
    words: options.Words,
    said: request.MachineOptions,
    *,
    no_start: request.NoStart = False,
    then: GuestSteps,
    run: options.Manner,
) -> None:
    """Create a machine (volume, domain, slot, DNS names) and start it."""
    name = options.machine_name(words)
    spec = request.new_machine(said, session_of(context, root=False))
    session = session_of(context)
    boot = first_boot(session, spec, name)
    has_key = boot is not None or session.on_session_host
    steps = then.checked(session.typed, has_key=has_key, starts=not no_start)
    boot, job_key = with_job_key(boot, steps, then.identity)
    wanted = ProvisionRequest(
        name=name,
        spec=spec,
        start=not no_start,
        found=begins_as(session, spec.image, dry_run=run.dry_run),
        found_disks=disks_begin_as(session, spec.disks, dry_run=run.dry_run),
        found_iso=begins_as(session, spec.iso, dry_run=run.dry_run),
        first_boot=boot,
        login=_login(then) if steps else "",
    )
    change = replace(
        machine.provision(wanted),
        decide=_decide(wanted, then, steps=bool(steps), own=session.on_session_host),
        after=tuple(step.title for step in steps),
    )

    def says(done: Done) -> Iterator[str]:
        yield done.plan.summary
        if done.job or not no_start:  # what was there already may run, whatever was asked
            yield f"next: {_next(session, start=no_start)} {wanted.name}"

    asks = ask.before_it_comes(asks=run.asks)
    done = perform(session, change, run, asks, says=says)
    if steps and done:
        from raptorctl.api.guest import running
        from raptorctl.cli.screen import Screen

        user = spec.account if boot and spec.account else None
        entry = GuestEntry(user, then.identity, job_key if _makes(done.plan) else None)
        carry_out(running(session, wanted.name), steps, entry, Screen())


def _login(then: GuestSteps) -> str:
    """The public half of the key that the caller names."""
    if then.identity is None:
        return ""
    from raptorctl.host.guest.login_key import public_half

    return public_half(then.identity)


def _decide(
    wanted: ProvisionRequest, then: GuestSteps, *, steps: bool, own: bool
) -> Callable[[Settings, HostFacts, plans.Identity], plans.Plan]:
    """The planner; what stands is entered by a key of the caller's: it never got this job's."""

    def decide(settings: Settings, facts: HostFacts, job: plans.Identity) -> plans.Plan:
        plan = plan_provision(wanted, settings, facts, job)
        if steps and not own and not _makes(plan):
            refuse_keyless(then.identity)
        if steps and not is_reached(wanted.spec.net):
            raise RefusedError(
                f"{wanted.name} is not reached by ssh, so no steps can be done in its guest",
                resolution="add --net slot, or --net user on a session host",
                code=Code.NO_NETWORK,
            )
        # On a shared host it may boot from the network of its slot.
        if steps and own and _makes(plan) and not wanted.found:
            raise RefusedError(
                f"the disk of {wanted.name} is empty: there is no guest to do steps in",
                resolution="say what it begins as with --image",
            )
        return plan

    return decide


def _makes(plan: plans.Plan) -> bool:
    """Whether the machine is made by it, and did not stand before."""
    return any(step.kind == "domain.define" for step in plan.steps)


def _next(session: Session, *, start: bool) -> str:
    # virsh alone would speak with another libvirt there: root's.
    program = "raptorctl" if session.on_session_host else "virsh"
    return f"{program} {'start' if start else 'console'}"
