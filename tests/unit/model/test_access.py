"""The table in words and the rules in ECMAScript 5 say the same; run in Duktape, polkit's engine."""

import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import dukpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raptorctl.errors import InputError
from raptorctl.model.access import (
    CONNECT,
    DOMAIN,
    NEEDS,
    SHARED,
    SOCKETS,
    Person,
    Question,
    decide,
    is_edited,
    needs,
    questions,
    sealed,
)
from raptorctl.model.readable import LOOKS
from raptorctl.model.share import Grant, Share, shares_text
from raptorctl.render.polkit_rule import render_rules
from tests.unit.model.test_share import SHARE, UUID

FOLDER = Path(__file__).parents[3] / "polkit"
RULES = (FOLDER / "10-raptorctl.rules").read_text()
CASES = json.loads((FOLDER / "cases.json").read_text())["cases"]

# What polkitd gives a rule (polkit(8)), as far as ours uses it.
POLKITD = """
var polkit = {Result: {YES: "yes", NO: "no", NOT_HANDLED: null}, addRule: function (f) { this.rule = f; },
              logged: [], log: function (text) { this.logged.push(text); }};
RULES
function ask(name, groups, id, details) {
    var action = {id: id, lookup: function (key) { return details[key]; }};
    var subject = {user: name, isInGroup: function (g) { return groups.indexOf(g) >= 0; }};
    return polkit.rule(action, subject);
}
"""


@cache
def duktape(groups: tuple[str, ...] = ("libvirt", "wheel"), readable: tuple[str, ...] = ()) -> Any:
    engine = dukpy.JSInterpreter()
    rules = render_rules(RULES, groups, readable=readable)
    engine.evaljs(POLKITD.replace("RULES", rules) + "; null")
    return engine


def ask(
    who: str,
    groups: Any,
    action: str,
    details: Any,
    admins: Any = ("libvirt", "wheel"),
    readable: tuple[str, ...] = (),
) -> Any:
    return duktape(tuple(admins), readable).evaljs(
        "ask(dukpy.who, dukpy.groups, dukpy.action, dukpy.details)",
        who=who,
        groups=list(groups),
        action=action,
        details=dict(details),
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0][0]!r} {case[1][0]} {case[2]}")
def test_the_rules_answer_the_table_of_cases(case: Any) -> None:
    (who, groups), (action, details), answer = case
    assert ask(who, groups, action, details) == answer


NAMES = st.sampled_from(["alice", "al", "bob", "al-ice", "Alice", "root1", "a" * 17, ""])
GROUPS = st.frozensets(st.sampled_from(["vm-users", "libvirt", "wheel", "users", "kvm"]))
PERMISSIONS = st.one_of(
    st.sampled_from(sorted({f"domain.{p}" for p in DOMAIN} | {f"connect.{p}" for p in CONNECT})),
    st.sampled_from(sorted(SOCKETS)),
    st.from_regex(r"(domain|connect|network|secret|unix)\.[a-z-]{1,12}", fullmatch=True),
)
DOMAINS = st.sampled_from(["alice-dev", "al-ice-dev", "bob-web", "alice", "Alice-dev", "-x", ""])
DRIVERS = st.sampled_from(["QEMU", "qemu", "network", "nwfilter", "bhyve", ""])


@pytest.mark.long
@settings(max_examples=600, derandomize=True, deadline=None)
@given(NAMES, GROUPS, PERMISSIONS, DOMAINS, DRIVERS)
def test_what_is_told_is_what_the_rules_answer(
    name: str, groups: frozenset[str], permission: str, domain: str, driver: str
) -> None:
    question = Question(permission, domain, driver)
    told = decide(Person(name, groups), question, ("libvirt", "wheel"))
    answer = ask(name, groups, question.action, question.details)
    assert (answer == "yes") is told.allowed
    assert answer in {"yes", "no"}
    assert told.rule


# What tenants may look at beside machines


VOLUMES = ("volumes",)
DEVICES = ("node-devices",)
BOTH = (*VOLUMES, *DEVICES)
OBJECTS = {  # What libvirt's permissions of these objects are (src/access/viraccessperm.h).
    "storage-pool": "getattr read write save delete start stop refresh search-storage-vols format",
    "storage-vol": "getattr read create delete format resize data-read data-write",
    "node-device": "getattr read write start stop detach save delete",
    "connect": "search-storage-pools search-node-devices search-networks read write",
    "network": "getattr read",
    "secret": "getattr read read-secure",
}
EVERYTHING = [f"{on}.{what}" for on, words in OBJECTS.items() for what in words.split()]


