"""Seeds on the command line: what is told, shown, refused and taken away."""

import email
import gzip
import json
from pathlib import Path

import pytest
import yaml

from raptorctl.model.seed import Seed
from raptorctl.render.seed_iso import LARGEST, read_iso, render_iso
from tests.fakes import World
from tests.unit.cli.session import PROVISION, CommandLine
from tests.unit.model.test_ssh_key import GOOD

PATH = "/var/lib/libvirt/raptorctl/alice-dev-seed.iso"


@pytest.fixture
def host(tmp_path: Path) -> CommandLine:
    (tmp_path / "alice.pub").write_text(GOOD)
    line = CommandLine(World(), tmp_path)
    assert line("tenant", "add", "alice", "--key", str(tmp_path / "alice.pub")).code == 0
    return line


def given(host: CommandLine, text: str) -> str:
    file = host.directory / "user-data"
    file.write_text(text)
    return str(file)


def seeded(host: CommandLine, text: str = "#cloud-config\npackages: [vim]\n", *words: str) -> Seed:
    done = host(*PROVISION, "-y", "--user-data", given(host, text), *words)
    assert done.code == 0, done.err
    return read_iso(host.world.files.read_bytes(PATH, LARGEST) or b"")


def test_the_admins_file_is_merged_into_what_the_machine_is_told(host: CommandLine) -> None:
    config = yaml.safe_load(seeded(host).user_data)
    assert config["packages"] == ["vim"]
    (user,) = config["users"]
    assert (user["name"], user["ssh_authorized_keys"]) == ("alice", [GOOD.strip()])


def test_the_domain_has_the_seed_and_says_by_which_key_it_is_known(host: CommandLine) -> None:
    config = yaml.safe_load(seeded(host).user_data)
    (domain,) = host.world.domains.list()
    assert domain.disks == ("/dev/lvm-data/guest-alice-dev", PATH)
    assert domain.mark
    assert domain.mark.host_key == config["ssh_keys"]["ed25519_public"]
    assert domain.mark.host_key.startswith("ssh-ed25519 ")


def test_no_secret_is_in_the_journal_or_in_a_plan(host: CommandLine) -> None:
    words = (*PROVISION, "--user-data", given(host, "#cloud-config\npassword: hush\n"))
    plan = host(*words, "--dry-run", "-o", "json").out
    assert "seed.write" in plan
    assert host(*words, "-y", "-o", "json").code == 0
    told = plan + "".join(file.read_text() for file in host.directory.rglob("*.jsonl"))
    assert "seed.write" in told
    assert "hush" not in told
    assert "PRIVATE KEY" not in told


def test_what_was_shown_is_what_is_applied_with_a_key_that_was_made_once(host: CommandLine) -> None:
    words = (*PROVISION, "--user-data", given(host, "#cloud-config\n"))
    done = host(*words, terminal=True, answer="y\n")
    assert done.code == 0, done.err


def test_show_names_the_seed_and_the_screen(host: CommandLine) -> None:
    seeded(host, "#cloud-config\npackages: [vim]\n", "--graphics", "spice-socket")
    told = json.loads(host("show", "alice", "dev", "-o", "json").out)
    assert (told["seed"], told["screen"], told["backing"]) == (PATH, "spice-socket", "")
    lines = host("show", "alice", "dev").out.splitlines()
    assert f"seed       {PATH}" in lines
    assert "screen     spice-socket, for virt-viewer" in lines


def test_a_machine_with_nothing_to_be_told_has_no_seed(host: CommandLine) -> None:
    assert host(*PROVISION, "-y").code == 0
    assert PATH not in host.world.files.paths
    assert host("seed", "show", "alice", "dev").code == 3
    again = host("seed", "detach", "alice", "dev", "-y")
    assert (again.code, again.out) == (0, "alice-dev has no seed already\n")


def test_an_image_comes_with_a_seed_unless_it_is_not_wanted(host: CommandLine) -> None:
    words = (*PROVISION, "--image", "debian:13", "--dry-run", "-o", "json")
    assert "seed.write" in host(*words).out
    assert "seed.write" not in host(*words, "--no-seed").out


@pytest.mark.parametrize(
    ("text", "words", "says"),
    [
        ("packages: [vim]\n", (), "--user-data: line 1 is 'packages: [vim]' and not #cloud-config"),
        ("#cloud-config\na:\n\t- b\n", (), "--user-data: line 3 has a tab"),
        ("#cloud-config\na: -----BEGIN PRIVATE KEY-----\n", (), "line 2 begins a private key"),
        ("#cloud-config\n", ("--no-seed",), "--no-seed says nothing"),
    ],
)
def test_bad_user_data_is_refused_before_anything_is_touched(
    host: CommandLine, text: str, words: tuple[str, ...], says: str
) -> None:
    before = host.world.picture()
    done = host(*PROVISION, "-y", "--user-data", given(host, text), *words)
    assert done.code == 2
    assert says in done.complaint
    assert host.world.picture() == before


