"""Switching a machine on and off: one call to libvirt each.

Nothing durable changes, so it is no job and has no journal: a tenant has no place to write one.
polkit decides who may; what an admin does is in the audit log.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from raptorctl.api.session import Session
from raptorctl.errors import HostError, RaptorError, RefusedError, StoppedError, WaitError
from raptorctl.model.audit import AuditEntry
from raptorctl.model.domain import Domain, State
from raptorctl.model.error_code import Code
from raptorctl.model.job import Outcome
from raptorctl.model.names import MachineName
from raptorctl.model.stamp import stamp
from raptorctl.model.volume import Volume

DEAF: Final = "its console tells of firmware or boot loader alone, which hear no power button"


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


def start(session: Session, name: MachineName) -> Did:
    """Start a machine; a saved or suspended one continues where it was."""

    def act(domain: Domain) -> Did:
        if domain.state.runs:
            return Did(f"{domain.name} is already {domain.state.value}", already=True)
        _refuse_unstartable(session, domain)
        volume = _clean_volume(session, name, domain)
        if domain.state.stands_still:
            session.host.domains.resume(domain.uuid)
        else:
            if volume:
                from raptorctl.steps.fit import refuse_cut, refuse_unreadable

                refuse_cut(session.host, volume, domain.disks)
                refuse_unreadable(session.host, domain)
            session.host.domains.start(domain.uuid)
        seen = f"`raptorctl console {domain.name}` shows it"
        return Did(f"{domain.name} {_how(domain)}; {seen}{_moved(session, domain)}")

    return _act(session, "start", name, act)


def stop(
    session: Session,
    name: MachineName,
    timeout: float | None = None,
    *,
    force: bool = False,
    waits: Callable[[float], None] = lambda _seconds: None,
) -> Did:
    """Shut a machine down by its power button (ACPI), and wait.

    Args:
        session: the host, and who asks.
        name: the machine's.
        timeout: seconds to wait; None for the settings'.
        force: switch it off if it has not shut down by then.
        waits: told how long is waited, once it is asked.

    Raises:
        WaitError: it stays on.
    """

    def act(domain: Domain) -> Did:
        if domain.state is State.SAVED:
            said = f"{domain.name} is already off; it is saved, and goes on when it is started"
            return Did(said, already=True)
        if not domain.state.active:
            return Did(f"{domain.name} is already {domain.state.value}", already=True)
        wait = session.settings.libvirt.shutdown_timeout if timeout is None else timeout
        if wait:
            waits(wait)
        forced = _stopped(session, domain, wait, force=force)
        how = "forced" if forced else "ACPI"
        return Did(f"{domain.name} is off ({'switched off' if forced else 'shut down'})", how=how)

    return _act(session, "stop", name, act)


def reboot(session: Session, name: MachineName) -> Did:
    """Ask a machine to reboot (ACPI)."""

    def act(domain: Domain) -> Did:
        _refuse_still(domain)
        session.host.domains.reboot(domain.uuid)
        return Did(f"{domain.name} is asked to reboot")

    return _act(session, "reboot", name, act)


def reset(session: Session, name: MachineName) -> Did:
    """Reset a machine at once, like its reset button; unwritten data is lost."""

    def act(domain: Domain) -> Did:
        _refuse_still(domain)
        session.host.domains.reset(domain.uuid)
        return Did(f"{domain.name} boots anew")

    return _act(session, "reset", name, act)


def suspend(session: Session, name: MachineName) -> Did:
    """Pause a machine's CPUs; its memory is kept."""

    def act(domain: Domain) -> Did:
        refuse_off(domain)
        if domain.state.stands_still:
            return Did(f"{domain.name} is already suspended", already=True)
        _refuse_unrunnable(domain)
        session.host.domains.suspend(domain.uuid)
        return Did(f"{domain.name} is suspended; `raptorctl resume {domain.name}` lets it go on")

    return _act(session, "suspend", name, act)


def resume(session: Session, name: MachineName) -> Did:
    """Resume a suspended machine."""

    def act(domain: Domain) -> Did:
        refuse_off(domain)
        if domain.state.runs:
            return Did(f"{domain.name} is already {domain.state.value}", already=True)
        _refuse_unrunnable(domain)
        session.host.domains.resume(domain.uuid)
        return Did(f"{domain.name} goes on")

    return _act(session, "resume", name, act)


