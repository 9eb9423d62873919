"""The page for tenants, attacked as a tenant: over ssh, from the host itself, with all that is there."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.lab.host import Lab
from tests.lab.test_self import TEXTFILE

CLIENT = "/usr/local/lib/attack/page.py"
ADDRESS = "https://raptor.example:8443"
ABSENT = 4404
"""The code of ours for a machine that is not there (raptorctl/web/sockets.py)."""
BOBS_SOCKETS = ("/m/bob-dev/console/socket", "/m/bob-dev/live")
BOBS_AND_ADMINS = (
    "/m/bob-dev",
    "/m/bob-dev/console",
    "/m/bob-dev/log",
    "/doctor",
    "/room",
    "/audit",
)
SMALL = ("--size", "64M", "--memory", "64M", "--no-start", "-y")


@pytest.fixture(scope="module")
def page(lab: Lab) -> Lab:
    """A host with two tenants who have a machine each, and one without a shell."""
    for name in ("alice", "bob"):
        lab.tenant(name)
    lab.tenant("carl", "--mode", "console")
    for name, cpu in (("alice", "2-2"), ("bob", "3-3")):
        lab.run("raptorctl", "provision", name, "dev", "--cpus", cpu, *SMALL)
    lab.put((Path(__file__).parent / "attack/page.py").read_text(), CLIENT)
    return lab


def clients(lab: Lab, *acts: Sequence[str], user: str | None = "bob") -> list[dict[str, Any]]:
    """Do one after the other in one process: its start is what is dear here."""
    found = lab.run("python3", CLIENT, json.dumps(acts), user=user).stdout
    answers: list[dict[str, Any]] = json.loads(found)
    return answers


def client(lab: Lab, *words: str, user: str | None = "bob") -> dict[str, Any]:
    return clients(lab, words, user=user)[0]


def link(lab: Lab, who: str) -> str:
    """A link, as the tenant gets it over ssh; only its path."""
    said = lab.run("raptorctl", "web", user=who).stdout.strip()
    assert said.startswith(f"{ADDRESS}/enter/{who}.")
    return said.removeprefix(ADDRESS)


def cookie(lab: Lab, who: str) -> str:
    """A login's."""
    answer = client(lab, "get", link(lab, who))
    assert answer["status"] == 200
    return str(answer["cookie"])


def agent(lab: Lab, who: str) -> str:
    return lab.run(
        "systemctl", "show", "-P", "MainPID", f"raptorctl-web-agent@{who}"
    ).stdout.strip()


def test_a_tenant_has_their_page_and_nothing_of_others(page: Lab) -> None:
    path = link(page, "alice")
    entered, again = clients(page, ("get", path), ("get", path))
    alice = entered["cookie"]
    assert alice.startswith("__Host-raptorctl=alice.")
    assert again["status"] == 401  # once
    first, own, elsewhere, *foreign = clients(
        page,
        ("get", "/", alice),
        ("get", "/m/alice-dev", alice),
        ("get", "/", alice, "evil.example"),
        *(("get", path, alice) for path in BOBS_AND_ADMINS),
    )
    assert 'href="/m/alice-dev"' in first["text"]
    assert "bob" not in first["text"]
    assert [one["status"] for one in (own, elsewhere)] == [200, 421]
    assert {one["status"] for one in foreign} == {404}
    for path in BOBS_SOCKETS:
        assert client(page, "socket", path, alice)["code"] == ABSENT
    assert client(page, "socket", "/live", alice)["code"] == 0


def test_the_kernel_and_polkit_see_the_tenant(page: Lab) -> None:
    link(page, "alice")
    owner = page.run("stat", "-c", "%U", f"/proc/{agent(page, 'alice')}").stdout.strip()
    assert owner == "alice"


def test_who_has_no_shell_has_a_page(page: Lab) -> None:
    assert page.run("web", user="carl").stdout.startswith(f"{ADDRESS}/enter/carl.")


def test_a_tenant_opens_no_agents_socket_and_traces_no_agent(page: Lab) -> None:
    link(page, "alice")
    for who in ("alice", "bob"):
        for kind in ("agents", "control"):
            words = ("-u", "OPEN:/dev/null", f"UNIX-CONNECT:/run/raptorctl-web/{kind}/alice.sock")
            denied = page.run("socat", *words, user=who, check=False)
            assert "Permission denied" in denied.stderr
    tried = client(page, "trace", agent(page, "alice"), user="alice")
    assert set(tried.values()) == {-1}, tried


def test_who_is_no_tenant_gets_no_link(page: Lab) -> None:
    page.account("mallory", "nogroup")
    refused = page.run("raptorctl", "web", user="mallory", check=False)
    assert (refused.returncode, refused.stdout) == (3, "")


def test_what_a_front_end_that_was_taken_over_reaches(page: Lab) -> None:
    """A shell in its namespaces, under its account and without its seccomp filter: more than it has."""
    client(page, "get", "/")  # it is started by whoever asks
    told = page.sh("""
        link=$(runuser -u alice -- raptorctl web 2>/dev/null)
        main=$(systemctl show -P MainPID raptorctl-web.service)
        worker=$(pgrep -P $main | head -n 1)
        grep -E '^(CapBnd|NoNewPrivs)' /proc/$worker/status
        cat > /tmp/look <<'END'
        for path in /run/libvirt/libvirt-sock /run/raptorctl-libvirt /etc/raptorctl /var/lib/raptorctl \
            /var/log /home/alice /opt/raptorctl /run/systemd/private /run/dbus/system_bus_socket \
            /run/raptorctl/web.sock /run/raptorctl-web/control/alice.sock
        do ! [ -e $path ] || echo reaches $path; done
        ! [ -w /run/raptorctl-web/agents/alice.sock ] || echo agent
END
        nsenter -t $worker -m -n setpriv --reuid raptorctl-web --regid raptorctl-web --clear-groups \
            sh < /tmp/look
        nsenter -t $worker -n ip -o link | wc -l
    """).stdout.splitlines()  # fmt: skip
    assert told == ["CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "agent", "1"]


def test_scrapers_get_what_the_timer_wrote(page: Lab) -> None:
    """By a text of ours: what the timer writes there is read in tests/lab/test_self.py."""
    page.put("raptorctl_slots 3\n", TEXTFILE)
    answer = client(page, "get", "/metrics", user=None)
    assert (answer["status"], answer["text"]) == (200, "raptorctl_slots 3\n")


def test_root_sees_and_ends_a_tenants_logins(page: Lab) -> None:
    alice = cookie(page, "alice")
    told = json.loads(page.run("raptorctl", "web", "sessions", "-o", "json").stdout)
    assert "alice" in {one["tenant"] for one in told["sessions"]}
    page.run("raptorctl", "web", "logout", "alice")
    assert client(page, "get", "/", alice)["status"] == 401


def test_logins_end_with_the_right_to_them(page: Lab) -> None:
    alice, bob = cookie(page, "alice"), cookie(page, "bob")
    secret = bob.partition(".")[2]
    assert client(page, "get", "/", f"__Host-raptorctl=alice.{secret}")["status"] == 401
    page.run("raptorctl", "tenant", "set", "alice", "--mode", "console", "-y")
    assert client(page, "get", "/", alice)["status"] == 401
    assert agent(page, "alice") == "0"
    page.run("raptorctl", "deprovision", "bob", "dev", "-y")
    page.run("raptorctl", "tenant", "remove", "bob", "-y")
    assert client(page, "get", "/", bob, user=None)["status"] == 401
