"""A host in memory: every driver, one world, and a way to make any call fail.

For what reality will not do on demand (a fault at the k-th call, a kill between two lines). That
the real drivers behave as these do is shown in the lab.
"""

import json
import re
import uuid as uuids
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, fields, replace
from functools import cache
from ipaddress import IPv4Interface
from threading import RLock
from typing import Any

from raptorctl.drivers.domain import Ears
from raptorctl.drivers.guest import Heard, Login
from raptorctl.drivers.host import Host
from raptorctl.drivers.image import (
    ImageReport,
    Offer,
    Pulled,
    Pushed,
    RegistryLogin,
    Wanted,
    Watch,
)
from raptorctl.drivers.tick import Tick
from raptorctl.drivers.volume import RestoreReport, WipeReport
from raptorctl.errors import ConflictError, HostError, WaitError
from raptorctl.host.survey.survey import numbers
from raptorctl.host.system.files import shipped_rules
from raptorctl.model.access import RULES, Person, Question, decide
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Domain, State
from raptorctl.model.facts import HostFacts
from raptorctl.model.guest import Endpoint, Neighbour
from raptorctl.model.guest_step import GuestStep
from raptorctl.model.image import Image, Origin, Reference
from raptorctl.model.image_target import Target
from raptorctl.model.image_version import Provenance
from raptorctl.model.medium import digest_in, unreadable
from raptorctl.model.network import DhcpHost, LibvirtNetwork
from raptorctl.model.record import Record
from raptorctl.model.settings import Settings
from raptorctl.model.settings_text import parse_settings
from raptorctl.model.sizes import GIB, MIB, Size
from raptorctl.model.slot import Bridge, Routing, Slot
from raptorctl.model.spec import MachineSpec
from raptorctl.model.tenant import GROUP, Account, TenantRecord, record_path, record_text
from raptorctl.model.tombstone import next_uid
from raptorctl.model.topology import Cpu, Topology
from raptorctl.model.volume import CLEAN, DIRTY, WIPED, Extents, Volume, VolumeGroup
from raptorctl.render.read_domain import read_domain
from raptorctl.render.seed_iso import read_iso
from tests.fake_build import FakeBuilder

SETTINGS_TEXT = """
[dns]
zone = "raptor.example"
reverse_zones = ["100.51.198.in-addr.arpa", "0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"]

[cpus]
reserved = "0-1"
""" + "".join(
    f'[[slot]]\nnumber = {n}\nipv4 = "198.51.100.{n}"\nipv6 = "2001:db8:0:{n}::1"\n'
    for n in range(1, 6)
)


def but(request: Any, **changes: Any) -> Any:
    """The same request, with something else asked of the machine, or of the command."""
    of_spec = {one.name for one in fields(MachineSpec)} - {one.name for one in fields(request)}
    said = {key: changes.pop(key) for key in of_spec & changes.keys()}
    return replace(request, spec=replace(request.spec, **said), **changes)


@cache
def settings() -> Settings:
    return parse_settings(SETTINGS_TEXT)


