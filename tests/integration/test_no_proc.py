"""A container without /proc: the real kernel's absence of it, in a mount namespace of its own."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
ASK = """
import importlib, sys
from raptorctl.errors import RaptorError
module, call = sys.argv[1:]
found = importlib.import_module(f"raptorctl.host.{module}")
try:
    print("answered", eval(f"found.{call}"))
except RaptorError as error:
    print("refused", error)
"""
Ask = Callable[[str, str], str]


@pytest.fixture
def ask() -> Ask:
    """Call something of the host's floor where /proc is not mounted."""
    within = ("unshare", "--mount", "sh", "-c", 'umount -l /proc && exec "$@"', "sh")
    if subprocess.run((*within, "true"), capture_output=True, check=False).returncode:
        pytest.skip("no mount namespaces here")

    def asked(module: str, call: str) -> str:
        argv = (*within, sys.executable, "-c", ASK, module, call)
        done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=CHECKOUT)
        return done.stdout + done.stderr

    return asked


@pytest.mark.parametrize(
    ("module", "call"),
    [
        ("system.cpu", "memory()"),
        ("system.session", "kvm_obstacle()"),
        ("domain.domains", "LibvirtDomains('test:///default').accelerator()"),
        ("access.accounts", "_processes(12345)"),
        ("access.polkit", "_start_time(1)"),
        ("access.remains", "left(54321)"),
        ("system.command", "run('true')"),
    ],
)
def test_whatever_asks_the_kernel_says_that_proc_is_not_mounted(
    ask: Ask, module: str, call: str
) -> None:
    said = ask(module, call)
    assert "/proc is not mounted" in said
    assert "Traceback" not in said


def test_that_nobody_can_look_is_not_that_nothing_runs(ask: Ask) -> None:
    assert ask("access.accounts", "_processes(12345)").startswith("refused")
