"""`wait`, `ip`, `ssh`, `why`, `run`, and steps after `provision`, on a host in memory."""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from raptorctl.cli.command.provision import _decide
from raptorctl.cli.command.run import GuestSteps
from raptorctl.errors import HostError, RefusedError, StoppedError, WaitError
from raptorctl.model.facts import HostFacts
from raptorctl.model.guest import Endpoint, Neighbour
from raptorctl.model.names import MachineName
from raptorctl.model.spec import MachineSpec
from raptorctl.model.ssh_key import parse_keys
from raptorctl.plans.doctor.fault import NOBODY
from raptorctl.plans.machine.choice import ProvisionRequest
from raptorctl.plans.plan import Plan
from tests.fakes import IMAGE, FakeShell, World
from tests.session_host import SessionWorld
from tests.unit.cli.session import PROVISION, CommandLine, FakeSession
from tests.unit.model.test_first_boot import BOOT, FINAL, FINISHED, WHOLE
from tests.unit.model.test_guest import ANOTHER, KEY, SLOT, told
from tests.unit.model.test_ssh_key import GOOD

BANNER = "SSH-2.0-OpenSSH_10.0p2"


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the console says; the last item is the present."""
    said = [""]
    monkeypatch.setattr(FakeSession, "console_text", lambda *_words: said[-1])
    return said


@pytest.fixture
def alice(raptorctl: CommandLine, console: list[str]) -> CommandLine:
    assert raptorctl(*PROVISION).code == 0
    return raptorctl


@pytest.fixture
def known(alice: CommandLine, world: World, console: list[str]) -> CommandLine:
    """A machine that greets, by a host key that its console has told."""
    console.append(WHOLE + told(f"{KEY.type} {KEY.blob} root@alice-dev"))
    world.guests.banners = [BANNER]
    return alice


@pytest.fixture
def files(tmp_path: Path) -> Iterator[list[str]]:
    for name in ("a.sh", "b.sh", "app.conf", "id"):
        (tmp_path / name).write_text("#!/bin/sh\n")
    yield ["--identity", str(tmp_path / "id")]


# wait


def test_a_machine_that_is_ready_is_already_so(alice: CommandLine, world: World) -> None:
    world.guests.banners = [BANNER]
    waited = alice("wait", "alice", "dev")
    assert (waited.code, waited.err) == (0, "")
    assert waited.out == f"alice-dev: ssh, already so: 198.51.100.1:22: {BANNER}\n"


def test_what_is_not_yet_is_waited_for_and_said(alice: CommandLine, world: World) -> None:
    world.guests.banners = ["(no answer)", "(connection refused)", BANNER]
    waited = alice("wait", "alice-dev", "--for", "ssh", "-o", "json")
    said = json.loads(waited.out)
    assert (said["seen"], said["already"]) == (f"198.51.100.1:22: {BANNER}", False)
    assert waited.err.startswith("waiting for ssh of alice-dev, at most 300 s\n")
    assert world.guests.banners == [BANNER]


@pytest.mark.parametrize(
    ("awaited", "seen"),
    [
        ("ssh", "198.51.100.1:22: (connection refused)"),
        ("ip", "no answer of 52:54:00:00:00:01 at 198.51.100.1 and 2001:db8:0:1::1"),
        ("cloud-init", "a console that has said nothing yet"),
        ("agent", "it is not connected"),
    ],
)
def test_a_wait_that_ends_without_it_says_what_was_seen_instead(
    alice: CommandLine, awaited: str, seen: str
) -> None:
    waited = alice("wait", "alice", "dev", "--for", awaited, "--timeout", "0.3")
    last = waited.err.splitlines()[-1]
    assert (waited.code, waited.out) == (5, "")
    assert re.search(rf"waited [0-9.]+ s for {awaited} of alice-dev; saw ", last)
    assert seen in last
    assert "raptorctl why alice-dev" in last


def test_another_machine_on_the_bridge_is_not_it_but_is_named(
    alice: CommandLine, world: World
) -> None:
    world.guests.table = (Neighbour("198.51.100.1", "52:54:00:00:00:02", frozenset({"REACHABLE"})),)
    waited = alice("wait", "alice", "dev", "--for", "ip", "--timeout", "0.3")
    assert (waited.code, "52:54:00:00:00:02 is at 198.51.100.1" in waited.err) == (5, True)
    world.guests.alive_at.add("2001:db8:0:1::1")
    assert "answers at 2001:db8:0:1::1" in alice("wait", "alice", "dev", "--for", "ip").out


def test_cloud_init_is_told_by_the_console_and_its_error_is_an_error(
    alice: CommandLine, console: list[str]
) -> None:
    console.append(WHOLE)
    assert (
        "already so: Cloud-init v. 25.1.4"
        in alice("wait", "alice", "dev", "--for", "cloud-init").out
    )
    console.append(BOOT + FINAL + "Failed running /var/lib/x/scripts/runcmd [1]\r\n" + FINISHED)
    failed = alice("wait", "alice", "dev", "--for", "cloud-init")
    assert (failed.code, "it failed: Failed running" in failed.complaint) == (1, True)


def test_a_boot_before_the_last_power_on_has_not_made_it_ready(
    alice: CommandLine, world: World, console: list[str]
) -> None:
    console.append(WHOLE)
    ended = datetime(2026, 11, 24, 23, 0, 8, tzinfo=UTC).timestamp()
    for since, code in ((ended - 20, 0), (ended + 3600, 5)):
        world.guests.since = since
        assert alice("wait", "alice", "dev", "--for", "cloud-init", "--timeout", "0").code == code


def test_a_tenant_waits_for_her_own_machine_and_no_others(alice: CommandLine, world: World) -> None:
    alice.root, world.guests.banners = False, [BANNER]
    for verb in ("wait", "ip", "why"):
        assert alice(verb, "alice", "dev").code == 0
        refused = alice(verb, "bob", "web")
        assert (refused.code, "no such machine" in refused.complaint) == (3, True)
    assert alice("log", "alice", "dev", "--steps").code == 3


@pytest.mark.parametrize(
    ("result", "code"),
    [
        ('{"v1": {"datasource": "x", "errors": []}}', 0),
        ('{"v1": {"errors": ["boom"]}}', 1),
        ('{"v1": ', 5),
        ("[]", 5),
    ],
)
def test_where_the_console_is_mute_cloud_inits_own_result_is_read(
    alice: CommandLine, world: World, result: str, code: int
) -> None:
    world.guests.files["/run/cloud-init/result.json"] = result
    waited = alice("wait", "alice", "dev", "--for", "cloud-init", "--timeout", "0")
    assert (waited.code, "boom" in waited.err) == (code, code == 1)


def test_an_agent_that_answers_is_noticed(alice: CommandLine, world: World) -> None:
    world.guests.agent = ""
    assert "agent answers" in alice("wait", "alice", "dev", "--for", "agent").out


def test_one_who_may_not_ask_the_agent_is_told_so(alice: CommandLine, world: World) -> None:
    def refuse(uuid: str) -> str:
        raise RefusedError("polkit does not let you reach the guest's agent")

    world.guests.ping_agent = refuse  # type: ignore[method-assign]
    assert alice("wait", "alice", "dev", "--for", "agent").code == 3


@pytest.mark.parametrize("verb", ["wait", "ssh", "run"])
def test_a_machine_that_is_off_is_refused_at_once(
    alice: CommandLine, verb: str, files: list[str], tmp_path: Path
) -> None:
    alice("stop", "alice", "dev")
    words = ["--run", str(tmp_path / "a.sh"), *files] if verb == "run" else []
    refused = alice(verb, "alice", "dev", *words)
    assert (refused.code, "shut off: raptorctl start" in refused.complaint) == (3, True)


def test_a_machine_that_goes_off_meanwhile_is_not_waited_for(
    alice: CommandLine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("raptorctl.api.guest.LOOK_AGAIN", 0)
    (domain,) = world.domains.list()

    def crash(at: Endpoint) -> str:
        world.domains.shut_down(domain.uuid, 1, lambda *_: None)
        return "(no answer)"

    world.guests.banner = crash  # type: ignore[method-assign]
    waited = alice("wait", "alice", "dev")
    assert (waited.code, "alice-dev is shut off" in waited.err) == (3, True)


# ip


def test_addresses_are_told_with_who_says_so(alice: CommandLine, world: World) -> None:
    world.guests.table = (
        Neighbour("198.51.100.66", "52:54:00:00:00:02", frozenset({"REACHABLE"})),
        Neighbour("198.51.100.1", SLOT.mac, frozenset({"STALE"})),
    )
    world.guests.told = ("198.51.100.1",)
    lines = alice("ip", "alice", "dev").out.splitlines()
    assert [line.split(maxsplit=1) for line in lines] == [
        ["ADDRESS", "FROM"],
        ["198.51.100.1", "slot, neighbour, agent"],
        ["2001:db8:0:1::1", "slot"],
    ]
    assert "66" not in alice("ip", "alice", "dev", "-o", "json").out


# ssh


def test_ssh_is_called_with_the_key_that_the_console_told(known: CommandLine, world: World) -> None:
    done = known("ssh", "alice-dev", "--user", "root", "--", "uptime", "-p")
    ((login, command),) = world.guests.logins
    assert (done.code, command) == (7, ("uptime", "-p"))
    assert [key.blob for key in login.host_keys] == [KEY.blob]
    assert (login.user, login.name, str(login.at)) == ("root", "alice-dev", "198.51.100.1:22")
    known("ssh", "alice", "dev")
    assert (world.guests.logins[-1][0].user, world.guests.logins[-1][1]) == ("alice", ())


def test_the_key_in_the_mark_goes_before_the_consoles(known: CommandLine, world: World) -> None:
    (domain,) = world.domains.list()
    assert domain.mark
    mark = replace(domain.mark, host_key=f"{ANOTHER.type} {ANOTHER.blob}")
    world.domains.by_uuid[domain.uuid] = replace(domain, mark=mark)
    assert known("ssh", "alice", "dev").code == 7
    ((login, _),) = world.guests.logins
    assert [key.blob for key in login.host_keys] == [ANOTHER.blob]


def test_without_a_known_key_nobody_is_trusted(alice: CommandLine, world: World) -> None:
    world.guests.banners = [BANNER]
    refused = alice("ssh", "alice", "dev")
    assert (refused.code, "host key of alice-dev is not known" in refused.complaint) == (3, True)
    assert not world.guests.logins


@pytest.mark.parametrize("user", ["-oProxyCommand=x", "a b", "", "ä", "x" * 33])
def test_an_account_that_is_none_never_reaches_ssh(
    known: CommandLine, world: World, user: str
) -> None:
    assert known("ssh", f"--user={user}", "alice", "dev").code == 2
    assert not world.guests.logins


def test_a_machine_of_one_word_needs_a_second(alice: CommandLine) -> None:
    assert alice("ssh", "alice").code == 2


# why


def test_why_tells_what_a_boot_hangs_at(alice: CommandLine, console: list[str]) -> None:
    console.append(BOOT + "\r\nalice-dev login: ")
    table = alice("why", "alice", "dev", terminal=True).out.splitlines()[:-2]
    assert max(map(len, table)) <= 80
    told = alice("why", "alice", "dev")
    assert (
        "alice-dev: it runs, but is not on the network: 0 frames sent, no DHCP request" in told.out
    )
    document = json.loads(alice("why", "alice", "dev", "-o", "json").out)
    assert document["reached"] == "login"
    assert {stage["stage"]: stage["mark"] for stage in document["stages"]}["kernel"] == "seen"


def test_why_of_a_machine_that_is_off_asks_nobody(alice: CommandLine, world: World) -> None:
    alice("stop", "alice", "dev")
    world.guests.banners = []  # looking would fail
    assert "it is shut off" in alice("why", "alice", "dev").out


def test_why_says_when_all_is_well(alice: CommandLine, world: World, console: list[str]) -> None:
    console.append(WHOLE)
    world.guests.banners, world.guests.agent = [BANNER], ""
    world.guests.alive_at.add("198.51.100.1")
    assert alice("why", "alice", "dev").out.endswith("\n\nalice-dev is up\n")


# run


def test_steps_run_in_the_order_typed_and_are_logged(
    known: CommandLine, world: World, tmp_path: Path, files: list[str]
) -> None:
    a, b, conf = (str(tmp_path / name) for name in ("a.sh", "b.sh", "app.conf"))
    done = known("run", "alice", "dev", "--run", b, "--copy", f"{conf}:/etc/x", "--run", a, *files)
    assert (done.code, done.out) == (0, "alice-dev: 3 steps done\n")
    assert world.guests.done == ["run b.sh", "copy app.conf /etc/x", "run a.sh"]
    assert done.err.splitlines()[:2] == ["1/3 run b.sh", "b.sh speaks"]
    log = (tmp_path / "log/steps/alice-dev.log").read_text()
    assert [re.sub(r"^== \S+ ", "", line) for line in log.splitlines()] == [
        "1/3 run b.sh", "b.sh speaks", "1/3 status 0",
        "2/3 copy app.conf to /etc/x", "2/3 status 0",
        "3/3 run a.sh", "a.sh speaks", "3/3 status 0",
    ]  # fmt: skip
    assert (tmp_path / "log/steps/alice-dev.log").stat().st_mode & 0o777 == 0o600
    assert known("log", "alice", "dev", "--steps", "-n", "1").out.endswith("3/3 status 0\n")


def test_the_first_failure_ends_it_and_the_machine_stays(
    known: CommandLine, world: World, tmp_path: Path, files: list[str]
) -> None:
    world.guests.outcomes["a.sh"] = 3
    a, b = str(tmp_path / "a.sh"), str(tmp_path / "b.sh")
    failed = known("run", "alice", "dev", "--run", a, "--run", b, *files)
    assert failed.code == 1
    assert "step 1/2 (run a.sh) ended with status 3; the machine stays" in failed.err
    assert world.guests.done == ["run a.sh"]
    assert world.domains.list()[0].state.active


def test_a_step_that_takes_too_long_is_exit_code_5_and_in_the_log(
    known: CommandLine, world: World, tmp_path: Path, files: list[str]
) -> None:
    world.guests.outcomes["a.sh"] = WaitError("a.sh to end", 1, "no end of it")
    failed = known("run", "alice", "dev", "--run", str(tmp_path / "a.sh"), *files)
    assert failed.code == 5
    assert "broke off: waited 1 s" in (tmp_path / "log/steps/alice-dev.log").read_text()


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--run", "{}/missing.sh"],
        ["--copy", "{}/app.conf"],
        ["--run", "{}"],
        ["--run", "{}/a.sh", "--identity", "{}/missing"],
    ],
)
def test_steps_that_cannot_be_are_refused_before_anything_is_touched(
    known: CommandLine, world: World, tmp_path: Path, files: list[str], words: list[str]
) -> None:
    given = [word.replace("{}", str(tmp_path)) for word in words]
    refused = known("run", "alice", "dev", *files, *given)
    assert (refused.code, world.guests.logins) == (2, [])


def test_without_a_key_to_log_in_with_nothing_begins(
    known: CommandLine,
    world: World,
    tmp_path: Path,
    files: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    refused = known("run", "alice", "dev", "--run", str(tmp_path / "a.sh"))
    assert (refused.code, "--identity" in refused.complaint) == (2, True)


def test_what_a_step_says_does_not_drive_the_terminal(
    known: CommandLine, tmp_path: Path, files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = tmp_path / "a.sh"
    shell_says = "\x1b]0;owned\x07\x1b[2Jplain"

    def run(_self: object, _script: Path, _timeout: float, heard) -> int:  # type: ignore[no-untyped-def]
        for byte in (shell_says + "\u20ac").encode():  # cuts every sequence and every letter
            heard(bytes([byte]))
        return 0

    monkeypatch.setattr(FakeShell, "run", run)
    done = known("run", "alice", "dev", "--run", str(evil), *files)
    assert ("plain\u20ac\n" in done.err, "\x1b" in done.err, "owned" in done.err) == (
        True,
        False,
        False,
    )


def test_provision_goes_on_with_steps_once_the_guest_greets_and_told_its_key(
    raptorctl: CommandLine, world: World, console: list[str], tmp_path: Path, files: list[str]
) -> None:
    world.guests.banners = ["(no answer)", BANNER]
    console.append(WHOLE + told(str(parse_keys(GOOD)[0])))
    step = ["--run", str(tmp_path / "a.sh"), *files]
    assert raptorctl(*PROVISION, "--no-start", *step).code == 2
    assert raptorctl(*PROVISION, "--dry-run", *step).code == 0
    assert not world.guests.logins
    assert raptorctl(*PROVISION, *step).code == 0
    assert world.guests.done == ["run a.sh"]


def test_a_rebuild_has_steps_by_a_key_of_its_own(
    raptorctl: CommandLine,
    world: World,
    tmp_path: Path,
    files: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    world.images.all = (IMAGE,)
    world.guests.banners = [BANNER]
    raptorctl(*PROVISION, "--image", "debian:13")
    words = ("rebuild", "alice", "dev", "-y", "--run", str(tmp_path / "a.sh"), "--inline", "id")
    assert raptorctl(*words, "--no-start").code == 2
    assert "run a.sh" in raptorctl(*words, "--dry-run").out
    done = raptorctl(*words)
    assert done.code == 0, done.err
    assert world.guests.done == ["run a.sh", "run id", "forget raptorctl-job"]


def test_scripts_are_run_where_it_is_said_and_their_errors_may_not_count(
    raptorctl: CommandLine, world: World, tmp_path: Path, files: list[str]
) -> None:
    world.images.all = (IMAGE,)
    world.guests.banners = [BANNER]
    raptorctl(*PROVISION, "--image", "debian:13")
    word = str(tmp_path / "a.sh")
    words = ("rebuild", "alice", "dev", "-y", "--inline", "make", "--copy", f"{word}:/x",
             "--inline", "id", "--dir", "/srv", "--as", "app")  # fmt: skip
    world.guests.outcomes["inline"] = 7
    assert "run make in /srv as app" in raptorctl(*words, "--dry-run").out
    stopped = raptorctl(*words)
    assert (stopped.code, "1/3 (run make in /srv as app) ended" in stopped.err) == (1, True)
    done = raptorctl(*words, "--ignore-errors")
    assert (done.code, done.err.count("ended with status 7, which is ignored")) == (0, 2)
    assert world.guests.done[-4:-1] == [
        "run make in /srv as app", "copy a.sh /x", "run id in /srv as app",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--inline", "id", "--dir", "srv"), "--dir: 'srv' is not a path in the guest, from /"),
        (("--copy", "{}:/x", "--dir", "/srv"), "--dir is for scripts, and there is no --run"),
        (("--copy", "{}:/x", "--ignore-errors"), "--ignore-errors is for scripts"),
        (("--ignore-errors",), "--ignore-errors is for scripts"),
        (("--as", "app"), "--as is for steps, and there is no --run, --inline or --copy"),
    ],
)
def test_where_and_whether_are_of_scripts_alone(
    raptorctl: CommandLine, tmp_path: Path, files: list[str], words: tuple[str, ...], says: str
) -> None:
    said = [word.replace("{}", str(tmp_path / "a.sh")) for word in words]
    done = raptorctl("run", "alice", "dev", *said)
    assert (done.code, says in done.complaint) == (2, True), done.err


@pytest.mark.parametrize(
    ("outcome", "code"), [(0, 0), (3, 1), (StoppedError(2), 130), (WaitError("x", 1, "y"), 5)]
)
def test_provisions_own_key_is_in_the_seed_and_taken_away_even_after_a_failure(
    raptorctl: CommandLine,
    world: World,
    console: list[str],
    tmp_path: Path,
    files: list[str],
    monkeypatch: pytest.MonkeyPatch,
    outcome: int | Exception,
    code: int,
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    (tmp_path / "user-data").write_text("#cloud-config\nlocale: C.UTF-8\n")
    world.guests.banners = [BANNER]
    world.guests.outcomes["a.sh"] = outcome
    told = ["--user-data", str(tmp_path / "user-data"), "--run", str(tmp_path / "a.sh")]
    done = raptorctl(*PROVISION, *told)
    assert (done.code, "status 3" in done.err) == (code, outcome == 3)
    assert world.guests.done == ["run a.sh", "forget raptorctl-job"]
    ((login, _),) = world.guests.logins
    assert "PRIVATE KEY" in login.key
    assert login.key not in done.out + done.err + repr(world.files.texts)
    (seed,) = [text for path, (text, _) in world.files.texts.items() if path.endswith("seed.iso")]
    assert "raptorctl-job-" in seed
    assert [key.blob for key in login.host_keys] != []
    (domain,) = world.domains.list()
    assert domain.mark
    assert domain.mark.host_key.split()[1] == login.host_keys[0].blob


@pytest.fixture
def stepped(
    world: World,
    console: list[str],
    tmp_path: Path,
    files: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[str, ...]:
    """A provision with a step, by a key of its own: there is no other, and the guest greets."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    world.guests.banners = [BANNER]
    return (*PROVISION, "--network", "dhcp", "--run", str(tmp_path / "a.sh"))


