"""The settings file: an unknown key or a wrong type is an error that names file and key."""

import json

import pytest

from raptorctl.errors import SettingsError
from raptorctl.model.settings_text import parse_settings
from raptorctl.model.sizes import GIB
from tests.fakes import SETTINGS_TEXT

MINIMAL = '[dns]\nzone = "raptor.example"\n[[slot]]\nnumber = 1\nipv4 = "198.51.100.1"\n'


def test_the_least_that_works_has_sensible_defaults() -> None:
    settings = parse_settings(MINIMAL)
    assert settings.storage.volume_group == "lvm-data"
    assert settings.machine.memory == 4 * GIB
    assert settings.slot[0].bridge == "br-vm1"
    assert settings.slot[0].mac == "52:54:00:00:00:01"


def test_a_full_file_reads() -> None:
    settings = parse_settings(SETTINGS_TEXT)
    assert settings.cpus.reserved.cpus == (0, 1)
    assert [str(slot.ipv6) for slot in settings.slot][4] == "2001:db8:0:5::1"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (MINIMAL + "[storage]\nvolume_grop = 'x'\n", "storage.volume_grop"),
        (MINIMAL + "[nonsense]\n", "nonsense"),
        (MINIMAL.replace("number = 1", "number = '1'"), "slot[0].number"),
        (MINIMAL.replace("number = 1", "number = true"), "slot[0].number"),
        (MINIMAL.replace("number = 1", "number = 256"), "slot.number"),
        (MINIMAL.replace("198.51.100.1", "198.51.100.256"), "slot[0].ipv4"),
        (MINIMAL.replace("198.51.100.1", "127.0.0.1"), "slot"),
        (MINIMAL + "[[slot]]\nnumber = 1\nipv4 = '198.51.100.2'\n", "slot.number"),
        (MINIMAL + "[[slot]]\nnumber = 2\nipv4 = '198.51.100.1'\n", "slot"),
        (MINIMAL + "[storage]\nverify_all_up_to = '10GB'\n", "storage.verify_all_up_to"),
        (MINIMAL + "[storage]\nvolume_group = '../x'\n", "storage.volume_group"),
        (MINIMAL + "[libvirt]\nnvram_dir = 'relative'\n", "libvirt"),
        (MINIMAL + "[libvirt]\nsecure_boot = 'yes'\n", "libvirt.secure_boot"),
        (MINIMAL + "[cpus]\nreserved = '3-1'\n", "cpus.reserved"),
        (MINIMAL.replace('"raptor.example"', '"bad zone"'), "dns.zone"),
        ("[dns]\nzone = 'x.example'\n", "slot"),
        ("slot = []\n", "dns"),
    ],
)
def test_says_which_key_is_wrong(text: str, key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_settings(text, "/etc/raptorctl/settings.toml")
    assert str(caught.value).startswith(f"/etc/raptorctl/settings.toml: {key}: ")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "uri",
    [
        "qemu+ext:///system?command=/tmp/x", "qemu+ssh://host/system", "qemu:///system?command=/x",
        "qemu+libssh2://host/system", "qemu://host/system", "test+ext:///default?command=/x", "",
        "qemu:///system#x", "xen:///system", "qemu+unix:///system?socket=/tmp/x", "qemu:///system\n",
        "qemu:///embed?root=/tmp", "test:///default?command=/x", "test:///%2e", "esx://host/",
    ],
)  # fmt: skip
def test_a_connection_that_may_run_a_program_or_leads_elsewhere_is_none(uri: str) -> None:
    with pytest.raises(SettingsError, match=r"libvirt\.uri: should be qemu:///system, ") as caught:
        parse_settings(f"{MINIMAL}[libvirt]\nuri = {json.dumps(uri)}\n")
    assert "test:///FILE" in caught.value.brief


@pytest.mark.parametrize(
    "uri",
    ["qemu:///system", "qemu:///session", "test:///default", "test:///etc/raptorctl/node.xml"],
)
def test_these_connections_are_to_this_host(uri: str) -> None:
    assert parse_settings(f"{MINIMAL}[libvirt]\nuri = '{uri}'\n").libvirt.uri == uri


@pytest.mark.parametrize("text", ["a = ", MINIMAL + MINIMAL, "a = 1\na = 2\n"])
def test_what_is_not_toml_is_said(text: str) -> None:
    with pytest.raises(SettingsError, match="is not TOML"):
        parse_settings(text)
