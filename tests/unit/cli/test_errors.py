"""Errors as JSON: the same facts as the sentence, on the last line of standard error."""

import json
import shlex
from typing import Any

import pytest

from raptorctl.cli.edge import asks_json
from raptorctl.errors import HostError
from tests.fakes import Tripwire, World
from tests.unit.cli.session import PROVISION, CommandLine


def failed(raptorctl: CommandLine, line: str, **surroundings: Any) -> tuple[dict[str, Any], int]:
    """The error of a command line that is asked for JSON; its sentence is that of the text."""
    words = shlex.split(line)
    said = raptorctl(*words, **surroundings).err.splitlines()
    done = raptorctl(*words, "-o", "json", **surroundings)
    error = json.loads(done.err.splitlines()[-1])
    assert set(error) == {"error"}
    error = error["error"]
    sentence = f"{error['message']}: {error['hint']}" if error["hint"] else error["message"]
    assert f"raptorctl: {sentence}" in said
    assert done.out == ""
    assert error["exit"] == done.code
    return error, done.code


@pytest.mark.parametrize(
    ("line", "code", "subject", "exit_code"),
    [
        ("show alice web", "machine-not-found", "alice-web", 3),
        ("stop alice web", "machine-not-found", "alice-web", 3),
        ("deprovision alice web", "confirmation-needed", "alice-web", 2),
        ("provision alice dev --size 8G --cpus 4-7", "machine-differs", "alice-dev", 3),
        ("provision alice web --size 8G --cpus 4-7", "cpu-unavailable", "4-7", 3),
        ("provision alice web --size 8G --cpus 2-2 --slot 1", "slot-unavailable", "1", 3),
        ("provision alice web --size 8G --cpus 2-2 --slot 99", "slot-not-found", "99", 2),
        ("provision alice web --size 900T --cpus 2-2", "storage-full", "lvm-data", 3),
        (
            "provision alice web --size 8G --cpus 2-2 --memory 64T",
            "memory-unavailable",
            "alice-web",
            3,
        ),
        ("provision bob web --size 8G --cpus 2-2 --image nope:1", "image-not-found", "nope:1", 2),
        ("provision alice web --size 40 --cpus 2-2", "bad-input", "--size", 2),
        ("tenant show carl", "tenant-not-found", "carl", 3),
        ("tenant remove alice -y", "tenant-has-machines", "alice", 3),
        ("image inspect nope", "image-not-found", "nope", 3),
        ("template show nope", "template-not-found", "nope", 2),
        ("job show 1999", "job-not-found", "1999", 2),
        ("snapshot restore alice dev before -y", "snapshot-not-found", "before", 3),
        ("seed show alice dev", "seed-not-found", "alice-dev", 3),
        ("suspend alice", "bad-input", "", 2),
        ("show", "usage", "raptorctl show", 2),
        ("list --nonsense", "usage", "raptorctl list", 2),
        ("bogus", "usage", "raptorctl", 2),
    ],
)
def test_what_a_program_can_tell_apart(
    raptorctl: CommandLine, line: str, code: str, subject: str, exit_code: int
) -> None:
    assert raptorctl(*PROVISION).code == 0
    error, status = failed(raptorctl, line)
    assert (error["code"], error["subject"], status) == (code, subject, exit_code)
    assert error["job"] == error["cause"] == ""


def test_who_may_not_is_told_so(raptorctl: CommandLine) -> None:
    raptorctl.root = False
    done = raptorctl(*PROVISION, "-o", "json")
    assert json.loads(done.complaint)["error"]["code"] == "needs-root"
    assert done.code == 3


def test_a_machine_that_is_off_is_told_from_one_that_is_not_there(raptorctl: CommandLine) -> None:
    assert raptorctl(*PROVISION, "--no-start").code == 0
    error, _ = failed(raptorctl, "reset alice dev")
    assert (error["code"], error["subject"]) == ("machine-off", "alice-dev")


def test_an_answer_that_is_no_is_told_so(raptorctl: CommandLine) -> None:
    assert raptorctl(*PROVISION).code == 0
    done = raptorctl("deprovision", "alice", "dev", "-o", "json", terminal=True, answer="n\n")
    # What is typed at a terminal ends the question's line.
    _, _, line = done.err.rpartition("Type that name to go on: ")
    assert json.loads(line)["error"]["code"] == "not-confirmed"


def test_a_job_that_is_rolled_back_tells_which_and_why(raptorctl: CommandLine) -> None:
    session = raptorctl.session(*PROVISION, "-o", "json")
    calls = len(_calls_of_a_provision(raptorctl))
    session.wire = Tripwire(at=calls - 1, error=lambda: HostError("no", details="lvs\nfailed"))
    done = raptorctl(*PROVISION, "-o", "json", session=session)
    error = json.loads(done.err.splitlines()[-1])["error"]
    assert (error["code"], error["cause"], error["subject"]) == (
        "rolled-back", "host-failed", "alice-dev"
    )  # fmt: skip
    assert error["details"] == ["lvs", "failed"]
    assert raptorctl("job", "show", error["job"]).code == 0


def _calls_of_a_provision(raptorctl: CommandLine) -> list[str]:
    there = raptorctl.directory / "elsewhere"
    there.mkdir()
    other = CommandLine(World().with_tenants("alice"), there)
    session = other.session(*PROVISION)
    assert other(*PROVISION, session=session).code == 0
    return session.wire.calls


def test_a_defect_of_ours_is_an_error_like_any_other(
    raptorctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("by zero \x1b[2J")

    monkeypatch.setattr("tests.unit.cli.session.FakeSession.inventory", fail)
    done = raptorctl("list", "-o", "json")
    error = json.loads(done.complaint)["error"]
    assert (error["code"], error["exit"], done.code) == ("internal", 1, 1)
    assert done.err.isprintable() or done.err.rstrip("\n").isprintable()


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("list -o json", True),
        ("list -ojson", True),
        ("provision alice dev -yo json", True),
        ("list --output json", True),
        ("list --output=json", True),
        ("list -o text -o json", True),
        ("list -o json -o text", False),
        ("list -o", False),
        ("list -o xml", False),
        ("list --outputs json", False),
        ("provision --no-start json", False),
        ("ssh alice dev -- sort -o json", False),
        ("show json", False),
        ("", False),
    ],
)
def test_json_is_asked_for_as_click_reads_it(typed: str, asked: bool) -> None:
    assert asks_json(typed.split()) is asked