def looks(readable: tuple[str, ...], volume: str, driver: str = "QEMU", who: str = "alice") -> Any:
    """All that alice is granted of the objects above, by the rules; the words say the same."""
    found = set()
    for permission in EVERYTHING:
        question = Question(permission, driver=driver, volume=volume)
        details = {**question.details, "pool_name": "vg0", "node_device_name": "pci_0000_00_00_0"}
        answer = ask(who, ["vm-users"], question.action, details, readable=readable)
        person = Person(who, frozenset({"vm-users"}))
        told = decide(person, question, ("libvirt", "wheel"), (), readable)
        assert (answer == "yes") is told.allowed, (permission, volume, driver)
        found |= {permission} if told.allowed else set()
    return found


OF_VOLUMES = {permission for permission in LOOKS["volumes"].permissions if "vol." in permission}


def test_tenants_look_at_nothing_beside_machines_unless_the_settings_say_so() -> None:
    for driver in ("QEMU", "storage", "nodedev"):
        assert looks((), "guest-alice-dev", driver) == set()


@pytest.mark.parametrize("volume", ["guest-alice-dev", "guest-alice-a-b", "disk-alice-dev.data"])
def test_volumes_of_their_own_machines_can_be_opened_to_tenants(volume: str) -> None:
    for driver in ("QEMU", "qemu", "storage"):
        assert looks(VOLUMES, volume, driver) == LOOKS["volumes"].permissions
    assert looks(BOTH, volume) == LOOKS["volumes"].permissions | LOOKS["node-devices"].permissions
    assert looks(VOLUMES, volume, "nodedev") == looks(DEVICES, volume, "storage") == set()


@pytest.mark.parametrize(
    "volume",
    [
        "guest-bob-web", "disk-bob-web.data", "guest-bob-alice-dev", "guest-alice", "guest-alicex-dev",
        "alice-dev", "GUEST-alice-dev", "wipe-guest-alice-dev", "snap-alice-dev", "", "/dev/vg0/guest-alice-dev",
    ],
)  # fmt: skip
def test_no_other_volume_is_opened(volume: str) -> None:
    assert looks(VOLUMES, volume) == LOOKS["volumes"].permissions - OF_VOLUMES
    assert len(OF_VOLUMES) == 2


def test_node_devices_can_be_opened_to_tenants() -> None:
    for driver in ("QEMU", "nodedev"):
        assert looks(DEVICES, "guest-alice-dev", driver) == LOOKS["node-devices"].permissions


def test_what_is_opened_to_tenants_is_opened_to_nobody_else() -> None:
    for who, groups in (("alice", ["users"]), ("Alice", ["vm-users"]), ("mallory", [])):
        for permission in EVERYTHING:
            told = Question(permission, volume=f"guest-{who}-dev")
            assert ask(who, groups, told.action, told.details, readable=BOTH) == "no"


def test_no_machine_of_anothers_is_opened_with_it() -> None:
    for permission in DOMAIN:
        question = Question(f"domain.{permission}", "bob-web", volume="guest-alice-dev")
        words = ("alice", ["vm-users"], question.action, question.details)
        assert ask(*words, readable=BOTH) == "no"


# Shares


BEFORE = "2027-01-30T23:59:59.999Z"
OVER = "2027-01-31T00:00:00.000Z"


def shared(text: str, now: str = BEFORE) -> Any:
    """Polkit with the list of shares, at a moment of time."""
    engine = dukpy.JSInterpreter()
    engine.evaljs(POLKITD.replace("RULES", RULES) + "; null")
    engine.evaljs(f"{text}\nDate.now = function () {{ return Date.parse('{now}'); }}; null")
    return engine


def allowed(engine: Any, who: str = "bob", **details: Any) -> set[str]:
    """All that the rules grant on a domain, of every permission in the table and some others."""
    names = {*DOMAIN, *"write save delete open-graphics read-secure toString length ".split(), ""}
    told = {"connect_driver": "QEMU", "domain_name": "alice-dev", "domain_uuid": UUID, **details}
    return {
        name
        for name in names
        if engine.evaljs(
            "ask(dukpy.who, ['vm-users'], 'org.libvirt.api.domain.' + dukpy.name, dukpy.told)",
            who=who,
            name=name,
            told=told,
        )
        == "yes"
    }


