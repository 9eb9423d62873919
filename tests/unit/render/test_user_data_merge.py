"""What we rely on stays, whatever a cloud-config of an admin's says."""

import email
from typing import Any

import pytest
import yaml

from raptorctl.errors import InputError
from raptorctl.model.seed import SEED_DONE, FirstBoot
from raptorctl.model.spec import MachineSpec
from raptorctl.render.cloud_config import cloud_config
from raptorctl.render.user_data import check, joined
from tests.unit.render.test_cloud_config import GUEST, KEY

HEAD = "#cloud-config\n"
OURS = cloud_config(FirstBoot(keys=(KEY,)), GUEST, MachineSpec(packages=("vim",)))


def both(text: str) -> dict[str, Any]:
    said = yaml.safe_load(joined(OURS, HEAD + text))
    assert isinstance(said, dict)
    return said


FINAL = [
    'final_message: "The system is finally up, after $UPTIME seconds"\n',
    "final_message: |\n  cloud-init has finished\n  version: $version\n  datasource: ${datasource}\n",
    'final_message: "up $uptime."\n',
    'final_message: "costs $5"\n',
    'final_message: "## template: jinja\\nup {{ uptime }}"\n',
    'final_message: "## template: jinja\\n{% if uptime %}"\n',
    'final_message: "## template: mako\\nup"\n',
    'final_message: "## Template:BASIC\\nup $uptime"\n',
    "final_message:\n",
    "final_message: 5\n",
    'final_message: ""\n',
    "final_message: [a]\n",
]


@pytest.mark.parametrize("text", FINAL)
def test_our_sign_ends_every_final_message(text: str) -> None:
    assert both(text)["final_message"].endswith(f"\n{SEED_DONE}")


def test_their_final_message_stands_above_ours_in_their_kind_of_template() -> None:
    lines = both(FINAL[0])["final_message"].splitlines()
    assert lines[0] == "The system is finally up, after $UPTIME seconds"
    assert lines[1].startswith("Cloud-init v. ${version} finished at ${timestamp}.")
    lines = both(FINAL[4])["final_message"].splitlines()
    assert lines[:2] == ["## template: jinja", "up {{ uptime }}"]
    assert lines[2].startswith("Cloud-init v. {{ version }} finished at {{ timestamp }}.")


@pytest.mark.parametrize(
    ("text", "why"),
    [(FINAL[2], "for $uptime."), (FINAL[3], "for $5"), (FINAL[5], "jinja"),
     (FINAL[6], "no templates of that kind"), (FINAL[11], "not text")],
)  # fmt: skip
def test_a_final_message_that_would_end_the_sign_is_left_out_and_a_note_says_so(
    text: str, why: str
) -> None:
    (note,) = check(HEAD + text).notes
    assert note.startswith("final_message is not taken: ")
    assert why in note
    assert both(text)["final_message"] == OURS["final_message"]


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("users: default\n", ["default"]),
        ("users: default,bob\n", ["default", "bob"]),
        ("users: [default, {name: bob}]\n", ["default", {"name": "bob"}]),
        ("users: {bob: true, eve: no, default: on}\n", ["bob", "default"]),
        ("users: {bob: {gecos: x}}\n", [{"name": "bob", "gecos": "x"}]),
        ("users:\n", []),
        ("users: []\n", []),
        ("groups:\nusers: [bob]\n", ["bob"]),
    ],
)
def test_the_tenants_account_is_the_first_of_all_users(text: str, others: list[Any]) -> None:
    assert both(text)["users"] == [OURS["users"][0], *others]


@pytest.mark.parametrize(
    "text",
    [
        "users:\n  - name: alice\n    shell: /bin/sh\n    groups: docker, adm\n"
        "    ssh-authorized-keys: [other]\n",
        "users:\n  alice:\n    shell: /bin/sh\n    groups: [docker, adm]\n"
        "    ssh_authorized_keys: other\n",
        "user:\n  name: alice\n  shell: /bin/sh\n  groups: {docker: , adm: }\n"
        "  ssh_authorized_keys: {a: other}\n  sudo:\n",
    ],
)
def test_what_is_said_of_the_tenants_account_comes_on_top_of_its_keys_and_groups(
    text: str,
) -> None:
    said = both(text)
    (account,) = said["users"]
    assert "user" not in said
    assert account["ssh_authorized_keys"] == [KEY, "other"]
    assert account["groups"] == ["sudo", "docker", "adm"]
    assert (account["shell"], account["sudo"]) == ("/bin/sh", "ALL=(ALL) NOPASSWD:ALL")


@pytest.mark.parametrize("text", ["groups: [alice]", "groups: alice,b", "groups: {alice: [root]}"])
def test_a_group_of_the_accounts_name_is_its_own(text: str) -> None:
    assert both(f"{text}\n")["users"][0]["primary_group"] == "alice"


