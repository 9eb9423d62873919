"""libvirt's session: domains of one's own, whose ssh is forwarded from a port that must be free."""

from raptorctl.errors import HostError, RefusedError
from raptorctl.host.domain.domains import LibvirtDomains
from raptorctl.host.system import session as own
from raptorctl.model.domain import Domain, State
from raptorctl.model.error_code import Code
from raptorctl.model.session_host import LOOPBACK, ssh_port
from raptorctl.render.user_network import forwarded_elsewhere


class SessionDomains(LibvirtDomains):
    """`raptorctl.drivers.domain.Domains` of a session; raises as `LibvirtDomains` does."""

    def start(self, uuid: str) -> None:
        """Start it; a port that somebody has taken meanwhile is changed for a free one first.

        Raises:
            HostError: no port is free.
            RefusedError: it is saved, and its port is taken: what was saved keeps it.
        """
        domain = self.find(uuid)
        mark = domain.now.mark if domain else None
        port = ssh_port(mark.ssh) if mark else 0
        if domain and not domain.state.active:
            _refuse_taken(domain)
        if domain and port and not domain.state.active and not own.is_free(port):
            if domain.state is State.SAVED:
                raise RefusedError(
                    f"{domain.name} was saved with its ssh at {LOOPBACK}:{port}, which is taken",
                    resolution="stop what listens there (see `ss -tlnp`)",
                    code=Code.PORT_UNAVAILABLE,
                    subject=domain.name,
                )
            free = own.free_ports(self.list(), 1)
            if not free:
                raise HostError(
                    f"no port of {LOOPBACK} is free for the ssh of {domain.name}",
                    code=Code.PORT_UNAVAILABLE,
                    subject=domain.name,
                )
            self.define(forwarded_elsewhere(domain.xml, f"{LOOPBACK}:{free[0]}"))
        super().start(uuid)

    def accelerator(self) -> str:
        """Return `kvm` where the device is ours to open as well, else `qemu`."""
        return "qemu" if own.kvm_obstacle() else super().accelerator()


def _refuse_taken(domain: Domain) -> None:
    """Refuse to start a machine one of whose own ports somebody has: it was asked by its number."""
    for forward in domain.now.forwards:
        if not own.is_free(forward.host):
            raise RefusedError(
                f"{domain.name} forwards {LOOPBACK}:{forward.host}, which is taken",
                resolution="stop what listens there (see `ss -tlnp`)",
                code=Code.PORT_UNAVAILABLE,
                subject=domain.name,
            )
