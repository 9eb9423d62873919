"""Templates and profiles on the command line."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from raptorctl.host.system.profile import read_profiles
from raptorctl.model.sizes import Size
from raptorctl.model.spec import Graphics, MachineSpec
from raptorctl.render.seed_iso import LARGEST, read_iso
from tests.fakes import World
from tests.unit.cli.session import CommandLine

EXAMPLES = Path(__file__).parents[3] / "examples/profiles"
SHIPPED = {
    "workstation": ("20G", 2, "2G", "", "spice"),
    "web-server": ("8G", 1, "512M", "", "vnc"),
    "build-machine": ("10G", 2, "768M", "", "vnc"),
    "ares": ("20G", 2, "2G", "ares", "spice"),
    "hermes": ("8G", 1, "512M", "hermes", "vnc"),
    "vulcan": ("10G", 2, "768M", "vulcan", "vnc"),
}


@pytest.fixture
def host(tmp_path: Path) -> CommandLine:
    return CommandLine(World().with_tenants("alice"), tmp_path)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_profile_makes_a_machine(host: CommandLine, name: str) -> None:
    size, cpus, memory, hostname, screen = SHIPPED[name]
    called, example = name, EXAMPLES / f"{name}.toml"
    name = str(example) if hostname else name
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
    profile = read_profiles((name,))
    assert (profile.hostname or "") == hostname
    assert bool(profile.hosts) is bool(hostname), f"{called} names hosts that no one else has"
    assert hostname or not any("ipv6" in key for key in profile.sysctl or {})
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


def own(host: CommandLine, **files: str) -> Path:
    folder = host.directory / "config/machine_templates"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def test_a_profile_of_the_hosts_own_tells_the_guest(
    host: CommandLine,
) -> None:
    text = 'size = "1G"\ncpus = 1\nuser_data = "mine.yaml"\n[hosts]\n"10.0.0.1" = ["a"]\n'
    own(host, mine__toml=text, mine__yaml="#cloud-config\nlocale: de\n")
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
    host: CommandLine, text: str, says: str
) -> None:
    own(host, bad__toml=text)
    done = host("provision", "alice", "x", "--profile", "bad", "--dry-run")
    assert done.code == 2
    assert says in done.complaint


def test_without_a_size_or_cpus_from_anywhere_it_is_said(host: CommandLine) -> None:
    both = host("provision", "alice", "x").complaint
    assert both.endswith("--size and --cpus are missing: give them, or a --profile that has them")
    assert "--size is missing" in host("provision", "alice", "x", "--cpus", "4-4").complaint
    assert "--cpus is missing" in host("provision", "alice", "x", "--size", "1G").complaint
    said = host("provision", "alice", "x", "--profile", "nope").complaint
    assert "there is: build-machine, web-server, workstation" in said


def test_more_cpus_than_are_free_are_refused(
    host: CommandLine,
) -> None:
    own(host, wide__toml='size = "1G"\ncpus = 7\n')
    done = host("provision", "alice", "x", "--profile", "wide", "--dry-run")
    assert (done.code, "7 CPUs asked; free: 2-7" in done.complaint) == (3, True)


def test_chosen_cpus_lie_on_one_numa_node_where_one_has_enough(
    host: CommandLine,
) -> None:
    own(host, wide__toml='size = "1G"\ncpus = 3\n')
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
    assert read_profiles(("build-machine",)).graphics is Graphics.VNC


def test_list_and_show_know_domains_and_profiles(host: CommandLine) -> None:
    host.root = False
    rows = json.loads(host("template", "list", "-o", "json").out)["templates"]
    kinds = {row["name"]: row["kind"] for row in rows}
    assert kinds["virtio-console"] == "domain"
    assert kinds["web-server"] == "profile"
    assert "nginx" in host("template", "list").out
    assert "<domain" in host("template", "show", "virtio-console").out
    shown = host("template", "show", "workstation").out
    assert "xfce4" in shown
    assert "#cloud-config" in shown
    shape = json.loads(host("template", "show", "workstation", "-o", "json").out)
    assert shape["profile"]["cpus"] == 2
    assert host("template", "show", "../x").code == 2


# Several, and by path


def made(host: CommandLine, *profiles: str) -> tuple[str, MachineSpec]:
    """The summary of a dry run, and what the profiles say together."""
    words = [word for name in profiles for word in ("--profile", name)]
    done = host("provision", "alice", "x", *words, "--no-seed", "--dry-run")
    assert done.code == 0, done.err
    folder = host.directory / "config/machine_templates"
    return done.out, read_profiles(profiles, folder)


def test_profiles_are_laid_over_one_another_from_left_to_right(host: CommandLine) -> None:
    own(host, low__toml=LOW, high__toml=HIGH)
    out, spec = made(host, "low", "high")
    assert "1G on guest-alice-x, CPUs 2, 512M of memory" in out
    assert spec.profile == ("low", "high")
    assert spec.packages == ("nginx",)
    assert spec.sysctl == {"vm.swappiness": "10", "vm.dirty_ratio": "15"}
    assert spec.hosts == {"192.0.2.1": ("b",)}
    assert made(host, "high", "low")[1].memory == Size.parse("256M")


LOW = """size = "1G"
cpus = 1
memory = "256M"
packages = ["vim", "git"]
[sysctl]
"vm.swappiness" = "60"
"vm.dirty_ratio" = "15"
[hosts]
"192.0.2.1" = ["a"]
"""
HIGH = """memory = "512M"
packages = ["nginx"]
[sysctl]
"vm.swappiness" = "10"
[hosts]
"192.0.2.1" = ["b"]
"""


def test_of_user_data_the_last_that_is_named_counts_and_none_can_be_named(
    host: CommandLine,
) -> None:
    files = {f"{n}__toml": f'user_data = "{n}.yaml"' for n in "ab"}
    folder = own(host, **files, a__yaml="A", b__yaml="B", c__toml="swap = '1G'",
                 none__toml='user_data = ""')  # fmt: skip
    assert read_profiles("abc", folder).user_data == "B"
    assert read_profiles("ba", folder).user_data == "A"
    assert read_profiles(["a", "none"], folder).user_data is None


def test_a_profile_by_path_is_the_same_as_by_name(host: CommandLine) -> None:
    folder = own(host, low__toml=LOW, high__toml=HIGH)
    by_name = made(host, "low", "high")
    by_path = made(host, str(folder / "low.toml"), str(folder / "high.toml"))
    assert by_path[0] == by_name[0]
    assert replace(by_path[1], profile=None) == replace(by_name[1], profile=None)


def test_what_is_named_and_not_there_says_where_it_was_looked_for(host: CommandLine) -> None:
    words = ("provision", "alice", "x", "--profile", "web-server", "--profile")
    complaint = host(*words, "nope").complaint
    assert f"neither {host.directory}/config/machine_templates/nope.toml nor /" in complaint
    assert complaint.endswith("for a file write ./nope.toml")
    assert "'no/file.toml' cannot be read: No such file" in host(*words, "no/file.toml").complaint
    assert "--profile: 'No!' is not a template's name" in host(*words, "No!").complaint


def test_what_only_one_of_several_says_wrongly_names_its_file(host: CommandLine) -> None:
    own(host, low__toml=LOW, bad__toml="swap = 1.5")
    done = host("render", "xml", "alice", "x", "--profile", "low", "--profile", "bad")
    assert "bad.toml: swap: should be a size" in done.complaint


def test_a_machine_shows_what_it_was_laid_together_from(host: CommandLine) -> None:
    own(host, low__toml=LOW, high__toml=HIGH)
    words = ("provision", "alice", "x", "--profile", "low", "--profile", "high", "--no-seed", "-y")
    assert host(*words).code == 0
    assert "profiles   low, high\n" in host("show", "alice", "x").out
    assert json.loads(host("show", "alice", "x", "-o", "json").out)["profiles"] == ["low", "high"]
    own(host, high__toml=HIGH.replace("10", "20"))
    other = host(*words[:-2], "--dry-run")
    assert "rebuild alice-x --profile low --profile high" in other.err
