"""Tenants by command line: made, shown, changed, removed; and what is refused, in one line."""

import io
import json
import os
import sys
from pathlib import Path

import pytest

from raptorctl.model.access import Daemon
from raptorctl.model.tenant import GROUP, Account
from tests.fakes import World
from tests.unit.cli.session import CommandLine
from tests.unit.model.test_ssh_key import FINGERPRINT, GOOD, rsa

SMALL = ("--size", "1G", "--cpus", "4-4", "--memory", "1G")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def key(tmp_path: Path) -> str:
    path = tmp_path / "alice.pub"
    path.write_text(f"{GOOD}\n")
    return str(path)


def test_a_tenant_is_made_shown_and_removed(raptorctl: CommandLine, world: World, key: str) -> None:
    before = world.picture()
    words = ("tenant", "add", "alice", "--key", key, "--quota", "machines=2,cpus=8")
    assert raptorctl(*words).code == 0
    assert world.accounts.by_name["alice"].groups == {GROUP}
    shown = raptorctl("tenant", "show", "alice").out
    assert FINGERPRINT in shown
    assert "machines=2,cpus=8" in shown
    assert raptorctl("tenant", "list").out.splitlines()[1].split() == [
        "alice", "shell", "active", "1", "0/2", "0/8", "0B", "0B",
    ]  # fmt: skip
    again = raptorctl(*words)
    assert (again.code, again.out) == (0, "alice is a tenant\n")
    assert raptorctl("tenant", "remove", "alice", "-y").code == 0
    tombstone, _ = world.files.texts.pop("/etc/raptorctl/tenants/removed/1000.json")
    assert json.loads(tombstone)["name"] == "alice"
    assert world.picture() == before
    assert "there is no tenant" in raptorctl("tenant", "remove", "alice", "-y").out


def test_nobody_becomes_a_tenant_where_libvirt_does_not_ask_polkit(
    raptorctl: CommandLine, world: World, key: str
) -> None:
    before = world.picture()
    world.authority.open = (Daemon("virtqemud", "/etc/libvirt/virtqemud.conf", False, 0),)
    for words in (
        ("tenant", "add", "alice", "--key", key),
        ("provision", "alice", "dev", *SMALL, "-y"),
    ):
        done = raptorctl(*words)
        assert (
            done.code,
            'access_drivers = [ "polkit" ] in /etc/libvirt/virtqemud.conf' in done.err,
        ) == (3, True)
    assert world.picture() == before
    world.authority.open = ()
    assert raptorctl("tenant", "add", "alice", "--key", key).code == 0
    world.authority.open = (Daemon("virtqemud", "/etc/libvirt/virtqemud.conf", False, 0),)
    assert raptorctl("tenant", "add", "alice", "--key", key).out == "alice is a tenant\n"


def test_dry_run_touches_nothing(raptorctl: CommandLine, world: World, key: str) -> None:
    before = world.picture()
    shown = raptorctl("tenant", "add", "alice", "--key", key, "--dry-run")
    assert (shown.code, "make account alice, uid 1000" in shown.out) == (0, True)
    assert world.picture() == before


