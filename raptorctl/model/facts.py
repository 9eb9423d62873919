"""What the host is like at one moment, read once and in bulk by `raptorctl.host.survey.survey`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from raptorctl.model.access import Daemon
from raptorctl.model.bridge_helper import BridgeHelper
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Domain
from raptorctl.model.image import Damaged, Image
from raptorctl.model.names import MachineName
from raptorctl.model.network import LibvirtNetwork
from raptorctl.model.record import Record
from raptorctl.model.share import Shares
from raptorctl.model.sizes import Size
from raptorctl.model.slot import Bridge
from raptorctl.model.tenant import Tenant
from raptorctl.model.tombstone import Tombstone
from raptorctl.model.topology import Topology
from raptorctl.model.volume import Volume, VolumeGroup


@dataclass(frozen=True)
class Reservation:
    """What an unfinished job keeps until it is recovered.

    Args:
        job: the job.
        machine: the domain name it works on; of a job on a tenant, the tenant, who has no hyphen.
        slot: the slot it holds, or None.
        cpus: the host CPUs it holds.
    """

    job: str
    machine: str
    slot: int | None = None
    cpus: CpuSet = CpuSet()


@dataclass(frozen=True)
class Coming(Reservation):
    """A machine that is to be made before another one; no journal has it.

    Args:
        memory, size: bytes of it, and of all its disks, which its owner's quota counts.
    """

    memory: Size = Size(0)
    size: Size = Size(0)


@dataclass(frozen=True)
class HostFacts:
    """Everything a planner may look at.

    Args:
        topology: CPUs.
        memory: bytes of RAM.
        accelerator: `kvm` or `qemu`.
        most_vcpus: how many virtual CPUs the settings' machine type takes; 0 where nobody knows.
        tpm: whether libvirt can emulate a TPM 2.0 (swtpm).
        hugepages: bytes of memory that the host keeps in huge pages, by the page's size (`1G`).
        group: the volume group of the settings, or None when it is not there.
        volumes: all volumes of that group.
        domains: all domains, running or not, ours or not.
        bridges: all bridges.
        networks: of libvirt's that are active, by name, if any are granted or used.
        records: what the DNS server answered for the names asked about.
        dns_problem: why it did not answer, or "".
        templates: domain templates by name, as XML.
        files: of the settings' firmware files, of machines' UEFI variables, seeds and consoles'
            logs, those that exist; and the directory of these logs, if it does.
        reservations: of unfinished jobs.
        tenants: everybody with a record of ours, in our group, or asked about.
        removed: the tombstones of tenants who were removed.
        shares: what tenants share with each other.
        account_names: of all accounts of the host, so that no tenant is called like one.
        free_uid: a number that no account has, and no tenant ever had.
        rules: polkit's rules as the host has them, or None.
        shipped_rules: the same as they come with us.
        unasked: libvirt's daemons that do not ask polkit; looked for where somebody is to become a
            tenant.
        declarative: accounts are made from a configuration (NixOS), and ours would vanish.
        images: those in the cache that are whole, as far as their length tells.
        damaged: the others.
        unreadable: what is wrong with files in machines' CD drives, by file.
        no_kvm: why KVM cannot be used, or "".
        ports: free ones of loopback, for the ssh of machines on a host of one's own.
        used_ports: who has which port of loopback there: a machine, also one that is off, or a
            program.
        bridge_helper: QEMU's, which puts machines there on bridges of the host.
        owner_keys: public keys of the one whose own the host is.
        mail: whether the host can send mail.
        timers: whether systemd can be asked to run `raptorctl expire` at a moment.
        hostname: what the host is called.
        refused_keys: which of them are not taken, and why, a sentence each.
    """

    topology: Topology = Topology()
    memory: Size = Size(0)
    accelerator: str = "qemu"
    most_vcpus: int = 0
    tpm: bool = False
    hugepages: Mapping[str, Size] = field(default_factory=dict)
    group: VolumeGroup | None = None
    volumes: tuple[Volume, ...] = ()
    domains: tuple[Domain, ...] = ()
    bridges: tuple[Bridge, ...] = ()
    networks: Mapping[str, LibvirtNetwork] = field(default_factory=dict)
    records: tuple[Record, ...] = ()
    dns_problem: str = ""
    templates: Mapping[str, str] = field(default_factory=dict)
    files: frozenset[str] = frozenset()
    reservations: tuple[Reservation, ...] = ()
    tenants: tuple[Tenant, ...] = ()
    removed: tuple[Tombstone, ...] = ()
    shares: Shares = Shares()
    account_names: frozenset[str] = frozenset()
    free_uid: int = 1000
    rules: str | None = None
    shipped_rules: str = ""
    unasked: tuple[Daemon, ...] = ()
    declarative: bool = False
    images: tuple[Image, ...] = ()
    damaged: tuple[Damaged, ...] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
    no_kvm: str = ""
    ports: tuple[int, ...] = ()
    used_ports: Mapping[int, str] = field(default_factory=dict)
    bridge_helper: BridgeHelper = BridgeHelper()
    owner_keys: tuple[str, ...] = ()
    refused_keys: tuple[str, ...] = ()
    mail: bool = False
    timers: bool = False
    hostname: str = ""

    def tenant(self, name: str) -> Tenant | None:
        """What there is of a tenant, if anything."""
        return next((t for t in self.tenants if t.name == name), None)

    def domain(self, name: MachineName) -> Domain | None:
        """The domain of a machine's name, whoever made it."""
        return next((d for d in self.domains if d.name == name.domain), None)

    def volume(self, name: MachineName) -> Volume | None:
        """The volume of a machine's name, whoever made it."""
        return next((v for v in self.volumes if v.name == name.volume), None)

    def bridge(self, name: str) -> Bridge | None:
        """The bridge of that name."""
        return next((b for b in self.bridges if b.name == name), None)
