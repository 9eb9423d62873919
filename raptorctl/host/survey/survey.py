"""Reading everything once, in bulk, so that planners need no host; doctor reads the same."""

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any, Protocol, TypeVar

from raptorctl.drivers.account import Accounts
from raptorctl.drivers.files import Files
from raptorctl.drivers.host import Host
from raptorctl.errors import HostError, MissingError, RaptorError, SettingsError
from raptorctl.host.survey.stranger import strangers
from raptorctl.host.system import cpu, files
from raptorctl.host.system import session as own
from raptorctl.host.system.bridge_helper import bridge_helper
from raptorctl.model.access import RULES
from raptorctl.model.domain import Domain
from raptorctl.model.facts import HostFacts, Reservation
from raptorctl.model.image import Damaged, Image, damaged
from raptorctl.model.medium import unreadable
from raptorctl.model.net import NetKind
from raptorctl.model.network import LibvirtNetwork
from raptorctl.model.part import AnyPart, Part
from raptorctl.model.record import Record
from raptorctl.model.session_host import FIRMWARE, SECURE_FIRMWARE
from raptorctl.model.settings import Settings
from raptorctl.model.share import SHARES, Shares, parse_shares
from raptorctl.model.sizes import Size
from raptorctl.model.tenant import (
    GROUP,
    RECORDS,
    Tenant,
    keys_path,
    parse_record,
    record_path,
)
from raptorctl.model.tombstone import REMOVED, Tombstone, parse_tombstone
from raptorctl.model.topology import Topology
from raptorctl.model.volume import Volume, VolumeGroup

T = TypeVar("T")
S = TypeVar("S")


class Attempt(Protocol):
    """How a part of the host is read: a plan wants all or nothing, doctor what there is."""

    def __call__(self, part: AnyPart, ask: Callable[[], T], otherwise: S, /) -> T | S:
        """Return what `ask` returns, or `otherwise`, where that is better than what it raises."""


def plainly(_part: AnyPart, ask: Callable[[], T], _otherwise: S, /) -> T | S:
    """Ask, and let it raise."""
    return ask()


@dataclass(frozen=True)
class Scope:
    """What a survey is to know beside what is always looked at.

    Args:
        queries: (DNS name, type) pairs to look up.
        reservations: what unfinished jobs hold.
        people: names of accounts to look up beside all tenants.
    """

    queries: tuple[tuple[str, str], ...] = ()
    reservations: tuple[Reservation, ...] = ()
    people: tuple[str, ...] = ()


def survey(
    host: Host, settings: Settings, scope: Scope = Scope(), attempt: Attempt = plainly
) -> HostFacts:
    """Read everything a planner may look at. LVM, libvirt and DNS are asked at the same time.

    Args:
        host: whom to ask.
        settings: where firmware and machines' UEFI variables are.
        scope: what else to look at.
        attempt: what becomes of a part that does not answer.

    Raises:
        MissingError: the volume group or libvirt is not there; says what to do. A DNS server that
            does not answer is a fact like others: a removal goes on without it.
    """
    session = not settings.pins_cpus
    _load(host, scope.queries, attempt)
    with ThreadPoolExecutor(3, "survey") as asked:
        domains = asked.submit(_domains, host, settings.libvirt.machine_type, attempt)
        records = asked.submit(_records, host, scope.queries)
        volumes = asked.submit(attempt, Part.LVM, partial(_volumes, host), (None, ()))
        return HostFacts(
            topology=attempt(Part.CPUS, lambda: cpu.topology(session=session), Topology()),
            memory=attempt(Part.CPUS, lambda: cpu.memory(session=session), Size(0)),
            bridges=attempt(Part.LINKS, host.links.bridges, ()),
            templates=attempt(
                Part.TEMPLATES, lambda: files.templates(Path(settings.config, files.TEMPLATES)), {}
            ),
            files=_present(host, settings),
            group=volumes.result()[0],
            volumes=volumes.result()[1],
            domains=domains.result()[0],
            networks=_networks(host, settings, domains.result()[0]),
            accelerator=domains.result()[1],
            most_vcpus=domains.result()[2],
            tpm=domains.result()[3],
            hugepages=cpu.hugepages(),
            records=records.result()[0],
            dns_problem=records.result()[1],
            reservations=scope.reservations,
            account_names=host.accounts.names(),
            **strangers(host, scope.people, numbers(host, scope.people, attempt), own=session),
            shares=shares(host),
            rules=attempt(Part.ACCESS, lambda: host.files.read(RULES), None),
            shipped_rules=files.shipped_rules(),
            declarative=host.accounts.declarative(),
            mail=host.mail.works(),
            timers=host.timers.works(),
            hostname=platform.node(),
            images=attempt(Part.IMAGES, partial(_images, host), ()),
            damaged=attempt(Part.IMAGES, partial(_damaged, host), ()),
            unreadable=attempt(Part.IMAGES, partial(_unreadable, host, domains.result()[0]), {}),
            **_own(settings, domains.result()[0]),
        )


