"""The door to programs, with real programs."""

import os
import time
from pathlib import Path

import pytest

from raptorctl.errors import CommandError, InputError, MissingError
from raptorctl.host.system.command import ENVIRONMENT, run


def shell(script: str, **options: object) -> str:
    return run("sh", "-c", script, **options)  # type: ignore[arg-type]


def test_output_is_returned() -> None:
    assert run("echo", "one", "two  three") == "one two  three\n"


def test_arguments_are_not_read_by_a_shell() -> None:
    assert run("echo", "$HOME; *", "`id`") == "$HOME; * `id`\n"


@pytest.mark.parametrize("word", ["a\0b", "\udce4"])
def test_what_no_program_can_be_given_is_refused(word: str) -> None:
    with pytest.raises(InputError, match="cannot be passed to a program"):
        run("echo", word)


def test_output_that_is_not_text_is_still_returned() -> None:
    assert shell(r"printf 'a\377b'") == "a\ufffdb"


def test_a_lot_of_output_on_both_streams() -> None:
    script = "i=0; while [ $i -lt 20000 ]; do echo 0123456789; echo error >&2; i=$((i+1)); done"
    assert len(shell(script)) == 20000 * 11


def test_a_failure_carries_status_and_stderr() -> None:
    with pytest.raises(CommandError) as caught:
        shell("echo warning: first >&2; echo the reason >&2; echo See more >&2; exit 5")
    assert caught.value.exit_status == 5
    assert caught.value.stderr == "warning: first\nthe reason\nSee more\n"
    assert "the reason" in str(caught.value)


def test_a_status_can_be_declared_no_failure() -> None:
    assert shell("echo fine; exit 5", ok=(0, 5)) == "fine\n"


def test_death_by_a_signal_is_a_failure() -> None:
    with pytest.raises(CommandError) as caught:
        shell("echo going >&2; kill -TERM $$")
    assert caught.value.exit_status == -15
    assert caught.value.stderr == "going\n"


def test_the_time_limit_holds_and_what_was_said_is_kept() -> None:
    began = time.monotonic()
    with pytest.raises(CommandError) as caught:
        shell("echo waiting >&2; exec sleep 60", timeout=0.5)
    assert caught.value.exit_status is None
    assert caught.value.stderr == "waiting\n"
    assert time.monotonic() - began < 10


def test_a_missing_program_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("raptorctl.host.system.command.PATH", "/nonexistent")
    with pytest.raises(MissingError, match="lvs is not installed: apt install lvm2"):
        run("lvs")


def test_the_callers_path_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert run("echo") == "\n"


def test_the_environment_is_minimal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LVM_SYSTEM_DIR", "/tmp/evil")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert dict(line.split("=", 1) for line in run("env").splitlines()) == ENVIRONMENT


def test_only_the_three_standard_files_are_open() -> None:
    with Path("/dev/null").open("rb") as leak:
        os.set_inheritable(leak.fileno(), True)
        # The fourth is the directory being listed.
        assert len(run("ls", "/proc/self/fd").split()) == 4


def test_no_descriptor_stays_behind_here() -> None:
    run("true")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        run("true")
        with pytest.raises(CommandError):
            run("false")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_it_has_a_session_of_its_own_and_no_terminal() -> None:
    pid, session = shell("echo $$; cut -d' ' -f6 /proc/$$/stat").split()
    assert pid == session
    assert shell("test -t 0 || test -t 1 || test -t 2 || echo none") == "none\n"


def test_standard_input_is_empty() -> None:
    assert run("cat", timeout=5) == ""


def test_it_does_not_run_in_the_callers_directory() -> None:
    assert run("pwd") == "/\n"
