"""Everything that does not belong: each is made, seen, and mended, by --fix or by its advice."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from raptorctl.engine.apply import apply
from raptorctl.engine.report import Silent
from raptorctl.engine.stop import Stop
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Domain, State
from raptorctl.model.names import wipe_volume
from raptorctl.model.probe import Finding, Probe, Verdict
from raptorctl.model.record import Record
from raptorctl.model.sizes import GIB, Size
from raptorctl.model.tenant import CLOSED, GROUP, Account, record_path
from raptorctl.model.tombstone import tombstone_path
from raptorctl.model.volume import Volume
from raptorctl.plans.doctor.examine import LARGEST_ARCHIVE, examine
from raptorctl.plans.tenant.change import plan_set
from raptorctl.plans.tenant.membership import plan_add, plan_remove
from raptorctl.plans.tenant.request import TenantRequest
from raptorctl.steps.domain import RestoreDomain
from tests.fakes import Killed, Tripwire, World
from tests.unit.cli.session import PROVISION, CommandLine
from tests.unit.plans.tenant.test_membership import ADD, NEXT

pytestmark = pytest.mark.long

NVRAM = "/var/lib/libvirt/qemu/nvram/alice-dev_VARS.fd"
TAGS = ("raptor", "raptor.tenant=alice", "raptor.job=20261120-101010-aaaa", "raptor.slot=1")
FQDN = "alice-dev.raptor.example."
PTR = "1.100.51.198.in-addr.arpa."


@dataclass
class Host:
    """A host with machine alice-dev and tenant alice, and what doctor says of it."""

    world: World
    raptorctl: CommandLine

    def bad(self) -> list[Finding]:
        session = self.raptorctl.session()
        found = examine(session.probe(), session.past())
        return [f for f in found if f.verdict is not Verdict.OK and f.check != "accelerator"]

    @property
    def volume(self) -> Volume:
        return next(v for v in self.world.volumes.list() if v.name == "guest-alice-dev")

    @property
    def domain(self) -> Domain:
        return next(d for d in self.world.domains.list() if d.name == "alice-dev")

    def change(self, **fields: object) -> bool:
        domain = replace(self.domain, **fields)  # type: ignore[arg-type]
        self.world.domains.by_uuid[domain.uuid] = domain
        return True

    def lose_domain(self) -> bool:
        del self.world.domains.by_uuid[self.domain.uuid]
        return True

    def lose_volume(self) -> bool:
        del self.world.volumes.by_uuid[self.volume.uuid]
        return True

    def other(self, name: str = "web", **fields: object) -> bool:
        """Somebody else's domain."""
        self.world.domains.by_uuid[name] = Domain(name, name, **fields)  # type: ignore[arg-type]
        return True

    def account(self, **fields: object) -> bool:
        accounts = self.world.accounts.by_name
        accounts["alice"] = replace(accounts["alice"], **fields)  # type: ignore[arg-type]
        return True

    def forget(self, kind: str) -> bool:
        self.world.zones.records = {r for r in self.world.zones.records if r.type != kind}
        return True

    def put(self, name: str, kind: str, value: str) -> bool:
        self.world.zones.records.add(Record(name, kind, value))
        return True

    def repoint(self, name: str) -> bool:
        self.world.zones.records.remove(Record(PTR, "PTR", FQDN))
        self.put(PTR, "PTR", name)
        return True

    def leave_volume(self, name: str, *states: str) -> bool:
        uuid = "lv-of-nobody"
        name = wipe_volume(uuid) if name == "wipe-" else name
        made = Volume(uuid, name, "lvm-data", Size(GIB), (*TAGS, *states))
        self.world.volumes.by_uuid[uuid] = made
        return True

    def stray_records(self) -> bool:
        for kind, value in (
            ("A", "198.51.100.5"),
            ("TXT", "heritage=raptorctl tenant=bob machine=ci job=x"),
        ):
            self.put("bob-ci.raptor.example.", kind, value)
        self.put("5.100.51.198.in-addr.arpa.", "PTR", "bob-ci.raptor.example.")
        return True


@pytest.fixture
def world() -> World:
    """Without tenants: alice is made by a job, which can tell of her later."""
    return World()


