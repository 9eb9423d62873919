"""What `doctor` looks at, and what it makes of it."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from raptorctl.model.access import RULES, Daemon
from raptorctl.model.facts import HostFacts
from raptorctl.model.job import Job
from raptorctl.model.network import DhcpHost
from raptorctl.model.part import AnyPart
from raptorctl.model.settings import Settings
from raptorctl.model.slot import Routing

OLDEST_LIBVIRT: Final = (11, 3, 0)
"""Debian 13's; older ones parse a tenant's XML before they ask polkit (CVE-2025-12748)."""
OLDEST_PACKAGE: Final = "11.3.0-3+deb13u3"
"""Debian's first with the fixes for CVE-2026-18917 and CVE-2026-61478."""


class Verdict(enum.Enum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """One check's result.

    Args:
        check: what was looked at, one or two words.
        verdict: good, doubtful, or in provision's way.
        what: what was seen, one line.
        advice: what to do about it; "" when all is well.
        on: the thing, where the check looks at many; else "".
        fix: whether `doctor --fix` mends it.
    """

    check: str
    verdict: Verdict
    what: str
    advice: str = ""
    on: str = ""
    fix: bool = False


@dataclass(frozen=True)
class Trouble:
    """Why a part of the host could not be read, or does not do what it should.

    Args:
        what: one sentence.
        advice: what to do, or "".
    """

    what: str
    advice: str = ""


@dataclass(frozen=True)
class Doors:
    """What keeps people from what is not theirs.

    Args:
        rules: polkit's rules as the host has them, or None.
        rules_file: where those are, or should be.
        shipped_rules: as they come with us.
        wrong_answers: what polkit answers otherwise than the rules say, as sentences.
        daemons: of libvirt's, those that answer.
        open_sockets: of libvirt's, those that every account can open.
        unjudged: sockets of libvirtd's own that tenants reach, with no relay before them.
        bridge_helper: QEMU's helper has root's rights: it would put anybody on any bridge.
        hidepid: accounts see their own processes only.
        sshd: what sshd says of a tenant, by lower-case keyword; None where nobody could be asked.
    """

    rules: str | None = None
    rules_file: str = RULES
    shipped_rules: str = ""
    wrong_answers: tuple[str, ...] = ()
    daemons: tuple[Daemon, ...] = ()
    open_sockets: tuple[str, ...] = ()
    unjudged: tuple[str, ...] = ()
    bridge_helper: bool = False
    hidepid: bool = True
    sshd: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Walls:
    """What keeps machines, and tenants' sessions, from the host itself.

    Args:
        read_disks: volumes of machines that udev reads: what is on them may take a link's name.
        on_link: bridges with an IPv6 prefix on the link, which a scan of fills the host's table.
        sessions: all accounts' sessions together are bounded in memory.
        session: those of one account are.
        shell_only: only who has a shell has a systemd manager.
        lingers: a tenant may let programs outlive their session.
        on_root: where tenants write that is on the host's root file system.
        requests: whether systemd listens for what tenants request.
    """

    read_disks: tuple[str, ...] = ()
    on_link: tuple[str, ...] = ()
    sessions: bool = True
    session: bool = True
    shell_only: bool = True
    lingers: bool = False
    on_root: tuple[str, ...] = ()
    requests: bool = False


@dataclass(frozen=True)
class WebSeen:
    """The page for tenants.

    Args:
        lacking: what of it is not installed.
        silent: its units that do not listen.
        exposed: directories of its sockets that others enter.
        certificate: what is wrong with that, or "".
        metrics: what is wrong with those that scrapers read, or "".
    """

    lacking: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    certificate: str = ""
    metrics: str = ""


@dataclass(frozen=True)
class Probe:
    """Everything that was tried, and how it went. Facts of a part in trouble are absent.

    Args:
        settings_file: its path.
        root: whether we run as root.
        settings: None when they cannot be read.
        facts: the host, as far as it could be read.
        troubles: by part; a part without one answered.
        zones: zones of the settings with their trouble, None for those which take our updates.
        libvirt_version: the daemon's.
        libvirt_package: Debian's version of its package, "" where there is no dpkg.
        libvirt_patched: whether that has the fixes we ask for; None where there is no dpkg.
        emulator: QEMU, as libvirt found it for the settings' machine type, or "".
        qemu_uid: whose number QEMU runs with where a domain says nothing; None: not known.
        programs: those that images need, each with what to do where it is not there, or "".
        scan_lvs: whether LVM looks for volume groups inside volumes.
        doors: what keeps people from what is not theirs; None where it could not be looked at.
        walls: what keeps machines and sessions from the host; None likewise.
        web: the page for tenants; None likewise, and where the settings have none.
        ways: how packets get from and to each slot, by its number; as far as it was looked at.
        dhcp: what the slots' DHCP keeps for which MAC; None where it is not the role's.
        jobs: those that have not ended.
        archive: how many files LVM keeps of its earlier metadata (lvm.conf(5), backup/archive).
        left: what the numbers of removed tenants still own, by number; looked for by root only.
        owners: the accounts that have such a number, by number.
        today: when it was, ISO 8601.
    """

    settings_file: str
    root: bool = True
    settings: Settings | None = None
    facts: HostFacts = field(default_factory=HostFacts)
    troubles: Mapping[AnyPart, Trouble] = field(default_factory=dict)
    zones: Mapping[str, Trouble | None] = field(default_factory=dict)
    libvirt_version: tuple[int, int, int] = (0, 0, 0)
    libvirt_package: str = ""
    libvirt_patched: bool | None = None
    emulator: str = ""
    qemu_uid: int | None = None
    programs: Mapping[str, str] = field(default_factory=dict)
    scan_lvs: bool = False
    doors: Doors | None = None
    walls: Walls | None = None
    web: WebSeen | None = None
    ways: Mapping[int, Routing] = field(default_factory=dict)
    dhcp: tuple[DhcpHost, ...] | None = None
    jobs: tuple[Job, ...] = ()
    archive: int = 0
    left: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    owners: Mapping[int, str] = field(default_factory=dict)
    today: str = ""


@dataclass(frozen=True)
class SessionProbe:
    """Everything that was tried on a host of one's own, and how it went.

    Args:
        settings: what stands for a file of them.
        facts: the host, as far as it could be read.
        libvirt_version: the daemon's.
        emulator: QEMU, as libvirt found it, or "".
        user_network: whether that QEMU was built with its user network.
        qemu_img: where it is, or "".
        unwritable: directories that we need and cannot write.
        jobs: those that have not ended.
        troubles: by part; a part without one answered.
    """

    settings: Settings
    facts: HostFacts = field(default_factory=HostFacts)
    libvirt_version: tuple[int, int, int] = (0, 0, 0)
    emulator: str = ""
    user_network: bool = True
    qemu_img: str = ""
    unwritable: tuple[str, ...] = ()
    jobs: tuple[Job, ...] = ()
    troubles: Mapping[AnyPart, Trouble] = field(default_factory=dict)
