"""`raptorctl request`, as a tenant and as an admin, against the service on a host in memory."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from raptorctl.api import petition_client
from raptorctl.errors import MissingError
from raptorctl.host.system import peer
from raptorctl.host.system.files import shipped_rules
from raptorctl.model.access import RULES
from raptorctl.render.polkit_rule import render_rules
from tests.fakes import World
from tests.unit.api.petitions import Service
from tests.unit.cli.session import CommandLine, FakeSession, Result
from tests.unit.model.test_ssh_key import GOOD
from tests.unit.test_docs import shape, told_shape

NEW = ("request", "provision", "dev", "--cpus", "2", "--image", "debian:13", "--memory", "4G")
SMALL, BIG = (*NEW, "--size", "20G"), (*NEW, "--size", "80G")


@pytest.fixture
def service(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    found = Service(world, tmp_path)

    def ask(_path: str, said: Mapping[str, Any], _: MissingError) -> Iterator[Mapping[str, Any]]:
        yield from found.lines(said)

    monkeypatch.setattr(peer, "ask", ask)
    return found


@pytest.fixture
def alice(raptorctl: CommandLine, service: Service) -> CommandLine:
    raptorctl.root = False
    return raptorctl


@pytest.fixture
def carol(world: World, service: Service, tmp_path: Path, alice: CommandLine) -> CommandLine:
    class Admin(CommandLine):
        def session(self, *typed: str) -> FakeSession:
            made = super().session(*typed)
            made.settings = service.admin.settings
            return made

    return Admin(world, tmp_path)


def waiting(done: Result) -> str:
    assert done.out.startswith("request "), done
    return done.out.split()[1]


def test_a_tenant_makes_a_machine(alice: CommandLine, world: World) -> None:
    done = alice(*SMALL, "-y")
    assert done.code == 0
    assert done.out.startswith("machine alice-dev: 20G on guest-alice-dev, CPUs ")
    assert "8/" in done.err
    assert [domain.name for domain in world.domains.list()] == ["alice-dev"]


def test_the_plan_is_shown_and_nothing_done(alice: CommandLine, world: World) -> None:
    done = alice(*BIG, "--dry-run")
    assert (done.code, world.domains.list()) == (0, ())
    assert done.out.startswith("provision: machine alice-dev: 80G")
    assert "note: 80G of disk is more than 40G: an admin will be asked" in done.out
    plan = json.loads(alice(*BIG, "--dry-run", "-o", "json").out)["plan"]
    assert plan["beyond"] == ["80G of disk is more than 40G"]


def test_who_is_asked_and_says_no_has_nothing(alice: CommandLine, world: World) -> None:
    done = alice(*SMALL, terminal=True, answer="n\n")
    assert (done.code, world.domains.list()) == (2, ())
    assert "machine alice-dev: 20G" in done.err
    done = alice(*SMALL, terminal=True, answer="y\n")
    assert (done.code, len(world.domains.list())) == (0, 1)


def test_what_goes_for_good_is_typed(alice: CommandLine, world: World) -> None:
    alice(*SMALL, "-y")
    assert alice("request", "deprovision", "dev").code == 2
    assert len(world.domains.list()) == 1
    gone = alice("request", "deprovision", "dev", "--force", terminal=True, answer="dev\n")
    assert (gone.code, world.domains.list()) == (0, ())
    assert "nothing of alice-dev is left" in gone.out


def test_of_a_snapshot_its_own_name_is_typed(alice: CommandLine) -> None:
    alice(*SMALL, "--no-start", "-y")
    snapshot = ("request", "snapshot")
    assert alice(*snapshot, "create", "dev", "before", "-y").code == 0
    back = alice(*snapshot, "restore", "dev", terminal=True, answer="y\n")
    assert (back.code, "All that dev has written since then will be lost" in back.err) == (0, True)
    assert alice(*snapshot, "delete", "dev", "before", terminal=True, answer="dev\n").code == 2
    assert alice(*snapshot, "delete", "dev", "before", terminal=True, answer="before\n").code == 0


def test_beyond_the_policy_an_admin_is_asked_and_says_yes(
    alice: CommandLine, carol: CommandLine, world: World
) -> None:
    asked = alice(*BIG, "-y")
    assert asked.code == 0
    one = waiting(asked)
    assert asked.out.endswith(" waits for an admin: 80G of disk is more than 40G\n")
    listed = carol("request", "list")
    assert one in listed.out
    assert "alice" in listed.out
    shown = carol("request", "show", one)
    assert "asks for  provision dev --size 80G --cpus 2 --memory 4G" in shown.out
    assert "provision: machine alice-dev: 80G" in shown.out
    dry = carol("request", "approve", one, "--dry-run")
    assert (dry.code, world.domains.list()) == (0, ())
    assert carol("request", "approve", one, terminal=True, answer="n\n").code == 2
    done = carol("request", "approve", one, "-y")
    assert (done.code, len(world.domains.list())) == (0, 1)
    assert "machine alice-dev: 80G" in done.out
    again = carol("request", "approve", one, "-y")
    assert again.code == 3
    assert again.complaint.startswith(f"raptorctl: request {one} is done by carol, since ")
    shown = alice("request", "show", one)
    assert "state     done" in shown.out


def test_a_no_is_seen_with_its_reason(alice: CommandLine, carol: CommandLine) -> None:
    one = waiting(alice(*BIG, "-y"))
    assert carol("request", "deny", one).code == 2
    assert carol("request", "deny", one, "--reason", "no disk left").code == 0
    listed = alice("request", "list")
    assert "denied" in listed.out
    assert "no disk left" in listed.out
    assert json.loads(alice("request", "list", "-o", "json").out)["requests"][0]["by"] == "carol"


def test_a_request_is_taken_back(alice: CommandLine, carol: CommandLine) -> None:
    one = waiting(alice(*BIG, "-y"))
    assert alice("request", "withdraw", one).out == f"request {one} is withdrawn\n"
    assert carol("request", "approve", one, "-y").code == 3


def test_what_cannot_be_done_now_is_said_in_its_place(
    alice: CommandLine, carol: CommandLine, world: World
) -> None:
    one = waiting(alice(*BIG, "-y"))
    world.accounts.change("alice", expires="2020-01-01")
    shown = carol("request", "show", one)
    assert shown.code == 0
    assert "now       tenant alice has expired" in shown.out


def test_files_are_read_by_the_tenants_own_program(alice: CommandLine, tmp_path: Path) -> None:
    keys, data = tmp_path / "k.pub", tmp_path / "u.yaml"
    keys.write_text(GOOD)
    data.write_text("#cloud-config\npackages: [git]\n")
    done = alice(*SMALL, "--key", str(keys), "--user-data", str(data), "-y")
    assert done.code == 0
    assert alice(*SMALL, "--user-data", str(tmp_path / "none"), "-y").code == 2


def test_a_tenant_shares_a_machine(alice: CommandLine, world: World) -> None:
    world.files.write(RULES, render_rules(shipped_rules(), ("wheel",)), 0o644)
    assert alice(*SMALL, "-y").code == 0
    words = ("request", "share", "dev", "bob", "--operate", "-y")
    done = alice(*words)
    assert done.out == "alice-dev is shared with bob: start, stop and console, for ever\n", done.err
    assert alice("request", "share", "dev", "bob", "-y").code == 2
    done = alice("request", "unshare", "dev", "bob", "-y")
    assert done.out == "alice-dev is not shared with bob\n", done.err


def test_errors_are_as_everywhere(alice: CommandLine) -> None:
    done = alice("request", "resize", "nope", "--memory", "4G", "-y")
    assert done.code == 3
    assert done.complaint == "raptorctl: no such machine: alice-nope: see `raptorctl list`"
    said = json.loads(alice("request", "resize", "nope", "--memory", "4G", "-o", "json").err)
    assert said["error"]["code"] == "machine-not-found"
    assert alice("request", "provision", "../x", "--size", "1G", "--cpus", "1", "-y").code == 2


def test_ones_own_name_is_not_typed(alice: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    done = alice("request", "resize", "carol-dev", "--memory", "4G", "-y")
    assert done.code == 2
    assert done.complaint == "raptorctl: carol-dev is yours anyway: write dev"


def test_an_admin_needs_no_request(carol: CommandLine) -> None:
    done = carol(*SMALL, "-y")
    assert done.code == 3
    assert done.complaint == (
        "raptorctl: requests are for tenants: an admin uses raptorctl without `request`"
    )


def test_without_the_service_it_is_said(
    raptorctl: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(petition_client, "SOCKET", str(tmp_path / "none"))
    raptorctl.root = False
    done = raptorctl("request", "list")
    assert done.code == 3
    assert done.complaint == "raptorctl: nothing can be requested on this host: ask an admin"


def test_the_shapes_of_json_are_as_told(alice: CommandLine) -> None:
    def shown(*words: str) -> set[str]:
        return shape(json.loads(alice(*words, "-o", "json").out))

    assert shown(*BIG, "--dry-run") == told_shape("`request provision`", 1)
    assert shown(*BIG, "-y") == {"done", "waiting"} | {
        f"waiting.{key.removeprefix('requests.')}"
        for key in told_shape("`request list`") - {"requests"}
    }
    listed = shown("request", "list")
    assert listed == told_shape("`request list`")
    made = {key for key in shown(*SMALL, "-y") if not key.startswith("done.job.")}
    assert made == told_shape("`request provision`")


def test_a_tenant_lists_what_is_shared(alice: CommandLine, world: World) -> None:
    assert alice("request", "shares").out == "nothing is shared\n"
    world.files.write(RULES, render_rules(shipped_rules(), ("wheel",)), 0o644)
    for words in (("--until", "2099-01-31"), ()):
        assert alice(*SMALL, "-y").code == 0
        assert alice("request", "share", "dev", "bob", "--console", *words, "-y").code == 0
        day = "2099-01-31" if words else "-"
        lines = alice("request", "shares").out.splitlines()
        assert [line.split() for line in lines[1:]] == [["alice-dev", "bob", "console", day]]
    found = json.loads(alice("request", "shares", "-o", "json").out)
    assert shape(found) == told_shape("`tenant shares`")
    assert alice("request", "shares", "--filter", "tenant=carl", "-o", "name").out == ""
    assert alice("tenant", "shares").code == 3
    alice.root = True
    assert alice("request", "shares").code == 3
