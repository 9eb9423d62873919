"""Who does not open the page does not pay for it."""

import subprocess
import sys

import pytest

from tests.fresh_python import said

NEEDED = ("starlette", "uvicorn", "websockets", "jinja2", "anyio", "asyncio", "raptorctl.web")


@pytest.mark.parametrize(
    "typed",
    [["--help"], ["--version"], ["list", "--help"], ["web", "--help"], ["doctor", "--help"]],
)
def test_no_command_but_web_imports_it(typed: list[str]) -> None:
    program = (
        "import sys\n"
        "from raptorctl.cli.edge import run\n"
        f"code = run({typed!r})\n"
        f"print([name for name in {NEEDED!r} if name in sys.modules], code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[] 0"


@pytest.mark.parametrize(
    ("module", "spared"),
    [
        ("raptorctl.cli.web_agent", ("raptorctl.web.actions", "raptorctl.plans.machine.provision")),
        ("raptorctl.web.serve", ("raptorctl.web.actions", "raptorctl.plans.machine.provision")),
        (
            "raptorctl.cli.web_service",
            ("starlette", "jinja2", "raptorctl.plans", "raptorctl.steps"),
        ),
    ],
)
def test_whoever_asks_for_a_link_waits_for_no_planner(module: str, spared: tuple[str, ...]) -> None:
    """A tenant's first link is one start of each of these after the other."""
    there = said(f"import sys, {module}; print(*sys.modules)").split()
    assert set(spared).isdisjoint(there)


def test_what_is_missing_is_said(tmp_path: object) -> None:
    program = (
        "import sys\n"
        "sys.modules['starlette'] = None\n"
        "from raptorctl.cli.command.web import _server\n"
        "try:\n    _server()\nexcept Exception as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("the page needs starlette, which is not installed: install rap")
