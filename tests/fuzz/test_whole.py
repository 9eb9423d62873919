"""The whole tool on a host in memory: any commands, faults and kills in any order.

After each, what design.md promises of a host holds: no place has two machines, nobody reaches a
dirty volume or another's data, what is not ours is as it was; and after `recover`, no half machine.
"""

import itertools
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from raptorctl.engine.journal import Journal
from raptorctl.errors import CommandError, HostError, UnknownOutcomeError, WipeError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Domain
from raptorctl.model.job import Outcome
from raptorctl.model.record import Record
from raptorctl.model.sizes import GIB, Size
from raptorctl.model.volume import DIRTY, Volume
from tests.fakes import Killed, Tripwire, World
from tests.fuzz.conftest import ASKED
from tests.fuzz.tally import tried
from tests.memory import place
from tests.unit.cli.session import CommandLine, Result

names = st.sampled_from([("alice", "dev"), ("alice", "ci"), ("bob", "web"), ("bob", "dev")])
cpu_sets = st.sampled_from(["2", "3", "2-3", "4-5", "6-7", "4-7", "5,3", "2-7", "1-2", "8"])
sizes = st.sampled_from(["4M", "1G", "60G", "150G", "300G"])
numbers = st.integers(0, 9)

FAULTS: dict[str, Callable[[], BaseException]] = {
    "killed": Killed,
    "failed": lambda: HostError("the disk is on fire"),
    "hung": lambda: CommandError(["lvchange"], None, ""),
    "lost": lambda: UnknownOutcomeError("the connection broke"),
    "defect": lambda: ZeroDivisionError("a defect of ours"),
    "wipe failed": lambda: WipeError("Input/output error"),
}
CALLS = [
    f"Fake{driver}.{name}"
    for driver, names in {
        "Volumes": "create retag rename remove find extents extend shrink snapshot split",
        "Wiper": "wipe is_zero",
        "Copier": "restore",
        "Domains": "define undefine start set_autostart shut_down pin block_size block_resize",
        "Zones": "add remove lookup replace",
        "Files": "remove",
        "Links": "bridges",
    }.items()
    for name in names.split()
]
# At a call of a kind, so that rare ones get their share, or at any.
places = st.one_of(st.sampled_from(CALLS), st.just(""))
faults = st.one_of(
    st.none(), st.tuples(st.sampled_from(sorted(FAULTS)), places, st.integers(1, 60), st.booleans())
)
lines = st.one_of(st.none(), st.none(), st.tuples(st.booleans(), st.integers(1, 30), st.booleans()))
READERS = [
    ["list"], ["show", "alice", "dev"], ["slot", "list"], ["cpu", "map"], ["doctor"], ["job", "list"],
    ["wipe", "list"], ["snapshot", "list"], ["audit"], ["doctor", "--fix", "--dry-run"], ["wipe", "resume", "--all", "--dry-run"],
]  # fmt: skip


