"""What tenants type, on the real host, over their own ssh login; and what they try."""

import json
import shlex
import time

import pexpect
import pytest

from tests.lab.firmware import SAYS
from tests.lab.host import Lab

SMALL = ("--size", "64M", "--memory", "128M", "--template", "serial-console", "-y")


@pytest.fixture(scope="module")
def shared(quiet: Lab) -> Lab:
    """A host with two tenants' machines; what the firmware says is on the serial port."""
    lab = quiet
    lab.tenant("alice")
    lab.tenant("bob", "--mode", "console")
    for owner, cpu in (("alice", "2-2"), ("bob", "3-3")):
        lab.run("raptorctl", "provision", owner, "dev", "--cpus", cpu, *SMALL)
    return lab


def state(lab: Lab, domain: str) -> str:
    return lab.run("virsh", "domstate", domain).stdout.strip()


def terminal(lab: Lab, user: str, *command: str) -> "pexpect.spawn[str]":
    """An ssh login with a terminal, 100 by 30."""
    ssh, *words = lab.ssh.argv(*command, user=user, tty=True)
    return pexpect.spawn(ssh, words, timeout=120, dimensions=(30, 100), encoding="utf-8")


def test_a_tenant_sees_and_runs_her_own_machine_without_sudo(shared: Lab) -> None:
    listed = json.loads(shared.run("raptorctl", "list", "-o", "json", user="alice").stdout)
    assert [machine["name"] for machine in listed["machines"]] == ["alice-dev"]
    assert "198.51.100.1" in shared.run("raptorctl", "show", "alice", "dev", user="alice").stdout
    shared.run("raptorctl", "suspend", "alice", "dev", user="alice")
    assert state(shared, "alice-dev") == "paused"
    shared.run("raptorctl", "resume", "alice", "dev", user="alice")
    assert state(shared, "alice-dev") == "running"
    shared.run("raptorctl", "reset", "alice", "dev", user="alice")
    off = shared.run("raptorctl", "stop", "alice", "dev", "--timeout", "2", "--force", user="alice")
    assert "alice-dev is off" in off.stdout
    assert state(shared, "alice-dev") == "shut off"
    shared.run("raptorctl", "start", "alice", "dev", user="alice")
    assert state(shared, "alice-dev") == "running"


@pytest.mark.parametrize("verb", ["show", "reset", "console"])
def test_what_is_anothers_is_no_such_machine(shared: Lab, verb: str) -> None:
    said = set()
    for machine in ("dev", "none"):
        done = shared.run("raptorctl", verb, "bob", machine, user="alice", check=False)
        assert done.returncode == 3
        said.add(done.stderr.replace(f"bob-{machine}", "X"))
    assert said == {"raptorctl: no such machine: X: see `raptorctl list`\n"}
    assert state(shared, "bob-dev") == "running"


def test_a_console_shows_the_firmware_leaves_the_terminal_clean_and_comes_back(
    shared: Lab,
) -> None:
    console = terminal(
        shared, "alice", "sh", "-c", "raptorctl console alice dev; stty -a; echo END"
    )
    console.expect("stty rows 30 cols 100")
    shared.run("raptorctl", "stop", "alice", "dev", "--timeout", "0", "--force")
    console.expect("ended; waiting for it")
    shared.run("raptorctl", "start", "alice", "dev")
    console.expect("runs again")
    # What it said before we were back is in the log alone.
    shared.run("virsh", "reset", "alice-dev")
    console.expect(SAYS)
    second = shared.run("raptorctl", "console", "alice", "dev", user="alice", check=False)
    assert (second.returncode, "--force" in second.stderr) == (1, True)
    console.send("\x1d")
    console.expect("END")
    settings = console.before or ""
    assert " icanon" in settings
    assert " echo " in settings
    console.close()


# Without a shell


def test_without_a_shell_there_are_exact_words(shared: Lab) -> None:
    assert "bob" in shared.run("list", user="bob").stdout
    assert "console dev" in shared.run("help", user="bob").stdout
    assert "bob-dev" in shared.run("status", "dev", user="bob").stdout
    shared.run("stop", "dev", user="bob", check=False)
    shared.sh("virsh destroy bob-dev || true")
    shared.run("start", "dev", user="bob")
    assert state(shared, "bob-dev") == "running"


