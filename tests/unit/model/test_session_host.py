"""Where a person's files are, what he is called, and what he may leave out."""

import pytest

from raptorctl.errors import SettingsError
from raptorctl.model.session_host import (
    owner_name,
    parse_session_settings,
    places,
    session_settings,
    session_words,
    ssh_port,
)
from raptorctl.model.settings import Kind, Settings
from raptorctl.model.sizes import GIB

HOME = "/home/alice"


def test_files_are_where_the_xdg_specification_says() -> None:
    found = places({}, HOME)
    assert found.volumes == "/home/alice/.local/share/raptorctl/volumes"
    assert found.journal == "/home/alice/.local/state/raptorctl/journal"
    assert found.settings == "/home/alice/.config/raptorctl/settings.toml"
    assert places({"XDG_CONFIG_HOME": "/etc/me"}, HOME).config == "/etc/me/raptorctl"
    moved = places(
        {"XDG_DATA_HOME": "/data/", "XDG_STATE_HOME": "/state", "XDG_RUNTIME_DIR": "/run/user/7"},
        HOME,
    )
    assert moved.nvram == "/data/raptorctl/nvram"
    assert moved.audit == "/state/raptorctl/audit.jsonl"
    assert moved.lock == "/run/user/7/raptorctl.lock"


@pytest.mark.parametrize("said", ["", "relative/path", "/"])
def test_a_place_that_is_no_absolute_path_is_as_good_as_none(said: str) -> None:
    assert places({"XDG_DATA_HOME": said}, HOME).data == "/home/alice/.local/share/raptorctl"


def test_without_a_login_the_lock_lies_beside_the_journal() -> None:
    assert places({}, HOME).lock == "/home/alice/.local/state/raptorctl/raptorctl.lock"


@pytest.mark.parametrize(
    ("login", "name"),
    [("alice", "alice"), ("a.smith", "me"), ("Alice", "me"), ("", "me"), ("root", "me"),
     ("alice-b", "me"), ("a" * 17, "me")],
)  # fmt: skip
def test_the_caller_is_the_tenant_if_his_login_can_be_one(login: str, name: str) -> None:
    assert owner_name(login) == name


@pytest.mark.parametrize(
    ("typed", "whole"),
    [
        ("web", "alice web"),
        ("alice web", "alice web"),
        ("alice-web", "alice-web"),
        ("my-web", "alice my-web"),
        ("web before", "alice web before"),
        ("alice web before", "alice web before"),
        ("alice", "alice alice"),
        ("", ""),
    ],
)
def test_one_word_is_enough_where_nobody_else_is(typed: str, whole: str) -> None:
    assert session_words(typed.split(), "alice") == whole.split()


def test_the_settings_say_whose_the_host_is() -> None:
    settings = session_settings(places({}, HOME), "alice", ("/code", "/vars"))
    assert settings.kind is Kind.SESSION
    assert not settings.has_dns
    assert settings.libvirt.uri == "qemu:///session"
    assert (settings.libvirt.firmware_code, settings.libvirt.firmware_vars) == ("/code", "/vars")


@pytest.mark.parametrize(
    ("ssh", "port"), [("127.0.0.1:2201", 2201), ("", 0), ("x", 0), ("127.0.0.1:999999", 0)]
)
def test_a_port_is_read_from_where_ssh_is(ssh: str, port: int) -> None:
    assert ssh_port(ssh) == port


def own(text: str) -> Settings:
    found = places({}, HOME)
    return parse_session_settings(text, found, session_settings(found, "alice", ("/code", "/vars")))


def test_a_person_may_set_what_is_theirs_and_the_rest_stays() -> None:
    settings = own('machine.memory = "1G"\nimages.directory = "/big"\nlibvirt.secure_boot = true\n')
    assert (settings.machine.memory, settings.machine.template) == (GIB, "serial-console")
    assert (settings.images.directory, settings.images.seed_dir) == ("/big", SEEDS)
    assert (settings.libvirt.secure_boot, settings.libvirt.firmware_code) == (True, "/code")
    assert (settings.kind, settings.owner) == (Kind.SESSION, "alice")
    assert settings.config == "/home/alice/.config/raptorctl"
    assert settings.file == "/home/alice/.config/raptorctl/settings.toml"


SEEDS = "/home/alice/.local/share/raptorctl/seeds"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[dns]\nzone = 'x'\n", "settings.toml: dns: is not known on a host of your own; known:"),
        ("colour = 1\n", "settings.toml: colour: is not known on a host of your own; known: libvirt."),
        ("machine = 1\n", "settings.toml: machine: should be a table, not a whole number"),
        ("[libvirt]\nuri = 'qemu:///system'\n", "settings.toml: libvirt.uri: is not known on a"),
        ("[machine]\nmemory = '1K'\n", "settings.toml: machine.memory: should be "),
        ("[machine]\nmemory = 1.5\n", "settings.toml: machine.memory: should be a size"),
        ("[images]\ndirectory = 'x'\n", "settings.toml: images: directory and seed_dir: absolute"),
        ("[machine\n", "settings.toml: is not TOML"),
    ],
)  # fmt: skip
def test_what_is_not_theirs_or_cannot_be_names_the_file_and_the_key(text: str, says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        own(text)
    assert says in str(caught.value)
