"""Names of zones: what is one, and where an address has its PTR record."""

from ipaddress import ip_address

import pytest

from raptorctl.errors import SettingsError
from raptorctl.model.settings import Dns
from raptorctl.model.settings_text import parse_settings
from raptorctl.model.zone import is_reverse_zone, is_zone, plain, pointer_name
from tests.fakes import SETTINGS_TEXT

BLOCK = "100.51.198.in-addr.arpa"


@pytest.mark.parametrize(
    "text",
    [
        BLOCK,
        f"{BLOCK}.",
        "100.51.198.IN-ADDR.ARPA",
        "51.198.in-addr.arpa",
        "1.100.51.198.in-addr.arpa",
        "in-addr.arpa",
        f"0/25.{BLOCK}",
        f"128/25.{BLOCK}",
        f"0-127.{BLOCK}",
        f"224-255.{BLOCK}",
        f"64-26.{BLOCK}",
        f"7/32.{BLOCK}",
        "8.B.D.0.1.0.0.2.IP6.ARPA.",
        "ip6.arpa",
    ],
)
def test_a_zone_of_addresses_is_taken_in_every_spelling(text: str) -> None:
    assert is_reverse_zone(plain(text))


@pytest.mark.parametrize(
    "text",
    [
        "raptor.example",
        "fooin-addr.arpa",
        "arpa",
        "",
        "256.51.198.in-addr.arpa",
        "1.2.3.4.5.in-addr.arpa",
        "01.51.198.in-addr.arpa",
        "db8.2001.ip6.arpa",
        "8.b.d.0.1.0.0.2.ip6.int",
        "g.ip6.arpa",
        f"0.{'0.' * 32}ip6.arpa",
        f"1/25.{BLOCK}",
        f"0/23.{BLOCK}",
        f"0/33.{BLOCK}",
        f"0-256.{BLOCK}",
        f"customer.{BLOCK}",
        "0/18.51.198.in-addr.arpa",
        f"{BLOCK}..",
    ],
)
def test_a_zone_in_which_no_address_can_be_is_none(text: str) -> None:
    assert not is_reverse_zone(plain(text))
    with pytest.raises(SettingsError, match=r"reverse_zones.*0/25\.100\.51\.198\.in-addr\.arpa"):
        parse_settings(SETTINGS_TEXT.replace('reverse_zones = ["', f'reverse_zones = ["{text}", "'))


@pytest.mark.parametrize("text", ["raptor.example", "x", "_vm.example", "1.example"])
def test_a_zone_of_names_is_taken(text: str) -> None:
    assert is_zone(text)


@pytest.mark.parametrize("text", ["", "-a.example", "a-.example", "a..b", "a/b", "a b", "*.b"])
def test_what_no_server_would_take_an_update_of_is_no_zone(text: str) -> None:
    assert not is_zone(text)


def test_case_and_a_final_dot_say_nothing() -> None:
    dns = Dns(zone="VM.Example.org.", reverse_zones=("100.51.198.IN-ADDR.ARPA.",))
    assert dns == Dns(zone="vm.example.org", reverse_zones=(BLOCK,))


@pytest.mark.parametrize(
    ("address", "zones", "name"),
    [
        ("198.51.100.1", (BLOCK,), f"1.{BLOCK}."),
        ("198.51.100.1", ("51.198.in-addr.arpa",), f"1.{BLOCK}."),
        ("198.51.100.1", (f"1.{BLOCK}",), f"1.{BLOCK}."),
        ("198.51.100.1", (BLOCK, f"0/25.{BLOCK}"), f"1.0/25.{BLOCK}."),
        ("198.51.100.127", (f"0-127.{BLOCK}",), f"127.0-127.{BLOCK}."),
        ("198.51.100.128", (f"0-127.{BLOCK}",), None),
        ("198.51.100.128", (f"0/25.{BLOCK}", BLOCK), f"128.{BLOCK}."),
        ("198.51.100.90", (f"64-26.{BLOCK}",), f"90.64-26.{BLOCK}."),
        ("198.51.101.1", (f"0/25.{BLOCK}",), None),
        ("2001:db8::1", (f"0/25.{BLOCK}",), None),
        ("2001:db8::1", ("8.B.D.0.1.0.0.2.IP6.ARPA",), f"1.{'0.' * 23}8.b.d.0.1.0.0.2.ip6.arpa."),
    ],
)
def test_the_pointer_is_where_the_zones_say(
    address: str, zones: tuple[str, ...], name: str | None
) -> None:
    assert pointer_name(ip_address(address), zones) == name
