"""Domains: what libvirt has, and what we ask it to have."""

import enum
from dataclasses import dataclass
from typing import Final

from raptorctl.model.cpuset import CpuSet
from raptorctl.model.names import MachineName
from raptorctl.model.net import NO_NET, Forward, Net, slot_net, user_net
from raptorctl.model.sizes import Size

NAMESPACE: Final = "https://raptorctl.dev/xmlns/machine/1"


class State(enum.Enum):
    """A domain's state, in libvirt's words (virDomainState); `saved` is off, with its memory."""

    RUNNING = "running"
    BLOCKED = "idle"
    PAUSED = "paused"
    SHUTTING_DOWN = "in shutdown"
    OFF = "shut off"
    SAVED = "saved"
    CRASHED = "crashed"
    SUSPENDED = "pmsuspended"
    UNKNOWN = "unknown"

    @property
    def active(self) -> bool:
        """Whether a QEMU process holds the disk."""
        # One that crashed and is preserved is there, too (virDomainLifecycleCrashAction).
        return self not in {State.OFF, State.SAVED}

    @property
    def runs(self) -> bool:
        """Whether its virtual CPUs get time, now or when its guest wants some."""
        return self in {State.RUNNING, State.BLOCKED}

    @property
    def stands_still(self) -> bool:
        """Whether it is there and waits to be told to go on."""
        return self in {State.PAUSED, State.SUSPENDED}

    @property
    def can_run(self) -> bool:
        """Whether starting it, or letting it go on, makes it run."""
        return self.runs or self.stands_still or not self.active


@dataclass(frozen=True)
class Mark:
    """What we write into a domain's metadata.

    Args:
        tenant, machine: whose it is.
        slot: its place on the network; 0 for none, on a host of one's own.
        job: the job that made it.
        created: when, in UTC, ISO 8601.
        created_by: the admin who did it.
        template: what it was rendered from.
        image: name and digest of what its disk began as, `debian:13 sha256:...`; or "".
        host_key: the guest's public ssh host key, by which it is known; or "".
        ssh: where this host forwards the guest's ssh from, `127.0.0.1:2201`; or "".
        made: what it was made with, as `model/made.py` writes it; "" where it was made before
            that was kept.
        shares: what of the host's it was to share with others: `cpus`; or "".
        named: the job that its DNS names were given by, where that is an earlier one; or "".
        file: the file of machines that it was made by: its own name, or its path; or "".
        steps: the digest of the file's steps that were done in its guest, all of them; or "".
        reserved: the networks of libvirt's that keep an address for it, with that, as they are
            asked for, a space between them; or "".
        expires: the first day on which it is not to run any more, ISO 8601; or "".
        warned: the day that its tenant was told of; or "".
        due: the first look that found the day to be there, see `raptorctl.model.look`; or "".
    """

    tenant: str
    machine: str
    slot: int
    job: str
    created: str
    created_by: str
    template: str
    image: str = ""
    host_key: str = ""
    ssh: str = ""
    named: str = ""
    made: str = ""
    shares: str = ""
    file: str = ""
    steps: str = ""
    reserved: str = ""
    expires: str = ""
    warned: str = ""
    due: str = ""

    @property
    def names_job(self) -> str:
        """The job that its ownership TXT tells."""
        return self.named or self.job

    @property
    def place(self) -> int | None:
        """The number of its slot, if it has one."""
        return self.slot or None

    @property
    def name(self) -> MachineName:
        """The machine's name."""
        return MachineName(self.tenant, self.machine)

    @property
    def image_name(self) -> str:
        """What its disk began as, or ""."""
        return self.image.rpartition(" sha256:")[0]

    @property
    def image_digest(self) -> str:
        """The digest of that image, or ""."""
        return self.image.rpartition(" sha256:")[2]


