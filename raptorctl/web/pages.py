"""Pages that are looked at: the host, a machine, how far it has booted, its log, jobs."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from raptorctl.api import audit as audit_log
from raptorctl.api import log as logs
from raptorctl.api import machine as machines
from raptorctl.api import screen as screens
from raptorctl.api import tenant as tenants
from raptorctl.api.why import explained
from raptorctl.errors import RaptorError
from raptorctl.model.cpu_map import CpuMap, cpu_map
from raptorctl.model.domain import Mark
from raptorctl.model.facts import HostFacts
from raptorctl.model.names import MachineName
from raptorctl.model.probe import Verdict
from raptorctl.model.retired import retired
from raptorctl.model.sizes import Size
from raptorctl.plans.part.slots import slot_uses
from raptorctl.render.machine_lines import machine_lines
from raptorctl.web.lookout import Glimpse
from raptorctl.web.site import Ask, Site

LOG_LINES: Final = 500
AUDIT_ENTRIES: Final = 200
TOLD_ELSEWHERE: Final = frozenset({"state", "snapshot"})
"""Labels of `show` that have a place of their own on a machine's page."""


async def host(ask: Ask) -> Response:
    """The host at a glance; a tenant sees their machines."""
    values = host_values(ask.site, await ask.site.lookout.now())
    return ask.page("host.html", **values, knows_me=ask.site.about is not None)


def host_values(site: Site, seen: Glimpse) -> Mapping[str, Any]:
    """What of the host's page changes by itself."""
    return {"seen": seen, "works": site.works.at_work, "own": site.session.on_session_host}


async def room(ask: Ask) -> Response:
    """What the host has and who has it: a part of its page, which does not wait for it.

    Every machine's definition is read for it, and the list of machines needs none of them.
    """
    ask.refuse_strangers()
    is_part = "hx-request" in ask.request.headers
    return ask.page("room_part.html" if is_part else "room.html", **await _room(ask.site))


async def _room(site: Site) -> Mapping[str, Any]:
    """CPUs, memory and storage; or why they are not known."""
    try:
        facts = await site.survey.facts()
    except RaptorError as error:
        return {"trouble": str(error), "facts": None}
    settings = site.session.settings
    cpus = None if site.session.on_session_host else cpu_map(facts, settings.cpus.reserved)
    kept = retired(facts.volumes)
    return {
        "trouble": "",
        "facts": facts,
        "cpus": cpus,
        "nodes": _nodes(cpus) if cpus else (),
        "memory": _memory(facts),
        "volumes": sorted(facts.volumes, key=lambda volume: volume.name),
        "slots": () if site.session.on_session_host else slot_uses(settings, facts),
        "tenants": () if site.session.on_session_host else tenants.views(facts),
        "kept": kept,
        "latest": {one.name: one for one in kept},
        "expiring": _expiring(facts),
    }


def _expiring(facts: HostFacts) -> list[Mark]:
    """Marks of machines that expire, the next one first."""
    marks = (domain.mark for domain in facts.domains if domain.ours)
    return sorted((m for m in marks if m and m.expires), key=lambda m: (m.expires, m.name))


def _nodes(found: CpuMap) -> list[tuple[int, list[Any]]]:
    numbers = sorted({use.cpu.node for use in found.cpus})
    return [(node, [use for use in found.cpus if use.cpu.node == node]) for node in numbers]


def _memory(facts: HostFacts) -> Size:
    """What running machines have together."""
    return Size(sum(domain.memory for domain in facts.domains if domain.state.active))


async def machine(ask: Ask) -> Response:
    """All about one machine."""
    name = ask.machine
    details = await ask.aside(lambda: machines.shown(ask.session, name))
    shows = await ask.aside(lambda: screens.is_shown(ask.session, name))
    return ask.page(
        "machine.html",
        **machine_values(ask.site, name, details.machine.state, screen=shows),
        lines=[line for line in machine_lines(details) if line[0] not in TOLD_ELSEWHERE],
        # One of all disks is restored and deleted as a whole.
        snapshots=[one for one in details.snapshots if not one.disk],
        steps=ask.site.admin and await ask.aside(lambda: logs.has_steps(ask.session, name)),
    )


def machine_values(site: Site, name: MachineName, state: str, *, screen: bool) -> Mapping[str, Any]:
    """What of a machine's page changes by itself."""
    return {
        "screen": screen,
        "name": name,
        "state": state,
        "runs": state in {"running", "blocked", "paused", "suspended", "shutting down"},
        "works": site.works.about(name.domain)[:3],
        "own": site.session.on_session_host,
    }


async def boot(ask: Ask) -> Response:
    """How far a machine has booted; a part of its page, or a page for who has no JavaScript."""
    name = ask.machine
    domain, told = await ask.aside(lambda: explained(ask.session, name))
    is_part = "hx-request" in ask.request.headers
    return ask.page(
        "boot_part.html" if is_part else "boot.html", name=name, domain=domain, why=told
    )


async def log(ask: Ask) -> Response:
    """What a machine's console said."""
    name = ask.machine

    def read() -> str:
        return b"".join(logs.console(ask.session, name, LOG_LINES)).decode(errors="replace")

    return ask.page("log.html", name=name, said=await ask.aside(read), most=LOG_LINES)


async def steps(ask: Ask) -> Response:
    """What steps in a machine's guest said; for admins, as they may say anything."""
    name = ask.machine

    def read() -> str:
        return b"".join(logs.steps(ask.session, name, LOG_LINES)).decode(errors="replace")

    return ask.page("steps.html", name=name, said=await ask.aside(read), most=LOG_LINES)


async def console(ask: Ask) -> Response:
    """A machine's console."""
    name = ask.machine
    await ask.aside(lambda: ask.session.machine(name))
    return ask.page("console.html", name=name)


async def doctor(ask: Ask) -> Response:
    """What `doctor` finds."""
    ask.refuse_strangers()
    anew = ask.request.method == "POST"
    found, seconds = await ask.site.survey.findings(anew=anew)
    if anew:
        return RedirectResponse("/doctor", 303)
    if "hx-request" in ask.request.headers:
        bad = [finding for finding in found if finding.verdict is not Verdict.OK]
        return ask.page("doctor_part.html", findings=bad, seconds=int(seconds))
    return ask.page("doctor.html", findings=found, seconds=int(seconds))


async def audit(ask: Ask) -> Response:
    """Who did what."""
    ask.refuse_strangers()
    entries, bad = await ask.aside(lambda: audit_log.entries(ask.session))
    return ask.page("audit.html", entries=entries[-AUDIT_ENTRIES:][::-1], bad=bad)


async def jobs(ask: Ask) -> Response:
    """All jobs, the last one first."""
    ask.refuse_strangers()
    found = await ask.aside(ask.session.journals.jobs)
    return ask.page("jobs.html", jobs=found[::-1][:AUDIT_ENTRIES])


async def job(ask: Ask) -> Response:
    """One job, step by step."""
    ask.refuse_strangers()
    which = str(ask.request.path_params["job"])
    found = await ask.aside(lambda: ask.session.journals.find(which))
    return ask.page("job.html", job=found)
