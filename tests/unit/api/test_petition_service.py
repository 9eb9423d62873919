"""What tenants request: within the policy done at once, beyond it kept; and nothing else."""

import json
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from raptorctl.api.caller import Caller
from raptorctl.api.petition_ear import Ear
from raptorctl.host.system.files import shipped_rules
from raptorctl.host.system.peer import Answers
from raptorctl.model.access import RULES
from raptorctl.model.domain import Domain
from raptorctl.model.petition import Petition, Petitioner, PetitionState
from raptorctl.model.policy import RequestPolicy
from raptorctl.model.share import SHARES, Grant, Share, parse_shares, shares_text
from raptorctl.model.tenant import Quota, TenantRecord, record_path, record_text
from raptorctl.render.polkit_rule import render_rules
from tests.fakes import IMAGE, World
from tests.unit.api.petitions import BIG, DEV, POLICY, Service
from tests.unit.model.test_ssh_key import GOOD


@pytest.fixture
def service(world: World, tmp_path: Path) -> Service:
    return Service(world, tmp_path)


UUID = "5c4b1c6e-0f4f-4a58-9d3e-4b2f5a1d7c11"


def machines(service: Service) -> list[str]:
    return sorted(domain.name for domain in service.world.domains.list())


def domain(service: Service, name: str) -> Domain:
    found = service.world.domains.named(name)
    assert found
    return found


def test_what_is_within_the_policy_is_done_at_once_as_the_tenants_job(service: Service) -> None:
    said = service.lines(DEV)
    assert said[-1]["done"]["job"]["by"] == "alice"
    assert {line["ended"][3] for line in said if "ended" in line} == {"done"}
    assert machines(service) == ["alice-dev"]
    entries, _ = service.admin.journals.audit.read()
    assert [(one.verb, one.machine, one.by, one.outcome) for one in entries] == [
        ("provision", "alice-dev", "alice", "done")
    ]
    mark = domain(service, "alice-dev").mark
    assert mark
    assert mark.created_by == "alice"
    assert mark.expires == _days(service, 30)


def _days(service: Service, days: int) -> str:
    from raptorctl.model.expiry import plus

    (job,) = service.admin.journals.jobs()
    return plus(job.started[:10], days)


SHARE = {
    "verb": "share", "machine": "dev", "other": "bob", "grant": "console", "until": "2099-01-31",
}  # fmt: skip


def shares(service: Service) -> list[tuple[str, str, str, str]]:
    text = service.world.files.read(SHARES)
    found = parse_shares(text) if text is not None else ()
    return [(one.machine, one.tenant, one.grant.value, one.created_by) for one in found]


def test_a_machine_is_shared_by_its_owner_alone(service: Service) -> None:
    world = service.world
    world.files.write(RULES, render_rules(shipped_rules(), ("wheel",)), 0o644)
    assert "done" in service.ask(DEV)
    assert service.ask(SHARE)["done"]["summary"] == (
        "alice-dev is shared with bob: its console, until 2099-01-31"
    )
    assert shares(service) == [("alice-dev", "bob", "console", "alice")]
    # Who has it shares it with nobody, and has no word for it.
    more = {**SHARE, "other": "alice", "grant": "operate"}
    assert service.ask(more, "bob")["error"]["code"] == "machine-not-found"
    assert shares(service) == [("alice-dev", "bob", "console", "alice")]
    world.accounts.connections["bob"] = 1
    end = {"verb": "share-end", "machine": "dev", "other": "bob"}
    assert service.ask(end)["done"]["summary"] == "alice-dev is not shared with bob"
    assert (shares(service), world.accounts.connections) == ([], {})


