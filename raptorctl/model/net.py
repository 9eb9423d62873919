"""A machine's network interfaces, as they are typed: a slot, QEMU's own network, or none."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from raptorctl.errors import InputError
from raptorctl.model.names import shown
from raptorctl.model.slot import HIGHEST

LOWEST: Final = 1024
"""The first port that needs no right (ip(7), ip_unprivileged_port_start)."""
MOST_FORWARDS: Final = 32
FORMS: Final = "slot[:N], user[:HOSTPORT-GUESTPORT,...] or none"


class NetKind(enum.StrEnum):
    """What an interface is on."""

    SLOT = "slot"
    USER = "user"
    NONE = "none"


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

    __slots__ = ("forwards", "kind", "number")

    kind: NetKind
    number: int | None
    """Of a slot, where one is named."""
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
        net = super().__new__(cls, _said(kind, number, forwards))
        net.kind, net.number, net.forwards = kind, number, forwards
        return net


def slot_net(number: int | None) -> Net:
    """The interface on a slot; None for any."""
    return Net(_said(NetKind.SLOT, number, ()))


def user_net(forwards: tuple[Forward, ...]) -> Net:
    """QEMU's own network, with what it forwards beside ssh."""
    return Net(_said(NetKind.USER, None, forwards))


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
    if len(nets) > 1:
        return "a machine has one slot, or one user network"
    return ""


def _said(kind: NetKind, number: int | None, forwards: tuple[Forward, ...]) -> str:
    rest = str(number) if number is not None else ",".join(map(str, forwards))
    return f"{kind}:{rest}" if rest else str(kind)


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
