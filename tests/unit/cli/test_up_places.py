"""What the host refuses while a file is applied is told by the file's line, as its own errors are."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from raptorctl.drivers.image import Pulled, Wanted
from raptorctl.errors import DownloadError
from raptorctl.model.domain import Domain
from raptorctl.model.error_code import Code
from tests.fakes import IMAGE, World
from tests.unit.cli.session import CommandLine
from tests.unit.cli.test_export import own
from tests.unit.read.test_registry import WHOLE

__all__ = ["own"]

FILE = """[defaults]
size = "10G"
memory = "1G"

[machine.alice-web]
cpus = 2

[machine.alice-db]
cpus = "6,7"
"""


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    line = CommandLine(World().with_tenants("alice"), tmp_path)
    line.world.images.all = (IMAGE,)
    Path("raptor.toml").write_text(FILE)
    return line


def refused(host: CommandLine, *words: str) -> str:
    """What the first line of an error says."""
    done = host(*words or ("up",), "-y")
    assert done.code in {1, 3, 5}, done.err
    line = next(line for line in done.err.splitlines() if line.startswith("raptorctl: "))
    return line.removeprefix("raptorctl: ")


def change(old: str, new: str) -> None:
    assert old in FILE
    Path("raptor.toml").write_text(FILE.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("cpus = 2", "cpus = 2\nslot = 99", "7:1: machine.alice-web.slot: there is no slot 99"),
        ("cpus = 2", 'cpus = "7"', "9:1: machine.alice-db.cpus: CPU 7 belongs to job for alice-web"),
        ("cpus = 2", 'cpus = "0-1"', "6:1: machine.alice-web.cpus: CPU 0,1 is kept for the host"),
        ("cpus = 2", "cpus = 40", "6:1: machine.alice-web.cpus: 40 CPUs asked"),
        ('"6,7"', '"6,7"\nsize = "900G"', "10:1: machine.alice-db.size: 900G asked; volume group"),
        ('"10G"', '"900G"', "2:1: machine.alice-web.size: 900G asked; volume group lvm-data has"),
        ('"1G"', '"90G"', "3:1: machine.alice-web.memory: 90G of memory asked; the host has 16G"),
        (
            "cpus = 2", 'cpus = 2\nnet = ["bridge:br9"]',
            "5:1: machine.alice-web: bridge:br9 is not granted",
        ),
        (
            "cpus = 2", 'cpus = 2\ndisks = { data = { size = "900G" } }',
            "5:1: machine.alice-web: 910G asked; volume group lvm-data has",
        ),
    ],
)  # fmt: skip
def test_what_a_plan_refuses_has_the_line_of_the_key(
    host: CommandLine, old: str, new: str, said: str
) -> None:
    change(old, new)
    before = host.world.picture()
    assert refused(host).startswith(f"raptor.toml:{said}")
    assert refused(host, "up", "--dry-run").startswith(f"raptor.toml:{said}")
    assert host.world.picture() == before


def test_a_name_that_is_taken_has_the_line_of_the_machine(host: CommandLine) -> None:
    host.world.domains.by_uuid["u9"] = Domain("u9", "alice-db")
    assert refused(host).startswith(
        "raptor.toml:8:1: machine.alice-db: domain alice-db exists and is not raptorctl's"
    )


def test_all_that_is_refused_is_told_each_with_its_line(host: CommandLine) -> None:
    change("cpus = 2", "cpus = 2\nslot = 99")
    text = Path("raptor.toml").read_text()
    Path("raptor.toml").write_text(text.replace('"6,7"', '"0"'))
    done = host("up", "-o", "json")
    error = json.loads(done.err.splitlines()[-1])["error"]
    assert error["message"].startswith("raptor.toml:7:1: machine.alice-web.slot: ")
    places = [line.split(": ")[:2] for line in error["details"] if line[0] != " "]
    assert places == [
        ["raptor.toml:7:1", "machine.alice-web.slot"],
        ["raptor.toml:10:1", "machine.alice-db.cpus"],
    ]
    going = host("up", "--keep-going").err
    assert "raptorctl: raptor.toml:7:1: machine.alice-web.slot: there is no slot 99" in going
    assert "raptorctl: raptor.toml:10:1: machine.alice-db.cpus: CPU 0 is kept for the host" in going


def test_what_differs_and_never_changes_has_the_line_of_the_key(host: CommandLine) -> None:
    assert host("up").code == 0
    change('"10G"', '"5G"')
    assert refused(host).startswith(
        "raptor.toml:2:1: machine.alice-web.size: alice-web differs in what cannot change"
    )
    change("cpus = 2", "cpus = 2\nslot = 4")
    assert refused(host).startswith("raptor.toml:7:1: machine.alice-web.slot: alice-web differs")


def test_what_a_job_is_refused_has_it_too(host: CommandLine) -> None:
    assert host("up").code == 0
    assert host("snapshot", "create", "alice", "web", "before").code == 0
    change("cpus = 2", 'cpus = 2\nsize = "20G"')
    assert refused(host) == (
        "raptor.toml:7:1: machine.alice-web.size: volume guest-alice-web cannot grow while it has "
        "a snapshot: before: `raptorctl snapshot delete alice-web before` gives up what it keeps"
    )
    host.world.domains.deaf = True
    stopping = refused(host, "down", "alice-db")
    assert stopping.startswith("raptor.toml:9:1: machine.alice-db: waited ")
    assert "alice-db" in stopping


def test_what_fails_in_a_guest_has_the_line_of_the_steps(host: CommandLine, tmp_path: Path) -> None:
    Path("a.sh").write_text("#!/bin/sh\n")
    change("cpus = 2", 'cpus = 2\nimage = "debian:13"\nsteps = [{ run = "a.sh" }]')
    host.world.guests.banners, host.world.guests.outcomes = ["SSH-2.0-x"], {"a.sh": 1}
    said = refused(host)
    assert said.startswith("raptor.toml:8:1: machine.alice-web.steps: ")
    assert "ended with status 1" in said


def test_an_image_that_does_not_come_has_its_line(
    host: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pull(wanted: Wanted, *_watch: object) -> Pulled:
        raise DownloadError(f"{wanted.source.text}: cut off", code=Code.DOWNLOAD_FAILED)

    images = host.world.images
    monkeypatch.setattr(images, "foresee", lambda _wanted: replace(IMAGE, name="x", digest=""))
    monkeypatch.setattr(images, "pull", pull)
    change("cpus = 2", 'cpus = 2\nimage = "https://images.example/x.qcow2"')
    assert refused(host).startswith("raptor.toml:7:1: machine.alice-web.image: https://images.")


def test_each_step_and_disk_whose_file_is_not_there_has_its_own_line(own: CommandLine) -> None:
    Path("raptor.toml").write_text("""[defaults.disks.low]