def test_a_tenant_is_told_what_they_share_and_have_and_nothing_else(service: Service) -> None:
    def share(machine: str, tenant: str) -> Share:
        return Share(machine, UUID, tenant, Grant.CONSOLE, "", "j", "2026-11-29T12:00:00Z", "carol")

    world = service.world.with_tenants("carl", "dave")
    all_of_them = (share("alice-dev", "bob"), share("bob-web", "alice"), share("carl-x", "dave"))
    world.files.write(SHARES, shares_text(all_of_them), 0o644)
    service.policy = replace(POLICY, verbs=())
    asked = {"verb": "shares"}
    # bob-web is another's, and is told all the same: alice may have its console.
    assert service.ask(asked) == {"shares": [one.encode() for one in all_of_them[:2]]}
    assert service.ask(asked, "dave") == {"shares": [all_of_them[2].encode()]}
    assert service.ask(asked, "erin") == {"shares": []}
    for more in ({"tenant": "carl"}, {"machine": "x"}, {"other": "carl"}):
        assert "cannot be said of shares" in service.ask({**asked, **more})["error"]["message"]
    world.files.write(SHARES, "raptorctlShares = [];", 0o644)
    assert service.ask(asked)["error"]["message"] == "the list of shares cannot be read"


def test_sharing_is_asked_for_only_where_the_policy_says_so(service: Service) -> None:
    service.ask(DEV)
    service.policy = replace(POLICY, verbs=("provision", "snapshot"))
    for verb in (SHARE, {"verb": "share-end", "machine": "dev", "other": "bob"}):
        assert "share cannot be requested" in service.ask(verb)["error"]["message"]
    assert shares(service) == []


def test_a_dry_run_shows_the_plan_and_does_nothing(service: Service) -> None:
    plan = service.ask({**DEV, "dry_run": True})["plan"]
    assert plan["summary"].startswith("machine alice-dev: 20G on guest-alice-dev, CPUs ")
    assert plan["beyond"] == []
    assert "define domain alice-dev" in " ".join(step["title"] for step in plan["steps"])
    assert machines(service) == []
    assert service.admin.petitions.all() == ()


def test_what_was_agreed_to_is_what_is_done(service: Service) -> None:
    digest = service.ask({**DEV, "dry_run": True})["plan"]["digest"]
    assert "done" in service.ask({**DEV, "agreed": digest})
    digest = service.ask({**DEV, "machine": "web", "dry_run": True})["plan"]["digest"]
    said = service.ask({**DEV, "machine": "web", "size": "21G", "agreed": digest})
    assert said["error"]["code"] == "host-changed"
    told = {**DEV, "machine": "web", "user_data": "#cloud-config\npackages: [vim]\n"}
    digest = service.ask({**told, "dry_run": True})["plan"]["digest"]
    other = told["user_data"].replace("vim", "curl")
    said = service.ask({**told, "user_data": other, "agreed": digest})
    assert said["error"]["code"] == "host-changed"
    assert machines(service) == ["alice-dev"]
    assert "done" in service.ask({**told, "agreed": digest})


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"size": "41G"}, "41G of disk is more than 40G"),
        ({"cpus": "3"}, "3 CPUs are more than 2"),
        ({"memory": "9G"}, "9G of memory is more than 8G"),
        ({"expires": "31d"}, "is more than 30 days away"),
        ({"expires": "never"}, "it would never expire"),
        ({"image": None}, "an empty disk is not one of debian:13"),
        ({"profile": ["workstation"]}, "profile workstation is not one of web-server"),
    ],
)
def test_what_is_beyond_waits_and_is_told(
    service: Service, changed: dict[str, Any], why: str
) -> None:
    asked = {key: value for key, value in {**DEV, **changed}.items() if value is not None}
    waiting = service.ask(asked)["waiting"]
    assert any(why in line for line in waiting["beyond"])
    assert machines(service) == []
    assert service.admin.journals.jobs() == ()
    (one,) = service.admin.petitions.all()
    assert (one.id, one.state) == (waiting["id"], PetitionState.WAITING)


def test_an_image_that_no_policy_names_waits(service: Service) -> None:
    service.policy = replace(POLICY, images=())
    assert service.ask(DEV)["waiting"]["beyond"] == ["image debian:13 is not one of none"]


