"""Surroundings that a caller may have taken away, and errors that nobody foresaw."""

import os
import pathlib
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import pytest

import raptorctl
from raptorctl.cli.edge import run
from raptorctl.errors import HostError
from raptorctl.model.domain import State
from tests.fakes import World
from tests.unit.cli.session import PROVISION, CommandLine, Pipe

CHECKOUT = pathlib.Path(__file__).parents[3]
COMMAND = (sys.executable, "-m", "raptorctl")


def process(
    *typed: str, env: dict[str, str] | None = None, **options: Any
) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT), **(env or {})}
    options = {"stdin": subprocess.DEVNULL, "capture_output": True, **options}
    return subprocess.run(
        [*COMMAND, *typed], env=environment, text=True, timeout=60, check=False, **options
    )


def shell(line: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT)}
    program = f"raptorctl() {{ '{sys.executable}' -m raptorctl \"$@\"; }}; {line}"
    return subprocess.run(
        ["bash", "-c", program],
        env=environment,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )


def test_version() -> None:
    done = process("--version")
    expected = (0, f"raptorctl {raptorctl.__version__}\n", "")
    assert (done.returncode, done.stdout, done.stderr) == expected


def test_no_arguments_are_a_question_for_help() -> None:
    done = process()
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: raptorctl")


@pytest.mark.parametrize(
    "group",
    [[], ["provision"], ["deprovision"], ["list"], ["show"], ["slot", "list"], ["cpu", "map"],
     ["render", "xml"], ["job", "list"], ["job", "show"], ["recover"], ["doctor"]],
)  # fmt: skip
def test_every_command_explains_itself_with_an_example(
    raptorctl: CommandLine, group: list[str]
) -> None:
    done = raptorctl(*group, "--help")
    assert done.code == 0
    assert f"Example:\n    sudo raptorctl {' '.join(group)}" in done.out
    assert max(map(len, done.out.splitlines())) <= 84


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish"])
def test_completion(shell_name: str) -> None:
    script = process("--show-completion", shell_name, env={"SHELL": f"/bin/{shell_name}"})
    assert script.returncode == 0, script.stderr
    assert "_RAPTORCTL_COMPLETE" in script.stdout


def test_completion_knows_the_commands() -> None:
    asked = {
        "_RAPTORCTL_COMPLETE": "complete_bash",
        "COMP_WORDS": "raptorctl depr",
        "COMP_CWORD": "1",
    }
    assert process(env=asked).stdout.split() == ["deprovision"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("raptorctl --version >&-", 1),
        ("raptorctl --help >&-", 1),
        ("raptorctl --version <&- >&- 2>&-", 1),
        ("raptorctl bogus >&-", 2),
        ("raptorctl bogus 2>&-", 2),
        ("raptorctl --version 2>&-", 0),
        ("raptorctl --version >/dev/full", 1),
        ("raptorctl --help >/dev/full", 1),
        ("PYTHONUNBUFFERED=1 raptorctl list --help >/dev/full", 1),
        ("PYTHONUNBUFFERED=1 raptorctl --version >&-", 1),
        ("raptorctl template list >&-", 1),
        ("raptorctl template list >/dev/full", 1),
        ("raptorctl template list | true; exit ${PIPESTATUS[0]}", 0),
        ("raptorctl --help | true; exit ${PIPESTATUS[0]}", 0),
        ("raptorctl --version | true; exit ${PIPESTATUS[0]}", 0),
        ("ulimit -n 16; raptorctl --help", 0),
        ("umask 777; raptorctl --help", 0),
        ("mkdir -p $$.gone; cd $$.gone; rmdir ../$$.gone; raptorctl --help", 0),
        ("unset HOME LANG PATH; raptorctl --help", 0),
        ("LC_ALL=C raptorctl --help", 0),
        ("LC_ALL=xx_YY.nonsense raptorctl --help", 0),
        ("PYTHONIOENCODING=ascii raptorctl provision aliçe-dev --size 1G --cpus 1-1", 2),
    ],
)
def test_surroundings(tmp_path: pathlib.Path, line: str, code: int) -> None:
    done = shell(f"cd {tmp_path}; {line}")
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert len(done.stderr.splitlines()) <= 1
    if code == 1:
        assert "2>&-" in line or "the result could not be written to <stdout>" in done.stderr


