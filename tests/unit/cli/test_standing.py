"""Provision of a machine that stands: it is as asked, or each difference is told with its way."""

from dataclasses import replace
from pathlib import Path

import pytest

from raptorctl.model.domain import State
from tests.fakes import IMAGE, World
from tests.unit.cli.session import PROVISION, CommandLine
from tests.unit.model.test_ssh_key import GOOD, made

OTHER = made("ssh-ed25519", b"o" * 32) + " other@laptop\n"
SCRIPT = "#!/bin/sh\necho 1\n"


@pytest.fixture
def host(tmp_path: Path) -> CommandLine:
    for name, text in {"alice.pub": GOOD, "other.pub": OTHER, "a.sh": SCRIPT}.items():
        (tmp_path / name).write_text(text)
    line = CommandLine(World(), tmp_path)
    line.world.images.all = (IMAGE, replace(IMAGE, name="arch", digest="ab" * 32))
    assert line("tenant", "add", "alice", "--key", str(tmp_path / "alice.pub")).code == 0
    return line


def typed(host: CommandLine, *words: str) -> tuple[str, ...]:
    return (*PROVISION, "-y", *(word.replace("~", str(host.directory)) for word in words))


@pytest.mark.parametrize(
    "words",
    [
        ("--image", "5eed" * 16), ("--graphics", "vnc-socket"), ("--network", "static"),
        ("--key", "~/alice.pub"), ("--key", "~/other.pub", "--network", "dhcp"),
        ("--user-data", "~/a.sh"), ("--no-seed",), ("--template", "serial-console"),
        ("--slot", "2"), ("--memory", "1G"),
    ],
)  # fmt: skip
def test_what_it_was_made_with_is_already_so(host: CommandLine, words: tuple[str, ...]) -> None:
    assert host(*typed(host, *words)).code == 0
    again = host(*typed(host, *words))
    assert (again.code, "already so" in again.out) == (0, True), again.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--image", "ab" * 32), "image debian:13, not arch: by a rebuild\n"
         f"    raptorctl rebuild alice-dev --image {'ab' * 32}\n"),
        (("--graphics", "spice-socket"), "graphics none, not spice-socket: no command changes it\n"
         "    raptorctl deprovision alice-dev, then provision it so\n"),
        (("--network", "static"), "network dhcp, not static: by a rebuild\n"
         "    raptorctl rebuild alice-dev --network static\n"),
        (("--key", "~/other.pub"), "keys of the tenant lack other@laptop: now\n"
         "    raptorctl tenant key add alice FILE\n"
         "  keys of the guest lack other@laptop: by a rebuild\n"
         "    raptorctl rebuild alice-dev, once the tenant has it"),
        (("--user-data", "~/a.sh"), "user-data none, not sha256 "),
        (("--no-seed",), "seed attached, not none: now\n    raptorctl seed detach alice-dev\n"),
        (("--memory", "1G"), "memory 4G, not 1G: at its next start\n"
         "    raptorctl resize alice-dev --memory 1G\n"),
        (("--profile", "web-server", "--image", "5eed" * 16), "packages none, not nginx"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_what_differs_is_told_in_a_line_each_with_the_command_that_changes_it(
    host: CommandLine, words: tuple[str, ...], says: str, dry: tuple[str, ...]
) -> None:
    first = typed(host, "--image", "5eed" * 16, "--no-start", "--memory", "4G")
    assert host(*first).code == 0
    again = host(*typed(host, *words, *dry))
    assert again.code == 3
    assert again.err.startswith("raptorctl: machine alice-dev exists and differs: ")
    assert f"\n  {says}" in again.err


def test_a_machine_from_before_marks_kept_it_says_so_and_a_rebuild_makes_it_known(
    host: CommandLine,
) -> None:
    words = ("--user-data", "~/a.sh", "--no-start")
    assert host(*typed(host, *words)).code == 0
    (domain,) = host.world.domains.list()
    assert domain.mark
    old = replace(domain, mark=replace(domain.mark, made=""))
    host.world.domains.by_uuid[domain.uuid] = old
    said = host(*typed(host, *words)).err
    assert "user-data not known, sha256 " in said
    script = str(host.directory / "a.sh")
    done = host("rebuild", "alice", "dev", "--user-data", script, "--no-start", "-y")
    assert done.code == 0, done.err
    assert "already so" in host(*typed(host, *words)).out


def test_the_mark_keeps_no_secret(host: CommandLine) -> None:
    assert host(*typed(host, "--user-data", "~/a.sh")).code == 0
    (domain,) = host.world.domains.list()
    assert domain.mark
    assert "echo" not in domain.xml
    assert "sha256" not in domain.mark.made
    assert GOOD.split()[1] not in domain.xml


@pytest.mark.parametrize(
    ("state", "says", "waits"),
    [
        (State.OFF, "machine alice-dev was off: it is started\n", ""),
        (State.PAUSED, "machine alice-dev was paused: it goes on\n", "raptorctl resume alice-dev"),
        (State.SUSPENDED, "machine alice-dev was pmsuspended: it goes on\n",
         "raptorctl resume alice-dev"),
        (State.SAVED, "machine alice-dev was saved: it goes on\n", "raptorctl start alice-dev"),
    ],
)  # fmt: skip
def test_one_that_does_not_run_runs_again_and_what_it_was_is_said(
    host: CommandLine, state: State, says: str, waits: str
) -> None:
    assert host(*typed(host)).code == 0
    (domain,) = host.world.domains.list()
    host.world.domains.by_uuid[domain.uuid] = replace(domain, state=state)
    left = host(*typed(host, "--no-start"))
    assert left.out.startswith("machine alice-dev is already so")
    assert (waits in left.out, "lets it go on" in left.out) == (True, bool(waits))
    assert host(*typed(host)).out.startswith(says)
    assert host.world.domains.list()[0].state is State.RUNNING


def test_one_that_was_paused_by_hand_is_resumed_by_hand(host: CommandLine) -> None:
    assert host(*typed(host)).code == 0
    assert host("suspend", "alice", "dev").code == 0
    assert "already so" in host(*typed(host, "--no-start")).out
    assert host("resume", "alice", "dev").code == 0
    assert host.world.domains.list()[0].state is State.RUNNING