def topology(cpus: int = 8, threads: int = 2) -> Topology:
    return Topology(tuple(Cpu(n, 0, n // threads, 0 if n < cpus // 2 else 1) for n in range(cpus)))


IMAGE = Image(
    name="debian:13",
    source="https://images.example/debian-13.qcow2",
    digest="5eed" * 16,
    format="qcow2",
    size=Size(3 * GIB),
    stored=Size(300 * MIB),
    path="/var/lib/raptorctl/images/5eed",
    pulled="2026-11-19T08:00:00Z",
)


ISO = replace(
    IMAGE,
    name="rescue.iso",
    source="https://images.example/rescue.iso",
    digest="15" * 32,
    format="iso",
    size=Size(600 * MIB),
    path=f"/var/lib/raptorctl/images/files/{'15' * 32}",
)


class Killed(BaseException):
    """SIGKILL, as far as Python can play it: no handler of ours runs."""


@dataclass
class Tripwire:
    """Makes the `at`-th driver call go wrong, before or after it has acted.

    Args:
        at: which call, counted from 1; 0 for none.
        error: what is raised there.
        after: act first, then raise: it happened, but nobody learns so.
        calls: the names of all calls so far.
        killed: whether the process is gone; then no thread of it calls anything any more.
        one: the world in memory is asked by one thread at a time.
    """

    at: int = 0
    error: Callable[[], BaseException] = Killed
    after: bool = False
    calls: list[str] = field(default_factory=list)
    killed: bool = False
    one: AbstractContextManager[Any] = field(default_factory=RLock)

    def guard(self, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            with self.one:
                if self.killed:
                    raise Killed
                self.calls.append(name)
                trips = len(self.calls) == self.at
                if trips and not self.after:
                    raise self._tripped()
                result = act(*args, **kwargs)
                if trips:
                    raise self._tripped()
                return result

        return call

    def _tripped(self) -> BaseException:
        error = self.error()
        self.killed = isinstance(error, Killed)
        return error


class Guarded:
    """A driver with a tripwire on every call."""

    def __init__(self, driver: Any, wire: Tripwire) -> None:
        self._driver, self._wire = driver, wire

    def __getattr__(self, name: str) -> Any:
        act = getattr(self._driver, name)
        return self._wire.guard(f"{type(self._driver).__name__}.{name}", act)


class FakeVolumes:
    """LVM: `data` is what volumes hold, `tails` what they grew by, `ground` what free extents do.

    `seen` is as old as it may be in truth: of the last look or act of ours.
    `leaked` is what a tenant had written to volumes that were removed without a wipe.
    """

    def __init__(self) -> None:
        self.by_uuid: dict[str, Volume] = {}
        self.data: dict[str, str] = {}
        self.tails: dict[str, str] = {}
        self.ground: dict[str, str] = {}
        self.sizes: dict[str, int] = {}
        self.last: tuple[Volume, ...] | None = None
        self.leaked: list[str] = []

    def group(self) -> VolumeGroup | None:
        used = sum(volume.size for volume in self.by_uuid.values())
        return VolumeGroup("lvm-data", Size(200 * GIB), Size(200 * GIB - used), Size(4 * MIB))

    def look(self) -> tuple[VolumeGroup | None, tuple[Volume, ...]]:
        return self.group(), self.list()

    def list(self) -> tuple[Volume, ...]:
        self.last = tuple(self.by_uuid.values())
        return self.last

    def seen(self) -> tuple[Volume, ...]:
        return self.list() if self.last is None else self.last

    def held(self, volume: Volume) -> bool:
        return volume.uuid in self.by_uuid and self.by_uuid[volume.uuid].is_open

    def find(self, uuid: str) -> Volume | None:
        return next((v for v in self.list() if v.uuid == uuid), None)

    def named(self, name: str) -> Volume | None:
        return next((v for v in self.list() if v.name == name), None)

    def create(self, name: str, size: int, tags: Iterable[str]) -> Volume:
        if any(v.name == name for v in self.by_uuid.values()):
            raise HostError(f"{name} exists")
        volume = Volume(str(uuids.uuid4()), name, "lvm-data", Size(size), tuple(tags))
        self.by_uuid[volume.uuid] = volume
        self.data[volume.uuid] = "somebody else's"
        self.list()
        return volume

    def retag(
        self, volume: Volume, *, add: Iterable[str], remove: Iterable[str], at_boot: bool
    ) -> Volume:
        old, gone = self.by_uuid[volume.uuid], set(remove)
        if old.name != volume.name:
            raise ConflictError(f"{volume.name} is {old.name}")
        tags = tuple(dict.fromkeys([*(t for t in old.tags if t not in gone), *add]))
        self.by_uuid[volume.uuid] = replace(old, tags=tags)
        self.list()
        return self.by_uuid[volume.uuid]

    def snapshot(self, origin: Volume, name: str, size: int, tags: Iterable[str]) -> Volume:
        made = self.create(name, size, tags)
        self.by_uuid[made.uuid] = made = replace(made, origin=origin.name, used=0.0)
        self.data[made.uuid] = self.data[origin.uuid]
        return made

    def split(self, snapshot: Volume) -> Volume:
        old = self.by_uuid[snapshot.uuid]
        self.by_uuid[old.uuid] = replace(old, origin="", used=None, invalid=False)
        self.list()
        return self.by_uuid[old.uuid]

    def rename(self, volume: Volume, name: str, *, read_back: bool = True) -> Volume:
        old = self.by_uuid[volume.uuid]
        self.by_uuid[volume.uuid] = replace(old, name=name)
        for other in [v for v in self.by_uuid.values() if v.origin == old.name]:
            self.by_uuid[other.uuid] = replace(other, origin=name)
        self.last = None
        return self.by_uuid[volume.uuid]

    def activate(self, volume: Volume) -> Volume:
        return self.by_uuid[volume.uuid]

    def remove(self, volume: Volume, *, discard: bool = True) -> None:
        now = self.by_uuid.get(volume.uuid, volume)
        if any(other.origin == now.name for other in self.by_uuid.values()):
            raise ConflictError(f"{volume.name} has snapshots")
        if {DIRTY, CLEAN, WIPED} & {*volume.tags} != {DIRTY, CLEAN, WIPED} & {*now.tags}:
            raise ConflictError(f"{volume.name} is not as it was")
        self.last = None
        data = self.data.get(volume.uuid, "")
        if data.startswith("written by"):
            self.leaked.append(data)
        if self.by_uuid.pop(volume.uuid, None):
            self.ground[_range(volume)] = "whatever the disk says" if discard else data
            self.sizes[_range(volume)] = volume.size

    def extents(self, volume: Volume) -> Extents:
        return Extents((_range(volume),), 1)

    def extend(self, volume: Volume, extents: Extents) -> None:
        (where,) = extents.ranges
        self.tails[volume.uuid] = self.ground.pop(where)
        old = self.by_uuid[volume.uuid]
        self.by_uuid[volume.uuid] = replace(old, size=Size(old.size + self.sizes[where]))

    def shrink(self, volume: Volume, size: int) -> None:
        self.tails.pop(volume.uuid, None)
        self.by_uuid[volume.uuid] = replace(self.by_uuid[volume.uuid], size=Size(size))


def _range(volume: Volume) -> str:
    return f"/dev/vdb:{volume.uuid}"


class FakeWiper:
    def __init__(self, volumes: FakeVolumes) -> None:
        self.volumes = volumes
        self.wiped: list[str] = []

    def wipe(self, volume: Volume, tick: Tick) -> WipeReport:
        for part in range(3):
            tick(part * volume.size // 2, volume.size)
        self.volumes.data[volume.uuid] = ""
        self.wiped.append(volume.uuid)
        return WipeReport(volume.uuid, volume.size, "BLKZEROOUT", 0.5, volume.size, "full")

    def is_zero(self, volume: Volume, start: int, tick: Tick) -> bool:
        return not self.volumes.tails.get(volume.uuid, "")


class FakeCopier:
    def __init__(self, volumes: FakeVolumes) -> None:
        self.volumes = volumes

    def restore(self, volume: Volume, snapshot: Volume, tick: Tick) -> RestoreReport:
        for part in range(3):
            self.volumes.data[volume.uuid] = "half of this, half of that"
            tick(part * volume.size // 2, volume.size)
        self.volumes.data[volume.uuid] = self.volumes.data[snapshot.uuid]
        return RestoreReport(volume.size, 4096, 0.5)


def _shown(uuid: str, path: str) -> str:
    """What a guest sees of a disk is noted by this: by the machine alone, of its first one."""
    return f"{uuid} {path}" if "/disk-" in path else uuid


class FakeDomains:
    def __init__(self, volumes: FakeVolumes, files: "FakeFiles") -> None:
        self.by_uuid: dict[str, Domain] = {}
        self.volumes, self.files = volumes, files
        self.reboots: list[str] = []
        self.resets: list[str] = []
        self.seen: dict[str, int] = {}
        self.pinned: dict[str, tuple[CpuSet, CpuSet]] = {}
        self.plugs: dict[str, set[str]] = {}
        self.tpms: set[str] = set()
        self.has_swtpm = True
        self.deaf = False
        self.pressed: set[str] = set()
        self.kept: dict[str, dict[str, dict[str, DhcpHost]]] = {
            "default": {"live": {}, "config": {}}
        }

    def list(self) -> tuple[Domain, ...]:
        return tuple(self.by_uuid.values())

    def states(self) -> Mapping[str, State]:
        return {domain.name: domain.state for domain in self.list()}

    def find(self, uuid: str) -> Domain | None:
        return self.by_uuid.get(uuid)

    def define(self, xml: str) -> None:
        domain = read_domain(xml)
        if any(d.name == domain.name and d.uuid != domain.uuid for d in self.list()):
            raise ConflictError(f"domain {domain.name} exists with another UUID")
        old = self.by_uuid.get(domain.uuid)
        names = ("state", "autostart", "live", "saved")
        kept = {name: getattr(old, name) for name in names} if old else {}
        self.by_uuid[domain.uuid] = replace(domain, **kept)

    def undefine(self, uuid: str, *, keep_nvram: bool) -> None:
        domain = self.by_uuid.get(uuid)
        if domain is None or not domain.persistent:
            return
        if domain.state.active:
            self.by_uuid[uuid] = replace(domain, persistent=False)
        else:
            del self.by_uuid[uuid]
        if not keep_nvram:
            self.files.remove(domain.nvram)

    def start(self, uuid: str) -> None:
        domain = self.by_uuid[uuid]
        self.by_uuid[uuid] = replace(domain, state=State.RUNNING, saved=None)
        self.files.paths |= {domain.nvram, *domain.logs}
        self.tpms |= {uuid} if domain.tpm else set()
        self.files.texts.setdefault(domain.nvram, (f"variables of {domain.name}", 0o600))
        for volume in self.volumes.list():
            if volume.path in domain.disks:
                if not self.volumes.data[volume.uuid].startswith("written by"):
                    self.volumes.data[volume.uuid] = f"written by {domain.name}"
                self.seen[_shown(uuid, volume.path)] = volume.size
        self.pinned[uuid] = (domain.pins, domain.emulator)
        self.plugs[uuid] = set(domain.disks)

    def drop_saved(self, uuid: str) -> None:
        if self.by_uuid[uuid].state is State.SAVED:
            self.by_uuid[uuid] = replace(self.by_uuid[uuid], state=State.OFF, saved=None)

    def save(self, uuid: str) -> None:
        """What `virsh managedsave` does: its memory is kept, and what it ran with."""
        domain = self.by_uuid[uuid]
        runs = domain.live or replace(domain, xml="")
        self.by_uuid[uuid] = replace(domain, state=State.SAVED, saved=runs, live=None)

    def named(self, name: str) -> Domain | None:
        return next((d for d in self.list() if d.name == name), None)

    def reboot(self, uuid: str) -> None:
        self.reboots.append(uuid)

    def reset(self, uuid: str) -> None:
        self.resets.append(uuid)

    def block_size(self, uuid: str, path: str) -> int | None:
        return self.seen[_shown(uuid, path)] if self.by_uuid[uuid].state.active else None

    def block_resize(self, uuid: str, path: str, size: int) -> None:
        self.seen[_shown(uuid, path)] = size

    def plugged(self, uuid: str, path: str) -> bool:
        domain = self.by_uuid.get(uuid)
        return domain is not None and domain.state.active and path in self.plugs[uuid]

    def plug(self, uuid: str, xml: str) -> None:
        path = re.findall('(?:file|dev)="(/[^"]*)"', xml)[0]  # what it lies over comes behind
        self.plugs[uuid].add(path)
        for volume in self.volumes.list():
            if volume.path == path:
                self.seen[_shown(uuid, path)] = volume.size
                if not self.volumes.data[volume.uuid].startswith("written by"):
                    self.volumes.data[volume.uuid] = f"written by {self.by_uuid[uuid].name}"

    def change_medium(self, uuid: str, xml: str) -> None:
        if self.deaf:
            raise HostError(f"the CD drive of {self.by_uuid[uuid].name} is locked")
        empty = {path for path in self.plugs[uuid] if digest_in(path)}
        self.plugs[uuid] = (self.plugs[uuid] - empty) | set(re.findall('file="(/[^"]*)"', xml))

    def unplug(self, uuid: str, path: str, tick: Tick) -> None:
        tick(0, 1)
        if self.deaf:
            raise HostError(f"{self.by_uuid[uuid].name} does not let go of {path}")
        self.plugs[uuid].discard(path)

    def pin(self, uuid: str, pins: CpuSet, emulator: CpuSet) -> None:
        self.pinned[uuid] = (pins, emulator)

    def suspend(self, uuid: str) -> None:
        self.by_uuid[uuid] = replace(self.by_uuid[uuid], state=State.PAUSED)

    def resume(self, uuid: str) -> None:
        self.by_uuid[uuid] = replace(self.by_uuid[uuid], state=State.RUNNING)

    def set_autostart(self, uuid: str, *, on: bool) -> None:
        self.by_uuid[uuid] = replace(self.by_uuid[uuid], autostart=on)

    def shut_down(self, uuid: str, timeout: float, tick: Tick, *, force: bool = True) -> bool:
        domain = self.by_uuid.get(uuid)
        if domain is None or not domain.state.active:
            return False
        if timeout and not self.deaf:
            self.pressed.add(uuid)
        tick(0, 1)
        if self.deaf and not force:
            raise WaitError(f"{domain.name} to shut down", timeout, "it running")
        self.went_off(uuid)
        return timeout == 0 or self.deaf

    def goes_off(self, uuid: str, timeout: float, tick: Tick) -> bool:
        tick(0, 1)
        if uuid in self.pressed:
            self.went_off(uuid)
        domain = self.by_uuid.get(uuid)
        return domain is None or not domain.state.active

    def went_off(self, uuid: str) -> None:
        """As happens by itself to one whose button was pressed."""
        self.pressed.discard(uuid)
        domain = self.by_uuid[uuid]
        if domain.persistent:
            self.by_uuid[uuid] = replace(domain, state=State.OFF)
        else:
            del self.by_uuid[uuid]

    def accelerator(self) -> str:
        return "qemu"

    def most_vcpus(self, machine_type: str, accelerator: str) -> int:
        return 288

    def networks(self) -> dict[str, LibvirtNetwork]:
        here = IPv4Interface("192.168.122.1/24")
        return {
            name: LibvirtNetwork(
                "virbr0", here, dhcp=True, **{form: tuple(sides[form].values()) for form in sides}
            )
            for name, sides in self.kept.items()
        }

    def reserve(self, network: str, host: DhcpHost) -> None:
        for side in self.kept[network].values():
            side[host.mac] = host

    def release(self, network: str, mac: str) -> None:
        for side in self.kept.get(network, {}).values():
            side.pop(mac, None)

    def reserved(self, network: str, host: DhcpHost) -> bool | None:
        return self.networks()[network].keeps(host) if network in self.kept else None

    def released(self, network: str, mac: str) -> bool:
        return all(mac not in side for side in self.kept.get(network, {}).values())

    def emulates_tpm(self, machine_type: str) -> bool:
        return self.has_swtpm

    def forget_tpm(self, uuid: str) -> None:
        if uuid in self.by_uuid:
            raise HostError(f"domain {uuid} still has its TPM")
        self.tpms.discard(uuid)


class FakeZones:
    def __init__(self) -> None:
        self.records: set[Record] = set()

    def lookup(self, queries: Iterable[tuple[str, str]]) -> tuple[Record, ...]:
        asked = set(queries)
        return tuple(sorted(r for r in self.records if (r.name, r.type) in asked))

    def add(self, zone: str, records: Iterable[Record]) -> None:
        wanted = set(records)
        names = {r.name for r in wanted}
        there = {r for r in self.records if r.name in names}
        if there and there != wanted:
            raise ConflictError(f"{min(there).name} has records already")
        self.records |= wanted

    def remove(self, zone: str, records: Iterable[Record]) -> None:
        self.records -= set(records)

    def replace(
        self, zone: str, old: Iterable[Record], new: Iterable[Record], guard: Iterable[Record]
    ) -> None:
        old, new, guard = set(old), set(new), set(guard)
        if new <= self.records and not old & self.records:
            return
        if set(self.lookup({(r.name, r.type) for r in guard})) != guard:
            raise ConflictError(f"{min(guard).name} is not as it was")
        self.records = (self.records - old) | new


class FakeFiles:
    def __init__(self) -> None:
        self.paths = {"/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"}
        self.texts: dict[str, tuple[str, int]] = {}
        self.sizes: dict[str, int] = {}

    def size(self, path: str) -> int | None:
        return self.sizes.get(path, 0) if path in self.paths else None

    def exists(self, path: str) -> bool:
        return path in self.paths

    def remove(self, path: str) -> None:
        self.paths.discard(path)
        self.texts.pop(path, None)

    def list(self, directory: str) -> tuple[str, ...]:
        there = {*self.texts, *self.paths}
        return tuple(sorted(p for p in there if p.rpartition("/")[0] == directory))

    def read(self, path: str) -> str | None:
        return self.texts[path][0] if path in self.texts else None

    def read_bytes(self, path: str, largest: int) -> bytes | None:
        return self.texts[path][0].encode("latin-1") if path in self.texts else None

    def write(self, path: str, text: str, mode: int) -> None:
        self.texts[path] = (text, mode)

    def write_bytes(self, path: str, data: bytes, mode: int) -> None:
        self.texts[path] = (data.decode("latin-1"), mode)
        self.paths.add(path)


class FakeAccounts:
    """Accounts: `others` are the system's, `sessions` who is logged in how often."""

    def __init__(self) -> None:
        self.by_name = {
            "root": Account("root", 0, 0),
            "www": Account("www", 33, 33),
            "nobody": Account("nobody", 65534, 65534),
        }
        self.sessions: dict[str, int] = {}
        self.strays: dict[int, tuple[str, ...]] = {}
        self.immutable = False

    def find(self, name: str) -> Account | None:
        return self.by_name.get(name)

    def members(self, group: str) -> tuple[Account, ...]:
        return tuple(a for a in self.by_name.values() if group in a.groups)

    def names(self) -> frozenset[str]:
        return frozenset(self.by_name)

    def free_uid(self, given: Iterable[int] = ()) -> int:
        uid = next_uid({a.uid for a in self.by_name.values()}.union(given))
        assert uid is not None
        return uid

    def left(self, uid: int) -> tuple[str, ...]:
        if any(account.uid == uid for account in self.by_name.values()):
            return ()
        return tuple(self.strays.get(uid, ()))

    def sweep(self, uid: int, tick: Tick) -> Mapping[str, int]:
        tick(0, 1)
        if not self.left(uid):
            return {"removed": 0, "kept": 0}
        return {"removed": len(self.strays.pop(uid)), "kept": 0}

    def declarative(self) -> bool:
        return self.immutable

    def create(self, account: Account) -> None:
        if account.name in self.by_name:
            raise HostError(f"account {account.name} exists")
        self.by_name[account.name] = replace(account, home=f"/home/{account.name}")

    def change(self, name: str, *, shell: str | None = None, expires: str | None = None) -> None:
        old = self.by_name[name]
        self.by_name[name] = replace(
            old,
            shell=old.shell if shell is None else shell,
            expires=old.expires if expires is None else expires,
        )

    def join(self, name: str, groups: Iterable[str]) -> None:
        old = self.by_name[name]
        self.by_name[name] = replace(old, groups=old.groups | set(groups))

    def leave(self, name: str, groups: Iterable[str]) -> None:
        old = self.by_name[name]
        self.by_name[name] = replace(old, groups=old.groups - set(groups))

    def end_sessions(self, account: Account) -> int:
        return self.sessions.pop(account.name, 0)

    def remove(self, account: Account) -> None:
        if self.sessions.get(account.name):
            raise HostError(f"account {account.name} is logged in")
        self.by_name.pop(account.name, None)


class FakeAuthority:
    """polkit, which answers by the file that was there when it last looked; a broken one is skipped."""

    ACTIONS = (
        "org.libvirt.unix.manage", "org.libvirt.api.connect.getattr", "org.libvirt.api.connect.write",
        "org.libvirt.api.domain.getattr", "org.libvirt.api.domain.start",
        "org.libvirt.api.domain.write", "org.libvirt.api.storage-vol.read",
    )  # fmt: skip

    def __init__(self, files: FakeFiles) -> None:
        self.files = files
        self.rules: str | None = None

    def actions(self) -> tuple[str, ...]:
        return self.ACTIONS

    def reload(self) -> None:
        self.rules = self.files.read(RULES)

    def answers(self, account: Account, questions: Iterable[Question]) -> tuple[bool, ...]:
        if self.rules is None or "broken" in self.rules:  # libvirt's own defaults
            return tuple(q.permission.endswith(("getattr", "read")) for q in questions)
        (groups,) = re.findall(r"ADMIN_GROUPS = (.*);", self.rules)
        who = Person(account.name, account.groups, account.uid)
        return tuple(decide(who, question, json.loads(groups)).allowed for question in questions)


class FakeStream:
    """One connection: what is typed is said again, as a terminal's driver does."""

    def __init__(self, ears: Ears) -> None:
        self.ears = ears
        self.typed = b""
        self.closed = False

    def send(self, data: bytes) -> None:
        self.typed += data
        if data:
            self.ears.heard(data)

    def close(self) -> None:
        self.closed = True


class FakeConsoles:
    """Consoles that greet. The first `cut` of them end by themselves; `streams` are all there were."""

    def __init__(self) -> None:
        self.cut = 0
        self.attached: list[tuple[str, bool]] = []
        self.streams: list[FakeStream] = []

    def open(self, uuid: str, ears: Ears, *, force: bool, tick: Callable[[], None]) -> FakeStream:
        self.attached.append((uuid, force))
        tick()
        stream = FakeStream(ears)
        self.streams.append(stream)
        ears.heard(b"login: ")
        if len(self.attached) <= self.cut:
            ears.ended()
        return stream


class FakeImages:
    """Images: `all` are in the cache, `spoilt` not whole; `written` which volume began as which."""

    def __init__(self, volumes: FakeVolumes, files: FakeFiles) -> None:
        self.volumes, self.files = volumes, files
        self.all: tuple[Image, ...] = ()
        self.spoilt: dict[str, str] = {}
        self.built: dict[str, Provenance] = {}
        self.pushed: dict[str, Offer] = {}

    def reference(self, image: Image) -> Reference | None:
        origin = Origin("", "", 0)
        return Reference(image, origin, self.built.get(image.name)) if image in self.all else None

    def keep_built(self, path: str, name: str, built: Provenance, watch: Watch) -> Pulled:
        watch.tick(0, 1)
        image = replace(IMAGE, name=name, source=f"build:{name}", digest="b1" * 32)
        self.all = tuple({one.name: one for one in (*self.all, image)}.values())
        self.built[name] = built
        return Pulled(image, "built")

    def digest(self, path: str, watch: Watch) -> str:
        watch.tick(0, 1)
        return "d1" * 32

    def push(self, offer: Offer, target: Target, login: RegistryLogin, watch: Watch) -> Pushed:
        watch.tick(0, 1)
        self.pushed[target.text] = offer
        return Pushed(offer.statement, (target.text,), "pushed", newest=True)

    def has_built(self, name: str, built: Provenance) -> bool:
        return self.built.get(name) == built

    def take_back(self, name: str, built: Provenance, before: str) -> None:
        if self.has_built(name, built):
            del self.built[name]
            self.all = tuple(image for image in self.all if image.name != name)

    def list(self) -> tuple[Image, ...]:
        return self.all

    def known(self) -> tuple[Image, ...]:
        return self.all

    def damaged(self) -> Mapping[str, str]:
        return self.spoilt

    def foresee(self, wanted: Wanted) -> Image:
        text = wanted.source.text
        here = (image for image in self.all if wanted.source.name == image.name)
        return next(here, replace(IMAGE, name=wanted.source.name, source=text, digest=""))

    def pull(self, wanted: Wanted, watch: Watch) -> Pulled:
        image = self.foresee(wanted)
        image = replace(image, digest=image.digest or "ab" * 32)
        self.all = tuple({one.name: one for one in (*self.all, image)}.values())
        return Pulled(image, "pulled")

    def copy(self, image: Image, path: str, tick: Tick) -> None:
        tick(0, image.size)
        self.files.paths.add(path)
        self.files.sizes[path] = image.size

    def write(self, image: Image, volume: Volume, tick: Tick) -> ImageReport:
        if self.volumes.data[volume.uuid]:
            raise HostError(f"{volume.name} is not zero")
        for part in range(3):
            self.volumes.data[volume.uuid] = f"half of {image.name}"
            tick(part * image.size // 2, image.size)
        self.volumes.data[volume.uuid] = f"image {image.digest}"
        return ImageReport(image.digest, image.size, 0.5, verified=True)


class FakeShell:
    """One login: does what `guests.outcomes` says of each file by name, in order of the calls."""

    def __init__(self, guests: "FakeGuests") -> None:
        self.guests = guests

    def run(self, script: GuestStep, timeout: float, heard: Heard) -> int:
        name = script.source.name
        self.guests.done.append(script.title)
        heard(self.guests.says or f"{name} speaks\n".encode())
        outcome = self.guests.outcomes.get(name, 0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def forget_key(self, comment: str) -> None:
        self.guests.done.append(f"forget {comment.rpartition('-')[0]}")

    def copy(self, step: GuestStep, timeout: float) -> str:
        self.guests.done.append(f"copy {step.source.name} {step.target}")
        return step.target


class FakeGuests:
    """Guests: `banners` are what ssh's port says, one look after the other; the last one stays."""

    def __init__(self) -> None:
        self.alive_at: set[str] = set()
        self.table: tuple[Neighbour, ...] = ()
        self.banners = ["(connection refused)"]
        self.agent = "libvirt could not reach the guest's agent: it is not connected"
        self.told: tuple[str, ...] = ()
        self.files: dict[str, str] = {}
        self.since: float | None = None
        self.dhcp: tuple[str, ...] | None = ()
        self.frames: int | None = 0
        self.logins: list[tuple[Login, tuple[str, ...]]] = []
        self.outcomes: dict[str, int | Exception] = {}
        self.done: list[str] = []
        self.says = b""

    def neighbours(self, bridge: str) -> tuple[Neighbour, ...]:
        return self.table

    def alive(self, slot: Slot, address: str) -> bool:
        return address in self.alive_at

    def banner(self, at: Endpoint) -> str:
        return self.banners.pop(0) if len(self.banners) > 1 else self.banners[0]

    def ping_agent(self, uuid: str) -> str:
        return self.agent

    def agent_addresses(self, uuid: str) -> tuple[str, ...]:
        return self.told

    def agent_file(self, uuid: str, path: str) -> str | None:
        return self.files.get(path)

    def started(self, name: str) -> float | None:
        return self.since

    def leases(self, mac: str, since: float) -> tuple[str, ...] | None:
        return self.dhcp

    def packets(self, bridge: str) -> int | None:
        return self.frames

    def log_in(self, login: Login, command: Sequence[str], tick: Callable[[], None]) -> int:
        tick()
        self.logins.append((login, tuple(command)))
        return 7

    @contextmanager
    def open(self, login: Login, tick: Callable[[], None]) -> Iterator[FakeShell]:
        self.logins.append((login, ()))
        tick()
        yield FakeShell(self)


class FakeLinks:
    def __init__(self) -> None:
        self.all = tuple(Bridge(f"br-vm{n}", up=True) for n in range(1, 6))

    def bridges(self) -> tuple[Bridge, ...]:
        return self.all

    def ways(self, slots: Sequence[Slot]) -> tuple[Routing, ...]:
        return tuple(
            Routing(tuple(map(str, slot.addresses)), ("IPv4", "IPv6"), ("eth0",), ("eth0",))
            for slot in slots
        )


@cache
def _said(path: str, text: tuple[str, int]) -> tuple[str, int]:
    """What a file says; an ISO says besides when it was made, to the second."""
    said, mode = text
    return (read_iso(said.encode("latin-1")).digest if ".iso" in path else said, mode)


class FakeMail:
    """Mail: `sent` is no part of what a host must be like as before."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.there = True

    def works(self) -> bool:
        return self.there

    def send(self, message: str) -> None:
        self.sent.append(message)


class World:
    """A host's whole state, and the drivers onto it."""

    def __init__(self) -> None:
        self.topology = topology()
        self.volumes = FakeVolumes()
        self.files = FakeFiles()
        self.domains = FakeDomains(self.volumes, self.files)
        self.wiper = FakeWiper(self.volumes)
        self.copier = FakeCopier(self.volumes)
        self.zones = FakeZones()
        self.links = FakeLinks()
        self.accounts = FakeAccounts()
        self.authority = FakeAuthority(self.files)
        self.consoles = FakeConsoles()
        self.images = FakeImages(self.volumes, self.files)
        self.guests = FakeGuests()
        self.builder = FakeBuilder()
        self.mail = FakeMail()

    def with_tenants(self, *names: str) -> "World":
        """The same host, with tenants of those names on it."""
        for name in names:
            uid = self.accounts.free_uid()
            account = Account(name, uid, uid, shell="/bin/bash", groups=frozenset({GROUP}))
            self.accounts.create(account)
            record = TenantRecord(name, uid, False, "j0", "2026-11-19T08:00:00Z", "carol")
            self.files.write(record_path(name), record_text(record), 0o644)
        return self

    def host(self, wire: Tripwire | None = None) -> Host:
        wire = wire or Tripwire()
        return Host(
            volumes=Guarded(self.volumes, wire),
            wiper=Guarded(self.wiper, wire),
            copier=Guarded(self.copier, wire),
            domains=Guarded(self.domains, wire),
            zones=Guarded(self.zones, wire),
            files=Guarded(self.files, wire),
            links=Guarded(self.links, wire),
            accounts=Guarded(self.accounts, wire),
            authority=Guarded(self.authority, wire),
            consoles=Guarded(self.consoles, wire),
            images=Guarded(self.images, wire),
            image_writer=Guarded(self.images, wire),
            guests=Guarded(self.guests, wire),
            builder=Guarded(self.builder, wire),
            mail=Guarded(self.mail, wire),
        )

    def facts(self, templates: Mapping[str, str], people: Iterable[str] = ()) -> HostFacts:
        return HostFacts(
            topology=self.topology,
            memory=Size(16 * GIB),
            accelerator="qemu",
            tpm=self.domains.has_swtpm,
            hugepages={"1G": Size(8 * GIB), "2M": Size(0)},
            group=self.volumes.group(),
            volumes=self.volumes.list(),
            domains=self.domains.list(),
            bridges=self.links.bridges(),
            networks=self.domains.networks(),
            records=tuple(sorted(self.zones.records)),
            templates=templates,
            files=frozenset(self.files.paths),
            **numbers(self.host(), people),
            account_names=self.accounts.names(),
            rules=self.files.read(RULES),
            shipped_rules=shipped_rules(),
            declarative=self.accounts.declarative(),
            mail=self.mail.works(),
            hostname="raptor",
            images=self.images.all,
            unreadable=unreadable(
                {
                    path: self.files.size(path)
                    for d in self.domains.list()
                    for path in d.cdroms
                    if path
                },
                self.images.known(),
            ),
        )

    def _seen(self, domain: Domain) -> tuple[object, ...]:
        """A domain as defined, and what its guest has of it as long as it runs."""
        mark = domain.mark
        expiry = (mark.expires, mark.warned, mark.due) if mark else ()
        defined = (
            domain.name, domain.autostart, domain.uuid, domain.memory, domain.pins.cpus, expiry
        )  # fmt: skip
        uuid, running = domain.uuid, domain.state.active
        plugs = sorted(self.domains.plugs.get(uuid, ()))
        seen = sorted(
            (key.removeprefix(uuid), size)
            for key, size in self.domains.seen.items()
            if key.startswith(uuid) and (key == uuid or key.removeprefix(f"{uuid} ") in plugs)
        )
        live = (seen, str(self.domains.pinned.get(uuid)), plugs)
        return (*defined, domain.state.value, *(live if running else ()))

    def picture(self) -> object:
        """Everything that must be as before, in a form that compares."""
        return (
            sorted(
                (v.name, sorted(v.tags), v.size, v.origin, self.volumes.data.get(v.uuid, ""))
                for v in self.volumes.list()
            ),
            sorted(map(self._seen, self.domains.list())),
            sorted(self.domains.pressed),
            sorted(self.domains.tpms),
            str(self.domains.kept),
            sorted(self.zones.records),
            sorted(self.files.paths),
            sorted((path, _said(path, text)) for path, text in self.files.texts.items()),
            sorted(
                (a.name, a.uid, sorted(a.groups), a.shell, a.expires)
                for a in self.accounts.by_name.values()
            ),
            sorted(self.accounts.strays.items()),
            self.builder.picture(),
            sorted(self.images.built),
        )
