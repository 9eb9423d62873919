"""Addresses that libvirt's networks keep for machines: which, why not, and how. Pure."""

from collections.abc import Iterable, Iterator

from raptorctl.model.domain import Domain
from raptorctl.model.facts import HostFacts
from raptorctl.model.net import Net
from raptorctl.model.network import DhcpHost
from raptorctl.model.session_host import mac_of
from raptorctl.steps.network import ReleaseAddress, ReserveAddress
from raptorctl.steps.step import Step


def hosts(nets: Iterable[Net], uuid: str, name: str) -> Iterator[tuple[str, DhcpHost]]:
    """What networks are to keep for a machine: each network, and its MAC's address there.

    Args:
        nets: the machine's.
        uuid: of its domain, which its MACs are made from.
        name: of its domain, which the network's DNS answers.
    """
    for net in nets:
        if net.ip:
            yield net.name, DhcpHost(mac_of(uuid, net.base), net.ip, name)


def said(nets: Iterable[Net]) -> str:
    """The same for the mark."""
    return " ".join(net for net in nets if net.ip)


def obstacle(net: Net, facts: HostFacts) -> tuple[str, str]:
    """Why a network cannot keep an address for a machine, and what to do; "" twice where it can."""
    todo = f"name another address; `virsh net-dumpxml {net.name}` shows what it has"
    for domain in facts.domains:  # its network may have lost it
        if domain.ours and any(net.name == one.name and net.ip == one.ip for one in domain.others):
            return f"is to keep {net.ip} for {domain.name}", todo
    found = facts.networks[net.name].lacks(DhcpHost("", net.ip))
    return (found, todo) if found else ("", "")


def reserved(nets: Iterable[Net], uuid: str, name: str) -> Iterator[Step]:
    """Have its networks keep its addresses."""
    for network, host in hosts(nets, uuid, name):
        yield ReserveAddress("its DHCP gives that address to nobody else", network, host)


def released(domain: Domain | None) -> Iterator[Step]:
    """Have them keep nothing for it."""
    if domain and domain.ours:
        for network, host in hosts(domain.others, domain.uuid, domain.name):
            yield ReleaseAddress("the address is free for others", network, host)


def lost(domain: Domain, facts: HostFacts) -> Iterator[tuple[str, DhcpHost]]:
    """What networks that are active were to keep for a machine, and do not, or in one form only."""
    if domain.ours:
        for network, host in hosts(domain.others, domain.uuid, domain.name):
            if network in facts.networks and not facts.networks[network].keeps(host):
                yield network, host


def again(domain: Domain, facts: HostFacts) -> Iterator[Step]:
    """Have networks keep anew what they have lost."""
    for network, host in lost(domain, facts):
        yield ReserveAddress("the network has lost it", network, host)
