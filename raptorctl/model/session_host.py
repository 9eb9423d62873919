"""A host of one's own: no root, no settings file, one person's machines, on any laptop.

What a shared host reads from its settings follows here from where a person's files belong (XDG
Base Directory Specification, https://specifications.freedesktop.org/basedir-spec/latest/).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any, Final, TypeVar

from raptorctl.errors import SettingsError
from raptorctl.model.codec import ShapeError, decode, encode
from raptorctl.model.merge import merge
from raptorctl.model.names import RESERVED_TENANTS, TENANT, MachineName
from raptorctl.model.settings import (
    Access,
    Dns,
    ImageSettings,
    Libvirt,
    MachineSettings,
    Settings,
    Storage,
)
from raptorctl.model.settings_text import refuse_impossible
from raptorctl.model.sizes import GIB, Size
from raptorctl.model.slot import Slot
from raptorctl.model.toml_text import read_toml

T = TypeVar("T")

PROGRAM: Final = "raptorctl"
NOBODY: Final = "me"
"""What a caller is called whose login fits no tenant's grammar."""

MEMORY: Final = Size(2 * GIB)
DISK: Final = Size(10 * GIB)
"""A machine's disk where neither --size nor an image says how large."""
CPUS: Final = 2

LOOPBACK: Final = "127.0.0.1"
"""Where machines' ssh is forwarded from: nobody but this host's people comes there."""

FIRMWARE: Final = (
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),  # Debian, Ubuntu
    ("/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"),  # Fedora
    ("/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"),  # Arch
    (
        "/usr/share/qemu/ovmf-x86_64-4m-code.bin",
        "/usr/share/qemu/ovmf-x86_64-4m-vars.bin",
    ),  # openSUSE
    ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),  # older ones of Debian
)
"""OVMF's code and its variables, which must be of one build: where distributions put them."""

SECURE_FIRMWARE: Final = (
    ("/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd"),
    ("/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd", "/usr/share/edk2/ovmf/OVMF_VARS.secboot.fd"),
    (
        "/usr/share/qemu/ovmf-x86_64-smm-ms-code.bin",
        "/usr/share/qemu/ovmf-x86_64-smm-ms-vars.bin",
    ),
    ("/usr/share/OVMF/OVMF_CODE.secboot.fd", "/usr/share/OVMF/OVMF_VARS.ms.fd"),
)
"""The same with secure boot, and with Microsoft's keys, by which distributions sign; not Arch's,
which has no keys enrolled."""


@dataclass(frozen=True)
class Places:
    """Where a person's files are.

    Args:
        config: what the person writes: settings, catalogue, templates, profiles.
        data: what is to stay: volumes, images, seeds, UEFI variables.
        state: what tells of it: journal, audit log, consoles' logs.
        runtime: what ends with the login: the lock.
    """

    config: str
    data: str
    state: str
    runtime: str

    @property
    def settings(self) -> str:
        """What the person sets, if the file is there."""
        return f"{self.config}/settings.toml"

    @property
    def volumes(self) -> str:
        """Disks."""
        return f"{self.data}/volumes"

    @property
    def nvram(self) -> str:
        """Machines' UEFI variables."""
        return f"{self.data}/nvram"

    @property
    def images(self) -> str:
        """The cache of images."""
        return f"{self.data}/images"

    @property
    def seeds(self) -> str:
        """Seeds of cloud-init."""
        return f"{self.data}/seeds"

    @property
    def consoles(self) -> str:
        """What consoles said."""
        return f"{self.state}/console"

    @property
    def journal(self) -> str:
        """Jobs."""
        return f"{self.state}/journal"

    @property
    def audit(self) -> str:
        """How jobs ended."""
        return f"{self.state}/audit.jsonl"

    @property
    def lock(self) -> str:
        """Whose lock changing commands hold."""
        return f"{self.runtime}/{PROGRAM}.lock"

    @property
    def directories(self) -> tuple[str, ...]:
        """All that must be there."""
        return (self.volumes, self.nvram, self.images, self.seeds, self.consoles)


def places(environment: Mapping[str, str], home: str) -> Places:
    """Find a person's places.

    Args:
        environment: its XDG variables; one that is no absolute path is as good as none.
        home: the home directory.
    """
    state = _base(environment, "XDG_STATE_HOME", f"{home}/.local/state")
    return Places(
        config=f"{_base(environment, 'XDG_CONFIG_HOME', f'{home}/.config')}/{PROGRAM}",
        data=f"{_base(environment, 'XDG_DATA_HOME', f'{home}/.local/share')}/{PROGRAM}",
        state=f"{state}/{PROGRAM}",
        # Without a login's directory the lock lies beside the journal: it is never removed.
        runtime=_base(environment, "XDG_RUNTIME_DIR", f"{state}/{PROGRAM}"),
    )