def test_user_data_and_keys_do_not_both_come_from_standard_input(host: CommandLine) -> None:
    done = host(*PROVISION, "--key", "-", "--user-data", "-", "--dry-run")
    assert done.code == 2
    assert "cannot both be standard input" in done.complaint


def test_a_seed_that_is_there_before_the_machine_is_refused(host: CommandLine) -> None:
    host.world.files.write_bytes(PATH, b"x", 0o600)
    done = host(*PROVISION, "-y")
    assert done.code == 3
    assert f"{PATH} is there already" in done.complaint


def test_what_is_shown_hides_keys_and_passwords(host: CommandLine) -> None:
    seeded(
        host,
        "#cloud-config\npassword: hush\nchpasswd: {list: 'root:hush'}\nruncmd: [[echo, 24.10]]\n",
    )
    for form in ("text", "json"):
        said = host("seed", "show", "alice", "dev", "-o", form).out
        assert "hush" not in said
        assert "BEGIN OPENSSH" not in said
        assert "(hidden)" in said
        assert "24.10" in said
    shape = json.loads(host("seed", "show", "alice", "dev", "-o", "json").out)
    assert shape["path"] == PATH
    assert "alice-dev" in shape["meta_data"]


def test_a_number_that_is_a_password_is_hidden_and_a_truth_value_is_shown(
    host: CommandLine,
) -> None:
    seeded(host, "#cloud-config\nroot_password: 1234567\ntoken: 0x1f\nsecret_store: true\n")
    said = host("seed", "show", "alice", "dev").out
    assert "1234567" not in said
    assert "0x1f" not in said
    assert "secret_store: true" in said


def test_of_a_script_it_shows_what_the_guest_reads_without_its_keys(host: CommandLine) -> None:
    text = "#!/bin/sh\necho $HOME > /root/home\n-----BEGIN PRIVATE KEY-----\nhush\n"
    seeded(host, text, "--allow-private-key")
    for form in ("text", "json"):
        said = host("seed", "show", "alice", "dev", "-o", form).out
        assert "echo $HOME" in said
        assert "Content-Type: text/cloud-config" in said
        assert "(hidden)" in said
        assert "hush" not in said
        assert "OPENSSH" not in said
        assert "base64" not in said


def test_a_seed_is_taken_from_a_machine_that_runs(host: CommandLine) -> None:
    seeded(host)
    done = host("seed", "detach", "alice", "dev", "-y")
    assert (done.code, done.out) == (0, "alice-dev has no seed any more\n")
    (domain,) = host.world.domains.list()
    assert domain.state.active
    assert domain.disks == ("/dev/lvm-data/guest-alice-dev",)
    assert not host.world.domains.plugged(domain.uuid, PATH)
    assert PATH not in host.world.files.paths
    assert host("seed", "detach", "alice", "dev", "-y").code == 0


def test_a_guest_that_does_not_let_go_keeps_its_seed(host: CommandLine) -> None:
    seeded(host)
    before, host.world.domains.deaf = host.world.picture(), True
    done = host("seed", "detach", "alice", "dev", "-y")
    assert done.code == 1
    assert "does not let go" in done.err
    assert host.world.picture() == before


def test_nothing_of_a_seed_is_left_when_its_machine_is_gone(host: CommandLine) -> None:
    seeded(host)
    done = host("deprovision", "alice", "dev", "-y")
    assert done.code == 0
    assert "left as it is" not in done.err
    assert PATH not in host.world.files.paths


def test_doctor_finds_a_seed_that_no_machine_has_and_mends_what_is_ours(host: CommandLine) -> None:
    seeded(host)
    assert host("deprovision", "alice", "dev", "-y").code == 0
    host.world.files.write_bytes(PATH, render_iso(Seed("m", "u")), 0o600)
    other = PATH.replace("alice-dev", "bob-x")
    host.world.files.write_bytes(other, b"x", 0o600)
    found = {one["on"]: one for one in json.loads(host("doctor", "-o", "json").out)["findings"]}
    assert found[PATH]["fix"] is True
    assert found[other]["fix"] is False
    host("doctor", "--fix", "-y")
    assert PATH not in host.world.files.paths
    assert other in host.world.files.paths


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (gzip.compress(b"#cloud-config\n", mtime=0), "compressed by gzip, and is not taken so"),
        ("#cloud-config\n".encode("utf-16"), "UTF-16, as Windows writes it"),
        (b"#cloud-config\n# Zo\xeb\n", "not UTF-8 text"),
    ],
)
def test_a_file_in_another_encoding_is_called_what_it_is(
    host: CommandLine, data: bytes, says: str
) -> None:
    file = host.directory / "user-data"
    file.write_bytes(data)
    done = host(*PROVISION, "--user-data", str(file), "--dry-run")
    assert done.code == 2
    assert says in done.err


