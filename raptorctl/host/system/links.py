"""Network interfaces: the bridges and the ways to them, as the kernel has them."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from raptorctl.errors import CommandError, MissingError
from raptorctl.host.system import command, procfs
from raptorctl.model.slot import Bridge, Routing, Slot
from raptorctl.read.routes import ipv4_hosts, ipv6_hosts

SYSFS: Final = Path("/sys/class/net")
SYSCTL: Final = procfs.PROC / "sys/net"
"""Of each interface what the kernel does with its packets (ip-sysctl.rst)."""
EVERY: Final = frozenset({"all", "default"})

IFF_UP: Final = 0x1
"""Administratively up (netdevice(7))."""


class KernelLinks:
    """Network interfaces of the machine we run on; implements `raptorctl.drivers.links.Links`.

    Args:
        sysfs: where the kernel tells of them (Documentation/ABI/testing/sysfs-class-net).
    """

    def __init__(self, sysfs: Path = SYSFS) -> None:
        self._sysfs = sysfs

    def bridges(self) -> tuple[Bridge, ...]:
        """Return every bridge, by name."""
        # Not by pyudev: to load libudev, Python runs ldconfig(8).
        return tuple(filter(None, map(_bridge, sorted(self._sysfs.glob("*/bridge")))))

    def ways(self, slots: Sequence[Slot]) -> tuple[Routing, ...]:
        """Return how packets get from and to each slot."""
        hosts, arp, ndp = frozenset(_hosts()), _arp(), frozenset(_proxies())
        return tuple(
            Routing(
                tuple(at for at in map(str, slot.addresses) if (at, slot.bridge) in hosts),
                tuple(_forwards(slot.bridge)),
                arp,
                tuple(sorted({name for at, name in ndp if at in map(str, slot.addresses)})),
            )
            for slot in slots
        )


def _bridge(shown: Path) -> Bridge | None:
    """Read one by the folder that bridges alone have (net/bridge/br_sysfs_br.c), unless it went."""
    link = shown.parent
    with suppress(OSError):
        up = bool(int((link / "flags").read_text(), 16) & IFF_UP)
        return Bridge(link.name, up, tuple(sorted(port.name for port in (link / "brif").iterdir())))
    return None


def _hosts() -> Iterator[tuple[str, str]]:
    for file, read in (("route", ipv4_hosts), ("ipv6_route", ipv6_hosts)):
        with suppress(MissingError):  # a kernel without IPv6
            yield from read(procfs.read(procfs.PROC / "net" / file))


def _forwards(bridge: str) -> Iterator[str]:
    """IPv4 is forwarded by the interface that it comes from, IPv6 by all or by none."""
    for name, file in (("IPv4", f"ipv4/conf/{bridge}"), ("IPv6", "ipv6/conf/all")):
        if _is_on(SYSCTL / file / "forwarding"):
            yield name


def _arp() -> tuple[str, ...]:
    files = sorted((SYSCTL / "ipv4/conf").glob("*/proxy_arp"))
    # As the kernel does: one for all counts for each.
    every = _is_on(SYSCTL / "ipv4/conf/all/proxy_arp")
    names = (file.parent.name for file in files if every or _is_on(file))
    return tuple(name for name in names if name not in EVERY and name != "lo")


def _proxies() -> Iterator[tuple[str, str]]:
    """Addresses that an interface answers for, and that interface."""
    for family in ("-4", "-6"):
        with suppress(CommandError, MissingError, ValueError):
            said = command.run("ip", "-j", family, "neigh", "show", "proxy")
            for line in json.loads(said) if said.strip() else []:
                yield line.get("dst", ""), line.get("dev", "")


def _is_on(file: Path) -> bool:
    with suppress(MissingError):
        return procfs.read(file).strip() == "1"
    return False
