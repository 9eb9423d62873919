"""dnsmasq's reservations are read; what is none is passed over."""

from pathlib import Path

import pytest

from raptorctl.model.network import DhcpHost
from raptorctl.model.slot import DHCP_FILE
from raptorctl.read.dnsmasq import read_dhcp_hosts

TEMPLATE = Path(__file__).parents[3] / "ansible/roles/raptor_host/templates/raptor-dhcp.conf.j2"
MAC = "52:54:00:00:00:01"
HOST = DhcpHost(MAC, "198.51.100.1")


@pytest.mark.parametrize(
    ("line", "hosts"),
    [
        (f"dhcp-host={MAC},198.51.100.1,infinite", (HOST,)),
        (f"  dhcp-host = {MAC.upper()} , set:a, 198.51.100.1,web,12h # first", (HOST,)),
        (f"dhcp-host={MAC},52:54:00:00:00:02,198.51.100.1",
         (HOST, DhcpHost("52:54:00:00:00:02", "198.51.100.1"))),
        (f"dhcp-host={MAC},ignore", ()),
        (f"dhcp-host={MAC},[2001:db8::1]", ()),
        ("dhcp-host=id:x,198.51.100.1", ()),
        (f"#dhcp-host={MAC},198.51.100.1", ()),
        ("dhcp-range=set:slot1,198.51.100.1,static,255.255.255.255,infinite", ()),
        ("dhcp-host=", ()),
        ("\ufffd\x00", ()),
    ],
)  # fmt: skip
def test_a_line_keeps_addresses_for_macs_or_is_passed_over(
    line: str, hosts: tuple[DhcpHost, ...]
) -> None:
    assert read_dhcp_hosts(f"port=0\n{line}\nenable-ra\n") == hosts


def test_the_roles_template_has_lines_that_are_read() -> None:
    (line,) = [line for line in TEMPLATE.read_text().splitlines() if line.startswith("dhcp-host=")]
    said = line.replace("{{ '%02x' | format(slot.number) }}", "01")
    said = said.replace("{{ slot.ipv4 }}", "198.51.100.1")
    assert read_dhcp_hosts(said) == (HOST,)
    tasks = (TEMPLATE.parents[1] / "tasks/network.yml").read_text()
    assert f"src: raptor-dhcp.conf.j2\n    dest: {DHCP_FILE}\n" in tasks
