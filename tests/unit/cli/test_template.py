"""Templates and profiles on the command line."""

import json
from pathlib import Path

import pytest
import yaml

from raptorctl.cli.command import template
from raptorctl.host.system import profile as profiles
from raptorctl.model.spec import Graphics
from raptorctl.render.seed_iso import LARGEST, read_iso
from tests.fakes import World
from tests.unit.cli.session import CommandLine

SHIPPED = {
    "workstation": ("20G", 2, "2G", "ares", "spice"),
    "web-server": ("8G", 1, "512M", "hermes", "vnc"),
    "build-machine": ("10G", 2, "768M", "vulcan", "vnc"),
}


@pytest.fixture
def host(tmp_path: Path) -> CommandLine:
    return CommandLine(World().with_tenants("alice"), tmp_path)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_profile_makes_a_machine(host: CommandLine, name: str) -> None:
    size, cpus, memory, hostname, screen = SHIPPED[name]
    shown = host("provision", "alice", "x", "--profile", name, "--dry-run")
    assert shown.code == 0
    assert f"{size} on guest-alice-x" in shown.out
    assert f"{memory} of memory" in shown.out
    assert "is not in the cache yet" in shown.out
    plan = json.loads(
        host("provision", "alice", "x", "--profile", name, "--dry-run", "-o", "json").out
    )
    (xml,) = (s["xml"] for s in plan["plan"]["steps"] if s["kind"] == "domain.define")
    assert f'<graphics type="{screen}">' in xml
    assert xml.count("<vcpupin") == cpus
    profile = profiles.read_profile(name)
    assert profile.hostname == hostname
    assert profile.swap
    assert (profile.sysctl or {})["vm.swappiness"] == "10"
    assert (profile.user_data or "#cloud-config").startswith("#cloud-config")


def test_the_command_line_wins_over_the_profile_and_the_profile_over_the_settings(
    host: CommandLine,
) -> None:
    words = ("provision", "alice", "x", "--profile", "web-server", "--no-seed", "--dry-run")
    assert "8G on guest-alice-x, CPUs 2, 512M of memory" in host(*words).out
    typed = host(*words, "--size", "9G", "--cpus", "4-5", "--memory", "1G", "--graphics", "none",
                 "-o", "json")  # fmt: skip
    assert "9G on guest-alice-x, CPUs 4,5, 1G of memory" in typed.out
    assert "<graphics" not in typed.out


def own(monkeypatch: pytest.MonkeyPatch, folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    really = profiles.profile_files
    monkeypatch.setattr(profiles, "profile_files", lambda *_: really(folder))


def test_a_profile_of_the_hosts_own_tells_the_guest(
    host: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = 'size = "1G"\ncpus = 1\nuser_data = "mine.yaml"\n[hosts]\n"10.0.0.1" = ["a"]\n'
    own(monkeypatch, tmp_path, mine__toml=text, mine__yaml="#cloud-config\nlocale: de\n")
    assert host("provision", "alice", "x", "--profile", "mine", "-y").code == 0
    path = "/var/lib/libvirt/raptorctl/alice-x-seed.iso"
    config = yaml.safe_load(read_iso(host.world.files.read_bytes(path, LARGEST) or b"").user_data)
    assert config["locale"] == "de"
    assert config["write_files"][-1]["content"] == "10.0.0.1 a\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("memry = '1G'\n", "bad.toml: memry: is not known here"),
        ("memory = 1.5\n", 'bad.toml: memory: should be a size such as "40G"'),
        ("graphics = 'vnc'\n", "bad.toml: graphics: "),
        ("cpus = 0\n", "bad.toml: cpus: should be 1 to"),
        ("user_data = '../../etc/shadow'\n", "bad.toml: user_data: should be the name of a file"),
        ("account = 'root'\n", "bad.toml: account: root does not log in"),
        ("[hosts]\nhermes = ['10.0.0.1']\n", "bad.toml: hosts: should have IP addresses"),
        ("[sysctl]\nvm.swappiness = '1'\n", "bad.toml: sysctl.vm: should be text"),
        ("[sysctl]\n'vm.x' = \"1\\n2\"\n", "bad.toml: sysctl: should have one line each"),
        ("packages = ['a b']\n", "bad.toml: packages: should be packages' names"),
        ("size = \n", "bad.toml: is not TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_profile_names_file_and_key(
    host: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, says: str
) -> None:
    own(monkeypatch, tmp_path, bad__toml=text)
    done = host("provision", "alice", "x", "--profile", "bad", "--dry-run")
    assert done.code == 2
    assert says in done.complaint


def test_without_a_size_or_cpus_from_anywhere_it_is_said(host: CommandLine) -> None:
    both = host("provision", "alice", "x").complaint
    assert both.endswith("--size and --cpus are missing: give them, or a --profile that has them")
    assert "--size is missing" in host("provision", "alice", "x", "--cpus", "4").complaint
    assert "--cpus is missing" in host("provision", "alice", "x", "--size", "1G").complaint
    said = host("provision", "alice", "x", "--profile", "nope").complaint
    assert "there is: build-machine, web-server, workstation" in said


def test_more_cpus_than_are_free_are_refused(
    host: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own(monkeypatch, tmp_path, wide__toml='size = "1G"\ncpus = 7\n')
    done = host("provision", "alice", "x", "--profile", "wide", "--dry-run")
    assert (done.code, "7 CPUs asked; free: 2-7" in done.complaint) == (3, True)


def test_chosen_cpus_lie_on_one_numa_node_where_one_has_enough(
    host: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own(monkeypatch, tmp_path, wide__toml='size = "1G"\ncpus = 3\n')
    done = host("provision", "alice", "x", "--profile", "wide", "--dry-run")
    assert "CPUs 4-6" in done.out
    assert "NUMA" not in done.out


def test_the_same_profile_again_is_already_so(host: CommandLine) -> None:
    words = ("provision", "alice", "x", "--profile", "build-machine", "--no-seed", "-y")
    host.world.images.all = ()
    plain = [*words[:3], "--size", "10G", "--cpus", "2-3", "--memory", "768M", "-y"]
    assert host(*plain).code == 0
    again = host("provision", "alice", "x", "--size", "10G", "--cpus", "2-3", "-y")
    assert "already so" in again.out
    assert template.read_profile("build-machine").graphics is Graphics.VNC


def test_list_and_show_know_domains_and_profiles(host: CommandLine) -> None:
    host.root = False
    rows = json.loads(host("template", "list", "-o", "json").out)["templates"]
    kinds = {row["name"]: row["kind"] for row in rows}
    assert kinds["virtio-console"] == "domain"
    assert kinds["web-server"] == "profile"
    assert "nginx" in host("template", "list").out
    assert "<domain" in host("template", "show", "virtio-console").out
    shown = host("template", "show", "workstation").out
    assert 'hostname = "ares"' in shown
    assert "#cloud-config" in shown
    shape = json.loads(host("template", "show", "workstation", "-o", "json").out)
    assert shape["profile"]["cpus"] == 2
    assert host("template", "show", "../x").code == 2
