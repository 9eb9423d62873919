"""An admin's own network-config: read strictly, handed on with its texts quoted."""

import pytest
import yaml

from raptorctl.errors import InputError
from raptorctl.render.network_file import check_network, network_text

TWO = """network:
  version: 2
  ethernets:
    lan: {match: {macaddress: 52:54:00:00:00:01}, dhcp4: yes, addresses: [192.0.2.7/24]}
"""
ONE = "version: 1\nconfig: [{type: physical, name: eth0, subnets: [{type: dhcp}]}]\n"


def test_a_mac_is_text_to_every_reader_and_what_is_no_text_stays() -> None:
    said = yaml.safe_load(network_text(TWO))
    assert said["version"] == 2
    assert said["ethernets"]["lan"]["match"]["macaddress"] == "52:54:00:00:00:01"
    assert said["ethernets"]["lan"]["dhcp4"] is True
    assert any("52:54:00:00:00:01" in note for note in check_network(TWO))


def test_an_interface_that_is_called_by_a_number_is_called_by_text() -> None:
    text = "version: 2\nethernets: {0: {dhcp4: true}}\n"
    assert list(yaml.safe_load(network_text(text))["ethernets"]) == ["0"]
    assert check_network(text) == ("line 2: '0' is taken for text; quote it to say so",)


def test_both_versions_are_taken_and_version_2_without_ethernets() -> None:
    assert check_network(ONE) == ()
    assert check_network("version: 2\nbonds: {bond0: {dhcp4: true}}\n") == ()
    assert yaml.safe_load(network_text(ONE))["config"][0]["name"] == "eth0"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "says version: 1 or version: 2, not"),
        ("[1]\n", "network-config is not a table of keys"),
        ("version: 3\n", "says version: 1 or version: 2, not '3'"),
        ("version: 2\n", "version 2 has ethernets, and this has not"),
        ("version: 1\nconfig: {}\n", "config of a network-config is a list"),
        ("version: 2\nethernets: []\n", "ethernets of a network-config is a table"),
        ("version: 2\nversion: 2\n", "line 2 has 'version' a second time"),
        ("version: 2\nethernets: &a {}\n", "line 2 has an anchor"),
        ("version: [\n", "is not YAML"),
        ("a: '" + "x" * 1024 * 1024 + "'\n", "network-config of more than 1048576 bytes"),
    ],
)
def test_what_is_none_is_refused(text: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        check_network(text)
    assert says in str(caught.value)
