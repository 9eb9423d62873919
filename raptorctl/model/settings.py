"""The host's settings: what differs between hosts, from one TOML file.

Reading the file is `raptorctl.host.system.files`; here is what it may say.
"""

import enum
import re
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import PurePosixPath
from typing import Final

from raptorctl.errors import InputError, SettingsError
from raptorctl.model.codec import ShapeError, decode
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.error_code import Code
from raptorctl.model.guest_step import LOGS
from raptorctl.model.names import MachineName, shown
from raptorctl.model.net import NetworkSettings
from raptorctl.model.settings_file import DEFAULT_FILE
from raptorctl.model.sizes import GIB, LEAST_MEMORY, Size
from raptorctl.model.slot import HIGHEST, Slot
from raptorctl.model.toml_text import read_toml
from raptorctl.model.zone import is_reverse_zone, is_zone, plain


class Kind(enum.Enum):
    """Whom a host is for."""

    SHARED = "shared"
    """Many people, and root, who reads a settings file."""
    OWN = "own"
    """Its caller alone, without root and without a file: see `raptorctl.model.own`."""


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
    """

    admin_groups: tuple[str, ...] = ("wheel", "libvirt")
    qemu_ids: int = 66000


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
    file: str = field(default=DEFAULT_FILE, init=False)
    config: str = field(default=str(PurePosixPath(DEFAULT_FILE).parent), init=False)
    owner: str = field(default="", init=False)

    @property
    def kind(self) -> Kind:
        """Whom the host is for; `owner` is the only tenant there is on one's own."""
        return Kind.OWN if self.owner else Kind.SHARED

    @property
    def step_log_dir(self) -> str:
        """Where what steps in guests said is kept, one file per machine."""
        if self.kind is Kind.SHARED:
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


def parse_settings(text: str, file: str = DEFAULT_FILE) -> Settings:
    """Read a settings file's text.

    Args:
        text: TOML.
        file: its path, for errors.

    Raises:
        SettingsError: not TOML, an unknown key, a wrong type, or values that contradict each other.
    """
    data = read_toml(text, file)
    try:
        settings = decode(Settings, data)
    except ShapeError as error:
        raise SettingsError(file, error.key, error.problem) from error
    refuse_impossible(settings, file)
    object.__setattr__(settings, "file", file)
    return settings


def refuse_impossible(settings: Settings, file: str, only: Container[str] | None = None) -> None:
    """Refuse values that cannot be, or that contradict each other.

    Args:
        settings: what was read.
        file: its path, for errors.
        only: the sections that are looked at; None for all.

    Raises:
        SettingsError: says which key, and what it should be.
    """
    for key, fits, problem in _RULES:
        asked = only is None or key.partition(".")[0] in only
        if asked and not fits(settings):
            raise SettingsError(file, key, problem)


# groupadd(8): names of groups; they stand as text in the rules of polkit.
_ACCOUNT: Final = re.compile(r"[a-z_][a-z0-9_-]{0,31}", re.ASCII)
_TENANTS: Final = {"vm-users", "vm-console"}


def _unique(items: list[object]) -> bool:
    return len(set(items)) == len(items)


def _is_group(text: str) -> bool:
    allowed = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+_.-")
    # 40 leaves room for the machine's name, hyphens doubled, in the 127 bytes of a dm name.
    return 0 < len(text) <= 40 and set(text) <= allowed and text[0] not in "-."


def _is_address(text: str) -> bool:
    try:
        return bool(ip_address(text))
    except ValueError:
        return False


# https://libvirt.org/uri.html: an address with a transport or with `?command=` has libvirt run a
# program or log in elsewhere, as root. What is here does neither.
_URI: Final = re.compile(r"qemu:///(system|session)|test:///(default|[A-Za-z0-9._/-]+)", re.ASCII)


def _absolute(*paths: str) -> bool:
    return all(PurePosixPath(p).is_absolute() and ".." not in PurePosixPath(p).parts for p in paths)


