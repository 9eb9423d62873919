"""Domains that others made: whatever libvirt prints is read, and nothing in it is fatal."""

import pytest

from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Domain, State
from raptorctl.model.sizes import GIB, KIB, MIB, Size
from raptorctl.render.read_domain import read_domain
from tests.domain_samples import MARK, PLAIN, template
from tests.unit.render.test_domain_xml import render


def domain(inner: str = "") -> Domain:
    return read_domain(f"<domain type='kvm'><name>bob</name>{inner}</domain>")


def test_an_almost_empty_domain() -> None:
    xml = "<domain><name>x</name></domain>"
    assert read_domain(xml) == Domain(uuid="", name="x", xml=xml)


def test_what_the_xml_does_not_say_comes_from_outside() -> None:
    read = read_domain("<domain/>", state=State.PAUSED, autostart=True)
    assert (read.state, read.autostart) == (State.PAUSED, True)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("<memory>1024</memory>", 1024 * KIB),
        ("<memory unit='KiB'> 1024 </memory>", 1024 * KIB),
        ("<memory unit='k'>3</memory>", 3 * KIB),
        ("<memory unit='KB'>3</memory>", 3000),
        ("<memory unit='b'>4096</memory>", 4096),
        ("<memory unit='bytes'>4096</memory>", 4096),
        ("<memory unit='MiB'>3</memory>", 3 * MIB),
        ("<memory unit='M'>3</memory>", 3 * MIB),
        ("<memory unit='mb'>3</memory>", 3_000_000),
        ("<memory unit='G'>3</memory>", 3 * GIB),
        ("<memory unit='TiB'>1</memory>", 1024 * GIB),
        ("<memory unit='furlong'>1</memory>", 0),
        ("<memory>much</memory>", 0),
        (f"<memory>{'9' * 5000}</memory>", 0),
        ("<memory/>", 0),
        ("", 0),
    ],
)
def test_memory(text: str, size: int) -> None:
    assert domain(text).memory == Size(size)


@pytest.mark.parametrize(
    ("text", "pins", "emulator"),
    [
        ("", (), ()),
        ("<vcpu>2</vcpu>", (), ()),
        ("<vcpu cpuset='2-3'>4</vcpu>", (2, 3), (2, 3)),
        (
            "<vcpu>2</vcpu><cputune><vcpupin vcpu='1' cpuset='4'/><vcpupin vcpu='0' cpuset='5'/>"
            "<emulatorpin cpuset='0,2'/></cputune>",
            (5, 4),
            (0, 2),
        ),
        (
            "<vcpu cpuset='8'>3</vcpu><cputune><vcpupin vcpu='1' cpuset='0-3'/></cputune>",
            (8, 0, 1, 2, 3),
            (8,),
        ),
        ("<vcpu>1</vcpu><cputune><vcpupin vcpu='0' cpuset='0-3,^2'/></cputune>", (0, 1, 3), ()),
        ("<vcpu>1</vcpu><cputune><vcpupin vcpu='7' cpuset='1'/></cputune>", (), ()),
        ("<vcpu>1</vcpu><cputune><vcpupin vcpu='0' cpuset='3-1'/></cputune>", (), ()),
        ("<vcpu>many</vcpu><cputune><vcpupin vcpu='0' cpuset='1'/></cputune>", (), ()),
        (f"<vcpu cpuset='1'>{'9' * 18}</vcpu>", (1,), (1,)),
    ],
)
def test_pins(text: str, pins: tuple[int, ...], emulator: tuple[int, ...]) -> None:
    read = domain(text)
    assert (read.pins, read.emulator) == (CpuSet(pins), CpuSet(emulator))


def test_devices() -> None:
    read = domain(
        """
        <os><nvram template='/t'>/n_VARS.fd</nvram></os>
        <devices>
          <disk type='block'><source dev='/dev/vg/a'/>
            <backingStore type='file'><source file='/base.img'/></backingStore></disk>
          <disk type='file' device='cdrom'><target dev='sda'/></disk>
          <disk type='network'><source protocol='rbd' name='pool/x'/></disk>
          <interface type='network'><mac address='52:54:00:AA:00:01'/><source network='n'/></interface>
          <interface type='bridge'><mac address='52:54:00:aa:00:02'/><source bridge='br0'/></interface>
          <interface type='direct'><source dev='eth0'/></interface>
        </devices>
        """
    )
    assert read.disks == ("/dev/vg/a", "/base.img")
    assert read.macs == ("52:54:00:aa:00:01", "52:54:00:aa:00:02")
    assert read.bridges == ("br0",)
    assert read.wires == (("52:54:00:aa:00:02", "br0"),)
    assert read.nvram == "/n_VARS.fd"


def test_nvram_in_its_newer_form() -> None:
    read = domain("<os><nvram type='file'><source file='/n.fd'/></nvram></os>")
    assert read.nvram == "/n.fd"


class TestMark:
    """Only a whole one is a mark, and only one that agrees with the name makes a domain ours."""

    def test_ours(self) -> None:
        read = read_domain(render(PLAIN))
        assert read.mark == MARK
        assert read.ours

    def test_none(self) -> None:
        assert domain().mark is None

    @pytest.mark.parametrize(
        ("good", "bad"),
        [
            ("<raptor:slot>1</raptor:slot>", ""),
            ("<raptor:slot>1<", "<raptor:slot>one<"),
            ("<raptor:slot>1<", "<raptor:slot>-1<"),
            ("<raptor:slot>1<", "<raptor:slot>\u0661<"),
            ("<raptor:tenant>alice<", "<raptor:tenant><"),
            ("<raptor:job>", "<raptor:job><x/>"),
            ("xmlns/machine/1", "xmlns/machine/2"),
        ],
    )
    def test_broken(self, good: str, bad: str) -> None:
        text = template("virtio-console")
        assert good in text
        assert read_domain(text.replace(good, bad)).mark is None

    def test_of_another_name(self) -> None:
        text = template("virtio-console").replace("<name>alice-dev<", "<name>bob-dev<")
        read = read_domain(text)
        assert read.mark
        assert not read.ours


def test_what_runs_tells_the_bridge_of_each_network() -> None:
    live = """<domain><devices>
      <interface type='user'><mac address='52:54:00:AA:00:01'/></interface>
      <interface type='network'><mac address='52:54:00:AA:00:02'/>
        <source network='lan' portid='7' bridge='virbr7'/></interface>
    </devices></domain>"""
    assert read_domain(live).wires == (("52:54:00:aa:00:02", "virbr7"),)
