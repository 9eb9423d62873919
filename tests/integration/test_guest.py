"""A guest's ssh server: real ones, honest, late, mute, and with another key."""

import asyncio
import os
import pwd
import re
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncssh
import pytest

from raptorctl.api.steps import new_job_key
from raptorctl.drivers.guest import Login
from raptorctl.errors import HostError, InputError, StoppedError, WaitError
from raptorctl.host.guest import greeting, readiness, sftp
from raptorctl.host.guest import keys as guest_keys
from raptorctl.host.guest import login as guest_login
from raptorctl.host.guest import shell as guest_ssh
from raptorctl.host.guest.guests import LocalGuests
from raptorctl.host.guest.login import PATIENCE, arguments
from raptorctl.host.guest.shell import SshShell, open_shell
from raptorctl.host.guest.wait import wait_until
from raptorctl.model.guest import Endpoint
from raptorctl.model.guest_step import GuestStep, inline
from raptorctl.model.session_host import LOOPBACK
from tests.integration.sshd import Sshd, free_port, make_key
from tests.lab.process import wait_for

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root acts for somebody else")


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    with Sshd(tmp_path) as server:
        yield server


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path leaves room for a Unix socket's name (unix(7): 108 bytes)."""
    with TemporaryDirectory(prefix="raptor-", dir="/tmp") as path:
        yield Path(path)


@pytest.fixture
def shell(sshd: Sshd) -> Iterator[SshShell]:
    with open_shell(sshd.login(), lambda: None) as opened:
        yield opened


