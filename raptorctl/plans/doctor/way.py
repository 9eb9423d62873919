"""Doctor, on ways to machines: routes, forwarding, and what is granted beside slots. Pure."""

from collections.abc import Iterable, Iterator

from raptorctl.model.network import DhcpHost
from raptorctl.model.part import Part
from raptorctl.model.probe import Finding, Probe, Verdict
from raptorctl.model.settings import Settings
from raptorctl.model.slot import DHCP_FILE, Slot
from raptorctl.plans.doctor.access import ROLE
from raptorctl.plans.part.address import hosts
from raptorctl.plans.part.net import obstacle
from raptorctl.plans.part.slots import holders


def ways(probe: Probe, slot: Slot) -> Iterator[Finding]:
    """Say why the machine on a slot is not reached; a host made by hand may have its reasons."""
    way = probe.ways.get(slot.number)
    if way and next(holders(slot, probe.facts), None):
        for what in way.lacks(slot):
            yield Finding(f"slot {slot.number}", Verdict.WARN, what, ROLE)


def leases(probe: Probe, slot: Slot) -> Iterator[Finding]:
    """Say where DHCP would give a slot's machine another address, or its address to another."""
    check = f"slot {slot.number}"
    if probe.dhcp is not None:
        advice = f"{ROLE}, which writes {DHCP_FILE} by the slots"
        for what in _misfits(probe.dhcp, slot) or _missing(probe.dhcp, slot):
            yield Finding(check, Verdict.WARN, f"{DHCP_FILE} {what}", advice)
    for name, network in sorted(probe.facts.networks.items()):
        for what in _misfits(network.hosts, slot):
            advice = f"virsh net-edit {name}, then net-destroy and net-start while nobody needs it"
            yield Finding(check, Verdict.WARN, f"network {name} {what}", advice)


def _misfits(kept: Iterable[DhcpHost], slot: Slot) -> list[str]:
    """An address of another's for the slot's MAC, the slot's for another MAC."""
    address = str(slot.ipv4 or "no IPv4 address")
    return [
        f"keeps {one.address} for {one.mac}, and slot {slot.number} has "
        + (address if one.mac == slot.mac else slot.mac)
        for one in kept
        if (one.mac == slot.mac) is not (one.address == address)
    ]


def _missing(kept: Iterable[DhcpHost], slot: Slot) -> list[str]:
    if slot.ipv4 is None or any(one.mac == slot.mac for one in kept):
        return []
    return [f"keeps no address for {slot.mac}, and slot {slot.number} has {slot.ipv4}"]


def granted(probe: Probe, settings: Settings) -> Iterator[Finding]:
    """Say which bridges and networks of the settings nobody can be on now."""
    if probe.troubles.keys() & {Part.LINKS, Part.LIBVIRT}:
        return
    wrong = {net: obstacle(net, settings, probe.facts) for net in settings.network.also}
    for net, (what, todo) in wrong.items():
        if what:
            yield Finding("network", Verdict.WARN, f"{net.kind} {net.name} {what}", todo)
    if good := [net for net, (what, _) in wrong.items() if not what]:
        yield Finding("network", Verdict.OK, f"beside slots: {', '.join(good)}")


def reserved(probe: Probe, settings: Settings) -> Iterator[Finding]:
    """Say which machines' addresses their networks do not keep any more."""
    if Part.LIBVIRT in probe.troubles:
        return
    for domain in probe.facts.domains:
        for name, host in hosts(domain.others, domain.uuid, domain.name) if domain.ours else ():
            network, what = probe.facts.networks.get(name), ""
            if network is None:
                what, advice = f"{name} is not active", f"virsh net-start {name}"
            elif not network.keeps(host):
                what = f"{name} does not keep {host.address} for {domain.name}"
                advice = f"raptorctl provision {domain.name} --no-start"
            if what:
                yield Finding("network", Verdict.WARN, what, advice, domain.name)