def _domains(
    host: Host, machine_type: str, attempt: Attempt
) -> tuple[tuple[Domain, ...], str, int, bool]:
    def ask() -> tuple[tuple[Domain, ...], str, int, bool]:
        domains, accelerator = host.domains.list(), host.domains.accelerator()
        most = host.domains.most_vcpus(machine_type, accelerator)
        return domains, accelerator, most, host.domains.emulates_tpm(machine_type)

    return attempt(Part.LIBVIRT, ask, ((), "qemu", 0, False))


def _networks(
    host: Host, settings: Settings, domains: Iterable[Domain]
) -> Mapping[str, LibvirtNetwork]:
    """Asked for only where one matters: their daemon is another than that of domains."""
    nets = (*settings.network.also, *(net for domain in domains for net in domain.others))
    if not any(net.kind is NetKind.NETWORK for net in nets):
        return {}
    try:
        return host.domains.networks()
    except RaptorError:
        return {}  # provision then says that it is not active


# A driver that is first asked is imported: that is a part of the attempt.


def _volumes(host: Host) -> tuple[VolumeGroup | None, tuple[Volume, ...]]:
    return host.volumes.look()


def _images(host: Host) -> tuple[Image, ...]:
    return host.images.list()


def _damaged(host: Host) -> tuple[Damaged, ...]:
    """A file's length tells; to hash each would take minutes (`raptorctl image verify`)."""
    told = host.images.damaged()
    return damaged(host.images.known(), told) if told else ()


def _load(host: Host, queries: tuple[tuple[str, str], ...], attempt: Attempt) -> None:
    """Import what the threads will ask: side by side they would wait for each other's imports."""
    from raptorctl.render import read_domain as read_domain  # noqa: PLC0414 - to have it

    attempt(Part.LIBVIRT, lambda: host.domains.list, None)
    attempt(Part.LVM, lambda: host.volumes.look, None)
    if queries:
        attempt(Part.DNS, lambda: host.zones.lookup, None)


def _unreadable(host: Host, domains: Iterable[Domain]) -> Mapping[str, str]:
    paths = {path for domain in domains for path in domain.cdroms if path}
    sizes = {path: host.files.size(path) for path in sorted(paths)}
    return unreadable(sizes, host.images.known()) if sizes else {}


def _own(settings: Settings, domains: Iterable[Domain]) -> dict[str, Any]:
    """What matters on a host of one's own only."""
    if settings.has_slots:
        return {}
    return {
        "no_kvm": own.kvm_obstacle(),
        "ports": own.free_ports(domains),
        "used_ports": own.used_ports(domains),
        "bridge_helper": bridge_helper(),
        "owner_keys": own.owner_keys(),
        "refused_keys": own.refused_keys(),
    }


