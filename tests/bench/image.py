"""Rows about images: written onto a device of this machine, which emulates nothing."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench import contest
from tests.bench.contest import Contender
from tests.bench.figures import Row, speed_row
from tests.bench.local import SCRIPTS, loop_device

MIB = 1 << 20
GUEST = 3 << 30
"""Bytes that the guest sees, as with most distributions' cloud images."""
DATA = 800
"""MiB of them that are data, in pieces with holes between."""
ROUNDS = 5


def written() -> list[Row]:
    """Compare the writing of an image with qemu-img's own, onto the same device."""
    if os.geteuid() != 0:
        return []  # only root may have a loop device
    with (
        tempfile.TemporaryDirectory(prefix="raptorctl-bench-") as folder,
        loop_device(4 << 30) as device,
    ):
        image = _image(Path(folder))
        clear = f"blkdiscard -z {device}"
        ours = (sys.executable, str(SCRIPTS / "write_image.py"), str(image), str(GUEST), device)
        theirs = ("qemu-img", "convert", "-n", "-W", "-f", "qcow2", "-O", "raw", str(image), device)
        laps = contest.here(
            ROUNDS,
            Contender("writing", (*ours, "no"), before=clear),
            Contender("both", (*ours, "yes"), before=clear),
            Contender("theirs", theirs, before=clear),
        )
    what, against = f"image of {DATA} MiB of data in {GUEST >> 30} GiB", "`qemu-img convert -n -W`"
    took = contest.seconds(laps, "theirs", "theirs")[0]
    return [
        speed_row(
            f"{what}, written", against, "here", 0.9, (contest.reported(laps, "writing"), took)
        ),
        speed_row(
            f"{what}, written and compared",
            against,
            "here",
            0.9,
            (contest.reported(laps, "both"), took),
        ),
    ]


def _image(folder: Path) -> Path:
    raw, image = folder / "raw", folder / "qcow2"
    with raw.open("wb") as file:
        file.truncate(GUEST)
        for piece in range(DATA):
            file.seek(piece * (GUEST // DATA))
            file.write(os.urandom(MIB))
    subprocess.run(["qemu-img", "convert", "-O", "qcow2", raw, image], check=True)
    return image
