from dataclasses import replace
from unittest.mock import Mock

import pytest

from raptorctl.engine.apply import apply
from raptorctl.engine.journals import Journals
from raptorctl.engine.report import Silent
from raptorctl.engine.stop import Stop
from raptorctl.errors import HostError, InputError, RefusedError, RolledBackError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Domain
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.sizes import GIB, Size
from raptorctl.model.ssh_key import parse_keys
from raptorctl.model.tenant import CONSOLE_GROUP, GROUP, Account, Mode, Quota
from raptorctl.model.tombstone import tombstone_path
from raptorctl.plans.plan import Identity, Plan, decode_plan
from raptorctl.plans.tenant.change import plan_keys, plan_quota, plan_set
from raptorctl.plans.tenant.membership import plan_add, plan_remove
from raptorctl.plans.tenant.quota import Usage, refuse_over, usage
from raptorctl.plans.tenant.request import TenantRequest
from raptorctl.steps.account import MakeAccount
from tests.fakes import World
from tests.fakes.tripwire import Killed
from tests.unit.model.test_ssh_key import FINGERPRINT, GOOD, rsa

ADD = Identity("20261123-120000-aaaa", "u", "carol", "2026-11-23T12:00:00Z")
NEXT = Identity("20261123-130000-bbbb", "u", "carol", "2026-11-23T13:00:00Z")
KEYS = parse_keys(GOOD)
ALICE = TenantRequest("alice", keys=KEYS, quota=Quota(machines=2, cpus=8))


class Host(World):
    """A host in memory that plans can be applied to."""

    def __init__(self, folder: object) -> None:
        super().__init__()
        self.journals = Journals(folder / "journal", folder / "audit.jsonl")  # type: ignore[operator]

    def see(self, *people: str) -> HostFacts:
        return self.facts({}, people)

    def do(self, plan: Plan) -> None:
        assert decode_plan(plan.encode()) == plan
        apply(plan, self.host(), self.journals, Silent(), Stop())


@pytest.fixture
def host(tmp_path: object) -> Host:
    return Host(tmp_path)


@pytest.fixture
def settled(host: Host) -> Host:
    """A host with tenant alice."""
    host.do(plan_add(ALICE, host.see("alice"), ADD))
    return host


def test_a_tenant_has_an_account_a_record_and_keys(settled: Host) -> None:
    tenant = settled.see().tenant("alice")
    assert tenant is not None
    assert tenant.ours
    assert tenant.mode is Mode.SHELL
    assert tenant.record is not None
    assert tenant.record.quota == Quota(machines=2, cpus=8)
    assert tenant.account is not None
    assert tenant.account.comment == f"raptorctl job {ADD.job}"
    assert tenant.keys == f"restrict,pty {GOOD}\n"


def test_adding_him_again_changes_nothing_and_adding_another_is_refused(settled: Host) -> None:
    assert plan_add(ALICE, settled.see("alice"), NEXT).steps == ()
    for other, command in (
        (replace(ALICE, mode=Mode.CONSOLE), "tenant set"),
        (replace(ALICE, expires="2027-01-01"), "tenant set"),
        (replace(ALICE, quota=Quota(machines=3)), "tenant quota"),
        (replace(ALICE, keys=parse_keys(rsa(4096))), "tenant key add"),
    ):
        with pytest.raises(RefusedError, match=command):
            plan_add(other, settled.see("alice"), NEXT)


def test_without_a_shell_he_is_in_sshds_group_too(host: Host) -> None:
    host.do(plan_add(replace(ALICE, mode=Mode.CONSOLE), host.see(), ADD))
    account = host.accounts.find("alice")
    assert account is not None
    assert account.groups == {GROUP, CONSOLE_GROUP}


def test_without_a_key_he_is_told_how_to_get_one(host: Host) -> None:
    plan = plan_add(replace(ALICE, keys=()), host.see(), ADD)
    assert "key add alice" in plan.notes[0]


def test_an_account_that_is_there_is_only_taken_when_asked_for(host: Host) -> None:
    host.accounts.by_name["alice"] = Account("alice", 1500, 1500, shell="/bin/zsh")
    with pytest.raises(RefusedError, match="--adopt"):
        plan_add(ALICE, host.see("alice"), ADD)
    before = host.picture()
    host.do(plan_add(replace(ALICE, adopt=True), host.see("alice"), ADD))
    tenant = host.see().tenant("alice")
    assert tenant is not None
    assert tenant.ours
    host.do(plan_remove("alice", host.see(), NEXT))
    assert host.files.texts.pop(tombstone_path(1500))
    assert host.picture() == before


