"""What `doctor` looks at, and what it makes of it."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from raptorctl.model.facts import HostFacts
from raptorctl.model.job import Job
from raptorctl.model.settings import Settings

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


class Part(enum.StrEnum):
    """Parts of the host that answer, or not, each on its own."""

    SETTINGS = "settings"
    LVM = "volume group"
    SCAN = "guest volumes"
    LIBVIRT = "libvirt"
    LINKS = "bridges"
    DNS = "dns"
    KEY = "dns key"
    TEMPLATES = "templates"
    TENANTS = "tenants"
    JOURNAL = "journal"


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
        scan_lvs: whether LVM looks for volume groups inside volumes.
        jobs: those that have not ended.
        archive: how many files LVM keeps of its earlier metadata (lvm.conf(5), backup/archive).
        today: when it was, ISO 8601.
    """

    settings_file: str
    root: bool = True
    settings: Settings | None = None
    facts: HostFacts = field(default_factory=HostFacts)
    troubles: Mapping[Part, Trouble] = field(default_factory=dict)
    zones: Mapping[str, Trouble | None] = field(default_factory=dict)
    libvirt_version: tuple[int, int, int] = (0, 0, 0)
    libvirt_package: str = ""
    libvirt_patched: bool | None = None
    scan_lvs: bool = False
    jobs: tuple[Job, ...] = ()
    archive: int = 0
    today: str = ""