def refuse_off(domain: Domain) -> None:
    """Refuse a machine that is off: nothing will come of waiting for it.

    Raises:
        RefusedError: says how to start it.
    """
    if not domain.state.active:
        raise RefusedError(
            f"{domain.name} is {domain.state.value}",
            resolution=f"raptorctl start {domain.name}",
            code=Code.MACHINE_OFF,
            subject=domain.name,
        )


def _act(session: Session, verb: str, name: MachineName, act: Callable[[Domain], Did]) -> Did:
    machine = session.machine(name)
    try:
        did = act(machine)
    except (WaitError, StoppedError) as error:  # it was asked, and may still do so
        if session.is_root:
            error.brief += _audit(session, verb, name, Outcome.UNFINISHED)
        raise
    if session.is_root and not did.already:
        return replace(did, text=did.text + _audit(session, verb, name, Outcome.DONE))
    return did


def _moved(session: Session, before: Domain) -> str:
    """Say where ssh is reached from now on, if somebody has taken its port."""
    if not session.on_session_host or before.mark is None:
        return ""
    after = session.machine(before.mark.name)
    if after.mark is None or after.mark.ssh == before.mark.ssh:
        return ""
    return f"; {before.mark.ssh} was taken, its ssh is at {after.mark.ssh} now"


def _audit(session: Session, verb: str, name: MachineName, outcome: Outcome) -> str:
    """Note what was done; return what is to be added to it where the log does not say so."""
    now = stamp(datetime.now(UTC))
    entry = AuditEntry(now, "", verb, name.domain, session.caller.name, outcome.value)
    try:
        session.journals.audit.append(entry)
    except HostError as error:
        return f" ({error.brief})"
    return ""


def _stopped(session: Session, domain: Domain, wait: float, *, force: bool) -> bool:
    from raptorctl.engine.stop import Stop

    with Stop() as stopping:
        try:
            return session.host.domains.shut_down(
                domain.uuid, wait, lambda _done, _all: stopping.check(), force=force
            )
        except WaitError as error:
            error.resolution = "--force switches it off"
            if is_in_firmware(session, domain):
                error.resolution = f"{DEAF}; {error.resolution}"
            raise


def is_in_firmware(session: Session, domain: Domain) -> bool:
    """Whether a machine's console says that no system of its own is up, which would hear ACPI."""
    from raptorctl.api.guest import console_since
    from raptorctl.model import boot_text

    if domain.mark is None:
        return False
    try:
        started = session.host.guests.started(domain.name)
        return boot_text.is_in_firmware(console_since(session, domain.mark.name, started))
    except RaptorError:  # its log is not ours to read
        return False


def _how(domain: Domain) -> str:
    """What its start did."""
    if domain.state is State.SAVED:
        return f"resumes what was saved of it{_as_saved(domain)}"
    return f"was {domain.state.value}, and goes on" if domain.state.stands_still else "runs"


def _as_saved(domain: Domain) -> str:
    from raptorctl.plans.doctor.form import differences

    told = [f"{what} {has}" for what, has, _ in differences(domain, domain.now)]
    return f", with {', '.join(told)}, which differs from its definition" if told else ""


def _refuse_unstartable(session: Session, domain: Domain) -> None:
    from raptorctl.plans.part.cpus import refuse_stuck

    _refuse_unrunnable(domain)
    if not domain.state.active:
        refuse_stuck(domain, session.topology())


def _clean_volume(session: Session, name: MachineName, domain: Domain) -> Volume | None:
    """The machine's first disk; None for a tenant of a shared host, who may not ask LVM."""
    if not session.is_root:
        return None
    from raptorctl.steps.fit import refuse_dirty

    return refuse_dirty(session.host, name.volume, domain.disks)


def _refuse_unrunnable(domain: Domain) -> None:
    from raptorctl.plans.machine.again import restart

    if domain.state.active and not domain.state.can_run:
        said = f"{domain.name} is {domain.state.value}"
        raise RefusedError(
            said, resolution=restart(domain), code=Code.MACHINE_STUCK, subject=domain.name
        )


def _refuse_still(domain: Domain) -> None:
    """Refuse to restart what would stand as still afterwards."""
    refuse_off(domain)
    if domain.state.stands_still:
        raise RefusedError(
            f"{domain.name} is {domain.state.value}",
            resolution=f"raptorctl resume {domain.name}",
            code=Code.MACHINE_SUSPENDED,
            subject=domain.name,
        )
