"""What an admin says to requests that wait; each is done once at most."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from raptorctl.api import approval
from raptorctl.api.caller import Caller
from raptorctl.api.change import carry_out, preview
from raptorctl.errors import (
    HostError,
    InputError,
    LeftoversError,
    MissingError,
    RefusedError,
    RolledBackError,
)
from raptorctl.host.access.petitions import ANSWERED, LAPSE
from raptorctl.model.petition import KeptPetition, PetitionState
from raptorctl.model.tenant import Account, TenantRecord, record_path, record_text
from tests.fakes import World
from tests.unit.api.petitions import BIG, DEV, POLICY, Service
from tests.unit.api.session import InMemory


@pytest.fixture
def service(world: World, tmp_path: Path) -> Service:
    return Service(world, tmp_path)


def asked(service: Service) -> KeptPetition:
    return service.admin.petitions.find(service.ask(BIG)["waiting"]["id"])


def state(service: Service, one: KeptPetition) -> PetitionState:
    return service.admin.petitions.find(one.id).state


def approve(session: InMemory, one: KeptPetition) -> None:
    change = approval.approved(session, one)
    with approval.approving(session, one) as yes:
        yes.finish(carry_out(session, change, confirm=lambda _plan: yes.claim()))


def test_what_is_approved_is_done_by_the_admin_and_the_tenant_sees_it(service: Service) -> None:
    one = asked(service)
    approve(service.admin, one)
    (told,) = service.ask({"verb": "list"})["requests"]
    assert (told["state"], told["by"]) == ("done", "carol")
    (job,) = service.admin.journals.jobs()
    assert (job.id, job.machine, job.by) == (told["job"], "alice-dev", "carol")
    found = service.world.volumes.list()
    assert [str(volume.size) for volume in found] == ["80G"]


def test_nobody_does_it_twice(service: Service) -> None:
    one = asked(service)
    with approval.approving(service.admin, one) as yes:
        yes.claim()
        with pytest.raises(RefusedError, match="is begun by carol"):
            approval.waiting(service.admin, one.id)
        with pytest.raises(RefusedError, match="is begun by carol"):
            approval.Approval(service.admin, one).claim()
    # Killed here, it stays begun, and only a no takes it away.
    assert state(service, one) is PetitionState.BEGUN
    with pytest.raises(RefusedError, match="job may have been cut off"):
        approval.waiting(service.admin, one.id)
    approval.deny(service.admin, one.id, "ask anew")
    assert state(service, one) is PetitionState.DENIED


def test_what_failed_and_was_rolled_back_waits_again(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_words: object) -> None:
        raise HostError("the disk is on fire")

    one = asked(service)
    with monkeypatch.context() as patch:
        patch.setattr(service.world.domains, "define", broken)
        with pytest.raises(RolledBackError):
            approve(service.admin, one)
    waits = service.admin.petitions.find(one.id)
    assert (waits.state, waits.by, waits.answered) == (PetitionState.WAITING, "", "")
    approve(service.admin, one)
    assert state(service, one) is PetitionState.DONE


def test_what_the_audit_log_cannot_take_is_done_all_the_same(service: Service) -> None:
    one = asked(service)
    service.admin.journals.audit.path.mkdir(parents=True)
    approve(service.admin, one)
    assert state(service, one) is PetitionState.DONE


def test_what_left_something_over_stays_begun(service: Service) -> None:
    one = asked(service)
    with pytest.raises(LeftoversError), approval.approving(service.admin, one) as yes:
        yes.claim()
        raise LeftoversError("cut off", "j1", ["a volume"])
    assert state(service, one) is PetitionState.BEGUN


def test_the_quota_holds_for_admins_too(service: Service, world: World) -> None:
    from raptorctl.model.tenant import Quota

    one = asked(service)
    account = world.accounts.find("alice")
    assert account
    quota = Quota.parse("size=50G")
    record = TenantRecord("alice", account.uid, False, "j0", "2026-11-19T08:00:00Z", "carol", quota)
    world.files.write(record_path("alice"), record_text(record), 0o644)
    with pytest.raises(RefusedError, match="alice has 0B of 50G of disk; 80G more asked"):
        preview(service.admin, approval.approved(service.admin, one))


def test_another_of_the_same_name_inherits_no_request(service: Service, world: World) -> None:
    one = asked(service)
    world.accounts.by_name.pop("alice")
    uid = 1234
    world.accounts.create(Account("alice", uid, uid, groups=frozenset({"vm-users"})))
    record = TenantRecord("alice", uid, False, "j9", "2026-11-20T08:00:00Z", "carol")
    world.files.write(record_path("alice"), record_text(record), 0o644)
    with pytest.raises(RefusedError, match="alice is no tenant"):
        preview(service.admin, approval.approved(service.admin, one))
    assert service.ask({"verb": "list"})["requests"] == []
    assert "error" in service.ask({"verb": "show", "id": one.id})


def test_a_no_says_why(service: Service) -> None:
    one = asked(service)
    approval.deny(service.admin, one.id, "the host is full until January")
    (told,) = service.ask({"verb": "list"})["requests"]
    assert (told["state"], told["why"]) == ("denied", "the host is full until January")
    with pytest.raises(RefusedError, match="is denied by carol"):
        approval.deny(service.admin, one.id, "again")
    with pytest.raises(RefusedError, match="is denied by carol"):
        approval.waiting(service.admin, one.id)


@pytest.mark.parametrize("why", ["", "  ", "two\nlines", "x" * 201, "\x1b[2J"])
def test_a_no_without_a_line_of_reason_is_none(service: Service, why: str) -> None:
    one = asked(service)
    with pytest.raises(InputError, match="say why, in one line"):
        approval.deny(service.admin, one.id, why)
    assert state(service, one) is PetitionState.WAITING


def test_only_root_answers(service: Service) -> None:
    one = asked(service)
    tenant = service.session(Caller("alice"))
    for act in (approval.found, approval.waiting):
        with pytest.raises(RefusedError, match="needs root"):
            act(tenant, one.id)
    with pytest.raises(RefusedError, match="needs root"):
        approval.kept(tenant)
    with pytest.raises(RefusedError, match="needs root"):
        approval.deny(tenant, one.id, "no")


# The folder of them


def test_files_are_roots_alone_and_whole(service: Service) -> None:
    one = asked(service)
    folder = service.admin.petitions.folder
    assert folder.stat().st_mode & 0o777 == 0o700
    (file,) = folder.iterdir()
    assert (file.name, file.stat().st_mode & 0o777) == (f"{one.id}.json", 0o600)
    assert json.loads(file.read_text())["who"]["tenant"] == "alice"


def test_of_what_was_answered_the_last_stay(service: Service) -> None:
    service.policy = replace(POLICY, changes_an_hour=1000)
    service.ask(DEV)
    for memory in ("5G", "6G") * ANSWERED:
        service.ask({"verb": "resize", "machine": "dev", "memory": memory})
    assert len(service.ask({"verb": "list"})["requests"]) == ANSWERED


def test_what_nobody_answers_lapses(service: Service) -> None:
    one = asked(service)
    old = replace(one, at="2020-01-01T00:00:00Z")
    service.admin.petitions._write(old)
    assert LAPSE.days == 30
    service.ask(BIG)
    states = {told["state"] for told in service.ask({"verb": "list"})["requests"]}
    assert states == {"lapsed", "waiting"}


def test_of_tenants_who_are_gone_nothing_stays_for_good(service: Service) -> None:
    one = asked(service)
    long_over = replace(one, at="2020-01-01T00:00:00Z", state=PetitionState.DENIED)
    service.admin.petitions._write(long_over)
    service.ask(BIG, "bob")
    assert [kept.who.tenant for kept in service.admin.petitions.all()] == ["bob"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"id": 1}', "[" * 100_000])
def test_a_damaged_file_is_told_by_name(service: Service, text: str) -> None:
    one = asked(service)
    path = service.admin.petitions.folder / f"{one.id}.json"
    path.write_text(text)
    with pytest.raises(HostError, match=f"{one.id}.json cannot be read: "):
        service.admin.petitions.all()


@pytest.mark.parametrize("identifier", ["", "x", "../../etc/passwd", "20261129-204501-a1b2/.."])
def test_no_path_is_an_identifier(service: Service, identifier: str) -> None:
    with pytest.raises(MissingError, match="there is no request"):
        service.admin.petitions.find(identifier)
