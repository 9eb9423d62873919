"""Which network a machine gets: a slot, QEMU's own, what the settings grant, or none. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from raptorctl.errors import InputError, RefusedError
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts
from raptorctl.model.net import Forward, Net, NetKind, Nic, slot_net
from raptorctl.model.session_host import LOOPBACK, mac_of
from raptorctl.model.settings import Settings
from raptorctl.model.slot import Slot
from raptorctl.model.spec import MachineSpec
from raptorctl.plans.part import address, session_host, slots


@dataclass(frozen=True)
class Wiring:
    """What of the network a machine gets.

    Args:
        slot: its place on a shared host, or None.
        ssh: where its ssh is forwarded from on a session host, or "".
        forwards: what else is forwarded there.
        others: bridges and networks that the settings grant.
    """

    slot: Slot | None = None
    ssh: str = ""
    forwards: tuple[Forward, ...] = ()
    others: tuple[Net, ...] = ()

    def nics(self, uuid: str) -> tuple[Nic, ...]:
        """Its interfaces on the others; a rebuild keeps the UUID, and so their MACs."""
        return tuple(Nic(net, mac_of(uuid, net.base)) for net in self.others)

    def macs(self, uuid: str) -> tuple[str, ...]:
        """Of all its interfaces, in order."""
        first = (self.slot.mac,) if self.slot else (mac_of(uuid),) if self.ssh else ()
        return (*first, *(nic.mac for nic in self.nics(uuid)))

    @property
    def told(self) -> str:
        """For people."""
        words = [f"slot {self.slot.number}"] if self.slot else []
        words += [f"ssh at {self.ssh}"] if self.ssh else []
        return ", ".join([*words, *self.others]) or "no network"

    def notes(self, settings: Settings) -> Iterator[str]:
        """Say how it is reached, where that is not by its addresses."""
        if not (self.slot or self.ssh or self.others):
            yield "it has no network: it is reached by `raptorctl console` alone"
        elif not (self.slot or self.ssh) and not settings.has_slots:
            yield "without the user network its ssh is forwarded from nowhere: see `--net user`"
        elif not (self.slot or self.ssh) and any(net.ip for net in self.others):
            kept = ", ".join(net.ip for net in self.others if net.ip)
            yield f"without a slot it has no names in DNS; it is reached at {kept}"
        elif not (self.slot or self.ssh):
            yield "without a slot it has no names in DNS, and its address is not known here"
        elif not settings.has_slots:
            ports = [f"22 is {self.ssh}"]
            ports += [f"{one.guest} is {LOOPBACK}:{one.host}" for one in self.forwards]
            there = ", ".join(ports)
            yield f"its port {there} here, and nothing else of it is reached from outside"
        for net in self.others if settings.has_slots else ():
            yield f"{net.base} has no anti-spoofing of ours: its guest can take any address there"


def _choose_others(nets: tuple[Net, ...], settings: Settings, facts: HostFacts) -> tuple[Net, ...]:
    found = tuple(net for net in nets if net.kind.is_named)
    for net in found:
        if settings.has_slots:
            _refuse_ungranted(net, settings)
        _refuse_absent(net, settings, facts)
        if not settings.has_slots:
            _refuse_unhelped(net, facts)
    return found


def choose(spec: MachineSpec, settings: Settings, facts: HostFacts) -> Wiring:
    """Give a machine what it asks for, or what its host gives by itself.

    Raises:
        InputError: slot and net contradict each other.
        RefusedError: this kind of host has no such network, or a slot or port is not free.
    """
    number = _slot_number(spec)
    nets = spec.net or ()
    kinds = {net.kind for net in nets}
    if kinds == {NetKind.NONE}:
        return Wiring()
    _refuse_other_host(kinds, settings)
    others = _choose_others(nets, settings, facts)
    if others and len(others) == len(nets):
        return Wiring(others=others)
    if slot := slots.choose(number, settings, facts):
        return Wiring(slot, others=others)
    forwards = tuple(one for net in nets for one in net.forwards)
    for one in forwards:
        _refuse_taken(one.host, facts)
    ssh = session_host.forward(settings, facts, {one.host for one in forwards})
    return Wiring(ssh=ssh, forwards=forwards, others=others)


def is_met(wanted: tuple[Net, ...], there: tuple[Net, ...]) -> bool:
    """Whether a machine has what is wanted, in any order; any slot is one."""
    slot = next((net for net in there if net.kind is NetKind.SLOT), None)
    return {slot if slot and net == slot_net(None) else net for net in wanted} == set(there)


def _slot_number(spec: MachineSpec) -> int | None:
    if spec.net is None or spec.slot is None:
        return next((net.number for net in spec.net or () if net.number), spec.slot)
    if {slot_net(None), slot_net(spec.slot)} & set(spec.net):
        return spec.slot
    raise InputError(
        f"slot {spec.slot} was asked, and net {', '.join(spec.net)}",
        resolution="leave one of them out, or add slot to net",
    )


def _refuse_other_host(kinds: set[NetKind], settings: Settings) -> None:
    if NetKind.USER in kinds and settings.has_slots:
        raise RefusedError(
            "net user is for session hosts: machines of this host are on slots",
            resolution="leave out --net, or write slot, slot:N or none",
        )
    if NetKind.NETWORK in kinds and not settings.has_slots:
        raise RefusedError(
            "this host is your own: networks of libvirt's are root's",
            resolution="name the bridge of one, bridge:virbr0 (`virsh -c qemu:///system net-info`)",
            code=Code.SESSION_HOST,
        )
    if NetKind.SLOT in kinds and not settings.has_slots:
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


def _refuse_ungranted(net: Net, settings: Settings) -> None:
    if net.base not in settings.network.also:
        granted = ", ".join(settings.network.also)
        raise RefusedError(
            f"{net.base} is not granted to machines here",
            resolution=f"use slot, {granted}" if granted else "use a slot",
            details=f"an admin grants it as network.also in {settings.file}",
            code=Code.NOT_ALLOWED,
            subject=net,
        )


def _refuse_unhelped(net: Net, facts: HostFacts) -> None:
    """Refuse a bridge that QEMU's helper, and so libvirt's session, does not give."""
    why, todo = facts.bridge_helper.obstacle(net.name)
    if why:
        raise RefusedError(
            f"you may not be on bridge {net.name}: {why}",
            resolution=todo,
            code=Code.NOT_ALLOWED,
            subject=net,
        )


def _refuse_absent(net: Net, settings: Settings, facts: HostFacts) -> None:
    wrong, todo = obstacle(net, settings, facts)
    if not wrong and net.ip:
        wrong, todo = address.obstacle(net, facts)
    if wrong:
        raise RefusedError(f"{net.kind} {net.name} {wrong}", resolution=todo, subject=net)


def obstacle(net: Net, settings: Settings, facts: HostFacts) -> tuple[str, str]:
    """Why nobody can be on a bridge or network, and what to do; "" twice where they can.

    A network on a slot's bridge would lead there past all that keeps the slot to one machine.
    """
    if net.kind is NetKind.BRIDGE:
        bridge = facts.bridge(net.name)
        if bridge is None:
            return "is not there", "make it, or name another"
        return ("", "") if bridge.up else ("is down", f"ip link set {net.name} up")
    if net.name not in facts.networks:
        return "is not there, or not active", f"virsh net-start {net.name}"
    on_slot = facts.networks[net.name].bridge in {slot.bridge for slot in settings.slot}
    return ("is on a slot's bridge", "name the slot itself") if on_slot else ("", "")
