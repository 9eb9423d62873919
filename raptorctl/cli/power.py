"""`raptorctl start`, `stop`, `reboot`, `reset`, `suspend`, `resume`: for admins and for tenants.

Each is one call to libvirt that changes nothing durable, so it is no job and has no journal: a
tenant has no place to write one. polkit decides who may; what an admin does is in the audit log.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer

from raptorctl.cli import options
from raptorctl.cli.identity import who
from raptorctl.cli.options import Output, example
from raptorctl.cli.output import Format, say, say_json, tell
from raptorctl.cli.session import Session, session_of
from raptorctl.errors import RefusedError, StoppedError, WaitError
from raptorctl.model.audit import AuditEntry
from raptorctl.model.domain import Domain, State
from raptorctl.model.error_code import Code
from raptorctl.model.job import Outcome
from raptorctl.model.names import MachineName

Seconds = Annotated[
    float | None,
    options.seconds(
        "--timeout", "How long to wait. Default: the settings'.", most=3600, default=False
    ),
]
Force = Annotated[
    bool, typer.Option("--force", help="Power it off if it has not shut down in time.")
]


@dataclass(frozen=True)
class Did:
    """What came of it.

    Args:
        text: one line.
        already: it was so before.
        how: `ACPI` or `forced` where there are two ways.
    """

    text: str
    already: bool = False
    how: str = ""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command, line in (
        (start, "start alice dev"),
        (stop, "stop alice dev --timeout 30 --force"),
        (reboot, "reboot alice dev"),
        (reset, "reset alice dev"),
        (suspend, "suspend alice dev"),
        (resume, "resume alice dev"),
    ):
        app.command(epilog=example(f"raptorctl {line}"))(command)


def start(context: typer.Context, words: options.Words, form: Output = Format.TEXT) -> None:
    """Start a machine; a saved or suspended one continues where it was."""

    def act(session: Session, domain: Domain) -> Did:
        if domain.state.runs:
            return Did(f"{domain.name} is already {domain.state.value}", already=True)
        _refuse_unstartable(session, domain)
        if session.is_root:
            from raptorctl.steps.domain import refuse_dirty

            refuse_dirty(session.host, options.machine_name(words).volume)
        if domain.state.stands_still:
            session.host.domains.resume(domain.uuid)
        else:
            session.host.domains.start(domain.uuid)
        seen = f"`raptorctl console {domain.name}` shows it"
        return Did(f"{domain.name} {_how(domain)}; {seen}{_moved(session, domain)}")

    _act(context, "start", options.machine_name(words), form, act)


def stop(
    context: typer.Context,
    words: options.Words,
    timeout: Seconds = None,
    force: Force = False,
    form: Output = Format.TEXT,
) -> None:
    """Shut a machine down by its power button (ACPI), and wait; exit with 5 if it stays on."""

    def act(session: Session, domain: Domain) -> Did:
        if domain.state is State.SAVED:
            said = f"{domain.name} is already off; it is saved, and goes on when it is started"
            return Did(said, already=True)
        if not domain.state.active:
            return Did(f"{domain.name} is already {domain.state.value}", already=True)
        wait = session.settings.libvirt.shutdown_timeout if timeout is None else timeout
        forced = _stopped(session, domain, wait, force=force)
        how = "forced" if forced else "ACPI"
        return Did(f"{domain.name} is off ({'switched off' if forced else 'shut down'})", how=how)

    _act(context, "stop", options.machine_name(words), form, act)


def reboot(context: typer.Context, words: options.Words, form: Output = Format.TEXT) -> None:
    """Ask a machine to reboot (ACPI)."""

    def act(session: Session, domain: Domain) -> Did:
        _refuse_still(domain)
        session.host.domains.reboot(domain.uuid)
        return Did(f"{domain.name} is asked to reboot")

    _act(context, "reboot", options.machine_name(words), form, act)


def reset(context: typer.Context, words: options.Words, form: Output = Format.TEXT) -> None:
    """Reset a machine at once, like its reset button; unwritten data is lost."""

    def act(session: Session, domain: Domain) -> Did:
        _refuse_still(domain)
        session.host.domains.reset(domain.uuid)
        return Did(f"{domain.name} boots anew")

    _act(context, "reset", options.machine_name(words), form, act)


def suspend(context: typer.Context, words: options.Words, form: Output = Format.TEXT) -> None:
    """Pause a machine's CPUs; its memory is kept."""

    def act(session: Session, domain: Domain) -> Did:
        _refuse_off(domain)
        if domain.state.stands_still:
            return Did(f"{domain.name} is already suspended", already=True)
        _refuse_unrunnable(domain)
        session.host.domains.suspend(domain.uuid)
        return Did(f"{domain.name} is suspended; `raptorctl resume {domain.name}` lets it go on")

    _act(context, "suspend", options.machine_name(words), form, act)


