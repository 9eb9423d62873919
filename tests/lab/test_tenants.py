"""Tenants on the real host: accounts, keys, quotas, polkit's answers; verified by other means."""

import json

import pytest

from tests.lab import image
from tests.lab.host import Lab
from tests.lab.test_access import OWN, tried

SMALL = ("--size", "64M", "--memory", "128M", "--no-start", "-y")
RULES = "/etc/polkit-1/rules.d/10-raptorctl.rules"
SHIPPED = "/opt/raptorctl/lib/python3.*/site-packages/raptorctl/_data/polkit/*.rules"


@pytest.fixture(scope="module")
def host(lab: Lab) -> Lab:
    """A host with alice and her machine; the others here each have a tenant of their own."""
    lab.tenant("alice")
    lab.run("raptorctl", "provision", "alice", "dev", "--cpus", "2-2", *SMALL)
    return lab


def accounts(lab: Lab) -> str:
    files = ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/subuid", "/etc/subgid")
    return lab.sh(f"cat {' '.join(files)}; ls /etc/raptorctl/* /home").stdout


def test_a_tenant_comes_logs_in_and_goes_without_a_trace(host: Lab) -> None:
    before = accounts(host)
    host.tenant("zoe", "--quota", "machines=1")
    assert host.run("id", "-nG", "zoe").stdout.split() == ["zoe", "vm-users"]
    assert host.run("whoami", user="zoe").stdout.strip() == "zoe"
    keys = host.run("stat", "-c", "%U %a", "/etc/raptorctl/keys/zoe").stdout
    assert keys.split() == ["root", "644"]
    host.tenant("zoe", "--quota", "machines=1")
    host.run("raptorctl", "tenant", "remove", "zoe", "-y")
    after = accounts(host)
    # The folder of numbers that are not given again: the only trace there is meant to be.
    assert set(after.splitlines()) - set(before.splitlines()) <= {"removed"}
    assert host.run("true", user="zoe", check=False).returncode == 255


def test_provision_makes_the_tenant_on_the_way_and_a_quota_holds(host: Lab) -> None:
    words = ("raptorctl", "provision", "bert", "dev", "--cpus", "3-3", "--key", "-", *SMALL)
    host.run(*words, input=image.public_key())
    assert host.run("virsh", "list", "--all", "--name", user="bert").stdout.split() == ["bert-dev"]
    host.run("raptorctl", "tenant", "quota", "bert", "machines=1", "-y")
    refused = host.run(
        "raptorctl", "provision", "bert", "web", "--cpus", "4-4", *SMALL, check=False
    )
    assert (refused.returncode, "bert has 1 of 1 machines" in refused.stderr) == (3, True)
    stays = host.run("raptorctl", "tenant", "remove", "bert", "-y", check=False)
    assert (stays.returncode, "bert-dev" in stays.stderr) == (3, True)
    names = host.run("lvs", "--noheadings", "-o", "lv_name", "lvm-data").stdout.split()
    assert [name for name in names if "bert" in name] == ["guest-bert-dev"]


def test_a_tenant_who_has_expired_cannot_log_in_and_keeps_his_machines(host: Lab) -> None:
    host.run("raptorctl", "tenant", "set", "alice", "--expires", "2020-01-01", "-y")
    assert host.run("true", user="alice", check=False).returncode != 0
    assert OWN in host.run("virsh", "list", "--all", "--name").stdout.split()
    host.run("raptorctl", "tenant", "set", "alice", "--expires", "never", "-y")
    host.run("true", user="alice")


def test_an_account_that_was_there_is_given_back_as_it_was(host: Lab) -> None:
    host.sh("useradd -m -s /bin/dash -G users frank; echo kept > /home/frank/file")
    before = host.run("getent", "passwd", "frank").stdout
    refused = host.run("raptorctl", "tenant", "add", "frank", "-y", check=False)
    assert (refused.returncode, "--adopt" in refused.stderr) == (3, True)
    host.run("raptorctl", "tenant", "add", "frank", "--adopt", "--mode", "nologin", "-y")
    assert host.run("getent", "passwd", "frank").stdout.strip().endswith("/usr/sbin/nologin")
    host.run("raptorctl", "tenant", "remove", "frank", "-y")
    assert host.run("getent", "passwd", "frank").stdout == before
    assert host.run("id", "-nG", "frank").stdout.split() == ["frank", "users"]
    assert host.run("cat", "/home/frank/file").stdout == "kept\n"


