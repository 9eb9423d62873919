"""The shell of tenants without one: exact words, and nothing gets past them."""

import io
import os
from collections.abc import Sequence

import pytest

from raptorctl.cli import shell
from raptorctl.cli.shell import asked_for, interactive, obey, understood
from raptorctl.errors import HostError
from raptorctl.model.machine import Machine
from raptorctl.model.names import MachineName
from raptorctl.model.tenant import TENANT_SHELL


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What raptorctl was called with."""
    calls: list[list[str]] = []

    def run(words: Sequence[str]) -> int:
        calls.append(list(words))
        return 0

    monkeypatch.setattr(shell, "run", run)
    return calls


@pytest.fixture(autouse=True)
def machines(monkeypatch: pytest.MonkeyPatch) -> list[Machine]:
    """Those of the tenant."""
    found: list[Machine] = []
    monkeypatch.setattr(shell, "listed", lambda _session: found)
    return found


def test_at_the_prompt_it_is_told_what_expires(
    machines: list[Machine], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, day in (("dev", "2027-01-31"), ("web", "")):
        machines.append(Machine(MachineName("alice", name), "running", 1, None, expires=day))
    monkeypatch.setattr("sys.stdin", Keyboard())
    interactive("alice")
    assert capsys.readouterr().err == "dev expires on 2027-01-31\n"


def test_a_libvirt_that_does_not_answer_closes_no_door(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(_session: object) -> None:
        raise HostError("libvirt does not answer")

    monkeypatch.setattr(shell, "listed", fails)
    monkeypatch.setattr("sys.stdin", Keyboard())
    assert interactive("alice") == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("line", "called"),
    [
        ("list", ["list"]),
        ("web", ["web"]),
        ("raptorctl web", ["web"]),
        ("raptorctl status dev", ["show", "alice", "dev"]),
        ("status dev", ["show", "alice", "dev"]),
        ("console dev", ["console", "alice", "dev"]),
        ("start dev", ["start", "alice", "dev"]),
        ("stop web-2", ["stop", "alice", "web-2"]),
        ("reboot dev", ["reboot", "alice", "dev"]),
        ("console bob dev", ["console", "bob", "dev"]),
        ("console bob web-2", ["console", "bob", "web-2"]),
    ],
)
def test_each_word_is_one_of_raptorctls_on_ones_own(
    ran: list[list[str]], line: str, called: list[str]
) -> None:
    assert obey("alice", line) == 0
    assert ran == [called]


ATTACKS = [
    "", " ", "list ", " list", "list  ", "list\t", "list\n", "console\tdev", "console  dev",
    "console dev;id", "console dev && id", "console dev | sh", "console $(id)", "console `id`",
    "start --help", "start --force", "stop dev --force", "console -o", "--version", "-v list",
    "list --settings /tmp/x", "show dev", "provision dev", "deprovision dev", "log dev", "list bob",
    "console bob-web x", "console bob web x", "console Bob web", "console b-b web", "console ../dev", "console /dev/tty", "console DEV", "console dév",
    "console dev\u00a0x", "list\x00", "console\u2003dev", "\x1b[31mlist", "exit 0", "help me",
    "console " + "a" * 41, "list" * 100, "x" * 1_000_000, "scp -f /etc/passwd", "sftp-server",
    "web --port 1", "web sessions", "raptorctl", "raptorctl raptorctl web", "raptorctl  web",
    "raptorctl provision dev", "virt-ssh-helper qemu:///system", "/bin/sh", "sh", "bash -i", "!sh", "console dev\r\nsh",
]  # fmt: skip


@pytest.mark.parametrize("line", ATTACKS, ids=lambda line: repr(line[:30]))
def test_nothing_else_is_understood(
    ran: list[list[str]], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert understood(line) is None
    assert obey("alice", line) == 2
    assert ran == []
    assert "none of the words here" in capsys.readouterr().err


def test_another_tenants_machine_is_named_below_ones_own_name(ran: list[list[str]]) -> None:
    """`console bob-web` means alice's machine bob-web, which polkit judges by alice-bob-web."""
    assert obey("alice", "console bob-web") == 0
    assert ran == [["console", "alice", "bob-web"]]


class Hypervisor:
    """libvirt as it shows itself to alice."""

    def __init__(self, *names: str) -> None:
        self.host = self.domains = self
        self.names = names

    def named(self, name: str) -> object:
        return name if name in self.names else None