@pytest.fixture
def host(raptorctl: CommandLine, world: World) -> Host:
    journals = raptorctl.session().journals
    request = plan_add(TenantRequest("alice"), world.facts({}, ["alice"]), ADD)
    apply(request, world.host(), journals, Silent(), Stop())
    assert raptorctl(*PROVISION).code == 0
    made = Host(world, raptorctl)
    assert made.bad() == []
    return made


MENDED_BY_FIX: dict[str, tuple[Callable[[Host], object], str]] = {
    "a volume without its domain": (
        lambda host: host.lose_domain(), "volume guest-alice-dev has no domain"),
    "a domain without its volume": (
        lambda host: (host.change(state=State.OFF), host.lose_volume()),
        "domain alice-dev has no volume"),
    "a volume whose making was cut off": (
        lambda host: host.leave_volume("guest-alice-ci", "raptor.dirty"),
        "volume guest-alice-ci is not clean"),
    "a volume whose wipe nobody finishes": (
        lambda host: host.leave_volume("wipe-", "raptor.dirty"),
        "volume wipe-lv-of-nobody is not clean"),
    "a volume that was wiped and not removed": (
        lambda host: host.leave_volume("wipe-", "raptor.wiped"),
        "volume wipe-lv-of-nobody is wiped, and was not removed"),
    "names without their machine": (
        lambda host: host.stray_records(), "bob-ci.raptor.example is in DNS and no machine"),
    "a machine without a name": (
        lambda host: (host.forget("A"), host.forget("AAAA"), host.forget("TXT")),
        "machine alice-dev has no A AAAA TXT record"),
    "a machine without an address": (
        lambda host: host.forget("A"), "machine alice-dev has no A record"),
    "a machine with an address too many": (
        lambda host: host.put(FQDN, "A", "192.0.2.77"), "machine alice-dev has a wrong A record"),
    "an address without its name": (
        lambda host: host.forget("PTR"), "machine alice-dev has no PTR record of 198.51.100.1"),
    "an address with another machine's name": (
        lambda host: (host.stray_records(), host.repoint("bob-ci.raptor.example.")),
        "198.51.100.1 points at bob-ci.raptor.example, not alice-dev"),
    "an account of ours whose record is lost": (
        lambda host: host.world.files.texts.pop(record_path("alice")),
        f"account alice is in {GROUP}, but no tenant"),
    "a tenant out of our group": (
        lambda host: host.account(groups=frozenset()), f"tenant alice is not in {GROUP}"),
}  # fmt: skip


@pytest.mark.parametrize("fault", MENDED_BY_FIX)
def test_what_fix_mends(host: Host, fault: str) -> None:
    make, what = MENDED_BY_FIX[fault]
    make(host)
    found = {finding.what: finding for finding in host.bad()}
    assert what in found
    assert found[what].fix
    assert found[what].on
    assert found[what].advice
    before = host.world.picture()
    shown = host.raptorctl("doctor", "--fix", "--dry-run")
    assert (shown.code, shown.err) == (0, "")
    assert host.world.picture() == before
    done = host.raptorctl("doctor", "--fix", "-y")
    assert done.code == 0, done.err
    assert f"mended: {what}" in done.out
    assert host.bad() == []
    assert host.raptorctl("doctor", "--fix", "-y").out.startswith("there is nothing to mend\n")


@pytest.mark.parametrize("fault", MENDED_BY_FIX)
def test_killed_anywhere_fix_is_undone_or_done(host: Host, fault: str) -> None:
    MENDED_BY_FIX[fault][0](host)
    state = vars(host.world.volumes), vars(host.world.domains), vars(host.world.zones)
    kept = [{k: v.copy() for k, v in part.items() if isinstance(v, dict | set)} for part in state]
    for at in range(1, 200):
        for part, values in zip(state, kept, strict=True):
            part.update({key: value.copy() for key, value in values.items()})
        session = host.raptorctl.session("doctor", "--fix", "-y")
        session.wire = Tripwire(at)
        try:
            host.raptorctl("doctor", "--fix", "-y", session=session)
        except Killed:
            assert host.raptorctl("recover").code == 0
            assert not host.raptorctl.session().journals.open_files()
        else:
            break
    assert at > 2
    assert host.raptorctl("doctor", "--fix", "-y").code == 0
    assert host.bad() == []


def clash(**fields: object) -> Callable[[Host], object]:
    return lambda host: host.other("web", **fields)