@pytest.mark.parametrize("group", ["libvirt", "disk"])
def test_who_need_not_ask_polkit_is_no_tenant(host: Lab, group: str) -> None:
    """All such groups: tests/unit/plans/tenant/test_membership.py."""
    host.run("useradd", "-m", "-G", group, f"in{group}")
    words = ("raptorctl", "tenant", "add", f"in{group}", "--adopt", "-y")
    refused = host.run(*words, check=False)
    assert (refused.returncode, group in refused.stderr) == (3, True)


# polkit


ALLOWED = (
    "console destroy domblkerror domblkinfo domblklist domblkstat domcontrol domdisplay domid "
    "domif-getlink domiflist domifstat dommemstat domname domstate domstats domuuid dumpxml reboot "
    "reset resume screenshot send-key shutdown start suspend ttyconsole vcpucount"
).split()
"""What polkit lets a tenant do with a machine of his own, as the table says."""

READS = (
    "blkdeviotune blkiotune checkpoint-list domlaunchsecinfo domthrottlegroupinfo "
    "domthrottlegrouplist iothreadinfo managedsave-remove memtune metadata numatune perf schedinfo "
    "snapshot-list"
).split()
"""What `domain.read` shows as well; `managedsave-remove` finds nothing to remove, and ends there."""


@pytest.mark.timeout(1800)
def test_of_his_own_machine_a_tenant_may_do_what_the_table_says(host: Lab) -> None:
    from tests.lab.test_access import ATTACK

    host.put((ATTACK / "virsh.py").read_text(), "/usr/local/lib/attack/virsh.py")
    answers = tried(host, "alice", "each", OWN)
    granted = {
        line.split()[0] for line, (_, text) in answers.items() if "access denied" not in text
    }
    assert granted >= set(ALLOWED)
    done = {line.split()[0] for line, (status, _) in answers.items() if status == 0}
    assert done <= {*ALLOWED, *READS}


def test_polkit_answers_every_question_by_the_table(host: Lab) -> None:
    host.account("dave", "libvirt")
    host.run("raptorctl", "access", "install", "-y")
    trial = json.loads(host.run("raptorctl", "access", "test", "-o", "json").stdout)
    assert trial["wrong"] == []
    assert len(trial["answers"]) > 100
    assert [row["permission"] for row in trial["answers"] if row["outsider"]] == []
    foreign = [row["permission"] for row in trial["answers"] if row["foreign"]]
    assert foreign == ["connect.getattr", "connect.search-domains", "unix.manage", "unix.monitor"]
    assert all(row["admin"] for row in trial["answers"])


def test_rules_that_polkit_cannot_read_never_stay(host: Lab) -> None:
    host.run("raptorctl", "access", "install", "-y")
    before = host.run("sha256sum", RULES).stdout
    shipped = host.sh(f"echo {SHIPPED}").stdout.strip()
    host.sh(f"cp {shipped} /root/rules; echo 'let x => 3;' >> {shipped}")
    refused = host.run("raptorctl", "access", "install", "-y", check=False)
    host.sh(f"cp /root/rules {shipped}")
    assert (refused.returncode, "polkit allows nobody" in refused.stderr) == (1, True)
    assert host.run("sha256sum", RULES).stdout == before
    assert OWN in host.run("virsh", "list", "--all", "--name", user="alice").stdout.split()


@pytest.mark.long
def test_rules_that_were_edited_are_kept_beside(host: Lab) -> None:
    host.run("raptorctl", "access", "install", "-y")
    host.run("sed", "-i", 's/"libvirt", "wheel"/"users"/', RULES)
    host.sh("sed -i 's/ADMIN_GROUPS = .*/ADMIN_GROUPS = [\"users\"];/' " + RULES)
    done = host.run("raptorctl", "access", "install", "-y")
    assert "was edited by hand" in done.stderr
    kept = host.sh(f"cat {RULES}.edited-*").stdout
    assert '"users"' in kept
    assert '"users"' not in host.run("cat", RULES).stdout
    explained = host.run("raptorctl", "access", "explain", "alice", "console", "bob-web").stdout
    assert explained.startswith("no: alice may not console bob-web")
