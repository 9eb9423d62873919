"""Doctor, on the page for tenants: its parts, who reaches their sockets, its certificate. Pure."""

from collections.abc import Iterator

from raptorctl.model.metric import TEXTFILE, TEXTFILES
from raptorctl.model.part import Part
from raptorctl.model.probe import Finding, Probe, Verdict
from raptorctl.model.settings import Settings

TIMER = "systemctl enable --now raptorctl-metrics.timer, or run the role with raptor_metrics"
ROLE = "run the role raptor_host with raptor_web"
Findings = Iterator[Finding]


def web(probe: Probe, settings: Settings) -> Findings:
    """Judge it; where the settings have none, there is nothing to say."""
    if trouble := probe.troubles.get(Part.WEB):
        yield Finding(Part.WEB, Verdict.FAIL, trouble.what, trouble.advice)
    if probe.web is None:
        return
    bad = tuple(_bad(probe, settings))
    yield from bad
    if not bad:
        what = f"tenants' pages are at {settings.web.address}"
        yield Finding(Part.WEB, Verdict.OK, what)


def _bad(probe: Probe, settings: Settings) -> Findings:
    seen = probe.web
    if seen is None:
        return
    if seen.lacking:
        what = f"the page needs what is not installed: {', '.join(seen.lacking)}"
        yield Finding(Part.WEB, Verdict.WARN, what, ROLE)
    for unit in seen.silent:
        yield Finding(Part.WEB, Verdict.WARN, f"{unit} does not listen", f"systemctl start {unit}")
    for path in seen.exposed:
        what = f"{path} is not for the front end, or root, alone"
        yield Finding(Part.WEB, Verdict.FAIL, what, ROLE)
    if seen.certificate:
        what = f"{settings.web.certificate} {seen.certificate}"
        yield Finding(Part.WEB, Verdict.WARN, what, "renew it; systemctl restart raptorctl-web")
    if seen.metrics:
        what = f"web.scrapers are for metrics, and {TEXTFILES}/{TEXTFILE} {seen.metrics}"
        yield Finding(Part.WEB, Verdict.WARN, what, TIMER)
