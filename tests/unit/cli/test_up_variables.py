"""Variables that the host knows, in values and in what cloud-init is told."""

import json
from pathlib import Path

import pytest

from tests.fakes import IMAGE
from tests.unit.cli.session import CommandLine
from tests.unit.model.test_ssh_key import GOOD

MACHINE = """
[machine.alice-web]
size = "10G"
cpus = 1
image = "debian:13"
"""
USER_DATA = """#cloud-config
write_files:
  - path: /etc/whoami
    content: "${tenant} ${machine} ${fqdn} ${ipv4} ${ipv6} ${mac}"
runcmd:
  - echo $HOME $${HOME} ${release}
"""


@pytest.fixture
def host(raptorctl: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    Path("user-data.yaml").write_text(USER_DATA)
    raptorctl.world.images.all = (IMAGE,)
    raptorctl.world.guests.banners = ["SSH-2.0-x"]
    return raptorctl


def up(host: CommandLine, text: str) -> tuple[int, str, str]:
    Path("raptor.toml").write_text(text)
    done = host("up")
    return done.code, done.out, done.err


def told(host: CommandLine) -> str:
    files = json.loads(host("seed", "show", "alice", "web", "-o", "json").out)
    return json.dumps(files)


def test_files_for_cloud_init_are_expanded_where_the_file_says_so(host: CommandLine) -> None:
    text = '[vars]\nrelease = "13"\n' + MACHINE + 'user_data = "user-data.yaml"\n'
    code, _, said = up(host, text + "slot = 3\nexpand = true\n")
    assert code == 0, said
    seed = told(host)
    assert (
        "alice web alice-web.raptor.example 198.51.100.3 2001:db8:0:3::1 52:54:00:00:00:03" in seed
    )
    assert "echo $HOME ${HOME} 13" in seed
    assert host("up").out == "alice-web is already so\n"
    assert up(host, text.replace("13", "12") + "slot = 3\nexpand = true\n")[0] == 3  # user_data


def test_a_folder_of_cloud_inits_files_is_laid_over_the_defaults(host: CommandLine) -> None:
    Path("seed").mkdir()
    Path("v").write_text("#cloud-config\nfinal_message: below\n")
    Path("seed/meta-data").write_text("rack: ${rack}\n")
    Path("seed/user-data").write_text("#cloud-config\npackages: [htop]\n")
    text = (
        '[vars]\nrack = "r7"\n[defaults]\nexpand = true\nvendor_data = "v"\n'
        + MACHINE
        + 'cloud_init = "seed"\n'
    )
    code, _, said = up(host, text)
    assert code == 0, said
    seed = told(host)
    assert ("r7" in seed, "htop" in seed, "below" in seed) == (True, True, False)
    assert host("up").out == "alice-web is already so\n"
    (Path("seed/userdata")).write_text("")
    code, _, said = up(host, text)
    place = "raptor.toml:11:1: machine.alice-web.cloud_init: 'userdata' in "
    assert (code, place in said) == (2, True), said


def test_without_it_they_stay_as_they_are(host: CommandLine) -> None:
    assert up(host, MACHINE + 'user_data = "user-data.yaml"\n')[0] == 0
    assert "${tenant} ${machine}" in told(host)


def test_a_name_that_is_not_known_is_told_with_its_line(host: CommandLine) -> None:
    text = MACHINE + 'user_data = "user-data.yaml"\nexpand = true\nslot = 1\n'
    code, _, said = up(host, text)
    assert (code, host.world.domains.list()) == (2, ())
    assert "raptor.toml:6:1: machine.alice-web.user_data: user-data.yaml:6: there is no" in said
    assert "'release'; known: fqdn, ipv4, ipv6, mac, machine, ssh_key, tenant" in said


def test_addresses_are_of_the_slot_that_is_said_or_that_the_machine_has(host: CommandLine) -> None:
    text = MACHINE + 'hostname = "h-${mac}"\n'
    code, _, said = up(host, text)
    assert (code, "mac is not known before the machine has a slot: say slot = N" in said) == (2, 1)
    assert up(host, MACHINE)[0] == 0
    sysctl = 'sysctl = { "kernel.domainname" = "${ipv4}" }\n'
    Path("raptor.toml").write_text(MACHINE + sysctl)
    rows = json.loads(host("up", "--dry-run", "--rebuild", "-o", "json").out)["plan"]["rows"]
    assert "198.51.100.1" in json.dumps(rows)
    code, _, said = up(host, MACHINE + sysctl + "slot = 77\n")
    assert (code, "the settings have no slot 77" in said) == (2, True)


def test_a_key_is_the_machines_the_files_or_the_tenants(host: CommandLine) -> None:
    Path("k.pub").write_text(GOOD)
    key = " ".join(GOOD.split()[:2])
    sysctl = 'sysctl = { "kernel.domainname" = "${ssh_key}" }\n'
    for text in (
        MACHINE + 'keys = ["k.pub"]\n' + sysctl,
        '[tenant.alice]\nkeys = ["k.pub"]\n' + MACHINE + sysctl,
    ):
        Path("raptor.toml").write_text(text)
        shown = host("up", "--dry-run")
        assert shown.code == 0, shown.err
    code, _, said = up(host, MACHINE + sysctl)
    assert (code, "ssh_key is not known: alice has no key" in said) == (2, True)
    code, _, said = up(host, MACHINE + 'keys = ["k.pub"]\n' + sysctl)
    assert code == 0, said
    assert key in told(host)


def test_a_step_says_who_does_it_and_how_long_it_may_take(host: CommandLine) -> None:
    text = MACHINE + (
        'steps = [{ inline = "id", user = "root", timeout = "5m" },'
        ' { copy = "user-data.yaml", to = "/etc/x", user = "app" }]\n'
    )
    code, said, told_ = up(host, text)
    assert (code, said) == (0, "alice-web: made, 2 steps\n"), told_
    assert host.world.guests.done[0] == "run id as root"
    assert host("up").out == "alice-web is already so\n"
    done = up(host, text.replace('user = "root"', 'user = "app"'))
    assert "steps others done, not 2 steps: next rebuild" in done[2]


def test_a_step_says_where_it_is_done_and_whether_its_error_counts(host: CommandLine) -> None:
    steps = (
        'steps = [{ inline = "make", dir = "/srv/app", ignore_errors = true }, { inline = "id" }]\n'
    )
    host.world.guests.outcomes["inline"] = 7
    code, _, told_ = up(host, MACHINE + steps)
    assert host.world.guests.done[:2] == ["run make in /srv/app", "run id"], told_
    assert "1/2 (run make in /srv/app) ended with status 7, which is ignored" in told_
    assert (code, "2/2 (run id) ended with status 7; the machine stays" in told_) == (1, True)


def test_run_does_steps_as_another_account(host: CommandLine) -> None:
    assert up(host, MACHINE)[0] == 0
    Path("id").write_text("key")
    line = ("run", "alice", "web", "--inline", "id", "--identity", "id", "--as")
    done = host(*line, "root")
    assert done.code in {0, 2}, done.err
    refused = host(*line, "-root")
    assert (refused.code, "is not an account's name" in refused.err) == (2, True)
