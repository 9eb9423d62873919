"""Doctor, on what keeps machines and tenants' sessions from the host itself. Pure."""

from collections.abc import Iterator
from typing import Final

from raptorctl.model.part import Part
from raptorctl.model.probe import Finding, Probe, Verdict, Walls
from raptorctl.model.settings import Settings
from raptorctl.plans.doctor.access import ROLE

MOST: Final = 3
"""Names in one line; a host may have hundreds."""

Findings = Iterator[Finding]


def walls(probe: Probe, settings: Settings) -> Findings:
    """Judge what was seen; docs/hardening.md says what each is for."""
    if trouble := probe.troubles.get(Part.WALLS):
        yield Finding(Part.WALLS, Verdict.FAIL, trouble.what, trouble.advice)
    if probe.walls is None:
        return
    bad = [*_machines(probe.walls), *_sessions(probe.walls), *_requests(probe.walls, settings)]
    yield from bad
    if not bad:
        what = "machines and sessions are kept from the host"
        yield Finding(Part.WALLS, Verdict.OK, what)


def _machines(seen: Walls) -> Findings:
    if seen.read_disks:
        what = f"udev reads what guests wrote on {_some(seen.read_disks)}: it may be booted"
        yield Finding(Part.WALLS, Verdict.FAIL, what, ROLE)
    if seen.on_link:
        what = f"a whole IPv6 prefix is on the link of {_some(seen.on_link)}"
        advice = f"{ROLE}: a scan of it would cut other machines off"
        yield Finding(Part.WALLS, Verdict.WARN, what, advice)


def _sessions(seen: Walls) -> Findings:
    for bounded, whose in ((seen.session, "one account's"), (seen.sessions, "all accounts'")):
        if not bounded:
            what = f"{whose} sessions may take all of the host's memory"
            yield Finding(Part.WALLS, Verdict.WARN, what, ROLE)
    if not seen.shell_only:
        what = "units that a tenant laid run for them without a shell, too"
        yield Finding(Part.WALLS, Verdict.WARN, what, ROLE)
    if seen.lingers:
        what = "a tenant may let programs outlive their session"
        yield Finding(Part.WALLS, Verdict.WARN, what, ROLE)
    if seen.on_root:
        what = f"a tenant can fill the host's root: {' and '.join(seen.on_root)} are on it"
        what = what if seen.on_root[1:] else what.replace(" are ", " is ")
        advice = f"{ROLE} with raptor_filesystems"
        yield Finding(Part.WALLS, Verdict.WARN, what, advice)


def _requests(seen: Walls, settings: Settings) -> Findings:
    wanted = bool(settings.requests.verbs)
    if wanted and not seen.requests:
        what = f"{settings.file} says what tenants may request, and nothing listens for it"
        advice = "systemctl enable --now raptorctl-request.socket"
        yield Finding(Part.WALLS, Verdict.WARN, what, advice)
    if seen.requests and not wanted:
        what = "tenants are listened to, and requests.verbs of the settings lets them ask nothing"
        advice = "systemctl disable --now raptorctl-request.socket"
        yield Finding(Part.WALLS, Verdict.WARN, what, advice)


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more
