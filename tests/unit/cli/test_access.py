"""`raptorctl access`: explained, tried, installed; and rules that do not work never stay."""

import json
from dataclasses import replace

import pytest

from raptorctl.model.access import PROBE_TENANT, RULES
from raptorctl.model.tenant import Account
from tests.fakes import World
from tests.unit.cli.session import CommandLine, Result


@pytest.fixture
def installed(raptorctl: CommandLine) -> CommandLine:
    assert raptorctl("access", "install").code == 0
    return raptorctl


def test_installing_says_so_and_is_done_once(installed: CommandLine, world: World) -> None:
    assert (world.files.read(RULES) or "").startswith("// Written by")
    again = installed("access", "install")
    assert (again.code, "as they should be" in again.out) == (0, True)


def test_what_the_settings_open_to_tenants_is_installed_and_tried(
    installed: CommandLine, world: World
) -> None:
    def opened(*words: str) -> Result:
        session = installed.session(*words)
        access = replace(session.settings.access, readable=("volumes",))
        session.settings = replace(session.settings, access=access)
        return installed(*words, session=session)

    assert opened("access", "test").code == 3  # polkit has the old rules yet
    assert opened("access", "install").code == 0
    assert 'READABLE = ["volumes"];' in (world.files.read(RULES) or "")
    tried = opened("access", "test")
    (row,) = [line.split()[:4] for line in tried.out.splitlines() if "storage-vol.read" in line]
    assert (tried.code, row) == (0, ["storage-vol.read", "yes", "no", "no"])
    for machine, allowed in (("alice-dev", "yes"), ("bob-web", "no")):
        told = opened("access", "explain", "alice", "storage-vol.read", machine)
        assert told.out.startswith(f"{allowed}: alice may")
    assert (
        "wrong: alice: storage-vol.read on guest-alice-trial is yes"
        in installed("access", "test").out
    )


def test_without_a_tenant_one_is_made_for_the_trial_and_goes(
    raptorctl: CommandLine, world: World
) -> None:
    raptorctl.world = world = World()
    done = raptorctl("access", "install")
    assert done.code == 0
    assert PROBE_TENANT in done.err
    assert PROBE_TENANT not in world.accounts.by_name


@pytest.mark.parametrize("tenants", [True, False])
def test_rules_that_polkit_cannot_read_give_way_to_the_old_ones(
    installed: CommandLine, world: World, tenants: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not tenants:
        installed.world = world = World()
        installed("access", "install")
    before = world.picture()
    monkeypatch.setattr("tests.fakes.world.shipped_rules", _broken)
    refused = installed("access", "install")
    assert refused.code == 1
    assert "allows nobody" in refused.err
    assert world.picture() == before


def _broken() -> str:
    from raptorctl.host.system.files import shipped_rules

    return shipped_rules() + "// broken"


def test_an_edited_file_is_kept_beside_and_said(installed: CommandLine, world: World) -> None:
    text = (world.files.read(RULES) or "").replace("wheel", "mallories")
    world.files.write(RULES, text, 0o644)
    done = installed("access", "install")
    assert (done.code, "was edited by hand" in done.err) == (0, True)
    kept = [path for path in world.files.texts if path.startswith(f"{RULES}.edited-")]
    assert world.files.read(kept[0]) == text
    assert "mallories" not in (world.files.read(RULES) or "")


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        ("alice console alice-dev", "yes: alice may console alice-dev"),
        ("alice console bob web", "no: alice may not console bob-web"),
        ("alice domain.write alice-dev", "no: alice may not domain.write alice-dev"),
        ("www list", "no: www may not list"),
        ("root edit bob-web", "yes: root may edit bob-web"),
        ("carol edit bob-web", "yes: carol may edit bob-web"),
    ],
)
def test_explain_says_yes_or_no_and_by_which_rule(
    installed: CommandLine, world: World, words: str, verdict: str
) -> None:
    world.accounts.by_name["carol"] = Account("carol", 1500, 1500, groups=frozenset({"wheel"}))
    said = installed("access", "explain", *words.split())
    assert (said.code, said.out.splitlines()[0]) == (0, verdict)


def test_explain_says_when_polkit_does_not_do_as_the_rules_say(
    installed: CommandLine, world: World
) -> None:
    world.authority.rules = None
    said = installed("access", "explain", "www", "domain.getattr", "alice-dev")
    assert said.out.startswith("yes")
    assert "the rules say otherwise" in said.out


def test_everything_is_tried_and_a_wrong_answer_is_exit_3(
    installed: CommandLine, world: World
) -> None:
    good = installed("access", "test")
    assert (good.code, "every answer is the table's" in good.out) == (0, True)
    assert [line.split() for line in good.out.splitlines() if line.startswith("domain.start")] == [
        ["domain.start", "yes", "no", "no"]
    ]
    world.authority.rules = None
    bad = json.loads(installed("access", "test", "-o", "json").out)
    assert "nobody: connect.getattr is yes" in bad["wrong"]
    assert installed("access", "test").code == 3


@pytest.mark.parametrize(
    ("words", "code"),
    [("mallory list", 3), ("alice dance", 2), ("alice console b", 2), ("alice console a-b c d", 2)],
)
def test_nonsense_is_refused_in_one_line(installed: CommandLine, words: str, code: int) -> None:
    refused = installed("access", "explain", *words.split())
    assert (refused.code, refused.out) == (code, "")
    assert refused.complaint
