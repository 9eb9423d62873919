"""Domains in memory."""

import re
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import IPv4Interface

from raptorctl.drivers.tick import Tick
from raptorctl.errors import ConflictError, HostError, WaitError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Domain, State
from raptorctl.model.medium import digest_in
from raptorctl.model.network import DhcpHost, LibvirtNetwork
from raptorctl.render.read_domain import read_domain
from tests.fakes.file import FakeFiles
from tests.fakes.volume import FakeVolumes, _shown


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
        return {domain.name: domain.state for domain in self.by_uuid.values()}

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
