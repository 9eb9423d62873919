"""A machine's network interfaces, as they are typed: a slot, a bridge, QEMU's own network, none."""

import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from typing import Final

from raptorctl.errors import InputError
from raptorctl.model.names import shown
from raptorctl.model.slot import HIGHEST

LOWEST: Final = 1024
"""The first port that needs no right (ip(7), ip_unprivileged_port_start)."""
MOST_FORWARDS: Final = 32
MOST: Final = 8
"""Interfaces of one machine."""
FORMS: Final = (
    "slot[:N], user[:HOSTPORT-GUESTPORT,...], bridge:NAME, network:NAME[,ip=ADDRESS] or none"
)
_NAMES: Final = {
    "bridge": re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}", re.ASCII),  # IFNAMSIZ
    "network": re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,49}", re.ASCII),
}
_IP: Final = ",ip="
_SLOTS_BRIDGE: Final = re.compile(r"br-vm[0-9]+", re.ASCII)


class NetKind(enum.StrEnum):
    """What an interface is on."""

    SLOT = "slot"
    USER = "user"
    BRIDGE = "bridge"
    NETWORK = "network"
    NONE = "none"

    @property
    def is_named(self) -> bool:
        """Whether it is something of the host's that has no anti-spoofing of ours."""
        return self in {NetKind.BRIDGE, NetKind.NETWORK}


@dataclass(frozen=True, order=True)
class Forward:
    """A TCP port of loopback that leads into a guest.

    Args:
        host: the port here.
        guest: the port there.
    """

    host: int
    guest: int

    def __str__(self) -> str:
        """As it is typed."""
        return f"{self.host}-{self.guest}"


class Net(str):
    """One interface, in the words in which profiles, files and marks keep it: `user:8080-80`.

    Raises:
        InputError: it is none.
    """

    __slots__ = ("forwards", "ip", "kind", "name", "number")

    kind: NetKind
    number: int | None
    """Of a slot, where one is named."""
    name: str
    """Of a bridge, or of a network of libvirt's; else ""."""
    ip: str
    """The address that a network of libvirt's is to keep for it; else ""."""
    forwards: tuple[Forward, ...]
    """Of QEMU's own network, beside ssh, which is always forwarded."""

    def __new__(cls, text: str) -> "Net":
        """Read it."""
        word, colon, rest = text.partition(":")
        if word not in list(NetKind) or (colon and (not rest or word == NetKind.NONE)):
            raise InputError(f"{shown(text)} is no network interface", resolution=f"write {FORMS}")
        kind = NetKind(word)
        number = _number(rest, HIGHEST, "slot") if rest and kind is NetKind.SLOT else None
        forwards = _forwards(rest) if rest and kind is NetKind.USER else ()
        given, comma, ip = rest.partition(_IP) if kind is NetKind.NETWORK else (rest, "", "")
        name = _name(kind, given) if kind.is_named else ""
        net = super().__new__(cls, text if name else _said(kind, number, forwards))
        net.kind, net.number, net.forwards, net.name = kind, number, forwards, name
        net.ip = _address(ip) if comma else ""
        return net

    @property
    def base(self) -> "Net":
        """The same without an address: what the settings grant, and what its MAC is made from."""
        return Net(self.partition(_IP)[0]) if self.ip else self


@dataclass(frozen=True)
class Nic:
    """An interface beside a machine's slot.

    Args:
        net: what it is on: a bridge, or a network of libvirt's.
        mac: its own, the same for as long as the machine stands.
    """

    net: Net
    mac: str


@dataclass(frozen=True)
class NetworkSettings:
    """What machines of a shared host may be on beside slots.

    Args:
        also: bridges and networks of libvirt's. No anti-spoofing of ours is on them.
    """

    also: tuple[Net, ...] = ()


def slot_net(number: int | None) -> Net:
    """The interface on a slot; None for any."""
    return Net(_said(NetKind.SLOT, number, ()))


def user_net(forwards: tuple[Forward, ...]) -> Net:
    """QEMU's own network, with what it forwards beside ssh."""
    return Net(_said(NetKind.USER, None, forwards))


def is_reached(nets: tuple[Net, ...] | None) -> bool:
    """Whether this host knows where a machine on these is; None is what the host gives."""
    placed = {NetKind.SLOT, NetKind.USER}
    return nets is None or any(net.kind in placed or net.ip for net in nets)


def read_nets(texts: Iterable[str]) -> tuple[Net, ...]:
    """Read all interfaces of one machine.

    Raises:
        InputError: one is none, or they do not go together.
    """
    nets = tuple(map(Net, texts))
    if problem := nets_problem(nets):
        raise InputError(f"{', '.join(nets)}: {problem}", resolution=f"write {FORMS}")
    return nets


def nets_problem(nets: tuple[Net, ...]) -> str:
    """Why no machine can have these together, or ""."""
    kinds = [net.kind for net in nets]
    if not nets:
        return 'should name at least one interface, or be ["none"]'
    if NetKind.NONE in kinds and len(nets) > 1:
        return "none stands alone"
    if kinds.count(NetKind.SLOT) + kinds.count(NetKind.USER) > 1:
        return "a machine has one slot, or one user network"
    if len({net.base for net in nets}) < len(nets):
        return "each is named once"
    return f"should be {MOST} at most" if len(nets) > MOST else ""


def _said(kind: NetKind, number: int | None, forwards: tuple[Forward, ...]) -> str:
    rest = str(number) if number is not None else ",".join(map(str, forwards))
    return f"{kind}:{rest}" if rest else str(kind)


def _name(kind: NetKind, text: str) -> str:
    if kind is NetKind.BRIDGE and _SLOTS_BRIDGE.fullmatch(text):
        number = text.removeprefix("br-vm")
        raise InputError(f"bridge {text} is a slot's", resolution=f"write slot:{number}")
    if not _NAMES[kind].fullmatch(text):
        what = "a bridge's name" if kind is NetKind.BRIDGE else "a network's name"
        raise InputError(f"{shown(text)} is not {what}", resolution=f"write {kind}:NAME")
    return text


def _address(text: str) -> str:
    try:
        return str(IPv4Address(text))
    except AddressValueError:
        raise InputError(
            f"{shown(text)} is no IPv4 address", resolution="write e.g. ip=192.168.122.50"
        ) from None


def _forwards(text: str) -> tuple[Forward, ...]:
    found = tuple(map(_forward, text.split(",")))
    if len({one.host for one in found}) < len(found):
        raise InputError(f"{shown(text)} forwards one port twice")
    if len(found) > MOST_FORWARDS:
        raise InputError(f"{len(found)} ports are too many: {MOST_FORWARDS} at most")
    return tuple(sorted(found))


def _forward(text: str) -> Forward:
    host, dash, guest = text.partition("-")
    if not dash:
        raise InputError(f"{shown(text)} forwards no port", resolution="write e.g. 8080-80")
    forward = Forward(_number(host, 65535, "port"), _number(guest, 65535, "port"))
    if forward.host < LOWEST:
        raise InputError(
            f"port {forward.host} of the host is not yours to open",
            resolution=f"take one from {LOWEST}",
        )
    return forward


def _number(text: str, highest: int, what: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 6 and 0 < int(text) <= highest):
        raise InputError(f"{shown(text)} is no {what}", resolution=f"write 1 to {highest}")
    return int(text)


NO_NET: Final = Net("none")
