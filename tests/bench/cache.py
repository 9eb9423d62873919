"""The row about the cache of images: what it costs to find that an image is here already."""

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench import contest
from tests.bench.contest import Contender
from tests.bench.figures import Row, longer_row
from tests.disks import disk
from tests.fakes import SETTINGS_TEXT

ROUNDS = 21


def hit() -> Row:
    """Compare a pull of what is here with the start of the command line, up to its help."""
    ours = str(Path(sys.executable).with_name("raptorctl"))
    with tempfile.TemporaryDirectory(prefix="raptorctl-bench-") as folder:
        settings = Path(folder, "settings.toml")
        settings.write_text(f'{SETTINGS_TEXT}\n[images]\ndirectory = "{folder}/cache"\n')
        image = disk(Path(folder, "image.qcow2"))
        pull = (ours, "--settings", str(settings), "image", "pull", str(image))
        subprocess.run(pull, check=True, capture_output=True)
        laps = contest.here(
            ROUNDS, Contender("hit", pull), Contender("start", (ours, "image", "--help"))
        )
    took = contest.seconds(laps, "hit", "start")
    return longer_row(
        "`image pull` of what is here, longer than", "`raptorctl image --help`", "here", 0.05, took
    )