Mend = Callable[[Host], object]
MENDED_BY_A_PERSON: dict[str, tuple[Callable[[Host], object], str, Mend]] = {
    "two domains on a slot": (
        clash(bridges=("br-vm1",)), "alice-dev and web share bridge br-vm1",
        lambda host: host.world.domains.by_uuid.pop("web")),
    "a MAC twice": (
        clash(macs=("52:54:00:00:00:01",)), "alice-dev and web share MAC 52:54:00:00:00:01",
        lambda host: host.world.domains.by_uuid.pop("web")),
    "CPUs twice": (
        clash(pins=CpuSet((3, 4, 5))), "alice-dev and web share CPU 4,5",
        lambda host: host.raptorctl("deprovision", "alice", "dev", "-y")),
    "a domain whose disk lies in another group": (
        lambda host: (host.change(state=State.OFF, disks=("/dev/vg-old/guest-alice-dev",)),
                      host.lose_volume()),
        "domain alice-dev has its disk elsewhere, not at /dev/lvm-data/guest-alice-dev",
        lambda host: host.raptorctl("deprovision", "alice", "dev", "-y")),
    "a running domain without its volume": (
        lambda host: host.lose_volume(), "domain alice-dev has no volume",
        lambda host: host.raptorctl("deprovision", "alice", "dev", "-y")),
    "a volume without its domain, whose place is taken": (
        lambda host: (host.lose_domain(), host.other(bridges=("br-vm1",))),
        "volume guest-alice-dev has no domain",
        lambda host: host.raptorctl("deprovision", "alice", "dev", "-y")),
    "a volume that no journal knows the domain of": (
        lambda host: host.leave_volume("guest-alice-ci", "raptor.clean"),
        "volume guest-alice-ci has no domain",
        lambda host: host.raptorctl("deprovision", "alice", "ci", "-y")),
    "a dirty volume that a domain uses": (
        lambda host: (host.leave_volume("guest-alice-ci", "raptor.dirty"),
                      host.other(disks=("/dev/lvm-data/guest-alice-ci",))),
        "volume guest-alice-ci is not clean",
        lambda host: (host.world.domains.by_uuid.pop("web"),
                      host.raptorctl("wipe", "resume", "guest-alice-ci", "-y"))),
    "a name that somebody else took": (
        lambda host: (host.forget("TXT"), host.forget("AAAA")),
        "alice-dev.raptor.example is in DNS, but not as machine alice-dev's",
        lambda host: (host.forget("A"), host.raptorctl("doctor", "--fix", "-y"))),
    "an address that is somebody else's": (
        lambda host: host.repoint("mail.example."),
        "198.51.100.1 points at mail.example, not alice-dev",
        lambda host: (host.forget("PTR"), host.raptorctl("doctor", "--fix", "-y"))),
    "an address of a free slot": (
        lambda host: host.put("5.100.51.198.in-addr.arpa.", "PTR", "mail.example."),
        "198.51.100.5 points at mail.example, no machine",
        lambda host: host.world.zones.records.remove(
            Record("5.100.51.198.in-addr.arpa.", "PTR", "mail.example."))),
    "UEFI variables that no job of ours made": (
        lambda host: host.world.files.paths.add(NVRAM.replace("alice", "bob")),
        f"{NVRAM.replace('alice', 'bob')} belongs to no domain",
        lambda host: host.world.files.paths.remove(NVRAM.replace("alice", "bob"))),
    "an account of somebody else in our group": (
        lambda host: host.world.accounts.by_name.update(
            dave=Account("dave", 1500, 1500, groups=frozenset({GROUP}))),
        f"account dave is in {GROUP}, but no tenant",
        lambda host: host.world.accounts.leave("dave", [GROUP])),
    "a tenant without his account, with machines": (
        lambda host: host.world.accounts.by_name.pop("alice"), "tenant alice has no account",
        lambda host: (host.raptorctl("deprovision", "alice", "dev", "-y"),
                      host.raptorctl("doctor", "--fix", "-y"))),
    "a tenant who cannot log in any more": (
        lambda host: host.account(expires="2026-11-19"),
        "tenant alice cannot log in since 2026-11-19",
        lambda host: host.account(expires="")),
}  # fmt: skip