def test_so_many_machines_and_no_more_also_counted_under_the_lock(service: Service) -> None:
    service.ask(DEV)
    service.ask({**DEV, "machine": "web"})
    said = service.ask({**DEV, "machine": "db"})
    assert said["waiting"]["beyond"] == ["it would be machine 3 of at most 2"]
    assert "summary" in service.ask(DEV)["done"]  # it stands already, which is no third one


def test_what_stops_being_within_before_the_lock_is_refused(service: Service) -> None:
    original = service.session

    def meddling(caller: Any) -> Any:
        made = original(caller)
        looks = iter(range(10))

        def between() -> None:
            if next(looks) == 1:
                made.settings = replace(made.settings, requests=replace(POLICY, machines=0))

        made.before_survey = between
        return made

    service.session = meddling  # type: ignore[method-assign]
    said = service.ask(DEV)
    assert said["error"]["code"] == "host-changed"
    assert machines(service) == []


def test_the_quota_holds_whatever_the_policy_says(service: Service, world: World) -> None:
    account = world.accounts.find("alice")
    assert account
    quota = Quota.parse("machines=5,cpus=8,memory=16G,size=30G")
    record = TenantRecord("alice", account.uid, False, "j0", "2026-11-19T08:00:00Z", "carol", quota)
    world.files.write(record_path("alice"), record_text(record), 0o644)
    assert "done" in service.ask(DEV)
    over = service.ask({**DEV, "machine": "web"})["error"]
    assert (over["code"], over["exit"]) == ("quota-exceeded", 3)
    grown = {"verb": "resize", "machine": "dev", "size": "40G"}
    assert service.ask(grown)["error"]["code"] == "quota-exceeded"
    snapshot = {"verb": "snapshot-create", "machine": "dev", "size": "11G"}
    assert service.ask(snapshot)["error"]["code"] == "quota-exceeded"
    assert "done" in service.ask({**snapshot, "size": "5G"})


def test_their_machine_is_resized_rebuilt_and_removed(service: Service) -> None:
    service.ask(DEV)
    assert "done" in service.ask({"verb": "resize", "machine": "dev", "memory": "8G"})
    assert str(domain(service, "alice-dev").memory) == "8G"
    beyond = service.ask({"verb": "resize", "machine": "dev", "memory": "9G"})["waiting"]["beyond"]
    assert beyond == ["9G of memory is more than 8G"]
    assert "done" in service.ask({"verb": "rebuild", "machine": "dev"})
    done = service.ask({"verb": "deprovision", "machine": "dev", "force": True})["done"]
    assert done["receipts"]
    assert machines(service) == []
    assert service.world.volumes.list() == ()


def test_snapshots_come_back_and_go(service: Service) -> None:
    service.ask({**DEV, "no_start": True})
    take = {"verb": "snapshot-create", "machine": "dev", "name": "before"}
    assert "done" in service.ask(take)
    more = service.ask({**take, "name": "again"})["waiting"]["beyond"]
    assert more == ["it would be snapshot 2 of at most 1"]
    assert "done" in service.ask({"verb": "snapshot-restore", "machine": "dev", "name": "before"})
    assert "done" in service.ask({"verb": "snapshot-delete", "machine": "dev", "name": "before"})


def test_keys_and_user_data_are_the_guests_and_no_way_into_the_host(
    service: Service, world: World
) -> None:
    before = {path for path in world.files.texts if path.startswith("/etc/")}
    texts = {"keys": GOOD, "user_data": "#cloud-config\npackages: [git]\n"}
    assert "done" in service.ask({**DEV, **texts})
    assert {path for path in world.files.texts if path.startswith("/etc/")} == before
    (seed,) = (text for path, (text, _) in world.files.texts.items() if path.endswith(".iso"))
    assert GOOD.split()[1] in seed
    assert "git" in seed


def test_nothing_can_be_requested_without_a_policy(service: Service) -> None:
    service.policy = RequestPolicy()
    said = service.ask(DEV)["error"]
    assert said["message"] == "provision cannot be requested on this host"
    assert (said["exit"], said["code"]) == (3, "not-allowed")
    assert service.admin.petitions.all() == ()