@pytest.mark.parametrize("grant", Grant)
@pytest.mark.parametrize("until", ["", SHARE.until])
def test_a_share_grants_what_it_says_on_that_machine_to_that_tenant(
    grant: Grant, until: str
) -> None:
    engine = shared(shares_text([replace(SHARE, grant=grant, until=until)]))
    assert allowed(engine) == SHARED[grant]
    assert {"getattr", "read", "open-device"} <= SHARED[grant] <= DOMAIN
    assert allowed(engine, "alice") == DOMAIN
    for who in ("eve", "bo", "bobb", "Bob", "", "bob\n"):
        assert allowed(engine, who) == set()
    other = UUID.replace("1", "2")
    for details in (
        {"domain_uuid": other}, {"domain_uuid": UUID.upper()}, {"domain_uuid": ""},
        {"domain_uuid": None}, {"domain_name": "alice-dev2"}, {"domain_name": "alice-de"},
        {"domain_name": "alice"}, {"domain_name": None}, {"connect_driver": "network"},
    ):  # fmt: skip
        assert allowed(engine, **details) == set()


def test_who_is_no_tenant_is_not_let_in_by_a_share() -> None:
    engine = shared(shares_text([SHARE]))
    told = {"connect_driver": "QEMU", "domain_name": "alice-dev", "domain_uuid": UUID}
    for groups in ([], ["users"]):
        asked = {"groups": groups, "told": told}
        script = "ask('bob', dukpy.groups, 'org.libvirt.api.domain.read', dukpy.told)"
        assert engine.evaljs(script, **asked) == "no"


def test_a_share_grants_nothing_from_the_moment_that_it_says() -> None:
    text = shares_text([SHARE])
    assert allowed(shared(text, BEFORE)) == SHARED[Grant.CONSOLE]
    assert allowed(shared(text, OVER)) == set()
    assert allowed(shared(text, "2036-01-01T00:00:00Z")) == set()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"bob"', '"b*"'), ('"bob"', "/b/"), ('"bob"', '["bob"]'), ('"bob"', "null"),
        ('"alice-dev"', '"alice-"'), ('"alice-dev"', '["alice-dev"]'), (f'"{UUID}"', '""'),
        (f'"{UUID}"', "undefined"), (f'"{UUID}"', f'["{UUID}"]'), ('"console"', '"all"'),
        ('"console"', '"toString"'), ('"console"', '"hasOwnProperty"'), ('"console"', "true"),
        ('"console"', '["operate"]'), (SHARE.until, "soon"), (SHARE.until, "9999"), (f'"{SHARE.until}"', "9999"),
        (f'"{SHARE.until}"', f'["{SHARE.until}"]'), (SHARE.until, "2027-99-31T00:00:00Z"),
        (f'"{SHARE.until}"', "null"), (f'"{SHARE.until}"', "undefined"),
        (f'"{SHARE.until}"', "false"), (f'"{SHARE.until}"', "0"), (f'"{SHARE.until}"', "[]"),
        (f'"until": "{SHARE.until}", ', ""), ('"until"', '"Until"'), ('"uuid"', '"id"'),
        ("raptorctlShares =", "raptorctlshares ="),
    ],
)  # fmt: skip
def test_wrong_data_grants_nothing(old: str, new: str) -> None:
    text = shares_text([SHARE])
    assert text.count(old) == 1
    assert allowed(shared(text.replace(old, new))) == set()


@pytest.mark.parametrize(
    "value",
    ["null", "undefined", "7", '"bob"', "{}", "[null]", "[[]]", "[undefined, 7]", "function () {}"],
)
def test_a_list_that_is_none_grants_nothing_and_takes_nothing(value: str) -> None:
    engine = shared(f"raptorctlShares = {value};")
    assert allowed(engine) == set()
    assert allowed(engine, "alice") == DOMAIN


def test_polkit_reading_its_rules_anew_begins_with_an_empty_list() -> None:
    """Polkitd keeps its globals when it reads files anew; a list that is gone must not stay."""
    engine = shared(shares_text([SHARE]))
    assert allowed(engine)
    engine.evaljs(RULES + "; null")
    assert allowed(engine) == set()


