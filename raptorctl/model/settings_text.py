"""The text of the settings is read, and what must not be said together is refused."""

import re
from collections.abc import Callable, Container
from functools import partial
from ipaddress import ip_address
from pathlib import PurePosixPath
from typing import Final

from raptorctl.errors import SettingsError
from raptorctl.model.codec import ShapeError, decode
from raptorctl.model.image import NAME
from raptorctl.model.policy import VERBS
from raptorctl.model.settings import Settings
from raptorctl.model.settings_file import DEFAULT_FILE
from raptorctl.model.sizes import LEAST_MEMORY, Size
from raptorctl.model.slot import HIGHEST
from raptorctl.model.toml_text import read_toml
from raptorctl.model.web import is_network
from raptorctl.model.zone import is_reverse_zone, is_zone


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


def _within(key: str, least: int, settings: Settings) -> bool:
    days: int = getattr(settings.expiry, key)
    return least <= days <= 3650


def _counted(key: str, most: int, settings: Settings) -> bool:
    number: int = getattr(settings.requests, key)
    return 0 <= number <= most


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
    ("access.readable", lambda s: set(s.access.readable) <= {"volumes", "node-devices"},
     "should be of volumes, node-devices"),
    ("access.qemu_ids", lambda s: s.access.qemu_ids == 0 or 65536 <= s.access.qemu_ids <= 2**31,
     "should be 0, or 65536 to 2147483648"),
    ("images", lambda s: _absolute(s.images.directory, s.images.seed_dir),
     "directory and seed_dir: absolute paths"),
    ("network.also", lambda s: all(net.kind.is_named and not net.ip for net in s.network.also),
     "should be bridges and networks: bridge:br0, network:default"),
    *((f"expiry.{key}", partial(_within, key, least), f"should be {least} to 3650 days")
      for key, least in (("longest_days", 0), ("warn_days", 0), ("grace_days", 0),
                         ("keep_days", 1))),
    ("requests.verbs", lambda s: set(s.requests.verbs) <= set(VERBS),
     f"should be of {', '.join(VERBS)}"),
    ("requests.images", lambda s: all(map(NAME.fullmatch, s.requests.images)),
     "should be names of images, such as debian:13; no path and no URL"),
    ("requests.profiles", lambda s: not any("/" in name for name in s.requests.profiles),
     "should be names of profiles, and no paths"),
    *((f"requests.{key}", partial(_counted, key, most), f"should be 0 to {most}")
      for key, most in (("cpus", 4096), ("machines", 10000), ("longest_days", 3650),
                        ("snapshots", 100), ("changes_an_hour", 1000), ("most_waiting", 100))),
    ("web.address", lambda s: s.web.fits,
     "should be like https://vm.example.org:8443; http:// is for loopback, without a certificate"),
    ("web.port", lambda s: 0 < s.web.port < 65536, "should be 1 to 65535"),
    ("web.certificate", lambda s: bool(s.web.certificate) is bool(s.web.key),
     "certificate and key: both, or neither"),
    ("web.certificate", lambda s: _absolute(*filter(None, (s.web.certificate, s.web.key))),
     "certificate and key: absolute paths"),
    ("web.scrapers", lambda s: all(map(is_network, s.web.scrapers)),
     "should be addresses and networks, such as 192.0.2.5 and 2001:db8:5::/64"),
    ("dns.key_file", lambda s: _absolute(s.dns.key_file), "should be an absolute path"),
)  # fmt: skip
