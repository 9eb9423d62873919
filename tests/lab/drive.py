"""Our drivers, driven inside the lab, one small script at a time."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.lab import warm
from tests.lab.host import Lab

SETUP = """
import sys
from dataclasses import replace
from raptorctl.errors import RaptorError
from raptorctl.host.volume.lvm import LvmGroup
from raptorctl.host.volume.wipe import BlockWiper

GROUP = LvmGroup("lvm-data")
ALL = 1 << 62
TAGS = ["raptor", "raptor.dirty", "raptor.job=zz"]


def quiet(done, total):
    pass


def wipe(volume, up_to=ALL, tick=quiet):
    print(BlockWiper(up_to).wipe(volume, tick))


try:
"""

END = """
except RaptorError as error:
    print(f"{type(error).__name__}: {error}")
"""


def drive(lab: Lab, script: str) -> str:
    """Run Python with our drivers at hand; an error of ours is printed with its class."""
    body = "".join(f"    {line}\n" for line in script.strip().splitlines())
    return lab.run(*warm.called(warm.SCRIPT), input=f"{SETUP}{body}{END}").stdout.strip()


@contextmanager
def tidied(lab: Lab) -> Iterator[Lab]:
    """Remove what a test made, whatever became of it: volumes named guest-zz-... and wipe-zz-..."""
    yield lab
    # Snapshots go with their origin, so some names may be gone when their turn comes.
    lab.sh("""
        for name in $(lvs --noheadings -o lv_name lvm-data | grep -- -zz- || true)
        do
            [ ! -b "/dev/lvm-data/$name" ] || fuser --kill --silent "/dev/lvm-data/$name" || true
            [ -z "$(lvs -S "lv_name=$name" lvm-data)" ] || lvremove --yes "lvm-data/$name" </dev/null
        done
    """)


def fields(lab: Lab, name: str, *names: str) -> list[str]:
    """Ask LVM itself about one volume; an empty list when it is not there."""
    row = lab.run(
        "lvs", "--noheadings", "--units", "b", "--nosuffix", "--separator", "|",
        "-o", ",".join(names), f"lvm-data/{name}", check=False,
    )  # fmt: skip
    return [field.strip() for field in row.stdout.strip().split("|")] if row.stdout.strip() else []