def script(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def nothing(_data: bytes) -> None:
    pass


def test_a_script_runs_is_heard_and_is_gone_afterwards(shell: SshShell, tmp_path: Path) -> None:
    heard: list[bytes] = []
    hello = script(tmp_path, "he llo;x.sh", '#!/bin/sh\necho "$0"\necho two >&2\nexit 3\n')
    assert shell.run(GuestStep(hello), 20, heard.append) == 3
    place, two = b"".join(heard).decode().splitlines()
    assert (place.endswith("/he_llo_x.sh"), two) == (True, "two")
    assert not Path(place).parent.exists()


def test_lines_of_a_shell_run_as_a_script_does(shell: SshShell) -> None:
    heard: list[bytes] = []
    assert shell.run(inline("echo one\nexit 4"), 20, heard.append) == 4
    assert b"".join(heard) == b"one\n"


def test_a_script_runs_where_it_is_to(shell: SshShell, tmp_path: Path) -> None:
    place, heard = tmp_path / "a place; of 'its own'", list[bytes]()
    place.mkdir()
    assert shell.run(replace(inline("pwd"), dir=str(place)), 20, heard.append) == 0
    assert b"".join(heard).decode().strip() == str(place)
    assert shell.run(replace(inline("touch ran"), dir=f"{place}/none"), 20, heard.append) != 0
    assert list(place.iterdir()) == []


def test_a_script_has_no_input_to_wait_for(shell: SshShell, tmp_path: Path) -> None:
    assert shell.run(GuestStep(script(tmp_path, "cat.sh", "#!/bin/sh\ncat\n")), 20, nothing) == 0


@pytest.mark.parametrize("mode", [0o755, 0o600, 0o640])
def test_a_copy_keeps_its_mode_and_its_bytes(shell: SshShell, tmp_path: Path, mode: int) -> None:
    source, target = tmp_path / "source", tmp_path / "to there"
    source.write_bytes(bytes(range(256)) * 1000)
    source.chmod(mode)
    assert shell.copy(GuestStep(source, str(target)), 20) == str(target)
    assert target.read_bytes() == source.read_bytes()
    assert stat.S_IMODE(target.stat().st_mode) == mode


def test_a_copy_into_a_directory_keeps_its_name_and_one_into_nowhere_fails(
    shell: SshShell, tmp_path: Path
) -> None:
    source = script(tmp_path, "source", "x")
    (tmp_path / "folder").mkdir()
    assert shell.copy(GuestStep(source, str(tmp_path / "folder")), 20) == str(
        tmp_path / "folder/source"
    )
    with pytest.raises(HostError, match="No such file"):
        shell.copy(GuestStep(source, str(tmp_path / "nowhere/x")), 20)
    assert sorted(p.name for p in (tmp_path / "folder").iterdir()) == ["source"]


SUDO = """#!/bin/sh
[ "$1" = -n ] || exit 9
shift
echo "$@" >>{log}
case $1 in -u) [ "$2" = nobody ] || { echo "sudo: a password is required" >&2; exit 1; }
exec setpriv --reuid 65534 --regid 65534 --clear-groups "$4" "${@:5}";; esac
exec "$@"
"""
"""What a guest's sudo does for an account that needs no password for `nobody` and for root."""


@pytest.fixture
def sudo(tmp_path: Path) -> Iterator[tuple[SshShell, Path]]:
    log, programs = tmp_path / "sudo.log", tmp_path / "bin"
    programs.mkdir()
    fake = programs / "sudo"
    fake.write_text(SUDO.replace("{log}", str(log)).replace("#!/bin/sh", "#!/bin/bash"))
    fake.chmod(0o755)
    log.touch()
    log.chmod(0o666)
    tmp_path.chmod(0o755)
    with (
        Sshd(tmp_path, more=f"SetEnv PATH={programs}:/usr/bin:/bin") as server,
        open_shell(server.login(), lambda: None) as opened,
    ):
        yield opened, log


@as_root
def test_a_script_runs_as_another_account_and_nothing_is_left(
    sudo: tuple[SshShell, Path], tmp_path: Path
) -> None:
    shell, log = sudo
    heard: list[bytes] = []
    who = replace(inline('id -u\necho "$0"\nexit 3'), user="nobody")
    assert shell.run(who, 20, heard.append) == 3
    uid, place = b"".join(heard).decode().split()
    assert uid == str(NOBODY)
    assert not Path(place).parent.exists()
    assert [line.split()[0] for line in log.read_text().splitlines()] == ["chown", "-u", "rm"]


@as_root
def test_a_file_is_copied_by_another_account_whole_and_with_its_mode(
    sudo: tuple[SshShell, Path], tmp_path: Path, short: Path
) -> None:
    shell, _ = sudo
    short.chmod(0o755)
    source = script(tmp_path, "a b;x.conf", "x" * 100_000)
    source.chmod(0o640)
    folder = short / "for nobody"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    for target in (folder, folder / "it's"):
        placed = Path(shell.copy(GuestStep(source, str(target), user="nobody"), 20))
        assert placed == (target / source.name if target == folder else target)
        assert placed.read_text() == source.read_text()
        assert (stat.S_IMODE(placed.stat().st_mode), placed.stat().st_uid) == (0o640, NOBODY)
    with pytest.raises(HostError, match="Permission denied"):
        shell.copy(GuestStep(source, "/root/x", user="nobody"), 20)
    with pytest.raises(HostError, match="is not a directory"):
        shell.copy(GuestStep(source, f"{folder}/none/", user="nobody"), 20)
    assert len(list(folder.iterdir())) == 2


@as_root
def test_a_step_of_another_account_that_hangs_is_ended(
    sudo: tuple[SshShell, Path], tmp_path: Path
) -> None:
    shell, _ = sudo
    heard: list[bytes] = []
    for seconds in (2, 20, 200):
        with pytest.raises(WaitError):
            shell.run(
                replace(inline('echo "$0" $$\nsleep 1000'), user="nobody"), seconds, heard.append
            )
        if heard:
            break
    place, pid = b"".join(heard).decode().split()
    assert not Path(place).parent.exists()
    assert not Path(f"/proc/{pid}").exists()


@as_root
def test_a_guest_that_lets_nobody_act_as_another_says_what_to_do(
    sudo: tuple[SshShell, Path],
) -> None:
    shell, _ = sudo
    with pytest.raises(HostError, match="cannot act as nowhere: chown: invalid user") as caught:
        shell.run(replace(inline("true"), user="nowhere"), 20, nothing)
    assert "sudo without a password" in str(caught.value)


def test_a_step_that_hangs_is_ended_and_cleared_away(shell: SshShell, tmp_path: Path) -> None:
    heard: list[bytes] = []
    hang = script(tmp_path, "hang.sh", '#!/bin/sh\necho "$0" $$\nsleep 1000\n')
    for seconds in (2, 20, 200):  # it must have begun, for its end to be worth a look
        with pytest.raises(WaitError, match=r"hang\.sh"):
            shell.run(GuestStep(hang), seconds, heard.append)
        if heard:
            break
    place, pid = b"".join(heard).split()
    assert not Path(place.decode()).exists()
    process = Path(f"/proc/{pid.decode()}")
    wait_for("its end", lambda: "it runs" if process.exists() else None, 60)


def test_who_asks_to_stop_is_heard_within_a_step(sshd: Sshd, tmp_path: Path) -> None:
    began = threading.Event()

    def tick() -> None:
        if began.is_set():
            raise StoppedError(2)

    hang = script(tmp_path, "hang.sh", "#!/bin/sh\necho began\nsleep 1000\n")
    with open_shell(sshd.login(), tick) as opened, pytest.raises(StoppedError):
        opened.run(GuestStep(hang), 60, lambda _data: began.set())


def test_a_guest_whose_disk_hangs_is_left_in_time(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_words: object, **_more: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(guest_ssh, "CLEAR", 0.5)
    monkeypatch.setattr(sftp, "CLEAR", 0.5)
    monkeypatch.setattr(guest_ssh, "TIDY", 1.5)
    source = script(tmp_path, "source", "x")
    with open_shell(sshd.login(), lambda: None) as opened:
        monkeypatch.setattr(asyncssh.SFTPClient, "remove", never)
        monkeypatch.setattr(asyncssh.SFTPClientFile, "write", never)
        with pytest.raises(WaitError, match="source to be there"):
            opened.copy(GuestStep(source, str(tmp_path / "there")), 1)


def test_another_host_key_is_refused_before_anybody_logs_in(sshd: Sshd, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = make_key(tmp_path / "other" / "host")
    with (
        pytest.raises(HostError, match="has changed"),
        open_shell(sshd.login(other), lambda: None),
    ):
        pytest.fail("logged in")
    assert "Accepted" not in (sshd.folder / "log").read_text()


def test_another_key_of_ours_is_no_way_in(sshd: Sshd, tmp_path: Path) -> None:
    make_key(tmp_path / "stranger")
    login = sshd.login(identity=tmp_path / "stranger")
    with pytest.raises(HostError, match="not in by"), open_shell(login, lambda: None):
        pytest.fail("logged in")


def test_on_a_session_host_steps_log_in_by_the_files_that_ssh_tries(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = replace(sshd.login(), identity=None, files=True)
    home = pwd.getpwuid(os.getuid()).pw_dir
    monkeypatch.setenv("HOME", home)
    asked = guest_login.ssh_tries(login)
    assert asked
    assert all(path.startswith("/") for path in asked)
    locked = tmp_path / "locked"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "word", "-f", locked], check=True)
    (tmp_path / "damaged").write_text("x")
    names = (str(tmp_path / "missing"), str(tmp_path / "damaged"), str(locked))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setattr(guest_keys, "ssh_tries", lambda _login: (*names, str(sshd.folder / "own")))
    with open_shell(login, lambda: None):
        pass
    monkeypatch.setattr(guest_keys, "ssh_tries", lambda _login: names)
    with pytest.raises(HostError, match="that ssh tries"), open_shell(login, lambda: None):
        pytest.fail("logged in")


def test_nobody_there_is_told_with_what_was_seen(sshd: Sshd) -> None:
    at = Endpoint("127.0.0.1", free_port())
    login = sshd.login()
    object.__setattr__(login, "at", at)
    with pytest.raises(WaitError, match="refused"), open_shell(login, lambda: None):
        pytest.fail("logged in")


LOG_IN = """
import sys
from pathlib import PosixPath
from raptorctl.errors import RaptorError
from raptorctl.drivers.guest import Login
from raptorctl.host.guest.login import log_in
from raptorctl.model.guest import Endpoint
from raptorctl.model.ssh_key import PublicKey
try:
    sys.exit(log_in({login!r}, {words!r}, lambda: None))
except RaptorError as error:
    print(error.brief, file=sys.stderr)
    sys.exit(error.exit_code)
"""


def ssh(login: Login, *words: str) -> "subprocess.Popen[str]":
    """Begin `raptorctl ssh` in a process of its own, whose streams it has."""
    program = LOG_IN.format(login=login, words=words)
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", program], stdout=pipe, stderr=pipe, text=True)


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, error = process.communicate(timeout=60)
    return process.returncode, out, error


def test_the_systems_ssh_runs_a_command_and_says_nothing_of_its_own(sshd: Sshd) -> None:
    assert ended(ssh(sshd.login(), "echo", "in;", "exit", "7")) == (7, "in\n", "")
    assert ended(ssh(sshd.login(), "echo out >&2; exit 255")) == (255, "", "out\n")


def test_the_systems_ssh_takes_no_other_host_key_and_one_line_tells_both(
    sshd: Sshd, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = make_key(tmp_path / "other" / "host")
    status, out, said = ended(ssh(sshd.login(other), "echo in"))
    assert (status, out) == (1, "")
    changed = f"expected {other.fingerprint}, it shows {sshd.key.fingerprint}\n"
    assert said == f"the ssh host key of alice-dev has changed: {changed}"


def test_an_open_connection_of_somebody_less_careful_is_not_joined(
    sshd: Sshd, tmp_path: Path, short: Path
) -> None:
    login = sshd.login()
    options = tmp_path / "config of ssh"
    opened = short / "open"
    options.write_text(f"Host *\nControlMaster auto\nControlPath {opened}\n")
    careless = ["-F", str(options), "-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null"]
    where = ["-i", str(login.identity), "-p", str(login.at.port), login.at.host]
    with subprocess.Popen(["ssh", "-N", *careless, *where]) as master:
        try:
            # ssh binds a name of its own first, and gives the socket this one once it listens.
            wait_for("an open connection", lambda: None if opened.exists() else "none", 300)
            (tmp_path / "other").mkdir()
            wrong = replace(login, host_keys=(make_key(tmp_path / "other" / "host"),))
            argv = ["ssh", "-F", str(options), *arguments(wrong, ["echo", "in"])[1:]]
            joined = subprocess.run(argv, capture_output=True, timeout=300, check=False)
        finally:
            master.terminate()
    assert (joined.returncode, joined.stdout) == (255, b"")


def test_another_key_of_ours_is_no_way_in_by_the_systems_ssh(sshd: Sshd, tmp_path: Path) -> None:
    make_key(tmp_path / "stranger")
    login = sshd.login(identity=tmp_path / "stranger")
    status, _, said = ended(ssh(login, "true"))
    assert (status, "alice-dev does not let" in said) == (1, True)


@pytest.fixture
def admin(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> Iterator[Login]:
    """Somebody who typed sudo, with a key of their own that the guest lets in."""
    monkeypatch.setenv("SUDO_UID", str(NOBODY))
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        key = Path(folder, "id")
        key.write_bytes((sshd.folder / "own").read_bytes())
        key.chmod(0o600)
        os.chown(key, NOBODY, NOBODY)
        yield sshd.login(identity=key)


def runs_ssh(login: Login) -> set[int]:
    """Whose processes are an ssh to that port."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if words[0].endswith(b"/ssh") and str(login.at.port).encode() in words:
                found.add(process.stat().st_uid)
    return found


@as_root
def test_under_sudo_the_systems_ssh_runs_as_who_typed_it(sshd: Sshd, admin: Login) -> None:
    staying = ssh(admin, "sleep 4")
    wait_for("an ssh that runs", lambda: None if runs_ssh(admin) else "none", 30)
    seen = runs_ssh(admin)
    assert ended(staying) == (0, "", "")
    assert seen == {NOBODY}
    assert ended(ssh(admin, "echo", "in")) == (0, "in\n", "")
    status, _, said = ended(ssh(sshd.login(), "true"))  # by a key of root's
    assert (status, "alice-dev does not let" in said) == (1, True)


@as_root
def test_under_sudo_steps_log_in_by_a_key_of_who_typed_it(sshd: Sshd, admin: Login) -> None:
    with open_shell(admin, lambda: None) as opened:
        copied = opened.copy(GuestStep(a_file(admin, 0o644), f"{sshd.folder}/there"), 20)
        assert Path(copied).read_text() == "mine"
        with pytest.raises(InputError, match="cannot be read: Permission denied"):
            opened.copy(GuestStep(a_file(admin, 0o600), f"{sshd.folder}/there"), 20)
    with (
        pytest.raises(InputError, match="cannot be read: Permission denied"),
        open_shell(sshd.login(), lambda: None),
    ):
        pass


def a_file(login: Login, mode: int) -> Path:
    assert login.identity is not None
    path = login.identity.with_name(f"file-{mode:o}")
    path.write_text("mine")
    path.chmod(mode)
    return path


def test_many_logins_in_a_row_are_all_let_in(sshd: Sshd) -> None:
    assert [ended(ssh(sshd.login(), "true"))[0] for _ in range(8)] == [0] * 8
    log = (sshd.folder / "log").read_text()
    assert log.count("Accepted publickey") == 8
    assert len(re.findall("Connection (?:closed|reset) by .*preauth", log)) == 0


def test_a_server_that_starts_anew_is_waited_for_and_nobody_at_home_is_told(sshd: Sshd) -> None:
    sshd.stop()
    waiting = ssh(sshd.login(), "echo in")
    time.sleep(3)
    sshd.start()
    assert ended(waiting) == (0, "in\n", "")
    sshd.stop()
    status, _, said = ended(ssh(sshd.login(), "echo in"))
    assert status == 5
    assert f"waited {PATIENCE} s for ssh of alice-dev at" in said
    assert "Connection refused" in said


def test_a_server_that_takes_the_call_and_says_nothing_is_a_wait_that_timed_out(
    sshd: Sshd,
) -> None:
    mute = Server(b"", first=99)
    status, _, said = ended(ssh(replace(sshd.login(), at=mute.at), "echo in"))
    assert (status, "timed out" in said) == (5, True)


def test_who_is_told_to_end_ends_ssh_as_well(sshd: Sshd) -> None:
    program = LOG_IN.format(login=sshd.login(), words=("echo in; sleep 1000.25",))
    stoppable = program.replace("lambda: None", "stop.check").replace(
        "try:", "from raptorctl.engine.stop import Stop\nstop = Stop().__enter__()\ntry:", 1
    )
    with subprocess.Popen([sys.executable, "-c", stoppable], stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"in\n"
        process.terminate()
        assert process.wait(30) == 128 + 15
    found = subprocess.run(["pgrep", "-f", "ssh.*sleep 1000.25"], capture_output=True, check=False)
    assert found.stdout == b""


def test_a_jobs_key_logs_in_and_is_then_forgotten(
    sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, other = new_job_key(), (sshd.folder / "own.pub").read_text()
    file = sshd.folder / "authorized"
    file.write_text(f"{other}{key.public}\n")
    file.chmod(0o640)
    monkeypatch.setattr(sftp, "AUTHORIZED", str(file))
    login = replace(sshd.login(), identity=None, key=key.private)
    with open_shell(login, lambda: None) as opened:
        opened.forget_key(key.comment)
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == (other, 0o640)
    with pytest.raises(HostError, match="job's own key"), open_shell(login, lambda: None):
        pytest.fail("logged in")
    assert key.private not in repr(login)


class Server:
    """A TCP server that says `said` to its `first` call and to later ones, after `delay` seconds.

    Args:
        host: 127.0.0.1 is where QEMU takes calls in its guest's stead; 127.0.0.2 is a guest.
    """

    def __init__(self, said: bytes, first: int = 1, delay: float = 0, host: str = LOOPBACK) -> None:
        self.socket = socket.create_server((host, 0))
        self.at = Endpoint(host, self.socket.getsockname()[1])
        self.said, self.first, self.delay, self.calls = said, first, delay, 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        kept = []
        while True:
            kept.append(self.socket.accept()[0])
            self.calls += 1
            if self.calls >= self.first:
                time.sleep(self.delay)
                with suppress(BrokenPipeError, ConnectionResetError):
                    for byte in self.said:
                        kept[-1].sendall(bytes([byte]))


def guests() -> LocalGuests:
    return LocalGuests("test:///default")


def waited(server: Server, timeout: float = 60) -> str:
    asked = guests()
    look = partial(readiness.ssh, asked, server.at)
    return wait_until("ssh of alice-dev", look, timeout, lambda *_: None)[0].seen


def test_a_server_that_is_slow_to_greet_is_called_once() -> None:
    server = Server(b"hello there\r\nSSH-2.0-slow\r\n", delay=3, host="127.0.0.2")
    assert waited(server) == f"{server.at}: SSH-2.0-slow"
    assert server.calls == 1


def test_a_call_that_qemu_took_and_its_guest_never_heard_is_made_again() -> None:
    server = Server(b"SSH-2.0-late\r\n", first=3)
    assert waited(server) == f"{server.at}: SSH-2.0-late"
    assert server.calls == 3


def test_a_call_that_a_reset_has_lost_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(greeting, "LATE", 2)
    server = Server(b"SSH-2.0-anew\r\n", first=2, host="127.0.0.2")
    assert waited(server) == f"{server.at}: SSH-2.0-anew"
    assert server.calls == 2


def test_a_server_that_is_not_there_yet_is_found_when_it_is() -> None:
    with socket.socket() as place:
        place.bind(("127.0.0.2", 0))
        at = Endpoint("127.0.0.2", place.getsockname()[1])
        asked = guests()
        assert asked.banner(at) == "(connection refused)"
        place.listen()
        assert asked.banner(at) == "(connected, but it says nothing)"
        place.accept()[0].sendall(b"SSH-2.0-up\n")
        assert asked.banner(at) == "SSH-2.0-up"


def test_no_more_calls_are_kept_than_a_server_can_bear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(greeting, "SOON", 0)
    monkeypatch.setattr(greeting, "MOST", 3)
    mute = Server(b"", first=99)
    calls = greeting.Greeting(mute.at)
    for _ in range(10):
        calls.listen(0.05)
    assert len(calls._calls) == 3


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        (b"", "(connected, but it says nothing)"),
        (b"SSH-2.0-without an end", "(no banner, but 'SSH-2.0-without an end')"),
        (b"HTTP/1.1 400 Bad\r\n", "(no banner, but 'HTTP/1.1 400 Bad')"),
        (b"\0" * 9000, "(no banner, but "),
    ],
)
def test_what_never_greets_as_ssh_is_told(said: bytes, seen: str) -> None:
    server = Server(said)
    with pytest.raises(WaitError) as told:
        waited(server, 1)
    assert told.value.exit_code == 5
    assert told.value.seen.startswith(f"{server.at}: {seen}")


def test_an_agent_that_libvirt_cannot_reach_is_told_and_no_error() -> None:
    asked = guests()
    uuid = "6695eb01-f6a4-8304-79aa-97f2502e193f"  # the test driver's own domain
    assert "agent" in asked.ping_agent(uuid)
    assert asked.agent_file(uuid, "/run/cloud-init/result.json") is None


def test_a_bridge_that_is_not_there_has_nobody_on_it() -> None:
    asked = guests()
    assert asked.neighbours("br-vm250") == ()
    assert asked.packets("br-vm250") is None
    assert asked.started("nobody-none") is None
