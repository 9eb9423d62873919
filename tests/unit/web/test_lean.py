"""Who does not open the page does not pay for it."""

import subprocess
import sys

import pytest

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