@pytest.mark.parametrize(
    "more", ["system: true", "no_create_home: 1", "ssh_redirect_user: true", "shell: /sbin/nologin"]
)
def test_nothing_keeps_the_tenant_out_of_the_account(more: str) -> None:
    word = more.partition(":")[0]
    with pytest.raises(InputError, match=f"{word} would keep the tenant out of the account"):
        both(f"users: [{{name: alice, {more}}}]\n")
    assert both(f"users: [{{name: bob, {more}}}]\n")
    assert both("users: [{name: alice, system: false}]\n")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("users: true\n", "users is not a list"),
        ("users: [1]\n", "users has no name at entry 1"),
        ("users: [bob, ~]\n", "users has no name at entry 2"),
        ("users: {bob: }\n", "users has no table at 'bob'"),
        ("groups: [[a]]\n", "groups has an entry that is not a name"),
        ("groups: {a: }\n", "groups has an entry that is not a name"),
        ("user: [a]\n", "user is neither a name nor a table"),
        ("runcmd: echo\n", "runcmd is not a list"),
        ("runcmd: {a: b}\n", "runcmd is not a list"),
        ("bootcmd: [a, b: c]\n", "bootcmd: entry 2 is not a command"),
        ("runcmd: [5]\n", "runcmd: entry 1 is not a command"),
        ("write_files: {path: /x}\n", "write_files is not a list"),
        ("write_files: [/x]\n", "write_files: entry 1 is not a table"),
        ("packages: {apt: [vim]}\n", "packages is not a list"),
        ("network: {version: 2}\n", "network is not taken"),
        ("hostname: [a]\n", "hostname is not a name"),
        ("system_info: {distro: x}\n", "system_info.distro is not taken"),
        ("system_info: x\n", "system_info is not taken"),
        ("cloud_final_modules: [[scripts-user, always]]\n", "leaves out final_message"),
        ("cloud_final_modules: [scripts_user, [final-message, once, x]]\n", "out final_message"),
        ("cloud_config_modules: []\n", "cloud_config_modules leaves out runcmd"),
        ("cloud_init_modules: [ssh, write-files, bootcmd]\n", "leaves out users_groups"),
    ],
)  # fmt: skip
def test_what_would_end_ours_in_the_guest_is_refused_here(text: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        check(HEAD + text)
    assert says in str(caught.value)


@pytest.mark.parametrize("key", ["runcmd", "bootcmd", "write_files", "packages", "hostname",
                                 "fqdn", "output", "users", "final_message", "ssh_pwauth", "swap",
                                 "manage_etc_hosts", "network"])  # fmt: skip
def test_a_key_that_has_nothing_takes_nothing_away(key: str) -> None:
    assert both(f"{key}:\n") == {**OURS, **({"swap": None} if key == "swap" else {})}


def test_commands_may_have_gaps_and_packages_may_be_one_word() -> None:
    assert both("runcmd: [~, ls, [a, 1]]\n")["runcmd"] == [*OURS["runcmd"], None, "ls", ["a", 1]]
    assert both("packages: git\n")["packages"] == ["vim", "git"]


def test_a_list_of_modules_that_has_ours_is_taken() -> None:
    text = "cloud_final_modules: [package_update_upgrade_install, [scripts-user, always], final-message]\n"
    assert len(both(text)["cloud_final_modules"]) == 3


@pytest.mark.parametrize(
    "text", ["output: {all: '| tee -a /var/log/x'}", "output: {final: [a, b]}", "output: x"]
)
def test_its_output_stays_on_the_owners_console(text: str) -> None:
    assert both(f"{text}\n")["output"] == OURS["output"]
    assert check(f"{HEAD}{text}\n").notes[0].startswith("output is not taken")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("chpasswd: {list: 'alice:x'}", True),
        ("chpasswd: {users: [{name: alice}], expire: true}", True),
        ("chpasswd: {users: [{name: alice}], expire: false}", False),
        ("chpasswd: {expire: true}", False),
    ],
)
def test_passwords_that_have_expired_are_told(text: str, told: bool) -> None:
    notes = check(f"{HEAD}{text}\n").notes
    assert [note.startswith("chpasswd sets passwords") for note in notes] == [True] * told


def test_keys_for_an_account_that_is_not_made_are_told() -> None:
    keys = "ssh_authorized_keys: [k]\n"
    assert "the image's own account" in check(HEAD + keys).notes[0]
    for more in ("users: [default]\n", "user: bob\n", "users: [{gecos: x}]\n"):
        assert check(HEAD + keys + more).notes == ()


@pytest.mark.parametrize(
    ("text", "hostname", "fqdn"),
    [
        ("hostname: web\n", "web", "web.raptor.example"),
        ("hostname: web.example.org\n", "web", "web.example.org"),
        ("fqdn: web.example.org\n", "web", "web.example.org"),
        ("hostname: web\nfqdn: a.example.org\n", "web", "a.example.org"),
        ("packages: [git]\n", "alice-dev", "alice-dev.raptor.example"),
    ],
)
def test_a_name_of_theirs_has_the_other_half_of_theirs(text: str, hostname: str, fqdn: str) -> None:
    said = both(text)
    assert (said["hostname"], said["fqdn"]) == (hostname, fqdn)


def test_a_config_that_cloud_init_would_take_for_a_message_is_put_into_one() -> None:
    text = f"{HEAD}write_files:\n  - {{path: /m, content: 'MIME-Version: 1.0'}}\n"
    whole = email.message_from_string(joined({}, text))
    assert whole.is_multipart()
    (part,) = [part for part in whole.walk() if not part.is_multipart()]
    assert part.get_content_type() == "text/cloud-config"
    said = part.get_payload(decode=True)
    assert isinstance(said, bytes)
    assert yaml.safe_load(said) == yaml.safe_load(text)