_RULES: Final[tuple[tuple[str, Callable[[Settings], bool], str], ...]] = (
    ("slot", lambda s: bool(s.slot), "a host needs at least one [[slot]]"),
    ("slot.number", lambda s: all(1 <= x.number <= HIGHEST for x in s.slot),
     f"should be 1 to {HIGHEST}"),
    ("slot.number", lambda s: _unique([x.number for x in s.slot]), "the same number twice"),
    ("slot", lambda s: _unique([a for x in s.slot for a in x.addresses]), "an address twice"),
    ("slot", lambda s: all(x.addresses for x in s.slot), "a slot without ipv4 and ipv6"),
    ("slot", lambda s: not any(a.is_loopback or a.is_multicast or a.is_unspecified
                               for x in s.slot for a in x.addresses), "not a host's address"),
    ("storage.volume_group", lambda s: _is_group(s.storage.volume_group),
     "is not a volume group's name"),
    ("libvirt.uri", lambda s: _URI.fullmatch(s.libvirt.uri) is not None,
     "should be qemu:///system, qemu:///session, test:///default or test:///FILE"),
    ("libvirt", lambda s: _absolute(s.libvirt.firmware_code, s.libvirt.firmware_vars,
                                    s.libvirt.nvram_dir), "firmware and nvram_dir: absolute paths"),
    ("libvirt.console_log_dir", lambda s: not s.libvirt.console_log_dir
     or _absolute(s.libvirt.console_log_dir), "should be an absolute path, or empty"),
    ("libvirt.shutdown_timeout", lambda s: 0 <= s.libvirt.shutdown_timeout <= 3600,
     "should be 0 to 3600 seconds"),
    ("machine.memory", lambda s: s.machine.memory >= LEAST_MEMORY,
     f"should be {Size(LEAST_MEMORY)} or more"),
    ("machine.resolvers", lambda s: all(map(_is_address, s.machine.resolvers)),
     "should be IP addresses"),
    ("dns.zone", lambda s: is_zone(s.dns.zone), "is not a zone's name"),
    ("dns.reverse_zones", lambda s: all(map(is_reverse_zone, s.dns.reverse_zones)),
     "should be zones of addresses, such as 100.51.198.in-addr.arpa, 0/25.100.51.198.in-addr.arpa "
     "(RFC 2317) or 8.b.d.0.1.0.0.2.ip6.arpa"),
    ("dns.port", lambda s: 0 < s.dns.port < 65536, "should be 1 to 65535"),
    ("dns.ttl", lambda s: 0 <= s.dns.ttl <= 86400, "should be 0 to 86400 seconds"),
    ("dns.timeout", lambda s: 0 < s.dns.timeout <= 60, "should be more than 0, at most 60 seconds"),
    ("access.admin_groups", lambda s: all(map(_ACCOUNT.fullmatch, s.access.admin_groups)),
     "should be names of groups"),
    ("access.admin_groups", lambda s: not _TENANTS & set(s.access.admin_groups),
     "tenants' groups are no admins'"),
    ("access.qemu_ids", lambda s: s.access.qemu_ids == 0 or 65536 <= s.access.qemu_ids <= 2**31,
     "should be 0, or 65536 to 2147483648"),
    ("images", lambda s: _absolute(s.images.directory, s.images.seed_dir),
     "directory and seed_dir: absolute paths"),
    ("network.also", lambda s: all(net.kind.is_named for net in s.network.also),
     "should be bridges and networks: bridge:br0, network:default"),
    ("dns.key_file", lambda s: _absolute(s.dns.key_file), "should be an absolute path"),
)  # fmt: skip


def template_name(text: str) -> str:
    """Check the name of a domain template: it becomes part of a path.

    Raises:
        InputError: not lower-case words and hyphens.
    """
    if not text or len(text) > 64 or not set(text) <= set("abcdefghijklmnopqrstuvwxyz0123456789-"):
        raise InputError(f"{shown(text)} is not a template's name")
    return text