@pytest.mark.parametrize("fault", MENDED_BY_A_PERSON)
def test_what_a_person_mends(host: Host, fault: str) -> None:
    make, what, mend = MENDED_BY_A_PERSON[fault]
    make(host)
    found = {finding.what: finding for finding in host.bad()}
    assert what in found
    assert not found[what].fix
    assert found[what].on
    assert found[what].advice
    before = host.world.picture()
    host.raptorctl("doctor", "--fix", "-y")
    assert what in {finding.what for finding in host.bad()}
    assert host.world.picture() == before
    mend(host)
    assert host.bad() == []


def test_uefi_variables_that_a_removal_left_are_removed(host: Host) -> None:
    host.raptorctl("deprovision", "alice", "dev", "-y")
    host.world.files.paths.add(NVRAM)
    (finding,) = host.bad()
    assert (finding.on, finding.fix) == (NVRAM, True)
    assert host.raptorctl("doctor", "--fix", "-y").code == 0
    assert NVRAM not in host.world.files.paths
    assert host.bad() == []


def test_a_tenant_without_account_and_machines_is_taken_away(host: Host) -> None:
    host.raptorctl("deprovision", "alice", "dev", "-y")
    del host.world.accounts.by_name["alice"]
    (finding,) = host.bad()
    assert (finding.what, finding.fix) == ("tenant alice has no account", True)
    assert host.raptorctl("doctor", "--fix", "-y").code == 0
    assert record_path("alice") not in host.world.files.texts
    assert host.bad() == []


def test_a_closed_tenant_is_listed_only(host: Host) -> None:
    plan = plan_set("alice", None, CLOSED, host.world.facts({}), NEXT)
    apply(plan, host.world.host(), host.raptorctl.session().journals, Silent(), Stop())
    (finding,) = host.bad()
    assert not finding.fix


def test_the_record_comes_back_as_it_last_was(host: Host) -> None:
    path = record_path("alice")
    text, _ = host.world.files.texts.pop(path)
    assert host.raptorctl("doctor", "--fix", "-y").code == 0
    assert host.world.files.texts[path][0] == text


def test_a_removed_tenant_leaves_nothing_to_bring_back(host: Host) -> None:
    host.raptorctl("deprovision", "alice", "dev", "-y")
    account = host.world.accounts.by_name["alice"]
    plan = plan_remove("alice", host.world.facts({}), NEXT)
    apply(plan, host.world.host(), host.raptorctl.session().journals, Silent(), Stop())
    host.world.accounts.by_name["alice"] = account
    half, number = host.bad()
    assert (half.fix, number.fix) == (False, False)
    assert number.what == "account alice has uid 1000, which was tenant alice's"


def gone(host: Host) -> None:
    host.raptorctl("deprovision", "alice", "dev", "-y")
    assert host.raptorctl("tenant", "remove", "alice", "-y").code == 0
    assert host.bad() == []


def test_what_a_removed_tenants_number_owns_again_is_told_and_goes(host: Host) -> None:
    gone(host)
    host.world.accounts.strays[1000] = ("/var/tmp/program", "/dev/shm/data")
    (finding,) = host.bad()
    assert finding.what == (
        "tenant alice is gone, and uid 1000 still owns /var/tmp/program and 1 more"
    )
    assert host.raptorctl("doctor", "--fix", "-y").code == 0
    assert host.world.accounts.strays == {}
    assert host.bad() == []


def test_a_number_that_another_account_got_by_hand_is_told(host: Host) -> None:
    gone(host)
    host.world.accounts.by_name["eve"] = Account("eve", 1000, 1000)
    host.world.accounts.strays[1000] = ("/home/eve",)
    (finding,) = host.bad()
    assert (finding.on, finding.fix) == ("eve", False)
    assert finding.what == "account eve has uid 1000, which was tenant alice's"
    assert "usermod --uid" in finding.advice


def test_a_number_without_a_tombstone_gets_it_from_the_journal(host: Host) -> None:
    gone(host)
    path = tombstone_path(1000)
    text = host.world.files.texts.pop(path)[0]
    (finding,) = host.bad()
    assert finding.what == "uid 1000 was tenant alice's, and may be given again"
    assert host.raptorctl("doctor", "--fix", "-y").code == 0
    kept, before = json.loads(host.world.files.texts[path][0]), json.loads(text)
    assert {**kept, "removed": before["removed"]} == before
    assert host.bad() == []