def test_what_the_policy_does_not_name_cannot_be_requested(service: Service) -> None:
    service.policy = replace(POLICY, verbs=("resize",))
    said = service.ask(DEV)["error"]
    assert said["hint"] == "tenants can ask for resize"


@pytest.mark.parametrize(
    ("tenant", "uid", "complaint"),
    [
        ("root", 0, "requests are for tenants"),
        ("", 4711, "requests are for tenants"),
        ("al-ice", 4711, "requests are for tenants"),
        ("mallory", 4711, "mallory is no tenant of raptorctl's on this host"),
        ("alice", 4711, "alice is no tenant of raptorctl's on this host"),
    ],
)
def test_who_is_no_tenant_gets_nothing(
    service: Service, tenant: str, uid: int, complaint: str
) -> None:
    assert service.ask(DEV, tenant, uid)["error"]["message"] == complaint
    assert machines(service) == []


def test_an_admin_in_a_tenants_clothes_gets_nothing(service: Service, world: World) -> None:
    world.accounts.join("alice", ["libvirt"])
    assert "is in libvirt, so an admin" in service.ask(DEV)["error"]["message"]


def test_an_expired_tenant_gets_nothing(service: Service, world: World) -> None:
    world.accounts.change("alice", expires="2020-01-01")
    assert service.ask(DEV)["error"]["message"] == "tenant alice has expired"


def test_anothers_machine_cannot_be_named(service: Service) -> None:
    service.ask(DEV, "bob")
    for machine in ("bob-dev", "dev"):
        said = service.ask({"verb": "deprovision", "machine": machine, "force": True})
        assert "done" not in said or not said["done"]["job"], said
    assert machines(service) == ["bob-dev"]


def test_anothers_machine_is_not_named_in_what_a_tenant_hears(service: Service) -> None:
    bobs = {**DEV, "cpus": "2", "memory": "4G"}
    service.policy = replace(POLICY, cpus=8)
    service.ask({**bobs, "cpus": "6"}, "bob")
    said = service.lines({**DEV, "cpus": "4"})
    assert said[-1]["error"]["exit"] == 3
    assert "bob" not in json.dumps(said)


def test_what_is_their_own_tells_of_no_tenant(service: Service, world: World) -> None:
    """Names that begin as another tenant's do are told as others are: bob is one, zed is none."""
    world.with_tenants("web", "debian", "workstation")
    world.images.all = (IMAGE, replace(IMAGE, name="debian-13"))
    service.policy = replace(POLICY, images=("debian:13", "debian-13"))
    for machine in ("bob-dev", "zed-dev"):
        asked = {**DEV, "machine": machine, "image": "debian-13"}
        lines = json.dumps(service.lines({**asked, "dry_run": True}))
        assert f"define domain alice-{machine}" in lines
        done = service.lines(asked)
        assert done[-1]["done"]["job"]["machine"] == f"alice-{machine}"
        assert "another's" not in lines + json.dumps(done)
    asked |= {"machine": "bob-x", "image": "debian-12"}
    unknown: dict[str, Any] = {**asked, "profile": ["workstation-2"]}
    for said in (
        service.ask(unknown),
        service.ask({**BIG, "machine": "bob-big", "image": "debian-13"}),
        service.ask({**asked, "image": "debian-13", "profile": ["web-server"]}),
        service.ask({"verb": "list"}),
        service.ask({"verb": "deprovision", "machine": "bob-dev", "force": True}),
    ):
        assert "another's" not in json.dumps(said)
    assert said["done"]["summary"] == "nothing of alice-bob-dev is left"


def test_anothers_name_is_hidden_wherever_it_stands(service: Service) -> None:
    service.world.with_tenants("carl")
    asked = Petition("provision", "bob-dev", image="bob-image", profile=("bob",))
    session = service.session(Caller("alice", root=True))
    with socket.socket() as client:
        ear = Ear(Answers(client))
    ear.listen(session, Petitioner("alice", 1001), asked)
    for said, heard in (
        ("bob-dev has CPUs 2", "another's has CPUs 2"),
        ("guest-bob-ci, disk-bob-ci.data", "guest-another's, disk-another's"),
        ("carl-alice-bob-x and malice-bob-x", "another's and malice-another's"),
        ("guest-alice-bob-ci alice-bob", "guest-alice-bob-ci alice-bob"),
        ("image bob-image: bob-image-2, bob", "image bob-image: another's, bob"),
    ):
        assert ear.veiled({"error": {"details": (said,)}}) == {"error": {"details": [heard]}}