@dataclass(frozen=True)
class Domain:
    """A domain as libvirt reports it, ours or not.

    Args:
        uuid, name: libvirt's identifiers.
        state: running or not.
        memory: bytes at boot.
        pins: host CPUs its virtual CPUs may run on, in order of virtual CPU.
        emulator: host CPUs of the emulator's own threads.
        macs, bridges: of its network interfaces.
        disks: host paths it uses.
        wires: MAC and bridge of each of its interfaces that libvirt tells the bridge of.
        layers: those of them that lie below others, as backing files.
        cdroms: the file in each CD drive, "" for an empty one.
        nvram: its file of UEFI variables.
        mark: ours, when it carries one.
        xml: its persistent definition, to define it again if a removal must be undone.
        autostart: whether it starts with the host.
        logs: files that its consoles are logged to.
        persistent: whether it has a definition; one without is gone once it stops.
        vcpus: how many virtual CPUs it has, pinned or not.
        places: host CPUs of each virtual CPU, in order.
        iothreads: host CPUs of QEMU's threads for disks, where they are pinned.
        live: the same of what runs, where it does; that may be another than what is defined.
        tpm: whether it has an emulated TPM.
        secure_boot: whether its firmware boots only what is signed.
        boot: what its firmware tries, in libvirt's words, in order.
        hugepages: bytes of the huge pages its memory is made of; 0 for none.
        forwards: ports of loopback that lead into it, beside its ssh.
        others: bridges and networks of libvirt's that it is on, beside a slot.
        saved: the same of its managed save, which its next start resumes; None where there is
            none, or libvirt cannot read it.
    """

    uuid: str
    name: str
    state: State = State.OFF
    memory: Size = Size(0)
    pins: CpuSet = CpuSet()
    emulator: CpuSet = CpuSet()
    macs: tuple[str, ...] = ()
    bridges: tuple[str, ...] = ()
    disks: tuple[str, ...] = ()
    nvram: str = ""
    mark: Mark | None = None
    xml: str = ""
    autostart: bool = False
    logs: tuple[str, ...] = ()
    persistent: bool = True
    vcpus: int = 0
    places: tuple[CpuSet, ...] = ()
    iothreads: CpuSet = CpuSet()
    layers: tuple[str, ...] = ()
    wires: tuple[tuple[str, str], ...] = ()
    cdroms: tuple[str, ...] = ()
    tpm: bool = False
    secure_boot: bool = False
    boot: tuple[str, ...] = ()
    hugepages: Size = Size(0)
    forwards: tuple[Forward, ...] = ()
    others: tuple[Net, ...] = ()
    live: "Domain | None" = None
    saved: "Domain | None" = None

    @property
    def now(self) -> "Domain":
        """What runs, where something does; else what its next start brings."""
        return self.live or self.saved or self

    @property
    def forms(self) -> "tuple[Domain, ...]":
        """As it is defined, as it runs, as it was saved: it holds what any of them names."""
        return tuple(form for form in (self, self.live, self.saved) if form)

    @property
    def own_cpus(self) -> CpuSet:
        """Host CPUs that this form names, ascending."""
        return CpuSet(tuple(sorted({*self.pins, *self.emulator, *self.iothreads})))

    @property
    def held_cpus(self) -> CpuSet:
        """Host CPUs that any form names, ascending."""
        return CpuSet(tuple(sorted({cpu for form in self.forms for cpu in form.own_cpus})))

    @property
    def most_cpus(self) -> int:
        """How many pinned CPUs it has: one that was moved and runs as before has them once."""
        return max(len(form.pins) for form in self.forms)

    @property
    def held_memory(self) -> Size:
        """Bytes: the most that it has in any form."""
        return max(form.memory for form in self.forms)

    @property
    def held_macs(self) -> tuple[str, ...]:
        """MACs of its interfaces, plugged in or defined."""
        return tuple(dict.fromkeys(mac for form in self.forms for mac in form.macs))

    @property
    def held_bridges(self) -> tuple[str, ...]:
        """Bridges it is on, or will be."""
        return tuple(dict.fromkeys(bridge for form in self.forms for bridge in form.bridges))

    @property
    def held_disks(self) -> tuple[str, ...]:
        """Host paths that it uses, or will."""
        return tuple(dict.fromkeys(disk for form in self.forms for disk in form.disks))

    @property
    def held_nvram(self) -> frozenset[str]:
        """Files of UEFI variables that it uses, or will."""
        return frozenset(form.nvram for form in self.forms if form.nvram)

    @property
    def nets(self) -> tuple[Net, ...]:
        """Its network, if it is ours, in the words in which it is asked for."""
        mark = self.mark
        first: tuple[Net, ...] = ()
        if mark and mark.place:
            first = (slot_net(mark.place),)
        elif mark and mark.ssh:
            first = (user_net(self.forwards),)
        return (*first, *self.others) or (NO_NET,)

    @property
    def kept_addresses(self) -> tuple[str, ...]:
        """IPv4 addresses that networks of libvirt's keep for it."""
        return tuple(net.ip for net in self.others if net.ip)

    @property
    def ours(self) -> bool:
        """Marked by us, and the mark agrees with the name that polkit will judge by."""
        return self.mark is not None and self.mark.name.domain == self.name


@dataclass(frozen=True)
class DiskDevice:
    """A further disk as a domain has it.

    Args:
        name: the disk's, which its guest sees as its serial.
        path: block device, or the file of an overlay.
        bus: `virtio`, `scsi` or `sata`.
        backing: what an overlay lies over, as path and format.
    """

    name: str
    path: str
    bus: str = "virtio"
    backing: tuple[str, str] | None = None
