"""What libvirt says of one domain, and what is asked of it more than once."""

import time
from collections.abc import Iterable
from typing import Any, Final

import libvirt

from raptorctl.drivers.tick import Tick
from raptorctl.errors import ConflictError, HostError
from raptorctl.host.domain.hypervisor import Ignoring
from raptorctl.model.domain import Domain

POLL: Final = 0.5  # seconds between looks at a domain that shuts down
ASK_AGAIN: Final = 5.0  # seconds; firmware and early boot ignore the power button


def lookup(connection: Any, uuid: str) -> Any | None:
    """Return libvirt's domain of a UUID, None where there is none."""
    with Ignoring(libvirt.VIR_ERR_NO_DOMAIN):
        return connection.lookupByUUIDString(uuid)
    return None


def need(connection: Any, uuid: str) -> Any:
    """Return libvirt's domain of a UUID that must be there."""
    domain = lookup(connection, uuid)
    if domain is None:
        raise HostError(f"libvirt knows no domain {uuid}")
    return domain


def refuse_others(connection: Any, wanted: Domain) -> None:
    """Refuse to define a domain whose name or UUID another one has."""
    with Ignoring(libvirt.VIR_ERR_NO_DOMAIN):
        other = connection.lookupByName(wanted.name).UUIDString()
        if other != wanted.uuid.lower():
            raise ConflictError(f"domain {wanted.name} exists already, with UUID {other}")
    same = lookup(connection, wanted.uuid) if wanted.uuid else None
    if same and same.name() != wanted.name:
        raise ConflictError(f"UUID {wanted.uuid} belongs to domain {same.name()} already")


def cpu_map(cpus: Iterable[int], count: int) -> tuple[bool, ...]:
    """Return CPUs as libvirt wants them: yes or no for each of the host's."""
    wanted = set(cpus)
    return tuple(cpu in wanted for cpu in range(count))


def active(domain: Any) -> bool:
    """Whether a domain runs, is paused, or goes down."""
    with Ignoring(libvirt.VIR_ERR_NO_DOMAIN):
        return bool(domain.isActive())
    return False


def refuse_active(domain: Any) -> None:
    """Refuse a domain that is active."""
    if active(domain):
        raise HostError(f"domain {domain.name()} runs", resolution="stop it first")


def goes_off(domain: Any, timeout: float, tick: Tick, *, press: bool = True) -> bool:
    """Wait until a domain is off, and press its power button again now and then."""
    began, asked = time.monotonic(), -ASK_AGAIN
    while (elapsed := time.monotonic() - began) < timeout:
        if press and elapsed - asked >= ASK_AGAIN:
            press_power_button(domain)
            asked = elapsed
        tick(int(elapsed * 1000), int(timeout * 1000))
        time.sleep(min(POLL, timeout - elapsed))
        if not active(domain):
            return True
    return False


def press_power_button(domain: Any) -> None:
    """Press the power button, where the domain still has one."""
    qemu = domain.connect().getType() == "QEMU"
    # ACPI, not the guest's agent: an agent that never answers would hold us for a minute.
    flags = libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN if qemu else 0
    # Paused, or just gone: the wait goes on, and ends in force or in finding it off.
    with Ignoring(libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_OPERATION_INVALID):
        domain.shutdownFlags(flags)
