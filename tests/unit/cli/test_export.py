"""`export`: what stands, as a file; laid beside what stands, nothing differs, on any host."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from raptorctl.api import change, machine, seed
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.disk import read_disks
from raptorctl.model.domain import State
from raptorctl.model.made import read_made
from raptorctl.model.names import MachineName
from raptorctl.model.net import NO_NET
from raptorctl.model.seed import Network
from raptorctl.model.session_host import SECURE_FIRMWARE
from raptorctl.model.sizes import GIB, MIB, Size
from raptorctl.model.spec import CLOUD_TEXTS, BootDevice, Graphics, MachineSpec
from raptorctl.model.volume import Volume
from raptorctl.plans.file.export import EXPORTED
from raptorctl.plans.machine.choice import ProvisionRequest
from tests.fakes import IMAGE, ISO, World
from tests.session_host import SessionWorld, without_qemu_img
from tests.unit.cli.session import CommandLine, FakeSession
from tests.unit.model.test_ssh_key import GOOD

SEEDS = pytest.mark.parametrize("number", range(6))
TEXTS = ("$x", 'quote "', "back\\slash", "${name}", "ünïcode", "a # b")
CHOICES: dict[str, Callable[[random.Random], Any]] = {
    "image": lambda _: IMAGE.name,
    "iso": lambda _: ISO.name,
    "memory": lambda r: Size(r.choice((512, 768, 1024)) * MIB),
    "template": lambda r: r.choice(("virtio-console", "serial-console")),
    "graphics": lambda r: r.choice(tuple(Graphics)),
    "tpm": lambda r: r.choice((True, False)),
    "secure_boot": lambda r: r.choice((True, False)),
    "boot": lambda r: r.choice(((BootDevice.NETWORK, BootDevice.DISK), (BootDevice.DISK,))),
    "net": lambda _: (NO_NET,),
    "network": lambda r: r.choice(tuple(Network)),
    "seed": lambda r: r.choice((True, False)),
    "user_data": lambda _: "#!/bin/sh\n",
    "account": lambda r: r.choice(("ops", "alice")),
    "hostname": lambda _: "inner",
    "packages": lambda _: ("nginx", "vim"),
    "hosts": lambda _: {"10.0.0.1": ("db", "db.example"), "::1": ("me",)},
    "sysctl": lambda r: {"vm.swappiness": r.choice(TEXTS)},
    "swap": lambda _: Size(512 * MIB),
    "disks": lambda _: read_disks(["data=1G,keep", "more=4G,bus=scsi,image=debian:13"]),
}
"""Keys that any machine may have, and values of theirs."""


def spec(chance: random.Random, number: int) -> MachineSpec:
    said = {key: choose(chance) for key, choose in CHOICES.items() if chance.random() < 0.4}
    cpus = CpuSet((2 * number + 2,)) if chance.random() < 0.5 else 1
    return MachineSpec(size=Size(4 * GIB), cpus=cpus, **said)


def test_every_key_of_a_spec_is_exported_or_is_not_kept(host: CommandLine) -> None:
    provision(host, MachineName("alice", "dev"), MachineSpec(Size(4 * GIB), 1, image=IMAGE.name))
    (domain,) = host.world.domains.list()
    made = domain.mark and read_made(domain.mark.made)
    assert made
    keys = {one.name for one in fields(MachineSpec)}
    told = {key for key in keys if getattr(made.spec, key) is not None}
    assert keys == EXPORTED | told | {"profile", "keys", *CLOUD_TEXTS}


def provision(host: CommandLine, name: MachineName, wanted: MachineSpec) -> None:
    session = host.session()
    boot = seed.first_boot(session, wanted, name)
    request = ProvisionRequest(name, wanted, start=False, first_boot=boot)
    change.carry_out(session, machine.provision(request))


def exported(host: CommandLine) -> None:
    done = host("export")
    assert done.code == 0, done.err
    Path("raptor.toml").write_text(done.out)


def nothing_differs(host: CommandLine) -> None:
    done = host("diff", "--exit-code")
    assert (done.code, done.out, done.err) == (0, "nothing differs\n", ""), done.out


@pytest.fixture
def host(raptorctl: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    raptorctl.world.images.all = (IMAGE, ISO)
    raptorctl.world.files.paths |= set(SECURE_FIRMWARE[0])
    return raptorctl


@SEEDS
def test_export_then_diff_says_nothing(host: CommandLine, number: int) -> None:
    chance = random.Random(number)
    for count in range(chance.randint(1, 3)):
        name = MachineName(chance.choice(("alice", "bob")), f"m{count}")
        provision(host, name, spec(chance, count))
    exported(host)
    nothing_differs(host)
    up = host("up", "-y")
    assert up.code == 0, up.err
    nothing_differs(host)
    before = host.world.picture()
    assert host("up").code == 0
    assert host.world.picture() == before


class SessionHostSession(FakeSession):
    """A session host in memory."""

    on_session_host = True
    config = Path("/nowhere")

    def put(self, world: World, directory: Path) -> None:
        super().put(world, directory)
        assert isinstance(world, SessionWorld)
        self.settings = world.settings

    def inventory(self) -> tuple[tuple[Volume, ...], Mapping[str, State]]:
        assert isinstance(self.world, SessionWorld)
        return self.world.overlays.list(), self.world.domains.states()


class SessionLine(CommandLine):
    """A shell on it."""

    def session(self, *typed: str) -> FakeSession:
        return SessionHostSession(typed, self.world, self.directory)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SessionLine]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home").mkdir()
    with without_qemu_img(monkeypatch):
        world = SessionWorld(tmp_path / "home")
        world.images.all = (world.image,)
        yield SessionLine(world, tmp_path)


@pytest.mark.parametrize("words", [("list",), ("disk", "list")])
def test_a_list_for_a_tenant_is_refused_where_there_is_none(
    own: CommandLine, words: tuple[str, ...]
) -> None:
    done = own(*words, "web")
    assert (done.code, "there is no tenant 'web'" in done.complaint) == (2, True)
    owner = own.session().settings.owner
    assert own(*words, owner).code == own(*words).code == 0


@pytest.mark.parametrize("number", range(2))
def test_so_it_is_on_a_session_host(own: CommandLine, number: int) -> None:
    chance = random.Random(number)
    for count in range(2):
        wanted = replace(
            spec(chance, count), network=None, secure_boot=None, cpus=chance.choice((1, 3))
        )
        provision(own, MachineName("alice", f"m{count}"), wanted)
    exported(own)
    assert "[machine.m0]" in Path("raptor.toml").read_text()
    assert "[tenant" not in Path("raptor.toml").read_text()
    nothing_differs(own)
    up = own("up", "-y")
    assert (up.code, up.out) == (0, "alice-m0: started\nalice-m1: started\n"), up.err
    nothing_differs(own)


def test_a_file_of_a_few_lines_makes_a_machine_on_a_session_host(own: CommandLine) -> None:
    Path("raptor.toml").write_text('[machine.web]\nimage = "debian:13"\nmemory = "1G"\n')
    done = own("up")
    assert (done.code, done.out) == (0, "alice-web: made\n"), done.err
    nothing_differs(own)
    assert own("down", "web").out == "alice-web: stopped\n"
    assert own("down", "--destroy", "-y").out == "alice-web: removed\n"
    assert own.world.domains.list() == ()
    Path("raptor.toml").write_text('[machine.web]\ncpus = "1-2"\n')
    assert "no CPU is named on a session host" in own("up").complaint


def test_there_may_be_more_machines_than_ports_that_a_survey_tells(own: CommandLine) -> None:
    text = "".join(f"[machine.m{n}]\n" for n in range(6))
    Path("raptor.toml").write_text('[defaults]\nmemory = "1G"\n' + text)
    assert own("up", "--dry-run").code == 0
    Path("raptor.toml").write_text('[machine.m]\nsteps = [{ run = "raptor.toml" }]\n')
    assert "steps: there is no guest on an empty disk" in own("up").complaint


def test_what_a_machine_is_not_known_to_be_is_a_comment(host: CommandLine) -> None:
    wanted = MachineSpec(Size(4 * GIB), CpuSet((2,)), image=IMAGE.name, user_data="#!/bin/sh\n")
    provision(host, MachineName("alice", "dev"), wanted)
    host.world.images.all = ()
    text = host("export").out
    assert "# image: debian:13 sha256:" in text
    assert "# user_data: a file of SHA-256 " in text
    exported(host)
    nothing_differs(host)


def test_one_tenant_or_one_machine_is_exported(host: CommandLine, tmp_path: Path) -> None:
    for name in ("alice-a", "alice-b", "bob-c"):
        tenant, _, one = name.partition("-")
        cpu = 2 + "abc".index(one)
        provision(host, MachineName(tenant, one), MachineSpec(Size(GIB), CpuSet((cpu,))))
    (tmp_path / "k.pub").write_text(GOOD)
    assert host("tenant", "key", "add", "alice", "k.pub").code == 0
    assert host("tenant", "quota", "alice", "machines=2,memory=16G", "-y").code == 0
    text = host("export", "alice").out
    assert [line for line in text.splitlines() if line.startswith("[")] == [
        "[tenant.alice]", "[machine.alice-a]", "[machine.alice-b]",
    ]  # fmt: skip
    assert 'quota = { machines = 2, memory = "16G" }' in text
    assert "[machine.alice-b]" in host("export", "alice", "b").out
    assert "alice-a" not in host("export", "alice-b").out
    assert host("export", "alice", "x").code == 3
    exported(host)
    nothing_differs(host)


def test_diff_tells_both_ways_and_changes_nothing(host: CommandLine) -> None:
    Path("raptor.toml").write_text('[machine.alice-a]\nsize = "1G"\ncpus = 1\n')
    assert host("up").code == 0
    Path("raptor.toml").write_text('[machine.alice-b]\nsize = "1G"\ncpus = 1\n')
    before = host.world.picture()
    done = host("diff", "--exit-code")
    assert (done.code, host.world.picture()) == (10, before)
    assert [line.split()[0] for line in done.out.splitlines()] == ["MACHINE", "alice-b", "alice-a"]
    assert host("diff").code == 0


def test_down_stops_in_reverse_order_and_destroys_when_told(host: CommandLine) -> None:
    text = '[defaults]\nsize = "1G"\ncpus = 1\n[machine.alice-a]\n[machine.alice-b]\n'
    Path("raptor.toml").write_text(text)
    assert host("up").code == 0
    assert host("down", "--dry-run").out.count("shut off") == 2
    assert host("down").out == "alice-b: stopped\nalice-a: stopped\n"
    assert host("down").out == "none of its machines is there to stop or remove\n"
    assert host("down", "--destroy").code == 2  # nobody is there to be asked
    gone = host("down", "alice-a", "--destroy", "-y").out
    assert gone.endswith("(full): nothing but zeroes\nalice-a: removed\n")
    assert [domain.name for domain in host.world.domains.list()] == ["alice-b"]


def test_a_machine_that_stays_on_is_told_and_no_more_is_stopped(host: CommandLine) -> None:
    text = '[defaults]\nsize = "1G"\ncpus = 1\n[machine.alice-a]\n[machine.alice-b]\n'
    Path("raptor.toml").write_text(text)
    assert host("up").code == 0
    host.world.domains.deaf = True
    done = host("down", "--timeout", "1")
    assert (done.code, done.out) == (5, "alice-b: failed\n")
    going = host("down", "--timeout", "1", "--keep-going")
    assert (going.code, going.out) == (5, "alice-b: failed\nalice-a: failed\n")
    assert host("down", "--timeout", "1", "--force").out == "alice-b: stopped\nalice-a: stopped\n"
