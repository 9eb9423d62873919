"""Addresses that libvirt's networks keep, on libvirt's test driver.

That one does not tell what runs from what is defined; the lab does.
"""

from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

import pytest

from raptorctl.errors import HostError
from raptorctl.host.domain.domains import LibvirtDomains
from raptorctl.model.network import DhcpHost, LibvirtNetwork

LAN = (
    "<network><name>lan</name><bridge name='virbr7'/><ip address='192.168.7.1' prefix='24'><dhcp>"
    "<range start='192.168.7.2' end='192.168.7.254'/></dhcp></ip>"
    "<ip family='ipv6' address='fd00::1' prefix='64'/></network>"
)
HOST = DhcpHost("52:54:00:12:34:56", "192.168.7.9", "alice-dev")


@pytest.fixture
def domains(tmp_path: Path) -> LibvirtDomains:
    node = tmp_path / "node.xml"
    node.write_text("<node/>")
    return LibvirtDomains(f"test://{node}")


@pytest.fixture
def lan(domains: LibvirtDomains) -> Any:
    made = domains._open().networkDefineXML(LAN)
    made.create()
    return made


def test_what_was_reserved_is_told_and_once_more_changes_nothing(
    domains: LibvirtDomains, lan: Any
) -> None:
    assert domains.reserved("lan", HOST) is False
    domains.reserve("lan", HOST)
    known = LibvirtNetwork(
        "virbr7", IPv4Interface("192.168.7.1/24"), dhcp=True, live=(HOST,), config=(HOST,)
    )
    assert domains.networks() == {"lan": known}
    assert domains.reserved("lan", HOST)
    before = lan.XMLDesc(0)
    domains.reserve("lan", HOST)
    assert lan.XMLDesc(0) == before


def test_another_address_for_the_same_mac_takes_the_place_of_the_first(
    domains: LibvirtDomains, lan: Any
) -> None:
    other = DhcpHost(HOST.mac, "192.168.7.10", HOST.name)
    domains.reserve("lan", HOST)
    domains.reserve("lan", other)
    assert domains.networks()["lan"].live == (other,)


def test_an_address_that_another_mac_has_is_refused_by_libvirt(
    domains: LibvirtDomains, lan: Any
) -> None:
    domains.reserve("lan", HOST)
    with pytest.raises(HostError, match="existing dhcp host entry in network 'lan'"):
        domains.reserve("lan", DhcpHost("52:54:00:65:43:21", HOST.address, "bob-dev"))


def test_what_was_released_is_nobodys_and_once_more_changes_nothing(
    domains: LibvirtDomains, lan: Any
) -> None:
    domains.reserve("lan", HOST)
    for _ in range(2):
        domains.release("lan", HOST.mac)
        assert domains.released("lan", HOST.mac)
    assert domains.networks()["lan"].hosts == ()


def test_without_its_network_nothing_is_kept_and_nothing_can_be(domains: LibvirtDomains) -> None:
    domains.release("lan", HOST.mac)
    assert domains.released("lan", HOST.mac)
    assert domains.reserved("lan", HOST) is None
    with pytest.raises(HostError, match="there is no network lan"):
        domains.reserve("lan", HOST)
