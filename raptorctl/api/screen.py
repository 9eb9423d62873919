"""A machine's screen: what VNC says, both ways."""

from typing import TYPE_CHECKING

from raptorctl.api.power import refuse_off
from raptorctl.api.session import Session
from raptorctl.errors import RefusedError
from raptorctl.model.domain import Domain
from raptorctl.model.names import MachineName
from raptorctl.model.spec import Graphics

if TYPE_CHECKING:
    from socket import socket


def is_shown(session: Session, name: MachineName) -> bool:
    """Whether a machine has a screen that can be shown here.

    Raises:
        MissingError: there is no such machine for the caller.
    """
    return _graphics(session.machine(name)) is Graphics.VNC


def opened(session: Session, name: MachineName) -> "socket":
    """Connect with a machine's screen; several may, at a time.

    Returns:
        A stream of VNC (RFC 6143) without a password; to be closed in the end.

    Raises:
        MissingError: there is no such machine for the caller.
        RefusedError: it is off, or has no screen over VNC.
        HostError: libvirt says no.
    """
    domain = session.machine(name)
    refuse_unshown(domain, name)
    refuse_off(domain)
    return session.host.consoles.screen(domain.uuid)


def refuse_unshown(domain: Domain, name: MachineName) -> None:
    """Refuse a machine whose screen cannot be shown here.

    Raises:
        RefusedError: says which it has, and what shows that.
    """
    kind = _graphics(domain)
    if kind is Graphics.VNC:
        return
    if kind is Graphics.SPICE:
        what, how = "its screen speaks SPICE, and this is for VNC", f"virt-viewer {domain.name}"
    elif kind is Graphics.NONE:
        what, how = "it has no screen", "provision a machine with --graphics vnc-socket"
    else:
        what, how = "its screen is not as raptorctl makes them", "see `virsh domdisplay`"
    raise RefusedError(f"{name}: {what}", resolution=how, subject=domain.name)


def _graphics(domain: Domain) -> Graphics | None:
    from raptorctl.render.read_domain import read_graphics

    return read_graphics(domain.xml)
