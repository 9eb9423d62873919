"""What bob gets of alice's machine by a share, tried by him over ssh; and nothing before or after.

`alice-dev` is shared with him, `alice-web` is not. That polkit's rule compares everything whole,
and looks at the time, is shown in tests/unit/model/test_access.py.
"""

import json
from subprocess import CompletedProcess

import pytest

from raptorctl.model.share import SHARES
from tests.lab.cache import CHECKOUT
from tests.lab.host import Lab

SMALL = ("--size", "64M", "--memory", "64M", "-y")
RULES = "/etc/polkit-1/rules.d/10-raptorctl.rules"
SHARED, OTHER = "alice-dev", "alice-web"


@pytest.fixture(scope="module")
def host(quiet: Lab) -> Lab:
    """A host with two tenants; one has two machines."""
    for name in ("alice", "bob"):
        quiet.tenant(name)
    for cpu, (machine, *more) in enumerate([("dev",), ("web", "--no-start")], start=2):
        words = ("raptorctl", "provision", "alice", machine, "--cpus", f"{cpu}-{cpu}")
        quiet.run(*words, *more, *SMALL)
    quiet.put((CHECKOUT / "polkit/10-raptorctl.rules").read_text(), RULES)
    quiet.run("systemctl", "reload", "polkit")
    return quiet


def bob(lab: Lab, *command: str) -> CompletedProcess[str]:
    """Have bob try something."""
    return lab.run(*command, user="bob", check=False)


def seen(lab: Lab) -> list[str]:
    """What bob's list of machines shows, by all that he may call."""
    names = bob(lab, "virsh", "list", "--all", "--name").stdout.split()
    told = bob(lab, "raptorctl", "list", "-o", "name").stdout.split()
    assert names == told
    return names


def tried(lab: Lab, domain: str) -> dict[str, bool]:
    """Which of these bob can do to a machine, all in one login; what shows nothing comes last."""
    words = ("domstate", "dumpxml", "reset", "suspend", "destroy", "send-key", "undefine", "edit")
    script = "".join(
        f"said=$(virsh {word} {domain} {'KEY_A' if word == 'send-key' else ''} 2>&1);"
        f' case "$said" in *denied*|*"failed to get domain"*) echo {word} no;;'
        f" *) echo {word} yes;; esac\n"
        for word in words
    )
    lines = lab.run("bash", "-s", user="bob", input=f"export EDITOR=true\n{script}").stdout
    return {word: said == "yes" for word, said in map(str.split, lines.splitlines())}


def test_a_console_is_shared_and_nothing_else(host: Lab) -> None:
    nothing = dict.fromkeys(tried(host, OTHER), False)
    assert seen(host) == []
    assert tried(host, SHARED) == nothing
    assert bob(host, "raptorctl", "console", "alice", "dev").returncode == 3

    words = ("alice", "dev", "bob")
    host.run("raptorctl", "tenant", "share", *words, "--console", "--until", "2099-01-31", "-y")
    assert seen(host) == [SHARED]
    assert tried(host, SHARED) == {**nothing, "domstate": True, "dumpxml": True}
    assert tried(host, OTHER) == nothing
    refused = bob(host, "raptorctl", "stop", "alice", "dev", "--timeout", "0", "--force")
    assert (refused.returncode, "polkit does not let you stop" in refused.stderr) == (3, True)
    console = host.start("script", "-qc", f"virsh console {SHARED}", "/dev/null", user="bob")
    assert console.stdout is not None
    assert "Connected to domain" in console.stdout.readline()

    trial = json.loads(host.run("raptorctl", "access", "test", "-o", "json").stdout)
    assert trial["wrong"] == []
    assert [(one["tenant"], one["allowed"]) for one in trial["shares"]] == [
        ("bob", ["domain.getattr", "domain.open-device", "domain.read"])
    ]
    assert host.run("stat", "-c", "%U %a", SHARES).stdout.split() == ["root", "644"]
    assert "denied" in bob(host, "cat", SHARES).stderr

    host.run("raptorctl", "tenant", "unshare", *words)
    console.communicate(timeout=60)
    assert seen(host) == []
    assert tried(host, SHARED) == nothing
    assert host.run("virsh", "domstate", SHARED).stdout.strip() == "running"


BOBS = """
    for client in $(virt-admin -q -c libvirtd:///system client-list libvirtd | awk '{print $1}'); do
        virt-admin -q -c libvirtd:///system client-info libvirtd $client
    done | grep -c '^unix_user_name *: bob$' || true
"""
"""How many connections of bob's libvirtd has."""
TIMES = "systemctl --all --no-legend list-timers 'raptorctl-share-*'"


def test_an_open_console_ends_at_the_moment_that_was_said(host: Lab) -> None:
    """What the timer starts is started here: that it starts it then, tests/integration/test_timer.py.

    The connection ends; virsh, which has none any more, may wait for a key before it ends as well.
    """
    words = ("raptorctl", "tenant", "share", "alice", "dev", "bob", "--console", "--until", "1h")
    host.run(*words, "-y")
    console = host.start("script", "-qc", f"virsh console {SHARED}", "/dev/null", user="bob")
    assert console.stdout is not None
    assert "Connected to domain" in console.stdout.readline()
    assert host.sh(BOBS).stdout == "1\n"
    host.sh(f"""
        sed -i -E 's/[0-9]{{4}}(-[0-9]{{2}}-[0-9]{{2}}T)/2020\\1/' {SHARES}
        systemctl reload polkit
        systemctl start $({TIMES} | grep -o 'raptorctl-share-[^ ]*[.]service')
        until [ "$({BOBS})" = 0 ]; do sleep 1; done
    """)
    console.kill()
    console.communicate()
    assert seen(host) == []
    assert host.run("virsh", "domstate", SHARED).stdout.strip() == "running"
    assert host.sh(TIMES).stdout == ""


def test_a_machine_is_operated_until_then_and_a_machine_after_it_is_not(host: Lab) -> None:
    words = ("raptorctl", "tenant", "share", SHARED, "bob", "--operate")
    host.run(*words, "--until", "2099-01-31", "-y")
    host.run("virsh", "destroy", SHARED, user="bob")
    host.run("raptorctl", "start", "alice", "dev", user="bob")
    assert host.run("virsh", "domstate", SHARED).stdout.strip() == "running"
    assert not any(tried(host, OTHER).values())
    assert tried(host, SHARED)["undefine"] is False

    host.sh(f"sed -i s/2099-01-31/2020-01-31/ {SHARES}; systemctl reload polkit")
    assert seen(host) == []
    assert "not shared with bob" in host.run("raptorctl", "expire").stdout
    assert host.run("test", "-e", SHARES, check=False).returncode == 1

    host.run(*words, "-y")
    assert seen(host) == [SHARED]
    host.run("raptorctl", "deprovision", "alice", "dev", "-y")
    assert host.run("test", "-e", SHARES, check=False).returncode == 1
    host.run("raptorctl", "provision", "alice", "dev", "--cpus", "2-2", "--no-start", *SMALL)
    assert seen(host) == []
