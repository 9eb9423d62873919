"""The host's settings: what differs between hosts, from one TOML file.

Reading the file is `raptorctl.host.system.files`; here is what it may say.
"""

import enum
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from raptorctl.errors import InputError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.error_code import Code
from raptorctl.model.expiry import Expiry
from raptorctl.model.guest_step import LOGS
from raptorctl.model.names import MachineName, shown
from raptorctl.model.net import NetworkSettings
from raptorctl.model.policy import RequestPolicy
from raptorctl.model.settings_file import DEFAULT_FILE
from raptorctl.model.sizes import GIB, Size
from raptorctl.model.slot import Slot
from raptorctl.model.web import Web
from raptorctl.model.zone import plain


class Kind(enum.Enum):
    """Whom a host is for."""

    SHARED = "shared"
    """Many people, and root, who reads a settings file."""
    SESSION = "session"
    """Its caller alone, without root and without a file: see `raptorctl.model.session_host`."""


@dataclass(frozen=True)
class Storage:
    """Where volumes are made.

    Args:
        volume_group: LVM's volume group; it may hold volumes of others.
        verify_all_up_to: read-back after zeroing is full up to this size and sampled above it.
    """

    volume_group: str = "lvm-data"
    verify_all_up_to: Size = Size(100 * GIB)


@dataclass(frozen=True)
class Libvirt:
    """libvirt, and what differs between distributions.

    Args:
        uri: the connection.
        machine_type: QEMU's, e.g. `pc-q35-9.1`.
        firmware_code, firmware_vars: OVMF's code and its template of variables.
        secure_boot: firmware with secure boot and SMM.
        nvram_dir: where each machine's copy of the variables lives.
        shutdown_timeout: seconds that a machine has to shut down before it is forced.
        console_log_dir: where what consoles say is kept; "" for nowhere.
    """

    uri: str = "qemu:///system"
    machine_type: str = "pc-q35-9.1"
    firmware_code: str = "/usr/share/OVMF/OVMF_CODE_4M.fd"
    firmware_vars: str = "/usr/share/OVMF/OVMF_VARS_4M.fd"
    secure_boot: bool = False
    nvram_dir: str = "/var/lib/libvirt/qemu/nvram"
    shutdown_timeout: float = 60.0
    console_log_dir: str = "/var/log/raptorctl/console"


@dataclass(frozen=True)
class MachineSettings:
    """What a machine gets when nobody says otherwise.

    Args:
        memory: bytes.
        template: one of `domain_templates/`, without its ending.
        resolvers: name servers that one with a static network is told.
    """

    memory: Size = Size(4 * GIB)
    template: str = "virtio-console"
    resolvers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cpus:
    """CPUs of the host.

    Args:
        reserved: the host's own; no machine is pinned there.
    """

    reserved: CpuSet = CpuSet()


@dataclass(frozen=True)
class Dns:
    """The server that takes our updates.

    Args:
        server, port: where it listens, on TCP.
        zone: where machines get their names.
        reverse_zones: where their addresses get PTR records.
        key_file: a TSIG key in named's own format, readable by root only.
        ttl: seconds.
        timeout: seconds to wait for one answer.
    """

    zone: str
    reverse_zones: tuple[str, ...] = ()
    server: str = "127.0.0.1"
    port: int = 53
    key_file: str = "/etc/raptorctl/tsig.key"
    ttl: int = 300
    timeout: float = 5.0

    def __post_init__(self) -> None:
        """Bring the names of zones into one form, so that they can be compared."""
        object.__setattr__(self, "zone", plain(self.zone))
        object.__setattr__(self, "reverse_zones", tuple(map(plain, self.reverse_zones)))


