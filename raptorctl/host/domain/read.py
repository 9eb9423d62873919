"""How libvirt's domains are read: what is defined, what runs, what was saved.

These are three things, and each may name other CPUs, disks or interfaces than the others.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import libvirt

from raptorctl.host.domain.hypervisor import Ignoring, state_of
from raptorctl.model.domain import Domain, State

SAVES: Final = Path("/var/lib/libvirt/qemu/save")
"""Of qemu:///system (virQEMUDriverConfigNew, saveDir)."""

UNREADABLE: Final = (
    libvirt.VIR_ERR_NO_SUPPORT,  # the driver has saves, and cannot tell what is in them
    libvirt.VIR_ERR_ACCESS_DENIED,  # to tenants: raptorctl.relay.calls
    libvirt.VIR_ERR_OPERATION_INVALID,  # it was started meanwhile
    libvirt.VIR_ERR_OPERATION_FAILED,  # its file is cut or another's
    libvirt.VIR_ERR_INTERNAL_ERROR,
    libvirt.VIR_ERR_SYSTEM_ERROR,
    libvirt.VIR_ERR_XML_ERROR,
    libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
)


def states(connection: Any, uri: str) -> list[tuple[Any, State]]:
    """Return every domain with its state, by one bulk call; by two where one may be saved."""
    stats = connection.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_STATE)
    found = [(domain, state_of(said.get("state.state", 0))) for domain, said in stats]
    if nothing_saved(uri) or all(state is not State.OFF for _, state in found):
        return found
    kept = connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE)
    saved = {domain.UUIDString() for domain in kept}
    return [(d, _with_save(state, saved=d.UUIDString() in saved)) for d, state in found]


def whole(domain: Any, state: State, *, autostart: bool) -> Domain | None:
    """Read one in all its forms; None where it has gone since it was listed."""
    with Ignoring(libvirt.VIR_ERR_NO_DOMAIN):
        # Here, as it loads lxml, which `list` has no need of.
        from raptorctl.render.read_domain import read_domain

        xml = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        return replace(
            read_domain(xml, state=state, autostart=autostart),
            live=_form(domain.XMLDesc(0)) if state.active else None,
            saved=_saved(domain) if state is State.SAVED else None,
        )
    return None


def alone(domain: Any) -> Domain | None:
    """Read one that nothing is known of but its handle; raises as libvirt does."""
    state = state_of(domain.state()[0])
    if state is State.OFF:
        with Ignoring(libvirt.VIR_ERR_NO_SUPPORT):
            state = _with_save(state, saved=bool(domain.hasManagedSaveImage()))
    return whole(domain, state, autostart=bool(domain.autostart()))


def nothing_saved(uri: str) -> bool:
    """Whether libvirt need not be asked, which costs a question to polkit for each domain.

    It goes by files (qemuDomainManagedSaveLoad); where there is one, or we may not look, it is
    asked.
    """
    try:
        kept = (path.suffix == ".save" for path in SAVES.iterdir())
        return uri == "qemu:///system" and not any(kept)
    except OSError:
        return False


def _with_save(state: State, *, saved: bool) -> State:
    return State.SAVED if saved and state is State.OFF else state


def _form(xml: str) -> Domain:
    from raptorctl.render.read_domain import read_domain

    return replace(read_domain(xml), xml="")  # it is never defined again from there


def _saved(domain: Any) -> Domain | None:
    with Ignoring(*UNREADABLE):
        return _form(domain.managedSaveGetXMLDesc(0))
    return None