def test_what_is_left_out_of_the_admins_file_is_told(host: CommandLine) -> None:
    text = "#cloud-config\nfinal_message: costs $5\noutput: {all: '>> /x'}\n"
    done = host(*PROVISION, "-y", "--user-data", given(host, text))
    assert done.code == 0
    assert "note: output is not taken" in done.err
    assert "note: final_message is not taken" in done.err


# All of cloud-init's files


def written(host: CommandLine) -> Seed:
    return read_iso(host.world.files.read_bytes(PATH, LARGEST) or b"")


def file(host: CommandLine, name: str, text: str) -> str:
    (host.directory / name).write_text(text)
    return str(host.directory / name)


VENDOR = "#cloud-config\nwrite_files: [{path: /etc/a, permissions: 0644}]\n"
NETWORK = "version: 2\nethernets: {lan: {match: {macaddress: 52:54:00:00:00:01}, dhcp4: true}}\n"


def test_vendor_data_and_a_network_are_handed_on_and_compared(host: CommandLine) -> None:
    words = (*PROVISION, "-y", "--vendor-data", file(host, "v", VENDOR), "--network-config",
             file(host, "n", NETWORK))  # fmt: skip
    done = host(*words)
    assert done.code == 0, done.err
    assert "note: line 2: '0644' is taken for text" in done.err
    seed = written(host)
    assert yaml.safe_load(seed.vendor_data)["write_files"][0]["permissions"] == "0644"
    assert yaml.safe_load(seed.network_config)["ethernets"].keys() == {"lan"}
    assert "# vendor-data:" in host("seed", "show", "alice", "dev").out
    assert "already so" in host(*words).out
    file(host, "v", VENDOR + "packages: [vim]\n")
    differs = host(*words).err
    assert "vendor-data sha256" in differs
    assert "--vendor-data FILE --network-config FILE" in differs


def test_a_profile_has_files_of_all_kinds_beside_it_and_what_is_typed_is_over_them(
    host: CommandLine,
) -> None:
    folder = host.directory / "config/machine_templates"
    folder.mkdir(parents=True)
    (folder / "all.toml").write_text('vendor_data = "v"\nnetwork_config = "n"\n')
    (folder / "v").write_text(VENDOR)
    (folder / "n").write_text(NETWORK)
    assert host(*PROVISION, "-y", "--profile", "all", "--network", "dhcp").code == 0
    seed = written(host)
    assert "/etc/a" in seed.vendor_data
    assert yaml.safe_load(seed.network_config)["ethernets"].keys() == {"eth0"}
    shown = host("template", "show", "all").out
    assert "# v:\n#cloud-config" in shown
    assert "# n:\nversion: 2" in shown


META = "rack: 7\ninstance-id: iid-1\nlocal-hostname: web\n"


def test_meta_data_is_laid_below_ours_and_may_name_the_guest(host: CommandLine) -> None:
    words = (*PROVISION, "-y", "--meta-data", file(host, "m", META))
    done = host(*words)
    assert (done.code, "note: instance-id: raptorctl's own is used" in done.err) == (0, True)
    seed = written(host)
    meta = yaml.safe_load(seed.meta_data)
    assert (meta["rack"], meta["local-hostname"], meta["instance-id"] == "iid-1") == (
        7,
        "web",
        False,
    )
    assert not {"hostname", "fqdn"} & yaml.safe_load(seed.user_data).keys()
    assert "already so" in host(*words).out
    file(host, "m", META + "row: 2\n")
    differs = host(*words).err
    assert "meta-data sha256" in differs
    assert "--meta-data FILE" in differs


FOLDER = {"user-data": "#cloud-config\npackages: [vim]\n", "vendor-data": VENDOR,
          "network-config": NETWORK, "meta-data": META}  # fmt: skip


def folder(at: Path, files: dict[str, str] = FOLDER) -> str:
    at.mkdir(parents=True)
    for name, text in files.items():
        (at / name).write_text(text)
    return str(at)