def test_each_sees_theirs_alone(service: Service) -> None:
    ours = service.ask(BIG)["waiting"]["id"]
    theirs = service.ask(BIG, "bob")["waiting"]["id"]
    listed = service.ask({"verb": "list"})["requests"]
    assert [one["id"] for one in listed] == [ours]
    assert service.ask({"verb": "show", "id": ours})["request"]["asked"].startswith("provision dev")
    for verb in ("show", "withdraw"):
        foreign = service.ask({"verb": verb, "id": theirs})["error"]
        missing = service.ask({"verb": verb, "id": "20200101-000000-0000"})["error"]
        assert foreign["code"] == missing["code"] == "request-not-found"
        assert foreign["message"].replace(theirs, "X") == missing["message"].replace(
            "20200101-000000-0000", "X"
        )
    assert service.ask({"verb": "withdraw", "id": ours})["request"]["state"] == "withdrawn"
    again = service.ask({"verb": "withdraw", "id": ours})["error"]
    assert again["code"] == "request-answered"


def test_so_many_wait_and_no_more(service: Service) -> None:
    for name in ("a", "b", "c"):
        assert "waiting" in service.ask({**BIG, "machine": name})
    said = service.ask({**BIG, "machine": "d"})["error"]
    assert said["message"] == "3 requests of alice wait for an admin already"
    assert "waiting" in service.ask(BIG, "bob")


def test_two_that_would_have_one_identifier_are_both_kept(service: Service) -> None:
    service.ask(BIG)
    petitions = service.admin.petitions
    (first,) = petitions.all()
    second = petitions.keep(replace(first, who=replace(first.who, tenant="bob")), 3)
    assert second.id != first.id
    assert [petitions.find(one.id).who.tenant for one in (first, second)] == ["alice", "bob"]


def test_what_was_done_at_once_is_listed_too(service: Service) -> None:
    job = service.ask(DEV)["done"]["job"]["id"]
    (one,) = service.ask({"verb": "list"})["requests"]
    assert (one["state"], one["job"]) == ("done", job)


def test_who_asks_too_often_waits(service: Service) -> None:
    for _ in range(60):
        service.ask({"verb": "list"})
    assert service.ask({"verb": "list"})["error"]["code"] == "busy"
    assert "requests" in service.ask({"verb": "list"}, "bob")


def test_who_changes_too_much_waits(service: Service) -> None:
    service.policy = replace(POLICY, changes_an_hour=1)
    service.ask({**DEV, "dry_run": True})
    assert "done" in service.ask(DEV)
    said = service.ask({"verb": "resize", "machine": "dev", "memory": "8G"})["error"]
    assert said["message"] == "more than 1 requests in 3600 s"


def test_trouble_that_nobody_foresaw_is_one_line(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_line: bytes) -> None:
        raise ZeroDivisionError("surprise")

    heard: list[Any] = []
    monkeypatch.setattr("raptorctl.api.petition_service.parse_letter", broken)
    with pytest.raises(ZeroDivisionError):  # into systemd's journal
        heard.append(service.ask(DEV))
    assert heard == []


def test_a_failed_job_is_rolled_back_and_told(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    from raptorctl.errors import HostError

    def broken(*_args: Any, **_words: Any) -> None:
        raise HostError("the disk is on fire")

    monkeypatch.setattr(service.world.domains, "define", broken)
    said = service.ask(DEV)["error"]
    assert (said["code"], said["exit"]) == ("rolled-back", 1)
    assert service.world.volumes.list() == ()
    assert service.admin.petitions.all() == ()
