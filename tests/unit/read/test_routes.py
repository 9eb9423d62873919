"""The kernel's routing tables: which single addresses are on the link of which interface."""

from raptorctl.read.routes import ipv4_hosts, ipv6_hosts

HEAD = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"
ROUTE = (
    HEAD
    + """eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
br-vm1\t016433C6\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0
eth0\t026433C6\t010200C0\t0007\t0\t0\t0\tFFFFFFFF\t0\t0\t0
*\t036433C6\t00000000\t0205\t0\t0\t0\tFFFFFFFF\t0\t0\t0
"""
)
NIL = "0" * 32
SLOT, OWN = "20010db8000000010000000000000001", "fe800000000000000000000000000001"
REST = "00000400 00000001 00000000"
ROUTE6 = f"""{SLOT} 80 {NIL} 00 {NIL} {REST} 00000001   br-vm1
{OWN} 80 {NIL} 00 {NIL} {REST} 80200001     br-vm1
fe80{"0" * 28} 40 {NIL} 00 {NIL} {REST} 00000001   br-vm1
{SLOT[:-1]}2 80 {NIL} 00 {OWN} {REST} 00000003     eth0
"""


def test_what_goes_elsewhere_or_nowhere_is_no_way_to_a_bridge() -> None:
    assert list(ipv4_hosts(ROUTE)) == [("198.51.100.1", "br-vm1")]
    assert list(ipv6_hosts(ROUTE6)) == [("2001:db8:0:1::1", "br-vm1")]


def test_empty_tables_have_none() -> None:
    assert list(ipv4_hosts(HEAD)) == list(ipv4_hosts("")) == list(ipv6_hosts("")) == []