def test_a_folder_is_all_of_cloud_inits_files_and_an_option_counts_more(host: CommandLine) -> None:
    seed_folder = folder(host.directory / "seed", FOLDER | {".git": "", "user-data~": "x"})
    words = (*PROVISION, "-y", "--cloud-init", seed_folder)
    assert host(*words, "--user-data", file(host, "u", "#cloud-config\npackages: [htop]\n"),
                "--network", "dhcp").code == 0  # fmt: skip
    seed = written(host)
    assert yaml.safe_load(seed.user_data)["packages"] == ["htop"]
    assert yaml.safe_load(seed.meta_data)["rack"] == 7
    assert yaml.safe_load(seed.network_config)["ethernets"].keys() == {"eth0"}
    assert "/etc/a" in seed.vendor_data
    assert "user-data sha256" in host(*words).err  # the folder's own, now


def test_a_profile_has_a_folder_beside_it_in_the_place_of_all_below(host: CommandLine) -> None:
    profiles = host.directory / "config/machine_templates"
    folder(profiles / "seed", {"meta-data": META})
    (profiles / "low.toml").write_text('vendor_data = "v"\n')
    (profiles / "v").write_text(VENDOR)
    (profiles / "top.toml").write_text('cloud_init = "seed"\n')
    (profiles / "none.toml").write_text('cloud_init = ""\nuser_data = "v"\n')
    assert "# seed/meta-data:\nrack: 7" in host("template", "show", "top").out
    assert host(*PROVISION, "-y", "--profile", "low", "--profile", "top").code == 0
    seed = written(host)
    assert (yaml.safe_load(seed.meta_data)["rack"], seed.vendor_data) == (7, "")
    assert host("rebuild", "alice", "dev", "-y", "--profile", "top", "--profile", "none").code == 0
    seed = written(host)
    assert ("rack" in seed.meta_data, "/etc/a" in seed.user_data) == (False, True)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "has none of user-data, vendor-data, network-config, meta-data"),
        ({"userdata": ""}, "is no file of cloud-init's: did you mean user-data?"),
        ({"meta-data": "seedfrom: http://192.0.2.1/\n"},
         "--cloud-init: meta-data: seedfrom has cloud-init read another seed"),
        ({"user-data": "a: 1\n"}, "--cloud-init: user-data: line 1 is 'a: 1' and not"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_folder_is_named(
    host: CommandLine, files: dict[str, str], says: str
) -> None:
    done = host(*PROVISION, "-y", "--cloud-init", folder(host.directory / "seed", files))
    assert (done.code, says in done.complaint) == (2, True), done.complaint


def test_a_script_is_vendor_data_as_it_is(host: CommandLine) -> None:
    script = "#!/bin/sh\necho 0644\n"
    assert host(*PROVISION, "-y", "--vendor-data", file(host, "v", script)).code == 0
    assert written(host).vendor_data == script


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--vendor-data", "{}", "--no-seed"), "so --vendor-data says too much"),
        (("--cloud-init", "/nope", "--no-seed"), "so --cloud-init says too much"),
        (("--cloud-init", "/nope"), "--cloud-init: '/nope' cannot be read: No such file"),
        (("--network-config", "{}", "--network", "dhcp"), "so --network says too much"),
        (("--vendor-data", "-", "--user-data", "-"), "--user-data and --vendor-data cannot both"),
        (("--vendor-data", "{}"), "--vendor-data: line 1 is 'a: 1' and not #cloud-config"),
        (("--network-config", "{}"), "--network-config: a network-config says version: 1 or"),
    ],
)
def test_what_does_not_go_together_or_is_none_names_its_option(
    host: CommandLine, words: tuple[str, ...], says: str
) -> None:
    name = file(host, "x", "a: 1\n")
    done = host(*PROVISION, "-y", *(word.replace("{}", name) for word in words))
    assert (done.code, says in done.complaint) == (2, True)


def test_a_template_is_taken_where_it_is_allowed_and_ours_is_merged_into_it(
    host: CommandLine,
) -> None:
    text = "## template: jinja\n#cloud-config\nhostname: {{ v1.local_hostname }}\n"
    words = (*PROVISION, "-y", "--user-data", given(host, text))
    assert "which is not taken without --allow-jinja" in host(*words).complaint
    assert host(*words, "--allow-jinja").code == 0
    _, *parts = email.message_from_string(written(host).user_data).walk()
    assert [part.get_content_type() for part in parts] == ["text/jinja2", "text/cloud-config"]
    first, second = (bytes(part.get_payload(decode=True)).decode() for part in parts)
    assert first == text
    assert 'merge_how: "list(prepend)' in second
    assert "{{ v1.local_hostname }}" in host("seed", "show", "alice", "dev").out


def test_a_template_may_hold_no_private_key_either(host: CommandLine) -> None:
    text = "## template: jinja\n#cloud-config\nx: |\n  -----BEGIN PRIVATE KEY-----\n"
    words = (*PROVISION, "-y", "--allow-jinja", "--user-data", given(host, text))
    assert "line 4 begins a private key" in host(*words).complaint
