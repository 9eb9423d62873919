"""Doctor, on ways to machines: routes, forwarding, and what is granted beside slots. Pure."""

from collections.abc import Iterator

from raptorctl.model.part import Part
from raptorctl.model.probe import Finding, Probe, Verdict
from raptorctl.model.settings import Settings
from raptorctl.model.slot import Slot
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