@pytest.mark.parametrize(
    ("account", "said"),
    [
        (Account("alice", 33, 33), "the system's"),
        (Account("alice", 40000, 40000), "the system's"),
        (Account("alice", 1500, 1500, groups=frozenset({"sudo", "libvirt"})), "libvirt, sudo"),
        (Account("alice", 1500, 1500, groups=frozenset({"disk", "kvm"})), "disk, kvm"),
        (Account("alice", 1500, 1500, groups=frozenset({"vm-admins"})), "vm-admins"),
        (Account("alice", 1500, 1500, groups=frozenset({"vm-ops"})), "vm-ops"),
    ],
)
def test_an_account_that_can_do_more_is_never_taken(
    host: Host, account: Account, said: str
) -> None:
    host.accounts.by_name["alice"] = account
    with pytest.raises(RefusedError, match=said):
        plan_add(replace(ALICE, adopt=True), host.see("alice"), ADD, ["vm-ops"])


def test_a_name_that_differs_by_case_is_refused(host: Host) -> None:
    host.accounts.by_name["Alice"] = Account("Alice", 1500, 1500)
    with pytest.raises(RefusedError, match="Alice differs from alice only by case"):
        plan_add(ALICE, host.see("alice"), ADD)


def test_where_accounts_are_declared_it_says_what_to_do(host: Host) -> None:
    host.accounts.immutable = True
    with pytest.raises(RefusedError, match="--emit nix"):
        plan_add(ALICE, host.see("alice"), ADD)


def test_half_a_tenant_is_refused_and_can_be_removed(settled: Host) -> None:
    del settled.accounts.by_name["alice"]
    with pytest.raises(RefusedError, match="tenant remove alice"):
        plan_add(ALICE, settled.see("alice"), NEXT)
    settled.do(plan_remove("alice", settled.see(), NEXT))
    assert settled.see("alice").tenant("alice") is None


def test_a_tenant_with_machines_stays(settled: Host) -> None:
    settled.domains.by_uuid["u"] = Domain("u", "alice-dev")
    with pytest.raises(RefusedError, match="alice has 1 machine: alice-dev"):
        plan_remove("alice", settled.see(), NEXT)


def test_he_goes_with_all_that_was_made_and_only_once(settled: Host) -> None:
    empty = World().picture()
    settled.accounts.sessions["alice"] = 3
    settled.do(plan_remove("alice", settled.see(), NEXT))
    assert settled.files.texts.pop(tombstone_path(1000))
    assert settled.picture() == empty
    assert settled.accounts.sessions == {}
    assert plan_remove("alice", settled.see("alice"), NEXT).steps == ()


def test_an_account_without_a_record_is_not_ours_to_remove(host: Host) -> None:
    host.accounts.by_name["eve"] = Account("eve", 1500, 1500, groups=frozenset({GROUP}))
    with pytest.raises(RefusedError, match="has no record"):
        plan_remove("eve", host.see(), ADD)


def test_keys_come_and_go(settled: Host) -> None:
    more = parse_keys(f"{rsa(4096)} second")
    settled.do(plan_keys("alice", settled.see(), NEXT, add=more))
    assert plan_keys("alice", settled.see(), NEXT, add=(*KEYS, *more)).steps == ()
    settled.do(plan_keys("alice", settled.see(), replace(NEXT, job="j3"), remove=FINGERPRINT))
    tenant = settled.see().tenant("alice")
    assert tenant is not None
    assert tenant.keys == f"restrict,pty {more[0]}\n"
    with pytest.raises(InputError, match="no such key"):
        plan_keys("alice", settled.see(), NEXT, remove=FINGERPRINT)


def test_to_say_nothing_names_no_key(settled: Host) -> None:
    """Not even the one that has no comment."""
    settled.do(plan_keys("alice", settled.see(), NEXT, add=parse_keys(rsa(4096))))
    with pytest.raises(InputError, match="no such key"):
        plan_keys("alice", settled.see(), NEXT, remove="")


