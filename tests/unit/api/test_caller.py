"""Who asks, and what they see and may do."""

import os
from pathlib import Path

import pytest

from raptorctl.api import (
    access,
    audit,
    change,
    console,
    doctor,
    image,
    log,
    machine,
    power,
    recover,
    seed,
    snapshot,
    tenant,
    why,
    wipe,
)
from raptorctl.api.caller import Caller, new_identity
from raptorctl.drivers.image import Wanted
from raptorctl.errors import RefusedError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.error_code import Code
from raptorctl.model.image_source import Source
from raptorctl.model.names import MachineName
from raptorctl.model.sizes import Size
from raptorctl.model.spec import MachineSpec
from raptorctl.plans.machine.choice import ProvisionRequest
from tests.fakes import World
from tests.unit.api.session import InMemory

DEV, WEB = MachineName("alice", "dev"), MachineName("bob", "web")


@pytest.fixture
def two(session: InMemory) -> InMemory:
    """A session on a host with a machine of alice's and one of bob's."""
    for name, cpus in ((DEV, "2"), (WEB, "3")):
        wanted = ProvisionRequest(name, MachineSpec(Size.parse("1G"), CpuSet.parse(cpus)))
        change.carry_out(session, machine.provision(wanted))
    return session


def asked_by(caller: Caller, world: World, directory: Path) -> InMemory:
    session = InMemory(caller=caller)
    session.put(world, directory)
    return session


class Deaf:
    def heard(self, data: bytes) -> None:
        pass

    def ended(self) -> None:
        pass


def test_a_tenant_sees_their_machines_alone_whoever_asks_for_them(
    two: InMemory, world: World, tmp_path: Path
) -> None:
    assert [one.name for one in machine.listed(two)] == [DEV, WEB]
    theirs = asked_by(Caller("alice", root=True, tenant="alice"), world, tmp_path)
    assert [one.name for one in machine.listed(theirs)] == [DEV]
    assert machine.shown(theirs, DEV).machine.name == DEV
    nothing = MachineName("bob", "nothing")
    for look in (
        lambda name: machine.shown(theirs, name),
        lambda name: power.reset(theirs, name),
        lambda name: why.explained(theirs, name),
        lambda name: console.opened(theirs, name, Deaf()),
        lambda name: list(log.console(theirs, name, 10)),
    ):
        said = []
        for name in (WEB, nothing):
            with pytest.raises(RefusedError) as caught:
                look(name)
            assert caught.value.code is Code.MACHINE_NOT_FOUND
            said.append(str(caught.value).replace(str(name), "it"))
        assert said[0] == said[1]  # it is not told whether there is one


@pytest.mark.parametrize(
    "caller", [Caller("alice", root=True, tenant="alice"), Caller("alice")], ids=["for", "as"]
)
def test_who_is_not_root_changes_nothing_of_the_host(
    two: InMemory, world: World, tmp_path: Path, caller: Caller
) -> None:
    session = asked_by(caller, world, tmp_path)
    removal = machine.deprovision(DEV)
    before = len(session.journals.jobs())
    for act in (
        lambda: change.preview(session, removal),
        lambda: change.carry_out(session, removal),
        lambda: change.carry_out(session, tenant.remove("bob")),
        lambda: doctor.fix(session),
        lambda: recover.recover(session),
        lambda: recover.abandon(session, "1"),
        lambda: seed.show(session, DEV),
        lambda: snapshot.taken(session),
        lambda: wipe.waiting(session),
        lambda: log.steps(session, DEV, 10),
        lambda: image.pull(session, Wanted(Source("https://example.org/a", "a"))),
        lambda: image.remove(session, "debian:13"),
        lambda: image.gc(session),
        lambda: image.convert(session, "debian:13", "raw"),
        lambda: access.explained(session, "bob", "console"),
        lambda: access.trial(session),
        lambda: tenant.find(session, "bob"),
        lambda: tenant.every(session),
    ):
        with pytest.raises(RefusedError) as caught:
            act()
        assert caught.value.code is Code.NEEDS_ROOT
    assert len(session.journals.jobs()) == before
    assert len(world.domains.list()) == 2


def test_who_asked_is_in_the_journal_and_the_audit_log(two: InMemory) -> None:
    power.reset(two, DEV)
    entries, _ = two.journals.audit.read()
    assert {job.by for job in two.journals.jobs()} == {"carol"}
    assert [(entry.verb, entry.by) for entry in entries][-1] == ("reset", "carol")


def test_a_tenant_sees_what_the_audit_log_tells_of_them(
    two: InMemory, world: World, tmp_path: Path
) -> None:
    theirs = asked_by(Caller("alice", root=True, tenant="alice"), world, tmp_path)
    assert {entry.machine for entry in audit.entries(two)[0]} == {"alice-dev", "bob-web"}
    assert {entry.machine for entry in audit.entries(two, "bob")[0]} == {"bob-web"}
    assert {entry.machine for entry in audit.entries(theirs)[0]} == {"alice-dev"}
    assert audit.entries(theirs, "bob")[0] == ()
    with pytest.raises(RefusedError):
        audit.entries(asked_by(Caller("alice"), world, tmp_path))


def test_jobs_of_one_second_have_names_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    chance, real = iter([b"\xaa\xaa", b"\xaa\xaa", b"\xbb\xbb"]), os.urandom
    monkeypatch.setattr("os.urandom", lambda count: next(chance) if count == 2 else real(count))
    names = {new_identity("carol").job for _ in range(2)}
    assert len(names) == 2