class Named(Tripwire):
    """Counts only calls of one name; up to the third of those, as there are few."""

    name = ""

    def guard(self, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        return super().guard(name, act) if self.name in {"", name} else act


def tripwire(fault: tuple[str, str, int, bool]) -> Named:
    kind, name, at, after = fault
    wire = Named(1 + at % 3 if name else at, FAULTS[kind], after=after)
    wire.name = name
    return wire


class Tool(RuleBasedStateMachine):
    """A host that is used, with its admins, tenants, and accidents."""

    @initialize(stands=st.booleans())
    def begin(self, stands: bool) -> None:
        tried("hosts that were used")
        self.folder = Path(tempfile.mkdtemp(prefix="raptor-fuzz-", dir=place()))
        self.world = World()
        self.line = CommandLine(self.world, self.folder)
        self.foreign = self._foreign()
        self.tidy = True  # nobody has given a job up, or lost a definition, since
        self.dns = True
        self.lookup = self.world.zones.lookup
        if stands:  # what happens to a machine needs one
            self.run("provision", "alice", "dev", "--size=4M", "--cpus=4-5")

    def _foreign(self) -> tuple[object, ...]:
        """What others have here, some of it called like ours."""
        world = self.world
        for name in ("root", "wipe-of-others", "guest-carl-web"):
            volume = Volume(f"uuid-of-{name}", name, "lvm-data", Size(GIB), (DIRTY,))
            world.volumes.by_uuid[volume.uuid] = volume
        world.domains.by_uuid["w"] = Domain("w", "web", pins=CpuSet((3,)))
        world.zones.records.add(Record("carl-web.raptor.example.", "A", "192.0.2.7"))
        return self._others()

    def _others(self) -> tuple[object, ...]:
        volumes = [v for v in self.world.volumes.list() if not v.ours]
        records = [r for r in self.world.zones.records if "carl" in r.name]
        domains = [d for d in self.world.domains.list() if d.mark is None]
        return (volumes, records, domains)

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder, ignore_errors=True)

    # What happens

    def run(self, *typed: str, fault: Any = None, line: Any = None) -> Result | None:
        """One command; None when it was killed."""
        tried("commands, with faults and kills")
        session = self.line.session(*typed)
        if fault:
            session.wire = tripwire(fault)
        really_write = Journal.write
        if line:
            dies, at, after = line
            error = Killed if dies else lambda: OSError(28, "No space left on device")
            wire = Tripwire(at, error, after=after)
            Journal.write = wire.guard("write", really_write)  # type: ignore[method-assign]
        try:
            done = self.line(*typed, session=session)
        except Killed:
            return None
        finally:
            Journal.write = really_write  # type: ignore[method-assign]
        assert done.code in {0, 1, 2, 3, 4, 5}, done.err
        assert "Traceback" not in done.err
        if not (fault and fault[0] == "defect"):
            assert "please report it" not in done.err, done.err
        assert done.code == 0 or done.err or typed[0] == "doctor"
        return done

    @rule(name=names, size=sizes, cpus=cpu_sets, slot=st.sampled_from(["auto", *"1234567"]),
          fault=faults, line=lines)  # fmt: skip
    def provision(
        self, name: tuple[str, str], size: str, cpus: str, slot: str, fault: Any, line: Any
    ) -> None:
        typed = ["provision", *name, f"--size={size}", f"--cpus={cpus}", f"--slot={slot}"]
        done = self.run(*typed, fault=fault, line=line)
        if done and done.code == 0:
            assert f"{name[0]}-{name[1]}" in self._defined()

    @rule(name=names, fault=faults, line=lines)
    def deprovision(self, name: tuple[str, str], fault: Any, line: Any) -> None:
        done = self.run("deprovision", *name, "-y", fault=fault, line=line)
        if done and done.code == 0:
            assert f"{name[0]}-{name[1]}" not in self._defined()
            assert f"guest-{name[0]}-{name[1]}" not in {v.name for v in self.world.volumes.list()}

    def _one(self, number: int) -> str:
        """One of the machines there are, so that what needs one gets its share."""
        return (sorted(self._defined()) or ["alice-dev"])[number % (len(self._defined()) or 1)]

    @rule(number=numbers, size=sizes, cpus=cpu_sets, which=st.integers(1, 3),
          fault=faults, line=lines)  # fmt: skip
    def resize(self, number: int, size: str, cpus: str, which: int, fault: Any, line: Any) -> None:
        wishes = [f"--size={size}"] * (which & 1) + [f"--cpus={cpus}"] * (which >> 1)
        done = self.run("resize", self._one(number), *wishes, fault=fault, line=line)
        if done and done.code == 0:
            tried("machines that were resized")

    @rule(number=numbers, verb=st.sampled_from(["create", "create", "restore", "delete"]),
          which=st.sampled_from(["a", "b"]), fault=faults, line=lines)  # fmt: skip
    def snapshot(self, number: int, verb: str, which: str, fault: Any, line: Any) -> None:
        typed = ["snapshot", verb, self._one(number), which, "-y"]
        done = self.run(*typed, *(["--size=4M"] if verb == "create" else []),
                        fault=fault, line=line)  # fmt: skip
        if done and done.code == 0:
            tried(f"snapshots: {verb}")

    @rule(number=numbers, fault=faults, line=lines)
    def retire(self, number: int, fault: Any, line: Any) -> None:
        name = self._one(number)
        done = self.run("deprovision", name, "--keep", "7d", fault=fault, line=line)
        if done and done.code == 0:
            tried("machines that were retired")
            assert name not in self._defined()

    @rule(name=names, fault=faults, line=lines)
    def undelete(self, name: tuple[str, str], fault: Any, line: Any) -> None:
        done = self.run("undelete", *name, fault=fault, line=line)
        if done and done.code == 0:
            tried("machines that came back")
            assert f"{name[0]}-{name[1]}" in self._defined()

    @rule(number=numbers, word=st.sampled_from(["on", "off"]), fault=faults, line=lines)
    def autostart(self, number: int, word: str, fault: Any, line: Any) -> None:
        self.run("autostart", self._one(number), word, fault=fault, line=line)

    @rule(fault=faults, line=lines)
    def recover(self, fault: Any, line: Any) -> None:
        self.run("recover", fault=fault, line=line)

    @rule()
    def recover_in_peace(self) -> None:
        done = self.run("recover")
        assert done
        if self.dns:
            assert done.code == 0, done.err
            assert not self.line.session().journals.open_files()
            self._is_whole()

    @rule(fault=faults, line=lines)
    def wipe_what_is_left(self, fault: Any, line: Any) -> None:
        self.run("wipe", "resume", "--all", "-y", fault=fault, line=line)

    @rule(fault=faults, line=lines)
    def fix(self, fault: Any, line: Any) -> None:
        self.run("doctor", "--fix", "-y", fault=fault, line=line)

    @rule(typed=st.sampled_from(READERS), fault=faults)
    def read(self, typed: list[str], fault: Any) -> None:
        before = self.world.picture()
        done = self.run(*typed, fault=fault)
        if typed == ["list"] and fault is None:
            assert done and done.code == 0
        assert self.world.picture() == before

    @rule(number=st.integers(0, 9))
    def tenant_turns_one_on_or_off(self, number: int) -> None:
        """What libvirt and polkit let a tenant do at any moment, also while a job hangs."""
        domains = [d for d in self.world.domains.list() if d.ours and d.persistent]
        if domains:
            domain = domains[number % len(domains)]
            if domain.state.active:
                self.world.domains.shut_down(domain.uuid, 1, lambda *_: None)
            else:
                self.world.domains.start(domain.uuid)

    @rule()
    def dns_comes_or_goes(self) -> None:
        def down(*_: object) -> None:
            raise HostError("named does not answer")

        zones: Any = self.world.zones
        self.dns = not self.dns
        for name in ("lookup", "add", "remove", "replace"):
            if self.dns:
                vars(zones).pop(name, None)
            else:
                setattr(zones, name, down)

    @rule()
    def give_up(self) -> None:
        """A person gives a job up without cleaning up after it."""
        jobs = self.line.session().journals.unfinished()
        if jobs:
            self.run("recover", jobs[0].id, "--abandon")
            self.tidy = False

    @rule(number=st.integers(0, 9))
    def a_definition_is_lost(self, number: int) -> None:
        """The power went before libvirt's directory was on the disk."""
        ours = [d for d in self.world.domains.list() if d.ours and not d.state.active]
        if ours:
            del self.world.domains.by_uuid[ours[number % len(ours)].uuid]
            self.tidy = False

    @precondition(lambda self: not self.tidy)
    @rule()
    def everything_is_put_right(self) -> None:
        """recover, doctor --fix, and deprovision of what is still half: then all is whole."""
        if not self.dns:
            self.dns_comes_or_goes()
        for typed in (["recover"], ["doctor", "--fix", "-y"]):
            done = self.run(*typed)
            assert done and done.code in {0, 3}, done and done.err
        for volume in self.world.volumes.list():
            if volume.ours and volume.machine and volume.machine.domain not in self._defined():
                done = self.run("deprovision", str(volume.machine), "-y")
                assert done and done.code == 0, done and done.err
        done = self.run("doctor", "--fix", "-y")
        assert done and done.code in {0, 3}, done and done.err
        self._is_whole()
        self.tidy = True

    # What must hold

    def _ours(self) -> list[Domain]:
        return [d for d in self.world.domains.list() if d.ours]

    def _defined(self) -> set[str]:
        return {d.name for d in self._ours() if d.persistent}

    def _is_whole(self) -> None:
        """No half machine, nothing left over, and DNS knows all of them and no other."""
        if not self.tidy and self._halves():
            return
        assert not self._halves()
        records = {r for r in self.world.zones.records if "carl" not in r.name}
        named = {record.value for record in records if record.type == "PTR"}
        assert named == {f"{name}.raptor.example." for name in self._defined()}
        assert len(records) == 5 * len(self._defined())
        machines = {d.nvram for d in self._ours()}
        left = {path for path in self.world.files.paths if path.endswith("-dev_VARS.fd")}
        assert left <= machines

    def _halves(self) -> set[str]:
        there = {v.name for v in self.world.volumes.list() if v.machine}
        ours = [v for v in self.world.volumes.list() if v.ours and v.origin not in there]
        ours = [v for v in ours if not (v.retired and v.owner and v.clean)]  # kept, and whole
        volumes, clean = {v.name for v in ours}, {v.name for v in ours if v.clean}
        wanted = {f"guest-{name}" for name in self._defined()}
        return (volumes ^ wanted) | (volumes ^ clean)

    @invariant()
    def no_place_has_two_machines(self) -> None:
        if not hasattr(self, "world"):
            return
        for one, other in itertools.combinations(self.world.domains.list(), 2):
            assert one.name != other.name
            assert not set(one.macs) & set(other.macs)
            assert not set(one.bridges) & set(other.bridges)
            assert not {*one.pins, *one.emulator} & {*other.pins, *other.emulator}

    @invariant()
    def no_domain_reaches_a_dirty_volume(self) -> None:
        if not hasattr(self, "world"):
            return
        disks = {disk for domain in self.world.domains.list() for disk in domain.disks}
        for volume in self.world.volumes.list():
            assert volume.path not in disks or volume.clean or not volume.ours

    @invariant()
    def nobody_reads_what_another_wrote(self) -> None:
        if not hasattr(self, "world"):
            return
        assert self.world.volumes.leaked == []
        for volume in self.world.volumes.list():
            if volume.ours and volume.clean and volume.machine:
                own = f"written by {volume.machine.domain}"
                half = volume.machine.domain not in self._defined() or not self.tidy
                allowed = {"", own, *(["half of this, half of that"] if half else [])}
                assert self.world.volumes.data[volume.uuid] in allowed

    @invariant()
    def nobody_is_given_what_was_not_zeroed(self) -> None:
        if hasattr(self, "world"):
            assert set(self.world.volumes.tails.values()) <= {""}

    @invariant()
    def what_is_not_ours_is_as_it_was(self) -> None:
        if hasattr(self, "world"):
            assert self._others() == self.foreign

    @invariant()
    def every_journal_can_be_read(self) -> None:
        if not hasattr(self, "line"):
            return
        jobs = self.line.session().journals.jobs()
        assert all(not job.damage for job in jobs)
        assert Outcome.RUNNING not in {job.outcome for job in jobs}


def test_the_whole_tool() -> None:
    limits = hypothesis_settings(
        max_examples=ASKED // 8 if ASKED else 100, stateful_step_count=30 if ASKED else 20
    )
    run_state_machine_as_test(Tool, settings=limits)
