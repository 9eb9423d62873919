"""Guests as they are reached from the host: where, and what says that one is there."""

import enum
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any, Final

from raptorctl.errors import RefusedError
from raptorctl.model.domain import Domain
from raptorctl.model.error_code import Code
from raptorctl.model.session_host import LOOPBACK, UserNetwork, mac_of, ssh_port
from raptorctl.model.settings import Settings
from raptorctl.model.slot import ReservedPlace, Slot

SSH_PORT: Final = 22
BANNERS: Final = ("SSH-2.0-", "SSH-1.99-")
"""RFC 4253 sections 4.2 and 5.1: what a server that speaks version 2 says first."""

# ip-neighbour(8): NUD_REACHABLE was confirmed within seconds; PERMANENT and NOARP never are.
FRESH: Final = frozenset({"REACHABLE"})
KNOWN: Final = frozenset({"REACHABLE", "STALE", "DELAY", "PROBE"})


class Awaited(enum.StrEnum):
    """What `wait --for` takes."""

    IP = "ip"
    SSH = "ssh"
    CLOUD_INIT = "cloud-init"
    AGENT = "agent"


@dataclass(frozen=True)
class Endpoint:
    """Where a guest's ssh server is reached from the host.

    Args:
        host: an address.
        port: TCP.
    """

    host: str
    port: int = SSH_PORT

    def __str__(self) -> str:
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return f"{shown}:{self.port}"


@dataclass(frozen=True)
class Neighbour:
    """A line of the kernel's neighbour table (ip-neighbour(8)).

    Args:
        address: IPv4 or IPv6.
        mac: in lower case, or "" while nobody has answered.
        states: the kernel's words, e.g. `REACHABLE`.
    """

    address: str
    mac: str
    states: frozenset[str]


@dataclass(frozen=True)
class Sight:
    """What a look at a guest came to.

    Args:
        so: it is as it was waited for.
        seen: what was seen, in words; also what was seen instead.
        problem: it will never be so, and this is why; or "".
    """

    so: bool
    seen: str
    problem: str = ""


@dataclass(frozen=True)
class GuestAddress:
    """An address of a guest, and who says so.

    Args:
        address: IPv4 or IPv6.
        sources: `slot` (the settings give it), `reserved` (a network of libvirt's keeps it),
            `neighbour` (the machine's MAC answers there), `agent` (the guest says so itself).
    """

    address: str
    sources: tuple[str, ...]

    def encode(self) -> dict[str, Any]:
        """Return the shape that `ip -o json` documents."""
        return {"address": self.address, "from": list(self.sources)}


def place_of(domain: Domain, settings: Settings) -> Slot:
    """Return a machine's slot, or what stands for it: QEMU's own network, a reserved address.

    Raises:
        RefusedError: it has none, or the settings no longer have it.
    """
    _refuse_unwired(domain)
    if not settings.has_slots:
        return UserNetwork(0, hardware=mac_of(domain.uuid))
    if kept := _kept(domain):
        return kept
    number = domain.mark.slot if domain.mark else 0
    found = next((slot for slot in settings.slot if slot.number == number), None)
    if found is None:
        raise RefusedError(
            f"{domain.name} is on slot {number}, which the settings do not have",
            resolution=f"look into {settings.file}",
            code=Code.SLOT_NOT_FOUND,
            subject=str(number),
        )
    return found


def endpoint(domain: Domain, settings: Settings) -> Endpoint:
    """Return where a machine's ssh server is; the one place that decides so.

    Raises:
        RefusedError: it has none, or the settings no longer have it.
    """
    _refuse_unwired(domain)
    if not settings.has_slots:
        return Endpoint(LOOPBACK, ssh_port(domain.mark.ssh if domain.mark else ""))
    return Endpoint(str(place_of(domain, settings).addresses[0]))


def _refuse_unwired(domain: Domain) -> None:
    """Refuse to look for a machine where no address of it is known."""
    if domain.mark and not domain.mark.place and not domain.mark.ssh and not _kept(domain):
        why = "slot: its address is not known here" if domain.others else "network: it was made so"
        raise RefusedError(
            f"{domain.name} has no {why}",
            resolution="reach it by its console",
            code=Code.NO_NETWORK,
            subject=domain.name,
        )


def _kept(domain: Domain) -> ReservedPlace | None:
    """Where a machine without a slot is, if a network of libvirt's keeps an address for it."""
    net = next((one for one in domain.others if one.ip), None)
    if net is None or domain.mark is None or domain.mark.place or domain.mark.ssh:
        return None
    mac = mac_of(domain.uuid, net.base)
    wire = dict(domain.now.wires).get(mac, "")  # libvirt tells of what runs alone
    return ReservedPlace(0, IPv4Address(net.ip), hardware=mac, wire=wire)


def found_at(mac: str, neighbours: tuple[Neighbour, ...]) -> tuple[str, ...]:
    """Return where a MAC address is known to be: by the MAC and by nothing else.

    The first neighbour on a bridge may be anybody.
    """
    return tuple(n.address for n in neighbours if n.mac == mac.lower() and n.states & KNOWN)


def addresses(
    slot: Slot,
    neighbours: tuple[Neighbour, ...],
    told: tuple[str, ...],
    kept: tuple[str, ...] = (),
) -> tuple[GuestAddress, ...]:
    """Put together what settings, networks, neighbour table and agent say.

    Args:
        slot: the machine's.
        neighbours: of its bridge.
        told: by the agent.
        kept: by networks of libvirt's.
    """
    sources = {
        "slot": tuple(map(str, slot.addresses)) if slot.number else (),
        "reserved": kept,
        "neighbour": found_at(slot.mac, neighbours),
        "agent": told,
    }
    every = dict.fromkeys(address for found in sources.values() for address in found)
    return tuple(
        GuestAddress(address, tuple(name for name, found in sources.items() if address in found))
        for address in every
    )


def is_banner(said: str) -> bool:
    """Whether a server's first line is that of an ssh server we can talk to."""
    return said.startswith(BANNERS)


def is_there(
    slot: Slot, address: str, neighbours: tuple[Neighbour, ...], *, answered: bool
) -> bool:
    """Whether the slot's own MAC is alive at an address.

    An entry that is not fresh may be of the machine's life before its last power-off; then an
    answer of the address itself decides.

    Args:
        slot: whose MAC counts.
        address: one of the slot's.
        neighbours: of its bridge.
        answered: the address itself answered just now.
    """
    for one in neighbours:
        if one.address == address and one.mac == slot.mac:
            return bool(one.states & FRESH) or (answered and bool(one.states & KNOWN))
    return False
