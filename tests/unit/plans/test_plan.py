"""Plans as the journal has them."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from raptorctl import steps
from raptorctl.steps.step import Step

READ = """
import sys
from raptorctl.plans.plan import decode_plan
try:
    decode_plan({"steps": []})
except KeyError:
    pass
print(*(name for name in sys.modules if name.startswith("raptorctl.steps.")))
"""


def test_whoever_reads_a_journal_knows_the_steps_of_every_module() -> None:
    # In a process of its own, as `recover` is: here, other tests have loaded them all.
    read = subprocess.run([sys.executable, "-c", READ], capture_output=True, text=True, check=True)
    folder = Path(steps.__file__).parent
    there = {f"raptorctl.steps.{file.stem}" for file in folder.glob("[!_]*.py")}
    assert there - set(read.stdout.split()) == set()


LOSES_NOTHING = {
    "build.finish": "what stood at an output gave way to what was built",
    "domain.expire": "its disk is as it was, and it can be started",
    "domain.run": "what has run cannot be made not to have run",
    "disk.give": "the disk is the machine's from then on",
    "medium.remove": "it is a copy, and the cache has the ISO",
    "overlay.grow": "a file that has grown stays as large",
    "snapshot.split": "its space is wiped by a step after it",
    "volume.remove": "it is wiped by then",
}
"""Steps without a way back, after which nobody misses anything."""


def test_a_step_without_a_way_back_says_what_is_lost() -> None:
    steps.load_all()
    silent = {
        kind.kind for kind in every_step() if not kind.reversible and kind.destroys is Step.destroys
    }
    assert silent == set(LOSES_NOTHING)


def every_step(above: type[Step] = Step) -> Iterator[type[Step]]:
    for kind in above.__subclasses__():
        yield from ([kind] if "kind" in vars(kind) else [])
        yield from every_step(kind)