def _base(environment: Mapping[str, str], name: str, otherwise: str) -> str:
    said = environment.get(name, "")
    return said.rstrip("/") if PurePosixPath(said).is_absolute() and said.strip("/") else otherwise


def owner_name(login: str) -> str:
    """What the caller is called as a tenant."""
    fits = TENANT.fullmatch(login) and login not in RESERVED_TENANTS
    return login if fits else NOBODY


def session_settings(found: Places, owner: str, firmware: tuple[str, str]) -> Settings:
    """Build the settings of a host of one's own.

    Args:
        found: where files are.
        owner: the caller, as a tenant.
        firmware: OVMF's code and variables.
    """
    settings = Settings(
        dns=Dns(zone=""),
        slot=(),
        storage=Storage(volume_group=found.volumes),
        libvirt=Libvirt(
            uri="qemu:///session",
            machine_type="q35",  # the newest that this QEMU has; libvirt writes down which
            firmware_code=firmware[0],
            firmware_vars=firmware[1],
            nvram_dir=found.nvram,
            console_log_dir=found.consoles,
        ),
        # Every guest, its boot loader and older firmware too, speaks on a serial line.
        machine=MachineSettings(memory=MEMORY, template="serial-console"),
        access=Access(qemu_ids=0),
        images=ImageSettings(found.images, found.seeds),
    )
    return _belonging(settings, found, owner, "")


KEYS: Final = {
    "libvirt": ("machine_type", "firmware_code", "firmware_vars", "secure_boot",
                "shutdown_timeout"),
    "machine": ("memory", "template"),
    "images": ("directory", "largest"),
}  # fmt: skip
"""What a person may set on a host of their own, by section."""


def parse_session_settings(text: str, found: Places, settings: Settings) -> Settings:
    """Lay a person's settings over those that stand for a file.

    Args:
        text: TOML, of `found.settings`.
        found: where files are.
        settings: as `session_settings` builds them.

    Raises:
        SettingsError: not TOML, a key that is not for a host of one's own, or an impossible value.
    """
    file, said = found.settings, read_toml(text, found.settings)
    try:
        for section, values in said.items():
            _refuse_unknown(section, values)
        parts = {
            section: _laid_over(getattr(settings, section), values, section)
            for section, values in said.items()
        }
    except ShapeError as error:
        raise SettingsError(file, error.key, error.problem) from error
    whole = replace(settings, **parts)
    refuse_impossible(whole, file, KEYS)
    return _belonging(whole, found, settings.owner, file)


def _refuse_unknown(section: str, values: object) -> None:
    known = ", ".join(f"{part}.{key}" for part, keys in KEYS.items() for key in keys)
    keys = values if isinstance(values, Mapping) else ()
    for key in (f"{section}.{key}" for key in keys) if section in KEYS else (section,):
        if key not in known.split(", "):
            raise ShapeError(key, f"is not known on a host of your own; known: {known}")


def _laid_over(part: T, values: Mapping[str, Any], section: str) -> T:
    return decode(type(part), merge(encode(part), values), section)


def _belonging(settings: Settings, found: Places, owner: str, file: str) -> Settings:
    for key, value in (("owner", owner), ("file", file), ("config", found.config)):
        object.__setattr__(settings, key, value)
    return settings


@dataclass(frozen=True)
class UserNetwork(Slot):
    """What stands for a slot: QEMU's own network, which nothing on the host sees.

    Args:
        hardware: the machine's MAC.
    """

    hardware: str = ""

    @property
    def bridge(self) -> str:
        """There is none."""
        return ""

    @property
    def mac(self) -> str:
        """The machine's."""
        return self.hardware


def login_key_path(name: MachineName, settings: Settings) -> str:
    """Where a session host keeps the private key that lets its owner in to a machine."""
    return f"{settings.images.seed_dir}/{name.login_key}"


def mac_of(uuid: str, net: str = "") -> str:
    """The MAC of an interface without a slot: QEMU's own prefix, and the same forever.

    Args:
        uuid: of the machine.
        net: what it is on; "" for QEMU's own network.
    """
    import hashlib

    tail = hashlib.sha256(f"{uuid} {net}".strip().encode()).digest()
    return "52:54:00:" + ":".join(f"{byte:02x}" for byte in tail[:3])


def ssh_port(ssh: str) -> int:
    """The port of `127.0.0.1:2201`; 0 where there is none."""
    port = ssh.rpartition(":")[2]
    return int(port) if port.isascii() and port.isdecimal() and len(port) < 6 else 0


def session_words(words: list[str], owner: str) -> list[str]:
    """Complete `web` to `alice web` where alice is the only one there is.

    `alice web` and `alice-web` stay as they are, and so does everything that follows a machine.
    """
    first = words[0] if words else ""
    whole = first.startswith(f"{owner}-") or (first == owner and len(words) > 1)
    return list(words) if whole or not words else [owner, *words]
