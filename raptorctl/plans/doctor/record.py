"""DNS and machines that disagree: a name without its machine, a machine without its name."""

from collections.abc import Iterator
from dataclasses import replace

from raptorctl.model.domain import Domain, Mark
from raptorctl.model.names import MachineName, split_domain
from raptorctl.model.record import OWNER_MARK, TAKING, Record, in_the_way, readable
from raptorctl.model.settings import Settings
from raptorctl.model.slot import Slot
from raptorctl.plans.doctor.fault import NOBODY, Fault, Faults, Scene, mended
from raptorctl.plans.machine.deprovision import plan_deprovision
from raptorctl.plans.part import records as wish
from raptorctl.plans.part.slots import holders
from raptorctl.steps.record import AddRecords, ReplaceRecords
from raptorctl.steps.step import Step

CHECK = "records"


def queries(scene: Scene) -> tuple[tuple[str, str], ...]:
    """What to ask the DNS server: every machine there is or was, and what addresses point at.

    Ask twice: where an address points is known after the first answer.
    """
    names = {*_machines(scene), *scene.past.machines(), *_pointed_at(scene)}
    asked = [wish.pointer_queries(scene.settings)]
    asked += [wish.queries(name, scene.settings) for name in sorted(names)]
    return tuple(dict.fromkeys(pair for pairs in asked for pair in pairs))


def records(scene: Scene) -> Faults:
    """Find every disagreement; none is known while DNS does not answer."""
    if scene.facts.dns_problem:
        return
    for mark, slot in _placed(scene):
        foreign = tuple(_foreign(scene, mark))
        yield from foreign
        if not foreign:
            yield from _forward(scene, mark, slot)
            yield from _reverse(scene, mark, slot)
    yield from _strays(scene)
    yield from _pointers_to_nothing(scene)


def _strays(scene: Scene) -> Faults:
    """Names that carry our mark and have no machine."""
    standing = set(_machines(scene))
    for mark in _marks(scene):
        name = _name_at(mark.name, scene.settings)
        if name is None or name in standing or scene.in_work(name.domain):
            continue
        what = f"{readable(mark.name)} is in DNS and no machine"
        advice = f"raptorctl deprovision {name}"
        yield Fault(CHECK, readable(mark.name), what, advice, steps=_removal(scene, name))


def _removal(scene: Scene, name: MachineName) -> tuple[Step, ...]:
    """Delete a name and what points at it, but for what `_reverse` puts right."""
    placed = _placed(scene)
    put_right = {where for _, slot in placed for where in wish.pointer_names(slot, scene.settings)}
    kept = tuple(record for record in scene.facts.records if record.name not in put_right)
    facts = replace(scene.facts, records=kept)
    return mended(lambda: plan_deprovision(name, scene.settings, facts, NOBODY).steps)


def _pointers_to_nothing(scene: Scene) -> Faults:
    """Addresses of free slots that point somewhere: provision refuses such a slot."""
    marked = {record.name for record in _marks(scene)}
    free = [slot for slot in scene.settings.slot if not any(holders(slot, scene.facts))]
    for slot in free:
        yield from _out_of_reach(scene, slot)
        for record in _at(scene, set(wish.pointer_names(slot, scene.settings)), "PTR"):
            name = _name_at(record.value, scene.settings)
            if record.value not in marked and not scene.in_work(name.domain if name else None):
                what = f"{readable(record.name)} points at {readable(record.value)}, no machine"
                yield Fault(CHECK, readable(record.name), what, wish.remedy_of_pointer(record))


def _foreign(scene: Scene, mark: Mark) -> Faults:
    fqdn = mark.name.fqdn(scene.settings.dns.zone)
    there = _at_name(scene, fqdn)
    taken = in_the_way(fqdn, (r for r in scene.facts.records if r.type in TAKING))
    if taken:
        advice = wish.remedy(taken, fqdn)
        yield Fault(CHECK, readable(fqdn), wish.told(taken, fqdn), advice)
    elif there and not any(_is_of(record, mark.name) for record in there):
        what = f"{readable(fqdn)} is in DNS, but not as machine {mark.name}'s"
        yield Fault(CHECK, readable(fqdn), what, wish.remedy_of_pointer(min(there)))


def _forward(scene: Scene, mark: Mark, slot: Slot) -> Faults:
    zone = wish.wanted(mark.name, slot, mark.names_job, scene.settings)[0]
    there = _at_name(scene, mark.name.fqdn(scene.settings.dns.zone))
    texts = {record for record in there if record.type == "TXT"}
    # Its TXT may say another job than the domain's, so long as it says this machine.
    wanted = {record for record in zone.records if not (texts and record.type == "TXT")}
    known = {record for record in there if record.type in {"A", "AAAA"}}
    if wanted != known:
        lacks = wanted - known or known - wanted
        types = " ".join(sorted({record.type for record in lacks}))
        what = f"machine {mark.name} has {'no' if wanted - known else 'a wrong'} {types} record"
        step = _replace(zone.zone, known - wanted, wanted - known, texts)
        yield _corrected(mark, what, step)