def resume(context: typer.Context, words: options.Words, form: Output = Format.TEXT) -> None:
    """Resume a suspended machine."""

    def act(session: Session, domain: Domain) -> Did:
        _refuse_off(domain)
        if domain.state.runs:
            return Did(f"{domain.name} is already {domain.state.value}", already=True)
        _refuse_unrunnable(domain)
        session.host.domains.resume(domain.uuid)
        return Did(f"{domain.name} goes on")

    _act(context, "resume", options.machine_name(words), form, act)


def _act(
    context: typer.Context,
    verb: str,
    name: MachineName,
    form: Format,
    act: Callable[[Session, Domain], Did],
) -> None:
    session = session_of(context, root=False)
    machine = session.machine(name)
    try:
        did = act(session, machine)
    except (WaitError, StoppedError):  # it was asked, and may still do so
        if session.is_root:
            _audit(session, verb, name, Outcome.UNFINISHED)
        raise
    if session.is_root and not did.already:
        _audit(session, verb, name, Outcome.DONE)
    if form is Format.JSON:
        said = {"machine": name.domain, "verb": verb, "already": did.already, "how": did.how}
        say_json(said)
    else:
        say(did.text)


def _moved(session: Session, before: Domain) -> str:
    """Say where ssh is reached from now on, if somebody has taken its port."""
    if not session.own or before.mark is None:
        return ""
    after = session.machine(before.mark.name)
    if after.mark is None or after.mark.ssh == before.mark.ssh:
        return ""
    return f"; {before.mark.ssh} was taken, its ssh is at {after.mark.ssh} now"


def _audit(session: Session, verb: str, name: MachineName, outcome: Outcome) -> None:
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    session.journals.audit.append(AuditEntry(now, "", verb, name.domain, who(), outcome.value))


def _stopped(session: Session, domain: Domain, wait: float, *, force: bool) -> bool:
    from raptorctl.engine.stop import Stop

    if wait:
        tell(f"{domain.name} is asked to shut down; waiting {wait:g} s at most")
    with Stop() as stopping:
        try:
            return session.host.domains.shut_down(
                domain.uuid, wait, lambda _done, _all: stopping.check(), force=force
            )
        except WaitError as error:
            error.resolution = "--force switches it off"
            raise


def _how(domain: Domain) -> str:
    """What its start did."""
    if domain.state is State.SAVED:
        return f"resumes what was saved of it{_as_saved(domain)}"
    return f"was {domain.state.value}, and goes on" if domain.state.stands_still else "runs"


def _as_saved(domain: Domain) -> str:
    from raptorctl.plans.fault_form import differences

    told = [f"{what} {has}" for what, has, _ in differences(domain, domain.now)]
    return f", with {', '.join(told)}, which differs from its definition" if told else ""


def _refuse_unstartable(session: Session, domain: Domain) -> None:
    from raptorctl.plans.cpus import refuse_stuck

    _refuse_unrunnable(domain)
    if not domain.state.active:
        refuse_stuck(domain, session.topology())


def _refuse_unrunnable(domain: Domain) -> None:
    from raptorctl.plans.again import restart

    if domain.state.active and not domain.state.can_run:
        said = f"{domain.name} is {domain.state.value}"
        raise RefusedError(
            said, resolution=restart(domain), code=Code.MACHINE_STUCK, subject=domain.name
        )


def _refuse_still(domain: Domain) -> None:
    """Refuse to restart what would stand as still afterwards."""
    _refuse_off(domain)
    if domain.state.stands_still:
        raise RefusedError(
            f"{domain.name} is {domain.state.value}",
            resolution=f"raptorctl resume {domain.name}",
            code=Code.MACHINE_SUSPENDED,
            subject=domain.name,
        )


def _refuse_off(domain: Domain) -> None:
    if not domain.state.active:
        raise RefusedError(
            f"{domain.name} is {domain.state.value}",
            resolution=f"raptorctl start {domain.name}",
            code=Code.MACHINE_OFF,
            subject=domain.name,
        )
