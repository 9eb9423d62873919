"""What every check of doctor says in."""

from collections.abc import Iterator

from raptorctl.model.part import Part
from raptorctl.model.probe import Finding, Probe, Verdict

OK, WARN, FAIL = Verdict.OK, Verdict.WARN, Verdict.FAIL
Findings = Iterator[Finding]


def trouble(probe: Probe, part: Part) -> Findings:
    """Say why a part of the host could not be looked at, if it could not."""
    if trouble := probe.troubles.get(part):
        yield Finding(part, FAIL, trouble.what, trouble.advice)