class Deaf(Pipe):
    def write(self, text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")


def test_a_reader_that_leaves_does_not_end_the_job(raptorctl: CommandLine, world: World) -> None:
    with redirect_stdout(Deaf()), redirect_stderr(Deaf()):
        code = run(PROVISION, raptorctl.session(*PROVISION))
    assert code == 0
    assert {domain.state for domain in world.domains.list()} == {State.RUNNING}


def test_bytes_that_are_no_text_are_an_error_like_any_other() -> None:
    done = subprocess.run(
        [*COMMAND, "show", b"al\xff-\x9b2Jdev"],
        env={"PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stderr.isascii()


class BrokenError(Exception):
    pass


@pytest.fixture
def defect(raptorctl: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    def fail(*_: object) -> None:
        raise BrokenError("first line\nsecond \x1b[2J line")

    monkeypatch.setattr("tests.unit.cli.session.FakeSession.inventory", fail)
    return raptorctl


def test_what_nobody_foresaw_is_one_line_and_a_report(defect: CommandLine) -> None:
    done = defect("list")
    assert done.code == 1
    assert done.complaint.startswith("raptorctl: unexpected BrokenError: second ?[2J line: ")
    (report,) = (defect.directory / "log").glob("error-*.log")
    assert str(report) in done.complaint
    assert "Traceback" in report.read_text()
    assert stat.S_IMODE(report.stat().st_mode) == 0o600


def test_without_a_log_the_report_goes_to_a_temporary_file(
    defect: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    session = defect.session("list")
    session.log_directory = tmp_path / "not/there"
    done = defect("list", session=session)
    (report,) = (tmp_path / "temporary").glob("error-*.log")
    assert str(report) in done.complaint


def test_details_are_for_those_who_ask(
    raptorctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise HostError("it failed", details="lvs --all\nno such thing", resolution="look there")

    monkeypatch.setattr("tests.unit.cli.session.FakeSession.inventory", fail)
    assert raptorctl("list").complaint == "raptorctl: it failed: look there"
    assert raptorctl("-v", "list").err.splitlines()[1:] == ["  lvs --all", "  no such thing"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text + "\nnonsense = 1", "slot[4].nonsense: is not known here"),
        (lambda text: text.replace('zone = "', "zone = 1 #"), "dns.zone: should be text"),
        (lambda text: text + "\n[dns]\n", "is not TOML"),
        (lambda text: text * 4000, "is larger than"),
        (lambda _: "", "is missing"),
    ],
)
def test_settings(
    raptorctl: CommandLine, tmp_path: pathlib.Path, change: Callable[[str], str], said: str
) -> None:
    from raptorctl.cli.session import Typed
    from tests.fakes import SETTINGS_TEXT

    class Rooted(Typed):
        is_root = True

    file = tmp_path / "settings.toml"
    file.write_text(change(SETTINGS_TEXT))
    done = raptorctl("--settings", str(file), "list", session=Rooted())
    assert done.code == 2
    assert said in done.complaint
    assert done.complaint.startswith(f"raptorctl: {file}: ")


@pytest.mark.parametrize("kind", ["missing", "directory", "fifo", "binary"])
def test_settings_that_are_no_file(
    raptorctl: CommandLine, tmp_path: pathlib.Path, kind: str
) -> None:
    from raptorctl.cli.session import Typed

    class Rooted(Typed):
        is_root = True

    file = tmp_path / "settings.toml"
    match kind:
        case "directory":
            file.mkdir()
        case "fifo":
            os.mkfifo(file)
        case "binary":
            file.write_bytes(b"\xff\xfe\x00")
    done = raptorctl("--settings", str(file), "list", session=Rooted())
    assert done.code == 2
    assert str(file) in done.complaint


def test_a_journal_is_understood_by_a_process_that_planned_nothing(
    raptorctl: CommandLine,
) -> None:
    assert raptorctl(*PROVISION).code == 0
    program = (
        "from pathlib import Path; from raptorctl.cli.session import Typed\n"
        f"journals = type(Typed().journals)(Path({str(raptorctl.directory / 'journal')!r}))\n"
        "print(*(job.verb + ' ' + job.outcome.value for job in journals.jobs()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout == "provision done\n", done.stderr


@pytest.mark.parametrize("typed", [["--version"], ["--help"], ["list", "--help"]])
def test_nothing_heavy_is_imported_before_it_is_needed(typed: list[str]) -> None:
    program = (
        "import sys; from raptorctl.__main__ import main\n"
        f"main({typed!r})\n"
        "heavy = {'rich', 'lxml', 'libvirt', 'dns', 'sh', 'pyudev', 'asyncio'}\n"
        "print(*sorted(heavy & set(sys.modules)), end='', file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""


def test_version_imports_next_to_nothing() -> None:
    program = (
        "import sys; before = set(sys.modules)\n"
        "from raptorctl.__main__ import main; main(['--version'])\n"
        "print(len(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert int(done.stdout.split()[-1]) < 15