def test_a_file_of_keys_that_was_edited_is_left_alone(settled: Host) -> None:
    settled.files.write("/etc/raptorctl/keys/alice", 'command="sh" ssh-rsa AAAA\n', 0o644)
    with pytest.raises(RefusedError, match="keys/alice was edited"):
        plan_keys("alice", settled.see(), NEXT, add=KEYS)


def test_mode_and_last_day_change_and_a_lesser_mode_ends_what_is_open(settled: Host) -> None:
    plan = plan_set("alice", Mode.CONSOLE, "2027-01-01", settled.see(), NEXT)
    assert len(plan.steps) == 2
    settled.do(plan)
    tenant = settled.see().tenant("alice")
    assert tenant is not None
    assert tenant.account is not None
    assert (tenant.mode, tenant.account.expires) == (Mode.CONSOLE, "2027-01-01")
    assert tenant.expired("2027-01-01")
    assert not tenant.expired("2026-12-31")
    assert plan_set("alice", Mode.CONSOLE, None, settled.see(), NEXT).steps == ()
    settled.do(plan_set("alice", Mode.SHELL, "", settled.see(), replace(NEXT, job="j3")))
    tenant = settled.see().tenant("alice")
    assert tenant is not None
    assert tenant.account is not None
    assert tenant.account.groups == {GROUP}
    assert tenant.account.expires == ""


def test_whoever_is_no_tenant_cannot_be_changed(host: Host) -> None:
    with pytest.raises(RefusedError, match="there is no tenant www"):
        plan_set("www", Mode.SHELL, None, host.see("www"), ADD)
    with pytest.raises(RefusedError, match="there is no tenant bob"):
        plan_quota("bob", Quota(), host.see("bob"), ADD)
    with pytest.raises(RefusedError, match="there is no tenant www"):
        plan_keys("www", host.see("www"), ADD, add=KEYS)


def test_a_quota_is_written_and_counts_what_is_there_and_what_is_begun(settled: Host) -> None:
    settled.do(plan_quota("alice", Quota(cpus=8, memory=Size(16 * GIB)), settled.see(), NEXT))
    settled.domains.by_uuid["u"] = Domain(
        "u", "alice-dev", memory=Size(4 * GIB), pins=CpuSet((2, 3, 4, 5))
    )
    settled.domains.by_uuid["b"] = Domain("b", "bob-dev", pins=CpuSet((6, 7)))
    begun = Reservation("j", "alice-next", 3, CpuSet((6, 7)))
    facts = replace(settled.see(), reservations=(begun,))
    assert usage("alice", facts) == Usage(2, 6, Size(4 * GIB), Size(0))
    tenant = facts.tenant("alice")
    assert tenant is not None
    refuse_over(tenant, Usage(1, 2, Size(12 * GIB), Size(GIB)), facts)
    with pytest.raises(RefusedError, match="alice has 6 of 8 CPUs; 4 more asked"):
        refuse_over(tenant, Usage(1, 4), facts)
    with pytest.raises(RefusedError, match="alice has 4G of 16G of memory; 13G more asked"):
        refuse_over(tenant, Usage(1, 1, Size(13 * GIB)), facts)


def test_a_removal_closes_the_account_before_it_ends_what_is_open(settled: Host) -> None:
    titles = [step.title for step in plan_remove("alice", settled.see(), NEXT).steps]
    assert titles[0].startswith("write the tombstone of alice's uid 1000, ")
    assert titles[1] == "close account alice"
    assert "keys" in titles[2]
    assert "sessions" in titles[3]
    assert "home" in titles[4]
    assert "record" in titles[5]
    assert titles[6] == "remove what alice left outside of the home, by uid 1000"


def test_a_number_is_never_given_to_a_second_tenant(settled: Host) -> None:
    names = ["alice"]
    for number in range(1, 4):
        identity = replace(NEXT, job=f"20261123-13000{number}-bbbb")
        settled.do(plan_remove(names[-1], settled.see(), identity))
        names.append(f"bob{number}")
        again = replace(NEXT, job=f"20261123-14000{number}-bbbb")
        settled.do(plan_add(replace(ALICE, name=names[-1]), settled.see(), again))
    uids = [tombstone.uid for tombstone in settled.see().removed]
    assert uids == [1000, 1001, 1002]
    assert settled.accounts.by_name["bob3"].uid == 1003


def test_not_even_where_the_account_went_by_hand_or_its_records_job_was_cut_off(
    settled: Host,
) -> None:
    del settled.accounts.by_name["alice"]
    assert settled.see().free_uid == 1001
    settled.do(plan_remove("alice", settled.see(), NEXT))
    assert settled.see().free_uid == 1001


