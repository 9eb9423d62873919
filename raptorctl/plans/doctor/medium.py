"""ISOs that a machine's CD drive lacks, and copies that no drive holds."""

from collections.abc import Callable
from typing import Final

from raptorctl.model.facts import HostFacts
from raptorctl.model.medium import copied_for
from raptorctl.model.probe import Verdict
from raptorctl.plans.doctor.fault import Fault, Faults, Scene
from raptorctl.steps.medium import RemoveMedium

CHECK: Final = "machines"


def media(scene: Scene) -> Faults:
    """Find every such file."""
    yield from unreadable(scene.facts, scene.in_work)
    used = {disk for domain in scene.facts.domains for disk in domain.held_disks}
    for path in sorted(scene.facts.files - used):
        domain = copied_for(path)
        if domain and not scene.in_work(domain):
            # Its name is a digest, and what it holds is in the cache, or was.
            steps = (RemoveMedium("no drive holds it", path),)
            yield Fault(CHECK, path, f"{path} is in no CD drive", f"rm {path}", steps=steps)


def unreadable(facts: HostFacts, in_work: Callable[..., bool]) -> Faults:
    """Find machines whose drive holds a file that is gone or cut; they do not start.

    Args:
        facts: the host.
        in_work: whether a machine is an unfinished job's business.
    """
    for domain in facts.domains:
        if not domain.ours or in_work(domain.name):
            continue
        for problem in (
            facts.unreadable[path] for path in domain.cdroms if path in facts.unreadable
        ):
            what = f"the CD drive of {domain.name} cannot be read: {problem}"
            advice = f"raptorctl cdrom eject {domain.name}, or cdrom insert {domain.name} REF"
            yield Fault(CHECK, domain.name, what, advice, Verdict.FAIL)
