"""docs/tutorial.md on the throwaway host, command for command, with a Debian that boots.

Emulated, that is most of an hour: `make full-boots`. The host in memory runs the same page in
`make check` (tests/unit/test_tutorial.py).
"""

import shlex
import subprocess

import pytest

from tests.full_boot import full
from tests.lab import demo
from tests.lab.cache import CHECKOUT
from tests.lab.host import Lab
from tests.tutorial import Act, acts

pytestmark = [pytest.mark.long, pytest.mark.timeout(5400), full]

ASKS = ({"deprovision"}, {"tenant", "remove"})
"""What wants a name typed at a terminal, and -y without one."""
BOOT = 3700
"""Seconds; the page waits for 3600."""


@pytest.fixture(scope="module")
def after_demo(lab: Lab) -> Lab:
    """The host as `make demo` leaves it, but for what it only shows."""
    for _, command in demo.STORY:
        if "provision" in command and "--dry-run" not in command:
            lab.run(*command.split())
    return lab


def test_every_command_does_what_the_page_says(after_demo: Lab) -> None:
    for act in acts():
        if act.words[0] == "lab":
            on_host(after_demo, act)
        elif act.words[:3] == [".venv/bin/python", "-m", "tests.lab"] and "down" in act.words:
            return
        elif act.words[0] not in {"make", "alias"}:
            subprocess.run(["bash", "-c", act.line], cwd=CHECKOUT, check=True, timeout=900)


def on_host(lab: Lab, act: Act) -> None:
    words = act.words[1:]
    if any(kind <= set(words[1:3]) for kind in ASKS):
        words.append("-y")
    done = lab.run(*words, check=False, timeout=BOOT)
    assert (done.returncode != 0) == act.refused, f"{shlex.join(words)}: {done.stderr}"
    if act.refused:
        assert done.stderr.strip() == act.shown.strip()