def _reverse(scene: Scene, mark: Mark, slot: Slot) -> Faults:
    marked = {record.name for record in _marks(scene)}
    yield from _out_of_reach(scene, slot)
    for zone in wish.wanted(mark.name, slot, mark.job, scene.settings)[1:]:
        wanted = set(zone.records)
        if _beyond(scene, zone.records[0].name):
            continue
        there = set(_at(scene, {record.name for record in wanted}, "PTR"))
        address = readable(zone.records[0].name)
        wrong, missing = there - wanted, wanted - there
        if wrong and not {record.value for record in wrong} <= marked:
            what = f"{address} points at {_values(wrong)}, not {mark.name}"
            yield Fault(CHECK, address, what, wish.remedy_of_pointer(min(wrong)))
        elif wrong or missing:
            what = f"machine {mark.name} has no PTR record of {address}"
            if wrong:
                what = f"{address} points at {_values(wrong)}, not {mark.name}"
            yield _corrected(mark, what, _replace(zone.zone, wrong, missing, there))


def _replace(zone: str, old: set[Record], new: set[Record], guard: set[Record]) -> Step:
    """Where nothing is, records are added; else they are replaced, as long as the name is ours."""
    reason, gone, come = "the machine is found by it", tuple(sorted(old)), tuple(sorted(new))
    if not guard:
        return AddRecords(reason, zone, come)
    return ReplaceRecords(reason, zone, gone, come, tuple(sorted(guard)))


def _corrected(mark: Mark, what: str, step: Step) -> Fault:
    return Fault(CHECK, str(mark.name), what, "raptorctl doctor --fix", steps=(step,))


def _values(records: set[Record]) -> str:
    return ", ".join(sorted(readable(record.value) for record in records))


def _placed(scene: Scene) -> Iterator[tuple[Mark, Slot]]:
    """Whole machines that no job works on, with the slot that they have in the settings."""
    places = {slot.number: slot for slot in scene.settings.slot}
    for domain in scene.facts.domains:
        mark = _whole(scene, domain)
        if mark and mark.slot in places and not scene.in_work(mark.job, domain.name):
            yield mark, places[mark.slot]


def _whole(scene: Scene, domain: Domain) -> Mark | None:
    mark = domain.mark if domain.ours else None
    return mark if mark and scene.facts.volume(mark.name) else None


def _machines(scene: Scene) -> Iterator[MachineName]:
    yield from (d.mark.name for d in scene.facts.domains if d.ours and d.mark)
    yield from (v.machine for v in scene.facts.volumes if v.ours and v.machine)


def _pointed_at(scene: Scene) -> Iterator[MachineName]:
    for record in scene.facts.records:
        name = _name_at(record.value, scene.settings) if record.type == "PTR" else None
        if name:
            yield name


def _name_at(fqdn: str, settings: Settings) -> MachineName | None:
    label, _, zone = fqdn.partition(".")
    return split_domain(label) if zone == f"{settings.dns.zone.rstrip('.')}." else None


def _marks(scene: Scene) -> list[Record]:
    """The ownership TXT records that agree with the name they stand at."""
    found = []
    for record in scene.facts.records:
        name = _name_at(record.name, scene.settings) if record.type == "TXT" else None
        if name and _is_of(record, name):
            found.append(record)
    return found


def _is_of(record: Record, name: MachineName) -> bool:
    return record.value.startswith(f"{OWNER_MARK} tenant={name.tenant} machine={name.machine} ")


def _at_name(scene: Scene, fqdn: str) -> set[Record]:
    return {record for record in scene.facts.records if record.name == fqdn}


def _at(scene: Scene, names: set[str], kind: str) -> list[Record]:
    return [r for r in scene.facts.records if r.name in names and r.type == kind]


def _beyond(scene: Scene, name: str) -> Record | None:
    return in_the_way(name, (one for one in scene.facts.records if one.type != "PTR"))


def _out_of_reach(scene: Scene, slot: Slot) -> Faults:
    """Addresses at which no PTR record of ours can be, or would be seen."""
    for name in wish.pointer_names(slot, scene.settings):
        if record := _beyond(scene, name):
            advice = wish.remedy_of_pointer(record)
            yield Fault(CHECK, readable(name), wish.told(record, name), advice)