def test_keys_come_from_standard_input_too(
    raptorctl: CommandLine, monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    class Stdin(io.StringIO):
        buffer = io.BytesIO(f"{GOOD}\n".encode())

    monkeypatch.setattr("tests.unit.cli.session.Pipe", type("P", (Stdin,), {}))
    assert raptorctl("tenant", "add", "alice", "--key", "-").code == 0
    assert GOOD in (world.files.read("/etc/raptorctl/keys/alice") or "")
    assert not isinstance(sys.stdin, Stdin)


def test_provision_makes_the_tenant_on_the_way_and_takes_him_back_when_it_fails(
    raptorctl: CommandLine, world: World, key: str
) -> None:
    before = world.picture()
    session = raptorctl.session()
    session.wire.at = 30
    session.wire.error = lambda: OSError("the disk is on fire")
    words = ("provision", "alice", "dev", *SMALL, "--key", key)
    assert raptorctl(*words, session=session).code == 1
    assert world.picture() == before
    assert raptorctl(*words).code == 0
    assert raptorctl("tenant", "show", "alice").out.count("alice-dev") == 1


def test_provision_says_that_a_tenant_without_a_key_cannot_log_in(raptorctl: CommandLine) -> None:
    done = raptorctl("provision", "alice", "dev", *SMALL)
    assert done.code == 0
    assert "tenant key add alice FILE" in done.err


def test_provision_gives_a_tenant_the_key_he_lacks(
    raptorctl: CommandLine, world: World, tmp_path: Path, key: str
) -> None:
    raptorctl("tenant", "add", "alice", "--key", key)
    other = tmp_path / "other.pub"
    other.write_text(f"{rsa(3072)} other\n")
    assert raptorctl("provision", "alice", "dev", *SMALL, "--key", str(other)).code == 0
    assert (
        len(json.loads(raptorctl("tenant", "key", "list", "alice", "-o", "json").out)["keys"]) == 2
    )


def test_each_tenants_qemu_has_a_number_of_its_own(raptorctl: CommandLine, world: World) -> None:
    raptorctl("provision", "alice", "dev", *SMALL)
    raptorctl("provision", "bob", "web", "--size", "1G", "--cpus", "5-5", "--memory", "1G")
    labels = ["<label>+67000:+67000</label>", "<label>+67001:+67001</label>"]
    assert [label in d.xml for label, d in zip(labels, world.domains.list(), strict=True)] == [
        True,
        True,
    ]


def test_a_quota_is_refused_with_the_arithmetic(raptorctl: CommandLine, world: World) -> None:
    raptorctl("tenant", "add", "alice", "--quota", "cpus=2")
    assert raptorctl("provision", "alice", "dev", *SMALL).code == 0
    before = world.picture()
    words = ("provision", "alice", "web", "--size", "1G", "--cpus", "5-6", "--memory", "1G")
    refused = raptorctl(*words)
    assert refused.code == 3
    assert "alice has 1 of 2 CPUs; 2 more asked" in refused.complaint
    assert world.picture() == before
    assert raptorctl("tenant", "quota", "alice", "cpus=3").code == 0
    assert raptorctl(*words).code == 0


def test_a_tenant_with_machines_stays_and_they_are_named(raptorctl: CommandLine) -> None:
    raptorctl("provision", "alice", "dev", *SMALL)
    refused = raptorctl("tenant", "remove", "alice", "-y")
    assert (refused.code, refused.complaint) == (
        3,
        "raptorctl: alice has 1 machine: alice-dev: deprovision it first",
    )


def test_an_expired_tenant_gets_no_more_machines(raptorctl: CommandLine) -> None:
    raptorctl("tenant", "add", "alice", "--expires", "2020-01-01")
    assert "expired" in raptorctl("tenant", "list").out
    refused = raptorctl("provision", "alice", "dev", *SMALL)
    assert (refused.code, "has expired" in refused.complaint) == (3, True)


def test_an_account_that_is_there_is_taken_only_when_asked(
    raptorctl: CommandLine, world: World
) -> None:
    world.accounts.by_name["alice"] = Account("alice", 1500, 1500, shell="/bin/zsh")
    for words in (("tenant", "add", "alice"), ("provision", "alice", "dev", *SMALL)):
        refused = raptorctl(*words)
        assert (refused.code, "tenant add alice --adopt" in refused.complaint) == (3, True)
    assert raptorctl("tenant", "add", "alice", "--adopt").code == 0
    assert world.accounts.by_name["alice"].shell == "/bin/zsh"
    assert raptorctl("tenant", "remove", "alice", "-y").code == 0
    assert world.accounts.by_name["alice"] == Account("alice", 1500, 1500, shell="/bin/zsh")


def test_an_account_in_our_group_that_others_made_may_have_machines(
    raptorctl: CommandLine, world: World
) -> None:
    world.accounts.by_name["alice"] = Account("alice", 1500, 1500, groups=frozenset({GROUP}))
    done = raptorctl("provision", "alice", "dev", *SMALL)
    assert (done.code, "no quota" in done.err) == (0, True)
    assert "no record" in raptorctl("tenant", "list").out


def test_keys_that_were_edited_by_hand_are_said_and_left(
    raptorctl: CommandLine, world: World, key: str
) -> None:
    raptorctl("tenant", "add", "alice", "--key", key)
    world.files.write("/etc/raptorctl/keys/alice", 'command="/bin/sh" ssh-ed25519 A\n', 0o644)
    assert "keys edited" in raptorctl("tenant", "list").out
    refused = raptorctl("tenant", "key", "add", "alice", key)
    assert (refused.code, "was edited" in refused.complaint) == (3, True)


def test_a_host_made_from_a_configuration_gets_text_instead(
    raptorctl: CommandLine, world: World, key: str
) -> None:
    world.accounts.immutable = True
    refused = raptorctl("tenant", "add", "alice", "--key", key)
    assert (refused.code, "--emit nix" in refused.complaint) == (3, True)
    raptorctl.root = False
    text = raptorctl("tenant", "add", "alice", "--key", key, "--emit", "nix").out
    assert f'"restrict,pty {GOOD}"' in text
    assert 'extraGroups = [ "vm-users" ];' in text


BAD_KEYS: dict[str, str | bytes] = {
    "private": "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n",
    "options": f'command="/bin/sh" {GOOD}\n',
    "dsa": "ssh-dss AAAAB3NzaC1kc3M=\n",
    "short": f"{rsa(1024)}\n",
    "cr": f"{GOOD}\r{GOOD}\r",
    "utf-16": f"{GOOD}\r\n".encode("utf-16"),
    "nul": f"{GOOD}\0\n",
    "long": f"ssh-ed25519 {'A' * 17 * 1024}\n",
    "many": "".join(f"{rsa(3072 + 8 * n)}\n" for n in range(51)),
    "empty": "\n# nothing\n",
    "latin": b"ssh-ed25519 \xff\n",
}


@pytest.mark.parametrize("kind", BAD_KEYS)
def test_a_bad_key_is_refused_in_one_line_that_says_nothing_of_it(
    raptorctl: CommandLine, world: World, tmp_path: Path, kind: str
) -> None:
    path, text = tmp_path / "key", BAD_KEYS[kind]
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    before = world.picture()
    refused = raptorctl("tenant", "add", "alice", "--key", str(path))
    assert refused.code == 2
    assert "c2VjcmV0" not in refused.complaint
    assert world.picture() == before


@pytest.mark.parametrize("kind", ["fifo", "directory", "link", "missing", "device"])
def test_a_key_file_that_is_none_is_refused_at_once(
    raptorctl: CommandLine, tmp_path: Path, key: str, kind: str
) -> None:
    path = tmp_path / kind
    match kind:
        case "fifo":
            os.mkfifo(path)
        case "directory":
            path.mkdir()
        case "link":
            path.symlink_to(key)
        case "device":
            path = Path("/dev/zero")
    refused = raptorctl("tenant", "add", "alice", "--key", str(path))
    assert (refused.code, refused.complaint.startswith("raptorctl: --key: ")) == (2, True)


@pytest.mark.parametrize(
    "words",
    [
        ("add", "Alice"), ("add", "al-ice"), ("add", "root"), ("add", "sshd"), ("add", "a" * 17),
        ("add", "alice", "--quota", "disks=2"), ("add", "alice", "--quota", "cpus=2,cpus=3"),
        ("add", "alice", "--quota", ""), ("quota", "alice", ""),
        ("add", "alice", "--quota", "cpus=-1"), ("add", "alice", "--quota", "memory=lots"),
        ("add", "alice", "--expires", "tomorrow"), ("add", "alice", "--mode", "root"),
        ("set", "alice"), ("key", "add", "alice", "/nowhere"), ("add", "alice", "--key", "a\0b"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_bad_input(
    raptorctl: CommandLine, world: World, words: tuple[str, ...]
) -> None:
    before = world.picture()
    refused = raptorctl("tenant", *words)
    assert (refused.code, refused.out) == (2, "")
    assert "Traceback" not in refused.err
    assert world.picture() == before


@pytest.mark.parametrize(
    "words", [("show",), ("quota",), ("key", "list"), ("set", "--mode", "console")]
)
def test_somebody_who_is_no_tenant_is_refused(
    raptorctl: CommandLine, words: tuple[str, ...]
) -> None:
    refused = raptorctl("tenant", *words[:2], "www1", *words[2:]) if words[0] == "key" else (
        raptorctl("tenant", words[0], "www1", *words[1:])
    )  # fmt: skip
    assert (refused.code, "there is no tenant www1" in refused.complaint) == (3, True)


def test_a_name_that_differs_from_an_account_only_by_case_is_refused(
    raptorctl: CommandLine, world: World
) -> None:
    world.accounts.by_name["Alice"] = Account("Alice", 1500, 1500)
    refused = raptorctl("tenant", "add", "alice")
    assert (refused.code, "only by case" in refused.complaint) == (3, True)
