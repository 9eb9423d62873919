"""Where a page for tenants may be."""

import pytest

from raptorctl.errors import SettingsError
from raptorctl.model.settings_text import parse_settings
from raptorctl.model.web import Web, agent_units, control_socket, page_socket
from tests.fakes.sample import SETTINGS_TEXT

PAIR = "certificate = '/etc/ssl/a.pem'\nkey = '/etc/ssl/a.key'\n"


@pytest.mark.parametrize(
    ("address", "host", "cookie"),
    [
        ("https://vm.example.org:8443", "vm.example.org", "__Host-raptorctl"),
        ("https://vm.example.org", "vm.example.org", "__Host-raptorctl"),
        ("https://[2001:db8::1]:8443", "[2001:db8::1]", "__Host-raptorctl"),
        ("http://127.0.0.1:8443", "127.0.0.1", "raptorctl"),
        ("http://[::1]", "[::1]", "raptorctl"),
    ],
)
def test_an_address_is_taken_apart(address: str, host: str, cookie: str) -> None:
    web = parse_settings(f"{SETTINGS_TEXT}[web]\naddress = '{address}'\n").web
    assert (web.host, web.cookie) == (host, cookie)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("address = 'vm.example.org'\n", "web.address"),
        ("address = 'http://vm.example.org'\n", "web.address"),
        ("address = 'https://vm.example.org/'\n", "web.address"),
        ("address = 'https://a b'\n", "web.address"),
        ("address = 'https://me@vm.example.org'\n", "web.address"),
        ("address = 'https://vm.example.org:8443; return 200'\n", "web.address"),
        (f"address = 'http://127.0.0.1:8443'\n{PAIR}", "web.address"),
        ("address = 'https://a'\ncertificate = '/a.pem'\n", "web.certificate"),
        ("address = 'https://a'\ncertificate = 'a.pem'\nkey = '/a.key'\n", "web.certificate"),
        ("port = 0\n", "web.port"),
        ("port = 65536\n", "web.port"),
        ("scrapers = ['prometheus.example.org']\n", "web.scrapers"),
        ("scrapers = ['192.0.2.5/24']\n", "web.scrapers"),
        ("scrapers = ['192.0.2.5; allow all']\n", "web.scrapers"),
        ("scrapers = ['fe80::1%x; allow all']\n", "web.scrapers"),
        ("scrapers = ['']\n", "web.scrapers"),
    ],
)
def test_what_cannot_be_is_refused(text: str, key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_settings(f"{SETTINGS_TEXT}[web]\n{text}")
    assert caught.value.key == key


def test_without_an_address_there_is_no_page() -> None:
    assert Web().fits
    assert not Web().address


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a-b", "Alice", "a" * 17, "a\n"])
def test_what_is_no_tenants_name_becomes_no_path_and_no_unit(name: str) -> None:
    for made in (page_socket, control_socket, agent_units):
        with pytest.raises(ValueError):
            made(name)