def test_nothing_else_is_obeyed(shared: Lab) -> None:
    """More, behind an sshd with the same settings: tests/integration/test_tenant_shell.py."""
    argv = shared.ssh.argv("true", user="bob")[:-1]
    refused = pexpect.spawn(argv[0], [*argv[1:], "list; id"], timeout=60, encoding="utf-8")
    said = refused.read()
    refused.close()
    assert "uid=" not in said
    assert "none of the words here" in said
    assert refused.exitstatus == 2


def test_at_the_prompt_there_is_no_way_out(shared: Lab) -> None:
    prompt = terminal(shared, "bob")
    for typed in ("sh", "!sh", "\x1a", "\x03", "\x1c", "list; sh", "\x12", "`id`"):
        prompt.expect("bob> ")
        prompt.sendline(typed)
    time.sleep(2)
    prompt.sendline("list")
    prompt.expect("running")
    prompt.sendline("exit")
    prompt.expect(pexpect.EOF)
    assert shared.sh("pgrep -u bob -x 'sh|bash' || true").stdout == ""


@pytest.mark.long
def test_a_variable_sent_along_changes_nothing(shared: Lab) -> None:
    ssh, *rest = shared.ssh.argv("true", user="bob")[:-1]
    words = [
        ssh,
        *rest[:-1],
        "-o",
        "SetEnv=PYTHONPATH=/tmp LIBVIRT_DEFAULT_URI=test:///default",
        rest[-1],
    ]
    said = pexpect.run(shlex.join([*words, "list"]), timeout=60, encoding="utf-8")
    assert "bob" in said


@pytest.mark.long
def test_without_a_shell_nothing_is_forwarded_or_copied(shared: Lab) -> None:
    shared.put("x", "/tmp/x")
    ssh, *rest = shared.ssh.argv("true", user="bob")[:-1]
    for extra in (("-S", "none", "-W", "127.0.0.1:22"), ("-S", "none", "-s")):
        words = [ssh, *extra, *rest, *(("sftp",) if "-s" in extra else ())]
        said = pexpect.run(shlex.join(words), timeout=60, encoding="utf-8")
        assert "SSH-2.0" not in said


def test_nologin_tenants_are_told_so(shared: Lab) -> None:
    shared.tenant("nora", "--mode", "nologin")
    refused = shared.run("true", user="nora", check=False)
    assert refused.returncode == 1
    assert "not available" in refused.stdout


# What consoles said


def test_a_tenant_reads_what_her_console_said_and_nobody_elses(shared: Lab) -> None:
    log = "/var/log/raptorctl/console/alice-dev.log"
    shared.sh(f"until grep -q $'\\e.*{SAYS}' {log}; do sleep 0.2; done")
    said = shared.run("raptorctl", "log", "alice", "dev", user="alice").stdout
    assert SAYS in said
    assert "\x1b" not in said
    assert said == shared.run("raptorctl", "log", "alice", "dev").stdout
    refused = shared.run("raptorctl", "log", "bob", "dev", user="alice", check=False)
    assert (refused.returncode, "no such machine" in refused.stderr) == (3, True)


def test_the_logs_service_gives_nobody_anything_else(shared: Lab) -> None:
    connect = "UNIX-CONNECT:/run/raptorctl/log.sock"
    for request in ("bob-dev 10 once", "alice-../bob-dev 10 once", "../../../etc/shadow 10 once"):
        words = ("socat", "-t", "5", "-", connect)
        assert shared.run(*words, user="alice", input=f"{request}\n", check=False).stdout == ""
    log = "/var/log/raptorctl/console/alice-dev.log"
    assert shared.run("cat", log, user="alice", check=False).returncode != 0
    shared.account("mallory", "nogroup")
    refused = shared.run("socat", "-u", "OPEN:/dev/null", connect, user="mallory", check=False)
    assert "Permission denied" in refused.stderr


def test_the_log_goes_with_the_machine(shared: Lab) -> None:
    shared.tenant("dora")
    shared.run("raptorctl", "provision", "dora", "dev", "--cpus", "4-4", *SMALL)
    log = "/var/log/raptorctl/console/dora-dev.log"
    shared.run("test", "-f", log)
    shared.run("raptorctl", "deprovision", "dora", "dev", "-y")
    assert shared.run("test", "-e", log, check=False).returncode != 0