def test_what_the_number_still_owns_goes_with_the_tenant(settled: Host) -> None:
    settled.accounts.strays[1000] = ("/var/tmp/program", "shared memory 7")
    settled.accounts.strays[1001] = ("/var/tmp/of-another",)
    assert settled.accounts.left(1000) == ()  # for an account has it
    settled.do(plan_remove("alice", settled.see(), NEXT))
    assert settled.accounts.strays == {1001: ("/var/tmp/of-another",)}


def test_an_account_that_was_there_keeps_its_files_and_may_be_a_tenants_again(
    host: Host,
) -> None:
    host.accounts.by_name["alice"] = Account("alice", 1500, 1500, shell="/bin/zsh")
    host.accounts.strays[1500] = ("/srv/work",)
    adopt = replace(ALICE, adopt=True)
    for number in range(2):
        first = replace(ADD, job=f"20261123-12000{number}-aaaa")
        host.do(plan_add(adopt, host.see("alice"), first))
        host.do(plan_remove("alice", host.see(), replace(NEXT, job=first.job[:-4] + "bbbb")))
    assert host.accounts.strays == {1500: ("/srv/work",)}
    assert [one.adopted for one in host.see().removed] == [True]


@pytest.mark.parametrize("number", ["uid", "gid"])
def test_an_account_with_a_removed_tenants_number_is_not_adopted(
    settled: Host, number: str
) -> None:
    settled.do(plan_remove("alice", settled.see(), NEXT))
    account = replace(Account("bob", 1500, 1500), **{number: 1000})  # type: ignore[arg-type]
    settled.accounts.by_name["bob"] = account
    with pytest.raises(
        RefusedError, match=r"bob has number 1000, which was tenant alice's: .*usermod"
    ):
        plan_add(replace(ALICE, name="bob", adopt=True), settled.see("bob"), NEXT)


def test_a_removal_that_is_taken_back_leaves_no_tombstone(settled: Host) -> None:
    before = settled.picture()

    def fails(account: Account) -> int:
        raise HostError(f"{account.name} would not end")

    settled.accounts.end_sessions = fails  # type: ignore[method-assign]
    with pytest.raises(RolledBackError):
        settled.do(plan_remove("alice", settled.see(), NEXT))
    assert settled.picture() == before
    assert settled.see().removed == ()


def test_what_an_account_left_that_is_taken_back_goes_too(host: Host) -> None:
    """Its number is free again, and the next one's."""
    plan = plan_add(ALICE, host.see("alice"), ADD)
    host.accounts.strays[1000] = ("/var/tmp/program",)
    make = next(step for step in plan.steps if isinstance(step, MakeAccount))
    make.apply(host.host(), lambda *_: None)
    make.undo(host.host(), lambda *_: None)
    assert host.accounts.strays == {}


@pytest.mark.parametrize("problem", [Killed(), HostError("find(1) failed")])
def test_also_where_the_undo_is_cut_off_after_the_account_went(
    host: Host, problem: BaseException
) -> None:
    make = next(
        s for s in plan_add(ALICE, host.see("alice"), ADD).steps if s.kind == MakeAccount.kind
    )
    make.apply(host.host(), lambda *_: None)
    host.accounts.strays[1000] = ("/var/tmp/program",)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(host.accounts, "sweep", Mock(side_effect=problem))
        with pytest.raises(type(problem)):
            make.undo(host.host(), lambda *_: None)
    assert "alice" not in host.accounts.by_name
    assert host.see().free_uid == 1001  # nobody else gets it meanwhile, abandon the job or not
    make.undo(host.host(), lambda *_: None)
    assert host.accounts.strays == {}
    assert host.see().free_uid == 1000
    assert host.see().removed == ()


def test_what_a_number_owns_that_the_job_gave_to_nobody_is_left_alone(host: Host) -> None:
    """Whoever unpacked it there may want it; and a search of all filesystems takes its time."""
    plan = plan_add(ALICE, host.see("alice"), ADD)
    host.accounts.strays[1000] = ("/srv/unpacked",)
    next(s for s in plan.steps if s.kind == MakeAccount.kind).undo(host.host(), lambda *_: None)
    assert host.accounts.strays == {1000: ("/srv/unpacked",)}
