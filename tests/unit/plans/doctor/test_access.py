"""Doctor on who may do what: each door that stands open is told, with how to close it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from raptorctl.host.access.doors import _hides, first_there, read_daemon, read_listens
from raptorctl.host.system.files import shipped_rules
from raptorctl.model.access import VENDOR_RULES, Daemon
from raptorctl.model.facts import HostFacts
from raptorctl.model.part import Part
from raptorctl.model.probe import Doors, Probe, Trouble, Verdict
from raptorctl.model.tenant import GROUP, Account, Tenant
from raptorctl.plans.doctor.access import access
from raptorctl.render.polkit_rule import render_rules
from tests.fakes import settings

SHIPPED = shipped_rules()
OURS = render_rules(SHIPPED, settings().access.admin_groups)
DAEMON = Daemon("libvirtd", "/etc/libvirt/libvirtd.conf", polkit=True, anonymous=0)
SSHD = {"authorizedkeysfile": "/etc/raptorctl/keys/%u", "disableforwarding": "yes"}
CLOSED = Doors(rules=OURS, shipped_rules=SHIPPED, daemons=(DAEMON,), sshd=SSHD)


def findings(doors: Doors | None, **fields: Any) -> list[tuple[Verdict, str]]:
    probe = Probe("/etc/raptorctl/settings.toml", doors=doors, **fields)
    return [(found.verdict, found.what) for found in access(probe, settings())]


@pytest.mark.parametrize("rules", [OURS, SHIPPED])
def test_closed_doors_are_one_line(rules: str) -> None:
    ((verdict, _),) = findings(replace(CLOSED, rules=rules))
    assert verdict is Verdict.OK


OPEN: dict[str, tuple[dict[str, Any], Verdict, str]] = {
    "no rules": ({"rules": None}, Verdict.FAIL, "is not there"),
    "edited rules": ({"rules": OURS + "//"}, Verdict.WARN, "edited by hand"),
    "others' rules": (
        {"rules": render_rules(SHIPPED, ("ops",))}, Verdict.WARN, "other settings"),
    "polkit answers wrongly": (
        {"wrong_answers": ("allows nobody domain.read", "x")}, Verdict.FAIL, "and 1 more"),
    "a daemon that does not ask": (
        {"daemons": (replace(DAEMON, polkit=False),)}, Verdict.FAIL, "does not ask polkit"),
    "silent connections": (
        {"daemons": (replace(DAEMON, anonymous=20),)}, Verdict.WARN, "20 silent connections"),
    "an open socket": (
        {"open_sockets": ("/run/libvirt/libvirt-sock",)}, Verdict.WARN, "can open /run/libvirt"),
    "no relay": (
        {"unjudged": ("/run/libvirt/libvirt-sock",)}, Verdict.WARN, "reach libvirtd unjudged"),
    "a bridge helper": ({"bridge_helper": True}, Verdict.FAIL, "join any bridge"),
    "processes that show": ({"hidepid": False}, Verdict.WARN, "each other's processes"),
    "keys of their own": (
        {"sshd": {**SSHD, "authorizedkeysfile": ".ssh/authorized_keys"}}, Verdict.WARN, "keys"),
    "forwarding": ({"sshd": {**SSHD, "disableforwarding": "no"}}, Verdict.WARN, "forwards"),
}  # fmt: skip


def test_rules_as_shipped_are_told_where_the_settings_say_more() -> None:
    for said in ({"log": True}, {"readable": ("volumes",)}, {"admin_groups": ("ops",)}):
        wanted = replace(settings(), access=replace(settings().access, **said))
        probe = Probe("", doors=replace(CLOSED, rules=SHIPPED))
        (found,) = access(probe, wanted)
        assert "other settings" in found.what
        rules = render_rules(
            SHIPPED,
            wanted.access.admin_groups,
            log=wanted.access.log,
            readable=wanted.access.readable,
        )
        (found,) = access(replace(probe, doors=replace(CLOSED, rules=rules)), wanted)
        assert found.verdict is Verdict.OK


def test_a_package_s_rules_are_named_where_they_are() -> None:
    ((_, what),) = findings(replace(CLOSED, rules=OURS + "//", rules_file=VENDOR_RULES))
    assert what == f"{VENDOR_RULES} was edited by hand"


def test_a_package_s_rules_count_where_the_host_has_none_of_its_own(tmp_path: Path) -> None:
    etc, vendor = str(tmp_path / "etc"), str(tmp_path / "usr")
    assert first_there(etc, vendor) == etc
    Path(vendor).touch()
    assert first_there(etc, vendor) == vendor
    Path(etc).touch()
    assert first_there(etc, vendor) == etc


@pytest.mark.parametrize("door", OPEN)
def test_an_open_door_is_told(door: str) -> None:
    fields, verdict, words = OPEN[door]
    ((found, what),) = findings(replace(CLOSED, **fields))
    assert (found, words in what) == (verdict, True)


def test_a_tenant_in_a_group_that_need_not_ask_is_told() -> None:
    account = Account("alice", 1000, 1000, groups=frozenset({GROUP, "libvirt", "kvm"}))
    told = findings(CLOSED, facts=HostFacts(tenants=(Tenant("alice", account=account),)))
    assert [what.split()[4] for _, what in told] == ["kvm,", "libvirt,"]


def test_what_could_not_be_looked_at_is_told_and_nothing_is_guessed() -> None:
    trouble = {Part.ACCESS: Trouble("the system's D-Bus does not answer")}
    assert findings(None, troubles=trouble) == [
        (Verdict.FAIL, "the system's D-Bus does not answer")
    ]


@pytest.mark.parametrize(
    ("text", "polkit", "anonymous"),
    [
        ("", False, 20),
        ('#access_drivers = [ "polkit" ]\n#max_anonymous_clients = 20\n', False, 20),
        ('access_drivers = [ "polkit" ]\nmax_anonymous_clients = 0\n', True, 0),
        ('access_drivers = [\n  "polkit",\n]\n', True, 20),
        ('access_drivers = [ "polkit" ]\naccess_drivers = [ ]\n', False, 20),
        ("max_anonymous_clients = 5000", False, 5000),
    ],
)
def test_a_daemons_settings_are_read_as_it_reads_them(
    text: str, polkit: bool, anonymous: int
) -> None:
    daemon = read_daemon("libvirtd", text)
    assert (daemon.polkit, daemon.anonymous) == (polkit, anonymous)


@pytest.mark.parametrize(
    ("options", "hidden"),
    [("rw,hidepid=invisible", True), ("rw,gid=9,hidepid=2", True), ("rw,relatime", False),
     ("rw,hidepid=noaccess", False)],
)  # fmt: skip
def test_hidden_processes_are_seen_in_the_mounts(options: str, hidden: bool) -> None:
    assert _hides(f"sysfs /sys sysfs rw 0 0\nproc /proc proc {options} 0 0\n") is hidden


def test_libvirtds_own_sockets_are_where_systemd_says() -> None:
    usual = "/run/libvirt/libvirt-sock (Stream)\n\n/run/libvirt/libvirt-sock-ro (Stream)\n"
    assert len(list(read_listens(usual))) == 2
    assert list(read_listens(usual.replace("/run/libvirt/", "/run/raptorctl-libvirt/"))) == []
