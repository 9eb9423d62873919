"""The table in words and the rules in ECMAScript 5 say the same; run in Duktape, polkit's engine."""

import json
import re
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
    SOCKETS,
    Person,
    Question,
    decide,
    is_edited,
    needs,
    questions,
    sealed,
)
from raptorctl.render.polkit_rule import render_rules

FOLDER = Path(__file__).parents[3] / "polkit"
RULES = (FOLDER / "10-raptorctl.rules").read_text()
CASES = json.loads((FOLDER / "cases.json").read_text())["cases"]

# What polkitd gives a rule (polkit(8)), as far as ours uses it.
POLKITD = """
var polkit = {Result: {YES: "yes", NO: "no", NOT_HANDLED: null}, addRule: function (f) { this.rule = f; }};
RULES
function ask(name, groups, id, details) {
    var action = {id: id, lookup: function (key) { return details[key]; }};
    var subject = {user: name, isInGroup: function (g) { return groups.indexOf(g) >= 0; }};
    return polkit.rule(action, subject);
}
"""


@cache
def duktape(groups: tuple[str, ...] = ("libvirt", "wheel")) -> Any:
    engine = dukpy.JSInterpreter()
    engine.evaljs(POLKITD.replace("RULES", render_rules(RULES, groups)) + "; null")
    return engine


def ask(
    who: str, groups: Any, action: str, details: Any, admins: Any = ("libvirt", "wheel")
) -> Any:
    return duktape(tuple(admins)).evaljs(
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
    assert [question.action for question in asked][1] == "org.libvirt.unix.manage"
