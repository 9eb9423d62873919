"""Plans as the journal has them."""

import subprocess
import sys
from pathlib import Path

from raptorctl import steps

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
