"""Disks of running domains: which there are, plugged in and unplugged."""

import time
from typing import Any, Final

import libvirt

from raptorctl.drivers.tick import Tick
from raptorctl.errors import HostError
from raptorctl.host.domain.hypervisor import Hypervisor, Ignoring

PATIENCE: Final = 30.0
"""Seconds that a guest has to let go of a disk; one that runs takes less than one."""
LOOK: Final = 0.25


class LibvirtDisks(Hypervisor):
    """The part of `raptorctl.drivers.domain.Domains` that is about disks while a domain runs."""

    def plugged(self, uuid: str, path: str) -> bool:
        """Whether it runs and has that file as a disk."""
        with self._calling(f"list the disks of domain {uuid}") as connection:
            return _disk(connection, uuid, path) is not None

    def plug(self, uuid: str, xml: str) -> None:
        """Give a running domain the disk of a `<disk>` element; its definition stays as it is."""
        with self._calling(f"plug a disk into domain {uuid}") as connection:
            domain = connection.lookupByUUIDString(uuid)
            domain.attachDeviceFlags(xml, libvirt.VIR_DOMAIN_AFFECT_LIVE)

    def change_medium(self, uuid: str, xml: str) -> None:
        """Change what is in a running domain's CD drive; its definition stays as it is.

        A drive that its guest has locked is not opened by force: libvirt says so.
        """
        with self._calling(f"change what is in the CD drive of domain {uuid}") as connection:
            domain = connection.lookupByUUIDString(uuid)
            domain.updateDeviceFlags(xml, libvirt.VIR_DOMAIN_AFFECT_LIVE)

    def unplug(self, uuid: str, path: str, tick: Tick) -> None:
        """Take a disk from a running domain.

        The guest's system decides when: libvirt's call may end before (virDomainDetachDeviceFlags).

        Raises:
            HostError: it has not let go of it.
        """
        with self._calling(f"unplug {path} from domain {uuid}") as connection:
            xml = _disk(connection, uuid, path)
            if xml is None:
                return
            domain, began = connection.lookupByUUIDString(uuid), time.monotonic()
            domain.detachDeviceFlags(xml, libvirt.VIR_DOMAIN_AFFECT_LIVE)
            while (elapsed := time.monotonic() - began) < PATIENCE:
                if _disk(connection, uuid, path) is None:
                    return
                tick(int(elapsed * 1000), int(PATIENCE * 1000))
                time.sleep(LOOK)
            raise HostError(
                f"{domain.name()} does not let go of {path}",
                resolution="try again when its system is up, or when it is off",
            )


def _disk(connection: Any, uuid: str, path: str) -> str | None:
    """The element of a running domain's disk."""
    from lxml import etree

    from raptorctl.render.read_domain import parse_domain

    with Ignoring(libvirt.VIR_ERR_NO_DOMAIN):
        domain = connection.lookupByUUIDString(uuid)
        if not domain.isActive():
            return None
        for disk in parse_domain(domain.XMLDesc(0)).iterfind("devices/disk"):
            source = disk.find("source")
            if source is not None and path in {source.get("file"), source.get("dev")}:
                return etree.tostring(disk, encoding="unicode")
    return None