@dataclass(frozen=True)
class Access:
    """Who may do what.

    Args:
        admin_groups: whose members may do everything with libvirt.
        qemu_ids: what is added to a tenant's uid for the uid and gid that their machines' QEMU runs
            under; 0 leaves that to libvirt, one number for all.
        log: whether polkit logs each of its answers about libvirt.
        readable: what tenants may look at beside machines: `volumes` (of their own machines),
            `node-devices`.
    """

    admin_groups: tuple[str, ...] = ("wheel", "libvirt")
    qemu_ids: int = 66000
    log: bool = False
    readable: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImageSettings:
    """Where images are kept, and how machines that begin as one come up.

    Args:
        directory: the cache of images.
        seed_dir: seeds of cloud-init, one file per machine, and ISOs in CD drives; QEMU must reach
            it.
        largest: no image may be larger, as a file, unpacked, or as a guest sees it.
    """

    directory: str = "/var/lib/raptorctl/images"
    seed_dir: str = "/var/lib/libvirt/raptorctl"
    largest: Size = Size(64 * GIB)


@dataclass(frozen=True)
class Settings:
    """A whole settings file, or what stands for one on a host of one's own.

    `config` is the directory of what people write for this host: its catalogue and templates.
    """

    dns: Dns
    slot: tuple[Slot, ...]
    storage: Storage = field(default_factory=Storage)
    libvirt: Libvirt = field(default_factory=Libvirt)
    machine: MachineSettings = field(default_factory=MachineSettings)
    cpus: Cpus = field(default_factory=Cpus)
    access: Access = field(default_factory=Access)
    images: ImageSettings = field(default_factory=ImageSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    expiry: Expiry = field(default_factory=Expiry)
    requests: RequestPolicy = field(default_factory=RequestPolicy)
    web: Web = field(default_factory=Web)
    file: str = field(default=DEFAULT_FILE, init=False)
    config: str = field(default=str(PurePosixPath(DEFAULT_FILE).parent), init=False)
    owner: str = field(default="", init=False)

    @property
    def kind(self) -> Kind:
        """Whom the host is for; `owner` is the only tenant there is on one's own."""
        return Kind.SESSION if self.owner else Kind.SHARED

    @property
    def has_tenants(self) -> bool:
        """Whether machines belong to many; else to `owner`, who needs no account of ours."""
        return self.kind is Kind.SHARED

    @property
    def has_slots(self) -> bool:
        """Whether machines have places on the network; else ports of loopback lead to them."""
        return self.kind is Kind.SHARED

    @property
    def has_lvm(self) -> bool:
        """Whether disks are volumes, wiped before and after; else files on top of an image's."""
        return self.kind is Kind.SHARED

    @property
    def pins_cpus(self) -> bool:
        """Whether a machine gets CPUs and memory of its own; else only how many and how much."""
        return self.kind is Kind.SHARED

    @property
    def step_log_dir(self) -> str:
        """Where what steps in guests said is kept, one file per machine."""
        if self.has_tenants:
            return LOGS
        return str(PurePosixPath(self.libvirt.console_log_dir).parent / "steps")

    @property
    def has_dns(self) -> bool:
        """Whether machines get names in DNS."""
        return bool(self.dns.zone)

    def fqdn(self, name: MachineName) -> str:
        """The absolute DNS name of a machine, or "" where there is no DNS."""
        return name.fqdn(self.dns.zone) if self.has_dns else ""

    def find_slot(self, number: int) -> Slot:
        """Return the slot of that number.

        Raises:
            InputError: the host has no such slot.
        """
        for slot in self.slot:
            if slot.number == number:
                return slot
        known = ", ".join(str(slot.number) for slot in self.slot)
        raise InputError(
            f"there is no slot {number}",
            resolution=f"this host has {known}",
            code=Code.SLOT_NOT_FOUND,
            subject=str(number),
        )


def template_name(text: str) -> str:
    """Check the name of a domain template: it becomes part of a path.

    Raises:
        InputError: not lower-case words and hyphens.
    """
    if not text or len(text) > 64 or not set(text) <= set("abcdefghijklmnopqrstuvwxyz0123456789-"):
        raise InputError(f"{shown(text)} is not a template's name")
    return text