@pytest.mark.long
@settings(max_examples=300, derandomize=True, deadline=None)
@given(
    st.sampled_from(["alice", "bob", "eve", "al-ice"]),
    PERMISSIONS,
    st.sampled_from(["alice-dev", "alice-web", "bob-web"]),
    st.sampled_from([UUID, UUID.replace("1", "2"), ""]),
    st.lists(
        st.builds(
            replace,
            st.just(SHARE),
            tenant=st.sampled_from(["bob", "eve"]),
            grant=st.sampled_from(Grant),
            until=st.sampled_from(["", SHARE.until, "2026-12-01T00:00:00Z"]),
        ),
        max_size=2,
        unique_by=lambda share: share.tenant,
    ),
)
def test_what_is_told_of_shares_is_what_the_rules_answer(
    name: str, permission: str, domain: str, uuid: str, shares: list[Share]
) -> None:
    question = Question(permission, domain, uuid=uuid)
    live = [share for share in shares if not share.is_over("2027-01-30T23:59:59Z")]
    person = Person(name, frozenset({"vm-users"}))
    told = decide(person, question, ("libvirt", "wheel"), live)
    answer = shared(shares_text(shares)).evaljs(
        "ask(dukpy.who, ['vm-users'], dukpy.action, dukpy.details)",
        who=name,
        action=question.action,
        details=dict(question.details),
    )
    assert (answer == "yes") is told.allowed
    assert told.rule


def test_root_is_not_asked_about() -> None:
    assert decide(Person("root", uid=0), Question("domain.write", "bob-web"), ()).allowed


def test_the_settings_admins_are_the_rules_admins() -> None:
    words = ("carol", ["ops"], "org.libvirt.api.domain.write", {"connect_driver": "QEMU"})
    assert ask(*words, admins=["ops"]) == "yes"
    assert ask(*words, admins=["wheel"]) == "no"
    assert ask(*words, admins=[]) == "no"


def test_the_rules_are_ecmascript_5() -> None:
    code = re.sub(r"//.*", "", RULES)
    assert not re.search(r"\b(let|const|class)\b|=>|`|startsWith|includes", code)


def test_an_edit_by_hand_is_noticed() -> None:
    laid = render_rules(RULES, ("ops",))
    assert not is_edited(RULES, RULES)
    assert not is_edited(laid, RULES)
    assert is_edited(laid.replace("ops", "everybody"), RULES)
    assert is_edited(RULES + " ", RULES)
    assert not is_edited(sealed("an older version of ours"), RULES)


def test_each_answer_is_logged_where_the_settings_ask_for_it() -> None:
    question = ("ask('alice', ['vm-users'], 'org.libvirt.api.domain.%s',"
                " {connect_driver: 'QEMU', domain_name: 'alice-dev'}); polkit.logged")  # fmt: skip
    loud, quiet = dukpy.JSInterpreter(), dukpy.JSInterpreter()
    loud.evaljs(POLKITD.replace("RULES", render_rules(RULES, (), log=True)) + "; null")
    quiet.evaljs(POLKITD.replace("RULES", render_rules(RULES, ())) + "; null")
    loud.evaljs(question % "start")
    assert loud.evaljs(question % "write") == [
        "raptorctl: yes alice org.libvirt.api.domain.start alice-dev",
        "raptorctl: no alice org.libvirt.api.domain.write alice-dev",
    ]
    assert quiet.evaljs(question % "write") == []
    assert not is_edited(render_rules(RULES, ("ops",), log=True), RULES)


def test_rules_of_another_kind_are_not_rendered() -> None:
    with pytest.raises(InputError):
        render_rules("polkit.addRule(function () {});", ("wheel",))


def test_a_permission_can_be_named_in_three_ways() -> None:
    for text in ("domain.write", "org.libvirt.api.domain.write"):
        assert needs(text) == ("domain.write",)
    assert "domain.open-device" in needs("console") == NEEDS["console"]


@pytest.mark.parametrize("text", ["", "domain", "domain.", "a.b.c", "domain.write;", "héllo.x"])
def test_what_is_no_permission_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        needs(text)


def test_questions_name_the_domain_only_where_there_is_one() -> None:
    asked = questions(["org.libvirt.api.domain.start", "org.libvirt.unix.manage", "org.x.y"], "a-b")
    assert asked == (Question("domain.start", "a-b"), Question("unix.manage"))
    (volume,) = questions(["org.libvirt.api.storage-vol.read"], "a-b")
    assert volume == Question("storage-vol.read", volume="guest-a-b")
    assert [question.action for question in asked][1] == "org.libvirt.unix.manage"
