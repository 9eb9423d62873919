"""Which DNS records a machine has, and what to ask the server about."""

from collections.abc import Iterable

from raptorctl.model.names import MachineName
from raptorctl.model.record import ZoneRecords, forward_records, owner_text, pointer, zone_of
from raptorctl.model.settings import Settings
from raptorctl.model.slot import Slot


def wanted(
    name: MachineName, slot: Slot | None, job: str, settings: Settings
) -> tuple[ZoneRecords, ...]:
    """All records of a machine, by zone: the forward ones first. None without DNS or a slot."""
    if slot is None or not settings.has_dns:
        return ()
    zone = f"{settings.dns.zone.rstrip('.')}."
    fqdn = name.fqdn(zone)
    forward = ZoneRecords(zone, forward_records(fqdn, slot.addresses, owner_text(name, job)))
    pointers = [pointer(address, fqdn) for address in slot.addresses]
    zones = [zone_of(record.name, settings.dns.reverse_zones) for record in pointers]
    return (
        forward,
        *(ZoneRecords(z, (p,)) for z, p in zip(zones, pointers, strict=True) if z is not None),
    )


def queries(name: MachineName, settings: Settings) -> tuple[tuple[str, str], ...]:
    """What the survey has to ask the DNS server: the machine's name, and every slot's addresses."""
    if not settings.has_dns:
        return ()
    fqdn = name.fqdn(settings.dns.zone)
    return (*((fqdn, kind) for kind in ("A", "AAAA", "TXT")), *pointer_queries(settings))


def pointer_queries(settings: Settings) -> tuple[tuple[str, str], ...]:
    """What to ask about every slot's addresses."""
    addresses = [address for slot in settings.slot for address in slot.addresses]
    names = [f"{address.reverse_pointer}." for address in addresses]
    return tuple((name, "PTR") for name in names if zone_of(name, settings.dns.reverse_zones))


def missing_pointers(slot: Slot | None, settings: Settings) -> Iterable[str]:
    """Say which addresses get no PTR record, and why."""
    for address in slot.addresses if slot else ():
        if zone_of(f"{address.reverse_pointer}.", settings.dns.reverse_zones) is None:
            yield f"{address} gets no PTR record: no reverse zone of the settings holds it"
