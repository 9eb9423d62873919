"""The table of commands: it says what the modules say, and only the typed command's is imported."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import typer
from typer.main import get_group

from raptorctl.cli.commands import COMMANDS, imported
from tests.unit.cli.session import CommandLine

CHECKOUT = Path(__file__).parents[3]
FOLDER = CHECKOUT / "raptorctl/cli/command"


def offered() -> dict[str, str]:
    """Every command that a module of the folder registers, and that module."""
    found: dict[str, str] = {}
    for path in FOLDER.glob("*.py"):
        if "\ndef register(" in path.read_text():
            app = typer.Typer()
            import_module(f"raptorctl.cli.command.{path.stem}").register(app)
            found |= dict.fromkeys(get_group(app).commands, path.stem)
    return found


def loaded(program: str, *typed: str) -> set[str]:
    """Modules that a new process has imported after a program."""
    tell = "import sys; sys.stderr.write(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\n{tell}", *typed],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(done.stderr.split())


MAIN = "import sys; from raptorctl.__main__ import main; main(sys.argv[1:])"


def test_every_command_of_the_modules_is_in_the_table_with_its_module() -> None:
    assert {name: module for name, (module, _) in COMMANDS.items()} == offered()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_explains_itself(name: str) -> None:
    assert imported(name).name == name
    assert imported(name).help.endswith(".")


def test_a_group_is_explained_by_its_line_of_the_table(raptorctl: CommandLine) -> None:
    assert COMMANDS["tenant"][1] in raptorctl("tenant", "--help").out


@pytest.mark.parametrize(("typed", "own"), [(["--help"], set()), (["list", "--help"], {"machine"})])
def test_only_the_module_of_the_typed_command_is_imported(typed: list[str], own: set[str]) -> None:
    modules = {f"raptorctl.cli.command.{module}" for module, _ in COMMANDS.values()}
    assert modules & loaded(MAIN, *typed) == {f"raptorctl.cli.command.{name}" for name in own}


def test_the_list_of_commands_needs_the_command_line_alone() -> None:
    ours = {name for name in loaded(MAIN, "--help") if name.startswith("raptorctl.")}
    below = {name for name in ours if not name.startswith("raptorctl.cli")}
    assert below == {
        "raptorctl.__main__",
        "raptorctl.api",
        "raptorctl.api.session",
        "raptorctl.errors",
        "raptorctl.model",
        "raptorctl.model.error_code",
        "raptorctl.model.exit_code",
        "raptorctl.model.settings_file",
        "raptorctl.model.text",
    }


def test_provision_brings_no_guest_no_image_and_no_list() -> None:
    """Steps in a guest, images and profiles are few command lines' wish."""
    brought = loaded("from raptorctl.cli.commands import imported; imported('provision')")
    others = {"api.guest", "api.image", "cli.command.template", "cli.image_watch", "cli.listing",
              "cli.screen", "model.guest", "model.image_source", "secrets"}  # fmt: skip
    assert not {name.removeprefix("raptorctl.") for name in brought} & others


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("raptorctl tenant re", ["remove"]),
        ("raptorctl up --format ", ["raptor", "vmfile", "registry"]),
        ("raptorctl build --format ", ["raptor", "b9"]),
        ("raptorctl import --format ", ["vmfile", "registry", "shell", "b9", "b9-conf"]),
    ],
)
def test_a_command_in_a_group_and_a_format_that_a_command_takes_are_completed(
    typed: str, offered: list[str]
) -> None:
    asked = {
        "_RAPTORCTL_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(typed.count(" ")),
    }
    done = subprocess.run(
        [sys.executable, "-m", "raptorctl"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT), **asked},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == offered


def test_a_command_that_nearly_exists_is_suggested(raptorctl: CommandLine) -> None:
    assert "Did you mean 'list'?" in raptorctl("lst").err


COLLECTOR = """
import gc, sys
from raptorctl.__main__ import main
from raptorctl.cli import options

class Importing:
    def find_spec(name, path, target=None):
        if name == "raptorctl.cli.app":
            print("importing", gc.isenabled())

sys.meta_path.insert(0, Importing)
def seen(*_):
    print("running", gc.isenabled(), gc.get_freeze_count() > 9999)
    raise SystemExit

options.machine_name = seen
main(["wait", "alice", "dev"])
"""


def test_the_collector_is_off_for_imports_and_on_for_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-c", COLLECTOR],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.splitlines() == ["importing False", "running True True"], done.stderr