def new_key(path: Path, passphrase: str = "") -> Path:
    """Make a key as ssh-keygen does; its public half lies beside it."""
    words = ("ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "somebody")
    subprocess.run([*words, "-f", str(path)], check=True)
    return path


def test_steps_by_a_key_that_the_guest_is_not_told_are_refused_before_anything_is_made(
    raptorctl: CommandLine, world: World, stepped: tuple[str, ...], tmp_path: Path
) -> None:
    stranger = new_key(tmp_path / "stranger")
    before = world.picture()
    for more in ((), ("--dry-run",)):
        refused = raptorctl(*stepped, "--identity", str(stranger), *more)
        assert (refused.code, "is not told the key in --identity" in refused.complaint) == (3, True)
        assert "--key FILE.pub" in refused.complaint
    assert world.picture() == before
    told = raptorctl(*stepped, "--identity", str(stranger), "--key", f"{stranger}.pub")
    assert (told.code, world.guests.done) == (0, ["run a.sh"])


def test_a_key_that_user_data_or_a_certificate_may_let_in_is_not_refused(
    raptorctl: CommandLine, stepped: tuple[str, ...], tmp_path: Path
) -> None:
    stranger = new_key(tmp_path / "stranger")
    words = (*stepped, "--identity", str(stranger), "--dry-run")
    (tmp_path / "user-data").write_text("#cloud-config\nssh_import_id: [gh:somebody]\n")
    assert raptorctl(*words, "--user-data", str(tmp_path / "user-data")).code == 0
    (tmp_path / "stranger-cert.pub").write_text("ssh-ed25519-cert-v01@openssh.com AAAA\n")
    assert raptorctl(*words).code == 0


def test_a_key_with_a_passphrase_is_refused_as_nobody_is_asked_for_it(
    known: CommandLine, world: World, tmp_path: Path, files: list[str]
) -> None:
    locked = new_key(tmp_path / "locked", "secret")
    step = ("--run", str(tmp_path / "a.sh"), "--identity", str(locked))
    refused = known("run", "alice", "dev", *step)
    assert (refused.code, "has a passphrase" in refused.complaint) == (2, True)
    assert world.guests.logins == []


def test_a_jobs_key_that_nobody_comes_to_take_away_is_mentioned(
    raptorctl: CommandLine,
    world: World,
    stepped: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_words: object) -> object:
        raise HostError("alice-dev lets alice not in by the job's own key")

    monkeypatch.setattr(world.guests, "open", refuse)
    done = raptorctl(*stepped)
    assert done.code == 1
    assert re.search("note: raptorctl-job-[0-9a-f]+ is still among the account's keys", done.err)


def test_steps_in_a_guest_without_network_are_refused_before_it_is_made(
    raptorctl: CommandLine, world: World, stepped: tuple[str, ...]
) -> None:
    done = raptorctl(*stepped, "--net", "none")
    assert (done.code, "alice-dev is not reached by ssh" in done.complaint) == (3, True)
    assert world.domains.list() == ()


def test_a_machine_without_network_says_so_and_is_not_sought(
    raptorctl: CommandLine, world: World
) -> None:
    assert raptorctl(*PROVISION, "--net", "none").code == 0
    assert "network    none\n" in raptorctl("show", "alice", "dev").out
    for verb in ("ip", "ssh", "wait", "why"):
        done = raptorctl(verb, "alice", "dev")
        assert (done.code, "alice-dev has no network" in done.complaint) == (3, True), verb
    assert not world.zones.records
    assert raptorctl("deprovision", "alice", "dev", "-y").code == 0


def test_steps_in_the_guest_of_an_empty_disk_are_refused_on_a_session_host(tmp_path: Path) -> None:
    world = SessionWorld(tmp_path)
    asked = ProvisionRequest(MachineName(world.settings.owner, "dev"), MachineSpec(cpus=1))

    def planned(wanted: ProvisionRequest, facts: HostFacts, *, steps: bool) -> Plan:
        return _decide(wanted, GuestSteps(), steps=steps, own=True)(world.settings, facts, NOBODY)

    facts = replace(world.facts(), images=(IMAGE,))
    assert planned(asked, facts, steps=False).steps
    assert planned(replace(asked, found=IMAGE), facts, steps=True).steps
    with pytest.raises(RefusedError, match=r"-dev is empty: there is no guest to .* --image"):
        planned(asked, facts, steps=True)


def test_a_machine_that_stood_before_is_not_entered_by_a_key_it_never_got(
    raptorctl: CommandLine,
    world: World,
    stepped: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert raptorctl(*stepped).code == 0
    again = raptorctl(*stepped)
    assert (again.code, "name one with --identity FILE" in again.complaint) == (2, True)
    monkeypatch.setenv("SSH_AUTH_SOCK", "/nowhere")
    assert raptorctl(*stepped).code == 0
    assert [login.key != "" for login, _ in world.guests.logins] == [True, False]


@pytest.mark.parametrize(
    "words", [("wait", "--timeout"), ("stop", "--force", "--timeout"), ("run", "--step-timeout")]
)
def test_what_is_no_number_of_seconds_is_refused(
    known: CommandLine, world: World, words: tuple[str, ...]
) -> None:
    for text in ("nan", "inf", "-1"):
        assert known(words[0], "alice", "dev", *words[1:], text).code == 2
    assert world.domains.list()[0].state.active


def test_the_log_of_steps_goes_with_the_machine(known: CommandLine, world: World) -> None:
    world.files.paths.add("/var/log/raptorctl/steps/alice-dev.log")
    assert known("deprovision", "alice", "dev", "-y").code == 0
    assert not [path for path in world.files.paths if "steps" in path]


def test_a_machine_in_which_no_step_ran_has_no_such_log(alice: CommandLine) -> None:
    missing = alice("log", "alice", "dev", "--steps")
    assert (missing.code, "no step ran" in missing.complaint) == (3, True)
    assert alice("log", "alice", "dev", "--steps", "--console").code == 2
