"""Which DNS records a machine has, and what to ask the server about."""

from collections.abc import Iterable

from raptorctl.model.facts import HostFacts
from raptorctl.model.names import MachineName
from raptorctl.model.record import (
    OWNER_MARK,
    Record,
    ZoneRecords,
    forward_records,
    owner_text,
    readable,
    zone_of,
)
from raptorctl.model.settings import Settings
from raptorctl.model.slot import Slot
from raptorctl.model.zone import pointer_name
from raptorctl.steps.record import RemoveRecords
from raptorctl.steps.step import Step


def wanted(
    name: MachineName, slot: Slot | None, job: str, settings: Settings
) -> tuple[ZoneRecords, ...]:
    """All records of a machine, by zone: the forward ones first. None without DNS or a slot."""
    if slot is None or not settings.has_dns:
        return ()
    zone = f"{settings.dns.zone.rstrip('.')}."
    fqdn = name.fqdn(zone)
    forward = ZoneRecords(zone, forward_records(fqdn, slot.addresses, owner_text(name, job)))
    return (
        forward,
        *(
            ZoneRecords(zone_of(pointer, settings.dns.reverse_zones) or pointer, (record,))
            for pointer in pointer_names(slot, settings)
            for record in (Record(pointer, "PTR", fqdn),)
        ),
    )


def queries(name: MachineName, settings: Settings) -> tuple[tuple[str, str], ...]:
    """What the survey has to ask the DNS server: the machine's name, and every slot's addresses."""
    if not settings.has_dns:
        return ()
    fqdn = name.fqdn(settings.dns.zone)
    return (*((fqdn, kind) for kind in ("A", "AAAA", "TXT")), *pointer_queries(settings))


def pointer_queries(settings: Settings) -> tuple[tuple[str, str], ...]:
    """What to ask about every slot's addresses."""
    names = [name for slot in settings.slot for name in pointer_names(slot, settings)]
    return tuple((name, "PTR") for name in names)


def pointer_names(slot: Slot, settings: Settings) -> tuple[str, ...]:
    """Where the PTR records of a slot's addresses are, as far as the settings have their zones."""
    zones = settings.dns.reverse_zones
    found = (pointer_name(address, zones) for address in slot.addresses)
    return tuple(name for name in found if name)


def missing_pointers(slot: Slot | None, settings: Settings) -> Iterable[str]:
    """Say which addresses get no PTR record, and why."""
    for address in slot.addresses if slot else ():
        if pointer_name(address, settings.dns.reverse_zones) is None:
            yield f"{address} gets no PTR record: no reverse zone of the settings holds it"


def told(record: Record, name: str) -> str:
    """Say what is in the way of records at `name`."""
    has, what = readable(record.name), readable(name)
    value = readable(record.value)
    match record.type:
        case "NS":
            return f"DNS delegates {has} to {value}, so that no record of ours at {what} is seen"
        case "SOA":
            return f"{has} is a zone of its own in DNS, which the settings do not name"
        case "DNAME" if record.name != name:
            return f"DNS has DNAME {has}, so that {what} is looked up in {value}"
        case "CNAME":
            return f"DNS has CNAME {what} already: an alias of {value}"
        case _:
            return f"DNS has {record.type} {what} already: {record.value}"


def remedy(record: Record, name: str) -> str:
    """Say what to do about a record in the way of the machine's name."""
    if record.name == name:
        return "remove it, or choose another name"
    return f"{_by_nsupdate(record)} if it is not needed, or choose another dns.zone"


def remedy_of_pointer(record: Record) -> str:
    """Say what to do about a record in the way of a PTR record."""
    if record.type == "SOA":
        return f"add {record.name.rstrip('.')} to dns.reverse_zones, or remove the zone"
    if record.type == "CNAME":
        zone = record.value.partition(".")[2].rstrip(".")
        return (
            f"add {zone} to dns.reverse_zones, if the server of the settings has it "
            f"(RFC 2317), or {_by_nsupdate(record)}"
        )
    return f"it does not carry raptorctl's mark: find out whose it is, then {_by_nsupdate(record)}"


def _by_nsupdate(record: Record) -> str:
    return f"nsupdate: delete {record.name} {record.type}"


def reason(found: ZoneRecords) -> str:
    """Why a zone's records are added."""
    reverse = any(record.type == "PTR" for record in found.records)
    return "the address names the machine" if reverse else "the name finds the machine"


def own(name: MachineName, settings: Settings, facts: HostFacts) -> tuple[Record, ...]:
    """The machine's records: by its ownership TXT, and PTR records that point at its name.

    When the server does not answer, they are what provision once added: the removal goes on
    without them, and its job stays open until they are deleted.
    """
    if not settings.has_dns:
        return ()
    if facts.dns_problem:
        return tuple(_expected(name, settings, facts))
    fqdn = name.fqdn(settings.dns.zone)
    at_name = [record for record in facts.records if record.name == fqdn]
    prefix = f"{OWNER_MARK} tenant={name.tenant} machine={name.machine} "
    marks = [r for r in at_name if r.type == "TXT" and r.value.startswith(prefix)]
    if not marks:
        return ()
    # All of them: the name is ours, and the slot's address may have changed in the settings since.
    forward = [r for r in at_name if r.type in {"A", "AAAA"}]
    pointers = [r for r in facts.records if r.type == "PTR" and r.value == fqdn]
    return (*forward, *marks, *pointers)


def _expected(name: MachineName, settings: Settings, facts: HostFacts) -> Iterable[Record]:
    domain = facts.domain(name)
    numbers = {slot.number: slot for slot in settings.slot}
    if domain and domain.mark and (slot := numbers.get(domain.mark.slot)):
        for group in wanted(name, slot, domain.mark.names_job, settings):
            yield from group.records


def gone(name: MachineName, settings: Settings, facts: HostFacts) -> Iterable[Step]:
    """What takes a machine's names out of DNS."""
    zones = (settings.dns.zone, *settings.dns.reverse_zones)
    by_zone: dict[str, list[Record]] = {}
    for record in own(name, settings, facts):
        by_zone.setdefault(zone_of(record.name, zones) or record.name, []).append(record)
    for zone, found in by_zone.items():
        yield RemoveRecords(
            reason="visible to the world, so it goes first", zone=zone, records=tuple(found)
        )
