"""A host of one's own, decided: what a plan holds there, and what is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from raptorctl.errors import DiffersError, RaptorError, RefusedError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.names import MachineName
from raptorctl.model.seed import FirstBoot, HostKey, Network
from raptorctl.model.session_host import mac_of
from raptorctl.model.sizes import GIB, Size
from raptorctl.model.ssh_key import PublicKey
from raptorctl.plans.machine.choice import ProvisionRequest
from raptorctl.plans.machine.deprovision import plan_deprovision
from raptorctl.plans.machine.provision import plan_provision
from raptorctl.plans.machine.resize import ResizeRequest, plan_resize
from raptorctl.plans.part.records import queries
from raptorctl.plans.plan import Identity, Plan, decode_plan
from raptorctl.render.read_domain import read_domain
from raptorctl.steps.seed import WriteSeed
from tests.fakes import but
from tests.session_host import SessionWorld, qcow2

WEB = ProvisionRequest(MachineName("alice", "web"))
NOW = Identity("j1", "5f0c1d6e-0000-4000-8000-000000000001", "alice", "2026-11-20T12:00:00Z")
LATER = replace(NOW, job="j2", at="2026-11-20T13:00:00Z")


@pytest.fixture
def world(tmp_path: Path) -> SessionWorld:
    return SessionWorld(tmp_path)


def planned(world: SessionWorld, request: ProvisionRequest = WEB, **changes: Any) -> Plan:
    return plan_provision(request, world.settings, replace(world.facts(), **changes), NOW)


def xml_of(plan: Plan) -> str:
    return next(str(s.encode()["xml"]) for s in plan.steps if s.kind == "domain.define")


def test_it_takes_a_file_a_domain_and_a_start(world: SessionWorld) -> None:
    plan = planned(world)
    assert [step.kind for step in plan.steps] == ["overlay.create", "domain.define", "domain.start"]
    assert decode_plan(plan.encode()) == plan
    assert plan.steps[-1].title == "start alice-web"


def test_nothing_is_asked_of_dns(world: SessionWorld) -> None:
    assert queries(WEB.name, world.settings) == ()


def test_what_nobody_said_has_a_default(world: SessionWorld) -> None:
    assert "10G on guest-alice-web, 2 CPUs, 2G of memory, ssh at 127.0.0.1:2201" in (
        planned(world).summary
    )
    asked = but(WEB, size=Size(GIB), cpus=1, memory=Size(GIB))
    assert "1G on guest-alice-web, 1 CPU, 1G of memory" in planned(world, asked).summary


def test_a_disk_is_as_large_as_its_image(world: SessionWorld) -> None:
    large = replace(world.image, size=Size(25 * GIB))
    plan = planned(world, but(WEB, image=large.name), images=(large,))
    assert plan.steps[0].title == "create file guest-alice-web.qcow2, 25G, over image debian:13"
    with pytest.raises(RefusedError, match="the disk is to have 5G"):
        planned(world, but(WEB, image=large.name, size=Size(5 * GIB)), images=(large,))


def test_a_file_says_aloud_what_it_lies_over(world: SessionWorld) -> None:
    read = read_domain(xml_of(planned(world, but(WEB, image=world.image.name))))
    assert read.disks == (f"{world.directory}/guest-alice-web.qcow2", world.image.path)


def test_a_port_is_given_once(world: SessionWorld) -> None:
    assert 'hostfwd=tcp:127.0.0.1:2202-:22"' in xml_of(planned(world, ports=(2202,)))
    with pytest.raises(RefusedError, match=r"no port of 127\.0\.0\.1 is free"):
        planned(world, ports=())


def test_no_kvm_is_said_with_its_reason(world: SessionWorld) -> None:
    assert not [note for note in planned(world).notes if "KVM" in note]
    said = planned(world, no_kvm="there is no /dev/kvm").notes
    assert "no KVM (there is no /dev/kvm): the machine is emulated, and slow" in said


def test_nobody_else_is_there(world: SessionWorld) -> None:
    with pytest.raises(RefusedError, match="there is no bob, only alice"):
        planned(world, but(WEB, name=MachineName("bob", "web")))


def test_there_are_no_slots(world: SessionWorld) -> None:
    with pytest.raises(RefusedError, match="no slots"):
        planned(world, but(WEB, slot=1))


def test_memory_of_machines_that_are_off_is_not_taken(world: SessionWorld) -> None:
    off = replace(read_domain(xml_of(planned(world))), name="alice-big", memory=Size(15 * GIB))
    other = but(WEB, name=MachineName("alice", "two"))
    assert planned(world, other, domains=(off,)).steps
    running = replace(off, state=off.state.__class__.RUNNING)
    with pytest.raises(RefusedError, match="15G is promised"):
        planned(world, other, domains=(running,))


def test_a_thin_file_may_be_larger_than_what_is_free_and_that_is_said(world: SessionWorld) -> None:
    group = world.overlays.group()
    assert group
    plan = planned(world, group=replace(group, free=Size(GIB)))
    assert "its file grows to 10G as it is written; 1G are free" in plan.notes


def there(world: SessionWorld) -> None:
    """Let a machine stand, off."""
    plan = planned(world)
    world.domains.define(xml_of(plan))
    (world.directory / "guest-alice-web.qcow2").write_bytes(qcow2(10 * GIB))
    note = '{"uuid": "u1", "size": 0, "tags": ["raptor", "raptor.tenant=alice", "raptor.clean"]}'
    (world.directory / "guest-alice-web.json").write_text(note)


def test_a_removal_claims_no_more_than_it_does(world: SessionWorld) -> None:
    there(world)
    plan = plan_deprovision(WEB.name, world.settings, world.facts(), LATER)
    assert [step.kind for step in plan.steps] == [
        "domain.undefine", "domain.stop", "nvram.remove", "overlay.remove",
    ]  # fmt: skip
    assert "wipe" not in str(plan.encode())


def test_what_is_there_is_already_so(world: SessionWorld) -> None:
    there(world)
    assert planned(world, but(WEB, start=False)).steps == ()
    with pytest.raises(DiffersError) as caught:
        planned(world, but(WEB, start=False, cpus=3))
    assert "number of CPUs 2, not 3" in caught.value.details


def test_a_disk_grows_in_one_step_and_cpus_are_counted(world: SessionWorld) -> None:
    there(world)
    asked = ResizeRequest(WEB.name, size=Size(20 * GIB), vcpus=4)
    plan = plan_resize(asked, world.settings, world.facts(), LATER)
    assert [step.kind for step in plan.steps] == ["domain.redefine", "overlay.grow"]
    read = read_domain(str(plan.steps[0].encode()["xml"]))
    assert (read.vcpus, read.pins) == (4, CpuSet())
    with pytest.raises(RaptorError, match="a disk only grows"):
        plan_resize(ResizeRequest(WEB.name, Size(GIB)), world.settings, world.facts(), LATER)


def test_one_logs_in_by_ones_own_key(world: SessionWorld) -> None:
    wish = but(WEB, first_boot=FirstBoot(), image=world.image.name)
    assert "has no ssh key" in " ".join(planned(world, wish).notes)
    plan = planned(world, wish, owner_keys=("ssh-ed25519 MINE me@laptop",))
    (seed,) = (step.seed for step in plan.steps if isinstance(step, WriteSeed))
    assert seed
    assert "ssh-ed25519 MINE me@laptop" in seed.user_data
    assert "has no ssh key" not in " ".join(plan.notes)


def test_a_key_that_no_guest_is_told_goes_nowhere_and_that_is_said(world: SessionWorld) -> None:
    wish = but(WEB, keys=(PublicKey("ssh-ed25519", "AAAA", "me@laptop"),))
    assert "--key goes nowhere" in " ".join(planned(world, wish).notes)
    assert "--key goes nowhere" not in " ".join(planned(world).notes)


def test_a_key_that_was_passed_over_is_told_beside_a_good_one_and_alone(
    world: SessionWorld,
) -> None:
    wish = but(WEB, first_boot=FirstBoot(), image=world.image.name)
    refused = ("~/.ssh/id_rsa.pub is not taken: line 1 is damaged",)
    alone = planned(world, wish, refused_keys=refused).notes
    beside = planned(world, wish, refused_keys=refused, owner_keys=("ssh-ed25519 MINE me",)).notes
    assert refused[0] in alone
    assert refused[0] in beside
    assert "no other key is there: no one can log in" in " ".join(alone)
    assert "no one can log in" not in " ".join(beside)
    assert "has no ssh key" not in " ".join(alone)


def test_cloud_init_asks_for_its_address_by_a_mac_that_stays(world: SessionWorld) -> None:
    boot = FirstBoot(host_key=HostKey("PRIVATE", "ssh-ed25519 AAAA"))
    plan = planned(world, but(WEB, first_boot=boot, image=world.image.name))
    (told,) = [step for step in plan.steps if isinstance(step, WriteSeed)]
    mac = mac_of(NOW.uuid)
    assert f"mac={mac}," in xml_of(plan)
    assert read_domain(xml_of(plan)).macs == (mac,)
    assert told.seed
    assert mac in told.seed.network_config
    static = but(WEB, first_boot=boot, network=Network.STATIC)
    with pytest.raises(RefusedError, match="by DHCP"):
        planned(world, static)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"cpus": 256}, "256 CPUs asked; a machine has 255 at most"),
        ({"cpus": 999}, "a machine has 255 at most"),
        ({"size": Size(8192 << 40)}, "a file of qcow2 stands for 2048T at most"),
        ({"memory": Size(8192 << 40)}, "the host has 16G"),
    ],
)
def test_more_than_any_machine_can_have_is_refused_by_the_plan(
    world: SessionWorld, wish: dict[str, Any], said: str
) -> None:
    with pytest.raises(RefusedError, match=said):
        planned(world, but(WEB, **wish))


def test_a_machine_that_is_there_gets_no_more_than_any_can_have(world: SessionWorld) -> None:
    there(world)
    for asked in (ResizeRequest(WEB.name, vcpus=300), ResizeRequest(WEB.name, Size(8192 << 40))):
        with pytest.raises(RefusedError, match="at most"):
            plan_resize(asked, world.settings, world.facts(), LATER)


def test_what_libvirt_says_of_the_machine_type_binds_as_well(world: SessionWorld) -> None:
    with pytest.raises(RefusedError, match="a machine has 8 at most"):
        planned(world, but(WEB, cpus=9), most_vcpus=8)
    many = {
        name: text.replace(
            "</devices>", '<iommu model="intel"><driver eim="on"/></iommu></devices>'
        )
        for name, text in world.facts().templates.items()
    }
    with pytest.raises(RefusedError, match="a machine has 288 at most"):
        planned(world, but(WEB, cpus=300), templates=many, most_vcpus=288)
    assert planned(world, but(WEB, cpus=288), templates=many, most_vcpus=288).steps
