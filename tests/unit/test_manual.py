"""Man pages and completion (`share/`) say what the command line says today, and can be read."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from raptorctl.cli.commands import COMMANDS
from tests.unit.test_docs import COMMANDS as LEAVES
from tests.unit.test_docs import options
from tools.manual import SHARE
from tools.manual.__main__ import files
from tools.manual.roff import bold, italic, literal, prose

PAGES = sorted((SHARE / "man/man1").glob("*.1"))
REQUESTS = {".TH", ".SH", ".SS", ".TP", ".P", ".br", ".RS", ".RE", ".EX", ".EE", '.\\"'}
JUDGES = (
    ("groff", "-man", "-Tutf8", "-ww", "-z"),
    ("mandoc", "-Tlint", "-Wwarning"),
)
SHELLS = {
    "bash": "bash-completion/completions/raptorctl",
    "zsh": "zsh/site-functions/_raptorctl",
    "fish": "fish/vendor_completions.d/raptorctl.fish",
}


def test_every_file_is_current_and_there_is_no_other() -> None:
    wanted = files()
    committed = {str(p.relative_to(SHARE)): p.read_text() for p in SHARE.rglob("*") if p.is_file()}
    old = {path for path in committed.keys() | wanted if committed.get(path) != wanted.get(path)}
    assert old == set(), "`make manual` writes them"


def test_every_command_has_a_page_that_the_programs_page_names() -> None:
    assert {p.stem for p in PAGES} == {"raptorctl", *(f"raptorctl-{name}" for name in COMMANDS)}
    told = (SHARE / "man/man1/raptorctl.1").read_text().splitlines()
    assert {name for name in COMMANDS if bold(name) not in told} == set()


@pytest.mark.parametrize("path", LEAVES)
def test_a_page_tells_every_argument_option_and_example_of_its_commands(path: str) -> None:
    page = SHARE / f"man/man1/raptorctl-{path.split()[1]}.1"
    text = page.read_text()
    title = path.replace("-", "\\-")
    about = text.split(f"\n.SS {title}\n")[-1]
    if not hasattr(LEAVES[path], "commands"):  # a group that acts by itself has all of the page
        about = about.split("\n.SS ")[0]
    assert {name for name in options(LEAVES[path]) if bold(name) not in about} == set()
    arguments = [p.metavar for p in LEAVES[path].params if p.param_type_name == "argument"]
    assert [name for name in arguments if f".TP\n{italic(name)}\n" not in about] == []
    examples = [line.strip() for line in LEAVES[path].epilog.splitlines()[2:]]
    assert [line for line in examples if literal(line) not in about] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_is_made_of_what_every_reader_of_man_pages_knows(page: Path) -> None:
    text = page.read_text()
    assert {
        line.split()[0] for line in text.splitlines() if line.startswith((".", "'"))
    } <= REQUESTS
    assert text.isascii()
    assert len(re.findall(r"\\f[BI]", text)) == text.count(r"\fP")
    for title in ("NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "SEE ALSO"):
        assert f".SH {title}\n" in text


@pytest.mark.parametrize("judge", JUDGES, ids=lambda judge: judge[0])
def test_who_reads_man_pages_warns_of_nothing(judge: Sequence[str]) -> None:
    if not shutil.which(judge[0]):
        pytest.skip(f"there is no {judge[0]} here")
    assert said(*judge, *map(str, PAGES)) == ""


def test_a_sentence_cannot_be_taken_for_a_request() -> None:
    assert prose(".profile is read") == r"\&.profile is read"
    assert prose("'tis a\\b `x -y` --dry-run well-known") == (
        r"\&'tis a\eb \fBx \-y\fP \fB\-\-dry\-run\fP well-known"
    )


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_can_read_its_completion(shell: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"there is no {shell} here")
    assert said(shell, "-n", str(SHARE / SHELLS[shell])) == ""


def said(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr
