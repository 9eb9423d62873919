"""Trying everything that provision needs, each part on its own, and changing nothing."""

import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from raptorctl.errors import CommandError, MissingError, RaptorError
from raptorctl.host.access import doors, walls, web_parts
from raptorctl.host.access.accounts import LocalAccounts
from raptorctl.host.access.remains import left
from raptorctl.host.connect import drivers
from raptorctl.host.survey.survey import survey
from raptorctl.host.system import command, files
from raptorctl.host.system.peer import name_of
from raptorctl.model.access import OUTSIDER
from raptorctl.model.access_trial import wrong_answers
from raptorctl.model.facts import HostFacts
from raptorctl.model.job import Job
from raptorctl.model.network import DhcpHost
from raptorctl.model.part import AnyPart, Part
from raptorctl.model.probe import OLDEST_PACKAGE, Doors, Probe, Trouble, Walls, WebSeen
from raptorctl.model.settings import Access, Settings
from raptorctl.model.slot import DHCP_FILE, Routing
from raptorctl.model.tenant import Account
from raptorctl.read.dnsmasq import read_dhcp_hosts

T = TypeVar("T")
S = TypeVar("S")

ARCHIVE: Final = Path("/etc/lvm/archive")
PROGRAMS: Final = ("qemu-img", "bsdtar", "zstd")
"""What unpacks, judges and writes images."""
LIBVIRT_PACKAGE: Final = "libvirt-daemon"


class Prober:
    """Collects troubles, so that one of them hides no other."""

    def __init__(self) -> None:
        self.troubles: dict[AnyPart, Trouble] = {}

    def attempt(self, part: AnyPart, ask: Callable[[], T], otherwise: S) -> T | S:
        """Ask one part; when it fails, note why and return `otherwise`."""
        try:
            return ask()
        except RaptorError as error:
            self.troubles.setdefault(part, Trouble(error.brief, error.resolution))
        except OSError as error:
            self.troubles.setdefault(part, Trouble(f"{part} cannot be read: {error}"))
        except ImportError as error:
            advice = f"apt install python3-{error.name}" if error.name else ""
            self.troubles.setdefault(part, Trouble(f"Python has no {error.name}", advice))
        return otherwise


def probe(
    settings_file: Path,
    unfinished: Callable[[], Sequence[Job]],
    queries: Callable[[Settings, HostFacts], Iterable[tuple[str, str]]],
) -> Probe:
    """Look at everything once.

    Args:
        settings_file: the host's settings.
        unfinished: reads the jobs that have not ended.
        queries: what to ask DNS, by what is known so far; asked for twice.
    """
    prober = Prober()
    settings = prober.attempt(Part.SETTINGS, lambda: files.read_settings(settings_file), None)
    jobs = prober.attempt(Part.JOURNAL, unfinished, ())
    parts = _read(prober, settings) if settings else {}
    if settings and not any(parts["zones"].values()) and Part.KEY not in prober.troubles:
        parts["facts"] = _with_records(settings, parts["facts"], queries)
    return Probe(
        settings_file=str(settings_file),
        root=os.geteuid() == 0,
        settings=settings,
        jobs=tuple(jobs),
        archive=_archived(),
        doors=_doors(prober, settings, parts) if settings and os.geteuid() == 0 else None,
        walls=_walls(prober, settings, parts) if settings and os.geteuid() == 0 else None,
        web=_web(prober, settings) if settings and os.geteuid() == 0 else None,
        today=datetime.now(UTC).date().isoformat(),
        troubles=prober.troubles,
        **parts,
    )


def _read(prober: Prober, settings: Settings) -> dict[str, Any]:
    facts = survey(drivers(settings), settings, attempt=prober.attempt)
    return {
        "facts": facts,
        "ways": prober.attempt(Part.LINKS, lambda: _ways(settings), {}),
        "dhcp": prober.attempt(Part.LINKS, _dhcp, None),
        "zones": _zones(prober, settings),
        **_numbers(prober, [one.uid for one in facts.removed]),
        "programs": {program: _lacking(program) for program in PROGRAMS},
        "scan_lvs": prober.attempt(Part.SCAN, _scans_lvs, False),
        **_libvirt(prober, settings),
    }


def _ways(settings: Settings) -> dict[int, Routing]:
    found = drivers(settings).links.ways(settings.slot)
    return {slot.number: way for slot, way in zip(settings.slot, found, strict=True)}


def _dhcp() -> tuple[DhcpHost, ...] | None:
    try:
        return read_dhcp_hosts(Path(DHCP_FILE).read_text("utf-8", errors="replace"))
    except FileNotFoundError:  # a host made by hand has something else
        return None


def _numbers(prober: Prober, gone: Sequence[int]) -> dict[str, Any]:
    """What became of the numbers of removed tenants; nobody looks where there are none."""
    owners = {uid: name for uid in gone if (name := name_of(uid))}
    if os.geteuid() != 0:
        return {"owners": owners}
    look = {uid: partial(left, uid) for uid in gone if uid not in owners}
    found = {uid: prober.attempt(Part.TENANTS, ask, ()) for uid, ask in look.items()}
    return {"owners": owners, "left": {uid: things for uid, things in found.items() if things}}


