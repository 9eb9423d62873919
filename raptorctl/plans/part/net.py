"""Which network a machine gets: a slot, QEMU's own network, or none. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from raptorctl.errors import InputError, RefusedError
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts
from raptorctl.model.net import Forward, Net, NetKind, slot_net
from raptorctl.model.own import LOOPBACK
from raptorctl.model.settings import Kind, Settings
from raptorctl.model.slot import Slot
from raptorctl.model.spec import MachineSpec
from raptorctl.plans.part import session as own
from raptorctl.plans.part import slots


@dataclass(frozen=True)
class Wiring:
    """What of the network a machine gets.

    Args:
        slot: its place on a shared host, or None.
        ssh: where its ssh is forwarded from on a session host, or "".
        forwards: what else is forwarded there.
    """

    slot: Slot | None = None
    ssh: str = ""
    forwards: tuple[Forward, ...] = ()

    @property
    def there(self) -> bool:
        """Whether it has any."""
        return bool(self.slot or self.ssh)

    @property
    def told(self) -> str:
        """For people."""
        if self.slot:
            return f"slot {self.slot.number}"
        return f"ssh at {self.ssh}" if self.ssh else "no network"

    def notes(self, settings: Settings) -> Iterator[str]:
        """Say how it is reached, where that is not by its addresses."""
        if not self.there:
            yield "it has no network: it is reached by `raptorctl console` alone"
        elif settings.kind is Kind.OWN:
            ports = [f"22 is {self.ssh}"]
            ports += [f"{one.guest} is {LOOPBACK}:{one.host}" for one in self.forwards]
            there = ", ".join(ports)
            yield f"its port {there} here, and nothing else of it is reached from outside"


def choose(spec: MachineSpec, settings: Settings, facts: HostFacts) -> Wiring:
    """Give a machine what it asks for, or what its host gives by itself.

    Raises:
        InputError: slot and net contradict each other.
        RefusedError: this kind of host has no such network, or a slot or port is not free.
    """
    number = _slot_number(spec)
    kinds = {net.kind for net in spec.net or ()}
    if kinds == {NetKind.NONE}:
        return Wiring()
    _refuse_other_host(kinds, settings)
    slot = slots.choose(number, settings, facts)
    if slot:
        return Wiring(slot)
    forwards = tuple(one for net in spec.net or () for one in net.forwards)
    for one in forwards:
        _refuse_taken(one.host, facts)
    return Wiring(
        ssh=own.forward(settings, facts, {one.host for one in forwards}), forwards=forwards
    )


def is_met(wanted: tuple[Net, ...], there: tuple[Net, ...]) -> bool:
    """Whether a machine has what is wanted; any slot is one."""
    free = slot_net(None)
    return len(wanted) == len(there) and all(
        one == has or (one == free and has.kind is NetKind.SLOT)
        for one, has in zip(wanted, there, strict=True)
    )


def _slot_number(spec: MachineSpec) -> int | None:
    if spec.net is None or spec.slot is None:
        return next((net.number for net in spec.net or () if net.number), spec.slot)
    if set(spec.net) <= {slot_net(None), slot_net(spec.slot)}:
        return spec.slot
    raise InputError(
        f"slot {spec.slot} was asked, and net {', '.join(spec.net)}",
        resolution="leave one of them out",
    )


def _refuse_other_host(kinds: set[NetKind], settings: Settings) -> None:
    if NetKind.USER in kinds and settings.kind is Kind.SHARED:
        raise RefusedError(
            "net user is for session hosts: machines of this host are on slots",
            resolution="leave out --net, or write slot, slot:N or none",
        )
    if NetKind.SLOT in kinds and settings.kind is Kind.OWN:
        raise RefusedError(
            "this host is your own, and has no slots",
            resolution="leave out --net, or write user, user:8080-80 or none",
            code=Code.SESSION_HOST,
        )


def _refuse_taken(port: int, facts: HostFacts) -> None:
    if user := facts.used_ports.get(port):
        raise RefusedError(
            f"port {LOOPBACK}:{port} is taken: {user}",
            resolution="name another one (`ss -tlnp` shows what listens)",
            code=Code.PORT_UNAVAILABLE,
            subject=str(port),
        )