@pytest.mark.parametrize(
    ("there", "called"),
    [
        (("bob-web",), ["bob-web"]),
        (("bob-web", "alice-bob-web"), ["alice", "bob-web"]),
        (("alice-bob-web",), ["alice", "bob-web"]),
        ((), ["alice", "bob-web"]),
    ],
)
def test_a_machine_that_is_shared_is_named_whole_where_none_of_ones_own_is_called_so(
    ran: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
    there: tuple[str, ...],
    called: list[str],
) -> None:
    monkeypatch.setattr(shell, "Session", lambda: Hypervisor(*there))
    assert obey("alice", "console bob-web") == 0
    assert ran == [["console", *called]]


def test_what_was_asked_for_over_ssh_is_found() -> None:
    assert asked_for([], {}) is None
    assert asked_for(["-c", TENANT_SHELL], {}) is None
    assert asked_for(["-c", TENANT_SHELL], {"SSH_ORIGINAL_COMMAND": "list"}) == "list"
    assert asked_for([], {"SSH_ORIGINAL_COMMAND": ""}) == ""
    assert asked_for(["-c", "list"], {}) == "list"


def test_the_rest_of_a_long_line_is_no_line_of_its_own(
    ran: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("x" * (shell.LONGEST + 2) + "list\n"))
    interactive("alice")
    assert ran == []


class Keyboard:
    def __init__(self, *lines: str | BaseException) -> None:
        self.lines = list(lines)

    def readline(self, _limit: int) -> str:
        line = self.lines.pop(0) if self.lines else ""
        if isinstance(line, BaseException):
            raise line
        return line


def test_at_the_prompt_interrupts_and_nonsense_end_nothing(
    ran: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ("list\n", KeyboardInterrupt(), "sh\n", "\n", "help\n", "exit\n", "start dev\n")
    monkeypatch.setattr("sys.stdin", Keyboard(*lines))
    assert interactive("alice") == 0
    assert ran == [["list"]]
    said = capsys.readouterr().out
    assert said.count("alice> ") == 6
    assert "console dev" in said


def test_the_end_of_input_leaves(ran: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Keyboard())
    assert interactive("alice") == 0
    assert ran == []


def test_what_a_client_sends_along_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LIBVIRT_DEFAULT_URI", "PYTHONPATH", "RAPTORCTL_X", "LD_PRELOAD"):
        monkeypatch.setenv(name, "evil")
    monkeypatch.setenv("TERM", "vt100")
    before = dict(os.environ)
    try:
        shell._forget_surroundings()
        assert set(os.environ) <= {"TERM", "LANG", "COLUMNS", "PATH"}
        assert os.environ["TERM"] == "vt100"
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.mark.parametrize(
    "line",
    [
        "request provision web --size 20G --cpus 2 --image debian:13 --expires 2027-01-31 -y",
        "raptorctl request list",
        "request snapshot create web before --dry-run",
        "request show 20261129-204501-a1b2",
        "request deprovision web --force -y",
        "request share web bob --console --until 2027-01-31",
        "request unshare web bob",
        "request shares",
    ],
)
def test_requests_are_made_with_options_of_a_table(ran: list[list[str]], line: str) -> None:
    assert obey("alice", line) == 0
    assert ran == [line.removeprefix("raptorctl ").split()]


@pytest.mark.parametrize(
    "line",
    [
        "request",
        "request approve 20261129-204501-a1b2",
        "request deny 20261129-204501-a1b2 --reason x",
        "raptorctl provision alice web",
        "raptorctl raptorctl request list",
        "request provision web --user-data /etc/passwd",
        "request provision web --key -",
        "request provision web --image /etc/passwd",
        "request provision web --image",
        "request provision web --image -y",
        "request provision web --image=debian:13",
        "request provision web; id",
        "request provision web  --size 1G",
        "request provision $(id)",
        "request list -o json",
        "request list --columns id",
        "request snapshot web",
        "request provision a b c",
        "request share web bob eve --console",
        "request share web bob --until",
        "request list " + "x" * 200,
    ],
)
def test_of_requests_nothing_else_is_understood(ran: list[list[str]], line: str) -> None:
    assert obey("alice", line) == 2
    assert ran == []
