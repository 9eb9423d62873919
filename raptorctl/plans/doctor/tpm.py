"""Doctor on TPMs, which machines may have where swtpm is there. Pure."""

from raptorctl.model.facts import HostFacts
from raptorctl.model.probe import Finding, Verdict


def tpm(facts: HostFacts) -> Finding:
    """Say whether `--tpm` works; most hosts do without."""
    if facts.tpm:
        return Finding("tpm", Verdict.OK, "swtpm emulates one for machines that ask for it")
    return Finding("tpm", Verdict.OK, "there is no swtpm, so --tpm is refused")