def _with_records(
    settings: Settings,
    facts: HostFacts,
    queries: Callable[[Settings, HostFacts], Iterable[tuple[str, str]]],
) -> HostFacts:
    """Ask DNS what it has; that it does not answer is told by its zones."""
    server = drivers(settings).zones
    try:
        for _ in range(2):
            facts = replace(facts, records=server.lookup(queries(settings, facts)))
    except RaptorError as error:
        return replace(facts, records=(), dns_problem=error.brief)
    return facts


def _doors(prober: Prober, settings: Settings, parts: Mapping[str, Any]) -> Doors | None:
    tenants_there = [tenant.name for tenant in parts["facts"].tenants if tenant.ours]
    name = tenants_there[0] if tenants_there else ""
    wrong = prober.attempt(Part.ACCESS, lambda: _wrong_answers(name, settings.access), ())
    return prober.attempt(Part.ACCESS, lambda: doors.look(name, wrong), None)


def _walls(prober: Prober, settings: Settings, parts: Mapping[str, Any]) -> Walls | None:
    volumes = [volume for volume in parts["facts"].volumes if volume.ours]
    bridges = [slot.bridge for slot in settings.slot]
    accounts = (tenant.account for tenant in parts["facts"].tenants if tenant.ours)
    account = next(filter(None, accounts), None)
    ask = partial(walls.look, volumes, bridges, partial(_lingers, account))
    return prober.attempt(Part.WALLS, ask, None)


def _web(prober: Prober, settings: Settings) -> WebSeen | None:
    if not settings.web.address:
        return None
    return prober.attempt(Part.WEB, lambda: web_parts.look(settings.web), None)


def _lingers(account: Account | None) -> bool:
    from raptorctl.host.access.polkit import Polkit

    return account is not None and Polkit().allows(account, walls.LINGER)


def _wrong_answers(tenant: str, access: Access) -> tuple[str, ...]:
    # Not at the top: a host without jeepney is one of the troubles to tell of.
    from raptorctl.host.access.polkit import Polkit

    polkit = Polkit()
    actions = polkit.actions()
    found = map(LocalAccounts().find, filter(None, (OUTSIDER, tenant)))
    return tuple(
        wrong
        for account in found
        if account
        for wrong in wrong_answers(actions, polkit.answers, account, tenant or "alice", access)
    )


def _archived() -> int:
    try:
        return sum(1 for _ in ARCHIVE.iterdir())
    except OSError:
        return 0  # a host without LVM, or without root


def _lacking(program: str) -> str:
    """What to do where a program is not there, or ""."""
    try:
        command.find(program)
    except MissingError as error:
        return error.resolution
    return ""


def _zones(prober: Prober, settings: Settings) -> Mapping[str, Trouble | None]:
    def ask() -> Mapping[str, Trouble | None]:
        from raptorctl.host.dns.update import DnsServer

        found = DnsServer(settings.dns).probe()
        return {z.zone: Trouble(z.problem, z.resolution) if z.problem else None for z in found}

    def key() -> bool:
        from raptorctl.host.dns.key import read_key

        return bool(read_key(settings.dns.key_file))

    # Without a key nothing can be asked, and one trouble is told once.
    return prober.attempt(Part.DNS, ask, {}) if prober.attempt(Part.KEY, key, False) else {}


def _libvirt(prober: Prober, settings: Settings) -> dict[str, Any]:
    if Part.LIBVIRT in prober.troubles:
        return {}

    def version() -> tuple[int, int, int]:
        from raptorctl.host.domain.domains import LibvirtDomains

        return LibvirtDomains(settings.libvirt.uri).version()

    def emulator() -> str:
        from raptorctl.host.domain.domains import LibvirtDomains

        return LibvirtDomains(settings.libvirt.uri).emulator(settings.libvirt.machine_type)

    def qemu_uid() -> int | None:
        from raptorctl.host.domain.domains import LibvirtDomains

        return LibvirtDomains(settings.libvirt.uri).qemu_uid()

    package = _package_version()
    return {
        "qemu_uid": prober.attempt(Part.QEMU, qemu_uid, None),
        "libvirt_version": prober.attempt(Part.LIBVIRT, version, (0, 0, 0)),
        "emulator": prober.attempt(Part.QEMU, emulator, ""),
        "libvirt_package": package,
        "libvirt_patched": _at_least(package, OLDEST_PACKAGE) if package else None,
    }


def _package_version() -> str:
    """Debian's version of libvirt's daemon, or "" where there is no dpkg or no such package."""
    if shutil.which("dpkg-query", path=command.PATH) is None:
        return ""
    try:
        return command.run("dpkg-query", "-W", "-f", "${Version}", LIBVIRT_PACKAGE).strip()
    except CommandError:
        return ""


def _at_least(version: str, oldest: str) -> bool:
    try:
        command.run("dpkg", "--compare-versions", version, "ge", oldest)
    except CommandError:
        return False
    return True


def _scans_lvs() -> bool:
    """Whether LVM looks for its metadata inside volumes, which guests write (lvm.conf(5))."""
    said = command.run("lvmconfig", "--typeconfig", "full", "devices/scan_lvs")
    return re.search(r"^\s*scan_lvs\s*=\s*1", said, re.MULTILINE) is not None
