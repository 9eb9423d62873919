"""Seeds that no machine has: they hold host keys, and keep their name from being used again."""

from pathlib import PurePosixPath
from typing import Final

from raptorctl.model.names import split_domain
from raptorctl.plans.doctor.fault import Fault, Faults, Scene
from raptorctl.steps.seed import RemoveSeed

CHECK: Final = "machines"
_ENDING: Final = "-seed.iso"


def lost_seeds(scene: Scene) -> Faults:
    """Find every seed that no domain has as a disk."""
    used = {disk for domain in scene.facts.domains for disk in domain.held_disks}
    ours = scene.past.seed_files()
    for path in sorted(scene.facts.files - used):
        file = PurePosixPath(path)
        name = split_domain(file.name.removesuffix(_ENDING))
        if not file.name.endswith(_ENDING) or name is None or scene.in_work(name.domain):
            continue
        steps = (RemoveSeed("its keys are its owner's", path),) if path in ours else ()
        advice = f"rm {path}" if steps else f"no job made it: find out whose it was, then rm {path}"
        yield Fault(CHECK, path, f"{path} is no machine's seed", advice, steps=steps)