class Folders(Protocol):
    """The driver that reads files; a `Host` has one."""

    @property
    def files(self) -> Files:
        """Records, keys and shares."""


class People(Folders, Protocol):
    """The drivers that know people; a `Host` has them."""

    @property
    def accounts(self) -> Accounts:
        """Accounts."""


def tenants(host: People, people: Iterable[str] = ()) -> tuple[Tenant, ...]:
    """Read everybody who has a record of ours, is in our group, or is asked about, by name.

    Raises:
        SettingsError: a record is none; the file is named.
    """
    files = dict(_tenant_files(host))
    accounts = {account.name: account for account in host.accounts.members(GROUP)}
    for name in {*files, *people} - accounts.keys():
        if account := host.accounts.find(name):
            accounts[name] = account
    return tuple(
        Tenant(
            name=name,
            record=parse_record(files[name], record_path(name)) if name in files else None,
            account=accounts.get(name),
            keys=host.files.read(keys_path(name)) or "",
            record_file=files.get(name, ""),
        )
        for name in sorted({*files, *accounts})
    )


def numbers(host: People, people: Iterable[str], attempt: Attempt = plainly) -> dict[str, Any]:
    """Tenants, those who were removed, and a number that is and was none of theirs."""
    there = attempt(Part.TENANTS, lambda: tenants(host, people), ())
    gone = attempt(Part.TENANTS, lambda: removed(host.files), ())
    given = {tenant.record.uid for tenant in there if tenant.record} | {one.uid for one in gone}
    free = attempt(Part.TENANTS, lambda: host.accounts.free_uid(given), 0)
    return {"tenants": there, "removed": gone, "free_uid": free}


def shares(host: Folders) -> Shares:
    """Read what tenants share; that the list cannot be trusted is told, and stops no job."""
    try:
        text = host.files.read(SHARES)
        return Shares(parse_shares(text) if text is not None else ())
    except SettingsError as error:
        return Shares(problem=error.brief)


def removed(files: Files) -> tuple[Tombstone, ...]:
    """Read the tombstones of tenants who were removed, by number.

    Raises:
        SettingsError: one is none; the file is named.
    """
    found = ((path, files.read(path)) for path in files.list(REMOVED) if path.endswith(".json"))
    there = (parse_tombstone(text, path) for path, text in found if text is not None)
    return tuple(sorted(there, key=lambda tombstone: tombstone.uid))


def _tenant_files(host: People) -> Iterator[tuple[str, str]]:
    for path in map(PurePosixPath, host.files.list(RECORDS)):
        if path.suffix == ".json" and (text := host.files.read(str(path))) is not None:
            yield path.stem, text


def _records(host: Host, queries: tuple[tuple[str, str], ...]) -> tuple[tuple[Record, ...], str]:
    try:
        return host.zones.lookup(queries) if queries else (), ""
    except (HostError, MissingError) as error:
        return (), str(error)


def _present(host: Host, settings: Settings) -> frozenset[str]:
    ours = (settings.libvirt.firmware_code, settings.libvirt.firmware_vars)
    firmware = {*ours, *chain.from_iterable((*FIRMWARE, *SECURE_FIRMWARE))}
    variables = Path(settings.libvirt.nvram_dir).glob("*_VARS.fd")
    seeds = Path(settings.images.seed_dir).glob("*.iso")
    logs = log_files(settings.libvirt.console_log_dir) | log_files(settings.step_log_dir)
    keys = () if settings.has_slots else Path(settings.images.seed_dir).glob("*-login-key")
    found = map(str, (*variables, *seeds, *keys))
    return frozenset([*filter(host.files.exists, firmware), *found, *logs])


def log_files(directory: str) -> frozenset[str]:
    """A directory of logs, if it is there, and what is in it."""
    folder = Path(directory)
    if not directory or not folder.is_dir():
        return frozenset()
    return frozenset([directory, *map(str, folder.glob("*.log*"))])
