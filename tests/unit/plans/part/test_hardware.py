"""A TPM, other firmware, a boot order, huge pages: what is rendered, and what is refused by name."""

from dataclasses import replace
from typing import Any

import pytest

from raptorctl.errors import InputError, RaptorError, RefusedError
from raptorctl.model.names import MachineName
from raptorctl.model.session_host import SECURE_FIRMWARE
from raptorctl.model.sizes import GIB, MIB, Size
from raptorctl.model.spec import BootDevice, MachineSpec
from raptorctl.plans.machine.choice import ProvisionRequest
from raptorctl.plans.machine.deprovision import plan_deprovision
from raptorctl.plans.machine.provision import plan_provision, render_xml
from raptorctl.plans.machine.resize import ResizeRequest, plan_resize
from raptorctl.plans.part import hardware
from raptorctl.render.read_domain import read_domain
from tests.fakes import World, but, settings
from tests.session_host import SessionWorld
from tests.unit.plans.machine.test_provision import ALICE, JOB, TEMPLATES, facts

HUGE = MachineSpec(hugepages=Size(GIB))


def refused(spec: MachineSpec, **changes: Any) -> str:
    wanted = ProvisionRequest(ALICE.name, spec.over(ALICE.spec))
    with pytest.raises(RaptorError) as caught:
        plan_provision(wanted, settings(), replace(facts(), **changes), JOB)
    return str(caught.value)


def test_all_of_it_is_in_the_definition() -> None:
    (code, variables) = SECURE_FIRMWARE[0]
    spec = MachineSpec(tpm=True, secure_boot=True, boot=(BootDevice.NETWORK, BootDevice.DISK))
    there = replace(facts(), files=facts().files | {code, variables})
    xml = render_xml(but(ALICE, **vars(spec.over(HUGE.over(ALICE.spec)))), settings(), there, JOB)
    domain = read_domain(xml)
    assert (domain.tpm, domain.secure_boot, domain.boot) == (True, True, ("network", "hd"))
    assert domain.hugepages == GIB
    assert f'<nvram template="{variables}">' in xml
    assert f'secure="yes" type="pflash">{code}<' in xml
    assert '<smm state="on"/>' in xml


def test_without_swtpm_a_tpm_is_refused_by_name() -> None:
    assert "finds no swtpm" in refused(MachineSpec(tpm=True), tpm=False)


def test_secure_boot_needs_firmware_that_has_it_and_no_other_is_looked_for_where_it_is_so() -> None:
    assert "no firmware with secure boot at /usr/share/OVMF" in refused(
        MachineSpec(secure_boot=True)
    )
    plain = hardware.firmware(MachineSpec(secure_boot=False), settings(), facts())
    assert plain == settings().libvirt


@pytest.mark.parametrize(
    ("spec", "changes", "says"),
    [
        (replace(HUGE, memory=Size(1536 * MIB)), {}, "no whole number of huge pages of 1G: give it 2G"),
        (replace(HUGE, memory=Size(9 * GIB)), {}, "9G of memory asked in huge pages of 1G; the host has 8G"),
        (HUGE, {"hugepages": {}}, "the host has 0"),
        (replace(HUGE, hugepages=Size(2 * MIB)), {}, "in huge pages of 2M; the host has 0"),
    ],
)  # fmt: skip
def test_huge_pages_that_are_not_there_are_refused(
    spec: MachineSpec, changes: dict[str, Any], says: str
) -> None:
    assert says in refused(spec, **changes)


def test_no_huge_page_is_promised_twice_and_a_resize_keeps_whole_ones() -> None:
    world = World().with_tenants("alice")
    xml = render_xml(but(ALICE, hugepages=Size(GIB)), settings(), world.facts(TEMPLATES), JOB)
    world.domains.define(xml)
    there = world.facts(TEMPLATES)
    other = ProvisionRequest(MachineName("alice", "web"), replace(HUGE, memory=Size(5 * GIB)))
    with pytest.raises(RefusedError, match="has 8G, of which 4G is promised to other machines"):
        hardware.refuse(other.spec, settings(), there)
    uneven = Size(4 * GIB + MIB)
    with pytest.raises(InputError, match="give it 5G"):
        hardware.refuse_uneven(uneven, there.domains[0].hugepages)


def test_a_session_has_huge_pages_without_a_mount_as_many_as_the_kernel_keeps(
    tmp_path: Any,
) -> None:
    world = SessionWorld(tmp_path)
    wanted = ProvisionRequest(MachineName("alice", "web"), replace(HUGE, cpus=1, memory=Size(GIB)))
    there = replace(world.facts(), hugepages={"1G": Size(GIB)})
    xml = render_xml(wanted, world.settings, there, JOB)
    assert '<source type="memfd"/>' in xml
    assert read_domain(xml).hugepages == GIB
    assert "memfd" not in render_xml(but(ALICE, hugepages=Size(GIB)), settings(), facts(), JOB)
    with pytest.raises(RefusedError, match=r"1G; the host has 0B?: have the kernel reserve more"):
        hardware.refuse(HUGE, world.settings, replace(there, hugepages={}))


def test_what_a_tpm_kept_goes_once_there_is_no_way_back(world: World) -> None:
    plan = plan_deprovision(ALICE.name, settings(), world.facts(TEMPLATES), JOB)
    kinds = [step.kind for step in plan.steps]
    assert kinds.index("tpm.remove") > kinds.index("volume.retire")
    assert kinds.index("tpm.remove") < kinds.index("volume.wipe")


def test_a_resize_of_a_machine_in_huge_pages_is_refused_where_it_is_uneven(world: World) -> None:
    request = ResizeRequest(ALICE.name, memory=Size(1536 * MIB))
    with pytest.raises(InputError, match="no whole number of huge pages of 1G"):
        plan_resize(request, settings(), world.facts(TEMPLATES), JOB)


@pytest.fixture
def world() -> World:
    """A host with a machine that has a TPM, in huge pages."""
    world = World().with_tenants("alice")
    wanted = but(ALICE, tpm=True, hugepages=Size(GIB))
    plan = plan_provision(wanted, settings(), world.facts(TEMPLATES), JOB)
    for step in plan.steps:
        step.apply(world.host(), lambda *_: None)
    return world
