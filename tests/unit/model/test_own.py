"""Where a person's files are, what he is called, and what he may leave out."""

import pytest

from raptorctl.model.own import own_settings, own_words, owner_name, places, ssh_port
from raptorctl.model.settings import Kind

HOME = "/home/alice"


def test_files_are_where_the_xdg_specification_says() -> None:
    found = places({}, HOME)
    assert found.volumes == "/home/alice/.local/share/raptorctl/volumes"
    assert found.journal == "/home/alice/.local/state/raptorctl/journal"
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
    assert own_words(typed.split(), "alice") == whole.split()


def test_the_settings_say_whose_the_host_is() -> None:
    settings = own_settings(places({}, HOME), "alice", ("/code", "/vars"))
    assert settings.kind is Kind.OWN
    assert not settings.has_dns
    assert settings.libvirt.uri == "qemu:///session"
    assert (settings.libvirt.firmware_code, settings.libvirt.firmware_vars) == ("/code", "/vars")


@pytest.mark.parametrize(
    ("ssh", "port"), [("127.0.0.1:2201", 2201), ("", 0), ("x", 0), ("127.0.0.1:999999", 0)]
)
def test_a_port_is_read_from_where_ssh_is(ssh: str, port: int) -> None:
    assert ssh_port(ssh) == port