def test_a_restored_machine_keeps_its_data_and_its_keys(host: Host) -> None:
    before, keys = host.world.picture(), host.world.files.paths
    host.lose_domain()
    assert host.raptorctl("doctor", "--fix", "-y").code == 0
    assert host.world.picture() == before
    assert host.world.wiper.wiped == [host.volume.uuid]  # when it was made
    assert keys == host.world.files.paths


def test_undoing_a_restored_domain_keeps_its_keys(host: Host) -> None:
    domain = host.domain
    host.lose_domain()
    assert domain.mark
    step = RestoreDomain("r", domain.mark.job, domain.name, domain.uuid, host.volume.name,
                         domain.xml)  # fmt: skip
    step.apply(host.world.host(), lambda *_: None)
    step.undo(host.world.host(), lambda *_: None)
    assert domain.nvram in host.world.files.paths
    assert not host.world.domains.list()


def test_an_unfinished_job_comes_first(host: Host) -> None:
    session = host.raptorctl.session()
    session.wire = Tripwire(at=8)
    with pytest.raises(Killed):
        host.raptorctl("deprovision", "alice", "dev", "-y", session=session)
    (finding,) = host.bad()
    assert finding.advice.startswith("raptorctl recover ")
    refused = host.raptorctl("doctor", "--fix", "-y")
    assert (refused.code, finding.advice in refused.complaint) == (3, True)
    assert host.raptorctl("recover").code == 0
    assert host.bad() == []


def test_a_grown_archive_is_told(host: Host) -> None:
    probe: Probe = host.raptorctl.session().probe()
    grown = examine(replace(probe, archive=LARGEST_ARCHIVE + 1))
    (finding,) = (f for f in grown if f.check == "lvm archive")
    assert (finding.verdict, finding.on) == (Verdict.WARN, "/etc/lvm/archive")
    (finding,) = (f for f in examine(replace(probe, archive=9)) if f.check == "lvm archive")
    assert finding.verdict is Verdict.OK


def test_a_person_is_asked_and_sees_the_plan(host: Host) -> None:
    host.lose_domain()
    before = host.world.picture()
    done = host.raptorctl("doctor", "--fix", terminal=True, answer="n\n")
    assert done.code == 2
    assert "define domain alice-dev again" in done.err
    assert host.world.picture() == before
    done = host.raptorctl("doctor", "--fix", terminal=True, answer="y\n")
    assert host.domain.state is State.RUNNING


@pytest.mark.parametrize("words", [["-y"], ["--dry-run"], ["--fix"]])
def test_what_makes_no_sense_is_refused(host: Host, words: list[str]) -> None:
    assert host.raptorctl("doctor", *words).code == 2


def test_as_json_there_is_the_job_and_what_remains(host: Host) -> None:
    host.lose_domain()
    host.other(bridges=("br-vm3",))
    told = json.loads(host.raptorctl("doctor", "--fix", "-y", "-o", "json").out)
    assert set(told) == {"summary", "job", "findings"}
    assert told["job"]["verb"] == "fix"


def test_many_faults_at_once_do_what_can_be_undone_first(host: Host) -> None:
    for make in ("a machine without a name", "a volume whose wipe nobody finishes"):
        MENDED_BY_FIX[make][0](host)
    host.leave_volume("guest-alice-ci", "raptor.dirty")
    shown = host.raptorctl("doctor", "--fix", "--dry-run", "-o", "json")
    kinds = [step["kind"] for step in json.loads(shown.out)["plan"]["steps"]]
    assert kinds.index("records.add") < kinds.index("volume.wipe")
    assert host.raptorctl("doctor", "--fix", "-y").code == 0
    assert host.bad() == []


def test_others_are_left_alone(host: Host) -> None:
    host.other("a", bridges=("br-x",), pins=CpuSet((2,)), macs=("52:54:00:aa:aa:aa",))
    host.other("b", bridges=("br-x",), pins=CpuSet((2,)), macs=("52:54:00:aa:aa:aa",))
    host.world.volumes.by_uuid["r"] = Volume("r", "guest-x-y", "lvm-data", Size(GIB))
    host.put("mail.raptor.example.", "A", "192.0.2.9")
    assert host.bad() == []