size = "1G"
image = "low:1"
[machine.web]
image = "debian:13"
[machine.web.disks.more]
size = "1G"
image = "more:1"
[[machine.web.steps]]
inline = "true"
[[machine.web.steps]]
run = "no.sh"
[[machine.web.steps]]
run = "nor.sh"
""")
    said = own("up", "-y").err
    places = [line.split(": ")[:2] for line in said.splitlines() if "raptor.toml:" in line]
    assert places[-4:] == [
        ["  raptor.toml:1:1", "machine.web.disks.low"],
        ["  raptor.toml:6:1", "machine.web.disks.more"],
        ["  raptor.toml:11:1", "machine.web.steps.1"],
        ["  raptor.toml:13:1", "machine.web.steps.2"],
    ], said


def test_each_provision_has_its_own_line(own: CommandLine) -> None:
    Path("VMFile.kdl").write_text("""vm "web" {
    image-url "debian:13"
    ssh { user "debian"; }
    provision "shell" { inline "true"; }
    provision "shell" { inline "true"; }
    provision "file" {
        source "none"; destination "/etc/none"
    }
}
""")
    assert "VMFile.kdl:6:5: machine.web.steps.2: " in own("up", "VMFile.kdl", "-y").err


def test_others_files_have_lines_too(own: CommandLine) -> None:
    Path("VMFile.kdl").write_text('\nvm "web" {\n    image "debian:13"\n    memory 990000\n}\n')
    assert refused(own).startswith("VMFile.kdl:4:5: machine.web.memory: ")
    piped = own("up", "-", answer='[machine.web]\nmemory = "900G"\n')
    assert "-:2:1: machine.web.memory: 900G of memory asked" in piped.err
    Path("a.yaml").write_text(WHOLE.replace("memory: 2048", "memory: 990000"))
    Path("b.yaml").write_text("# nothing\n")
    own.world.domains.by_uuid["u9"] = Domain("u9", "alice-vm1")
    said = "a.yaml:24:11: machine.vm1: domain alice-vm1 exists and is not raptorctl's"
    assert refused(own, "up", "?.yaml", "vm1").startswith(said)


BOB = '[defaults]\nsize = "1G"\ncpus = 1\n\n[tenant.bob]\n{quota}\n\n[machine.bob-a]\n{a}\n'


@pytest.mark.parametrize(
    ("quota", "a", "b", "said"),
    [
        ("", "slot = 1", "slot = 1", "12:1: machine.bob-b.slot: slot 1 cannot be used: job for bob-a has it"),
        ("", 'cpus = "4-5"', 'cpus = "5-6"', "12:1: machine.bob-b.cpus: CPU 5 belongs to job for "),
        ("", 'size = "190G"', 'size = "15G"', "12:1: machine.bob-b.size: 15G asked; volume group"),
        ('quota = { size = "3G" }', 'size = "2G"', 'size = "2G"',
         "11:1: machine.bob-b: bob has 2G of 3G of disk; 2G more asked"),
        ('quota = { memory = "3G" }', 'memory = "2G"', 'memory = "2G"',
         "11:1: machine.bob-b: bob has 2G of 3G of memory; 2G more asked"),
        ("quota = { machines = 1 }", "", "", "11:1: machine.bob-b: bob has 1 of 1 machines; 1 more"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["bob", "alice"])
def test_so_it_is_for_a_tenant_who_is_new_in_the_file_too(
    host: CommandLine, name: str, quota: str, a: str, b: str, said: str
) -> None:
    text = BOB.format(quota=quota, a=a) + f"\n[machine.bob-b]\n{b}\n"
    Path("raptor.toml").write_text(text.replace("bob", name))
    before = host.world.picture()
    for words in (("up", "--dry-run"), ("up",)):
        assert refused(host, *words).startswith(f"raptor.toml:{said.replace('bob', name)}")
    assert host.world.picture() == before


def test_machines_are_counted_against_the_quota_that_the_file_says(host: CommandLine) -> None:
    def write(machines: int, *names: str) -> None:
        text = BOB.format(quota=f"quota = {{ machines = {machines} }}", a="").replace(
            "bob", "alice"
        )
        Path("raptor.toml").write_text(text + "".join(f"[machine.alice-{one}]\n" for one in names))

    write(1)
    assert host("up").out == "alice: quota\nalice-a: made\n"
    write(2, "b")
    assert host("up", "--dry-run").code == 0
    assert host("up").out == "alice: quota\nalice-a is already so\nalice-b: made\n"
    write(9)
    assert host("up").code == 0
    write(2, "b", "c")
    said = "raptor.toml:11:1: machine.alice-c: alice has 2 of 2 machines; 1 more asked"
    assert refused(host, "up", "--dry-run").startswith(said)
    assert refused(host).startswith(said)
