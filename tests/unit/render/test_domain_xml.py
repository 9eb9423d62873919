"""Domain XML: golden files, libvirt's schema, and what is written is what is read."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from lxml import etree

from raptorctl.errors import InputError
from raptorctl.model.cpuset import HIGHEST, CpuSet
from raptorctl.model.domain import DiskDevice, Mark
from raptorctl.model.domain_spec import DomainSpec
from raptorctl.model.names import MACHINE, MACHINE_LENGTH, TENANT
from raptorctl.model.net import NetKind
from raptorctl.model.session_host import mac_of
from raptorctl.model.sizes import KIB, Size
from raptorctl.model.slot import Slot
from raptorctl.model.spec import Graphics
from raptorctl.render.disk_xml import with_disk
from raptorctl.render.domain_xml import render_domain, seed_element, without_seed
from raptorctl.render.read_domain import read_domain
from tests.conftest import GOLDEN
from tests.domain_samples import MARK, PLAIN, SAMPLES, SECURE, TEMPLATES, template

every_sample = pytest.mark.parametrize("name", SAMPLES)


def render(spec: DomainSpec) -> str:
    return render_domain(template(spec.mark.template), spec)


def essence(spec: DomainSpec) -> tuple[object, ...]:
    first = (spec.slot.mac,) if spec.slot else (mac_of(spec.uuid),) if spec.mark.ssh else ()
    macs = (*first, *(nic.mac for nic in spec.nics))
    others = (nic.net.name for nic in spec.nics if nic.net.kind is NetKind.BRIDGE)
    bridges = (*((spec.slot.bridge,) if spec.slot else ()), *others)
    nvram = f"{spec.libvirt.nvram_dir}/{spec.mark.name.domain}_VARS.fd"
    return (spec.mark.name.domain, spec.uuid, spec.mark, spec.memory, spec.cpus, spec.emulator,
            macs, bridges, tuple(filter(None, (spec.disk, spec.seed, spec.iso))), nvram)  # fmt: skip


def essence_of(xml: str) -> tuple[object, ...]:
    read = read_domain(xml)
    return (read.name, read.uuid, read.mark, read.memory, read.pins, read.emulator,
            read.macs, read.bridges, read.disks, read.nvram)  # fmt: skip


@every_sample
def test_golden(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"{name}.xml", render(SAMPLES[name]))


def test_no_golden_file_is_stale() -> None:
    assert {path.stem for path in GOLDEN.glob("*.xml")} == set(SAMPLES)


@every_sample
def test_what_is_written_is_what_is_read(name: str) -> None:
    assert essence_of(render(SAMPLES[name])) == essence(SAMPLES[name])


@pytest.mark.parametrize(
    "file", sorted([*TEMPLATES.glob("*.xml"), *GOLDEN.glob("*.xml")]), ids=lambda path: path.name
)
def test_libvirts_schema(file: os.PathLike[str]) -> None:
    if "CI" not in os.environ and not (
        shutil.which("virt-xml-validate") and shutil.which("xmllint")
    ):
        pytest.skip("needs virt-xml-validate and xmllint: make env")
    done = subprocess.run(
        ["virt-xml-validate", file, "domain"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_rendering_twice_changes_nothing() -> None:
    once = render(PLAIN)
    assert render_domain(once, PLAIN) == once


@pytest.mark.parametrize("name", sorted(path.stem for path in TEMPLATES.glob("*.xml")))
def test_a_template_makes_sense_alone(name: str) -> None:
    domain = read_domain(template(name))
    assert domain.ours
    assert domain.mark and domain.mark.template == name
    assert (domain.macs, domain.bridges) == ((Slot(1).mac,), (Slot(1).bridge,))


class TestWhatOurDomainsNeverHave:
    """Rows R8 and the hardening that the templates promise, whatever the options."""

    @every_sample
    @pytest.mark.parametrize("path", ["graphics", "video", "filesystem", "hostdev"])
    def test_device(self, name: str, path: str) -> None:
        if "screen" in name and path in {"graphics", "video"}:
            return  # it was asked for, and is on a socket: see below
        assert etree.fromstring(render(SAMPLES[name])).find(f"devices/{path}") is None

    @every_sample
    def test_channel_but_that_of_the_agent(self, name: str) -> None:
        (target,) = etree.fromstring(render(SAMPLES[name])).findall("devices/channel/target")
        assert dict(target.items()) == {"type": "virtio", "name": "org.qemu.guest_agent.0"}

    @every_sample
    def test_disk(self, name: str) -> None:
        (driver, *seeds) = etree.fromstring(render(SAMPLES[name])).findall("devices/disk/driver")
        assert [dict(seed.items()) for seed in seeds] == [{"name": "qemu", "type": "raw"}] * (
            name in {"with-a-seed", "installs-from-an-iso"}
        )
        assert dict(driver.items()) == {
            "name": "qemu", "type": "raw", "cache": "none", "io": "native", "discard": "ignore",
        }  # fmt: skip

    @every_sample
    def test_dump(self, name: str) -> None:
        assert etree.fromstring(render(SAMPLES[name])).findtext("on_crash") == "destroy"


def test_secure_boot_comes_with_smm_and_goes_with_it() -> None:
    secure = etree.fromstring(render(replace(PLAIN, libvirt=SECURE)))
    assert secure.xpath("string(os/loader/@secure)") == "yes"
    assert secure.xpath("string(features/smm/@state)") == "on"
    plain = etree.fromstring(render_domain(etree.tostring(secure, encoding="unicode"), PLAIN))
    assert plain.xpath("string(os/loader/@secure)") == "no"
    assert plain.find("features/smm") is None


def test_the_templates_own_words_stay() -> None:
    text = template("virtio-console").replace("</devices>", "<watchdog model='itco'/></devices>")
    assert '<watchdog model="itco"/>' in render_domain(text, PLAIN)


def test_a_template_cannot_leave_the_disk_format_to_guessing() -> None:
    text = template("virtio-console").replace('type="raw" ', "")
    assert 'type="raw"' in render_domain(text, PLAIN)


@pytest.mark.parametrize("missing", ["os", "devices/disk", "devices/interface"])
def test_a_template_that_lacks_a_part_is_named(missing: str) -> None:
    root = etree.fromstring(template("virtio-console"))
    for found in root.findall(missing):
        parent = found.getparent()
        assert parent is not None
        parent.remove(found)
    with pytest.raises(InputError, match=missing):
        render_domain(etree.tostring(root, encoding="unicode"), PLAIN)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<domain>",
        "<network/>",
        '<!DOCTYPE domain [<!ENTITY x SYSTEM "file:///etc/hostname">]><domain>&x;</domain>',
        '<!DOCTYPE domain SYSTEM "http://192.0.2.1/x.dtd"><domain/>',
        "<domain>\ud800</domain>",
    ],
)
def test_what_is_no_domain_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="a domain's definition is"):
        render_domain(text, PLAIN)
    with pytest.raises(InputError, match="a domain's definition is"):
        read_domain(text)


@pytest.mark.parametrize(
    "bad", ["\0", "\n", "\t", "\r", "\x1b", "\x7f", "\x85", "\ud800", "\uffff"]
)
@pytest.mark.parametrize("field", [field.name for field in fields(Mark) if field.name != "slot"])
def test_control_characters_are_refused(field: str, bad: str) -> None:
    values: dict[str, Any] = {field: f"a{bad}b"}
    spec = replace(PLAIN, mark=replace(MARK, **values))
    with pytest.raises(InputError, match="control character"):
        render_domain(template("virtio-console"), spec)


@pytest.mark.parametrize("bad", ["\0", "\n", "\ud800"])
def test_control_characters_in_paths_are_refused(bad: str) -> None:
    for spec in (
        replace(PLAIN, disk=f"/dev/{bad}"),
        replace(PLAIN, libvirt=replace(PLAIN.libvirt, firmware_code=f"/{bad}")),
        replace(PLAIN, libvirt=replace(PLAIN.libvirt, nvram_dir=f"/{bad}")),
    ):
        with pytest.raises(InputError, match="control character"):
            render(spec)


@pytest.mark.long
@given(text=st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1))
def test_no_value_becomes_markup(text: str) -> None:
    assume(text.strip() and not {"\ufffe", "\uffff"} & set(text))
    spec = replace(PLAIN, mark=replace(MARK, created_by=text), disk=f"/dev/{text}")
    xml = render(spec)
    shape, plain = (
        [element.tag for element in etree.fromstring(each).iter()] for each in (xml, render(PLAIN))
    )
    assert shape == plain
    read = read_domain(xml)
    assert read.mark == replace(MARK, created_by=text.strip())
    assert read.disks == (f"/dev/{text}",)


@pytest.mark.parametrize(
    "value", ["</raptor:job><x/>", "&lt;", "]]>", "<!--", "'\"", "&#0;", "<![CDATA[x]]>", "%s{}"]
)
def test_injection_is_only_text(value: str) -> None:
    read = read_domain(render(replace(PLAIN, mark=replace(MARK, job=value), disk=f"/dev/{value}")))
    assert read.mark and read.mark.job == value
    assert read.disks == (f"/dev/{value}",)


machines = st.from_regex(MACHINE, fullmatch=True).filter(lambda name: len(name) <= MACHINE_LENGTH)
cpu_sets = st.lists(st.integers(0, HIGHEST), min_size=1, max_size=64, unique=True).map(
    lambda cpus: CpuSet(tuple(cpus))
)


@pytest.mark.long
@given(
    tenant=st.from_regex(TENANT, fullmatch=True),
    machine=machines,
    uuid=st.uuids(version=4),
    number=st.integers(1, 255),
    memory=st.integers(1, 1 << 42),
    cpus=cpu_sets,
    emulator=st.one_of(st.just(CpuSet()), cpu_sets),
    accelerator=st.sampled_from(["kvm", "qemu"]),
    name=st.sampled_from(["virtio-console", "serial-console"]),
)
def test_any_machine_reads_back_as_it_was_written(
    tenant: str, machine: str, uuid: object, number: int, memory: int,
    cpus: CpuSet, emulator: CpuSet, accelerator: str, name: str,
) -> None:  # fmt: skip
    mark = replace(MARK, tenant=tenant, machine=machine, slot=number, template=name)
    spec = replace(
        PLAIN, mark=mark, uuid=str(uuid), accelerator=accelerator, memory=Size(memory * KIB),
        cpus=cpus, emulator=emulator, slot=Slot(number),
    )  # fmt: skip
    assert essence_of(render(spec)) == essence(spec)


@pytest.mark.parametrize("graphics", [Graphics.VNC, Graphics.SPICE])
def test_a_screen_is_on_a_socket_and_never_on_tcp(graphics: Graphics) -> None:
    root = etree.fromstring(
        render_domain(template("virtio-console"), replace(PLAIN, graphics=graphics))
    )
    (screen,) = root.findall("devices/graphics")
    assert screen.get("type") == graphics.protocol
    assert screen.get("port") is None
    assert [dict(listen.attrib) for listen in screen] == [{"type": "socket"}]
    assert root.find("devices/video/model[@type='virtio']") is not None


def test_no_screen_takes_the_templates_away_and_saying_nothing_leaves_it() -> None:
    shown = render_domain(template("virtio-console"), replace(PLAIN, graphics=Graphics.VNC))
    left = etree.fromstring(render_domain(shown, PLAIN))
    assert len(left.findall("devices/graphics")) == 1
    none = etree.fromstring(render_domain(shown, replace(PLAIN, graphics=Graphics.NONE)))
    assert none.find("devices/graphics") is None
    assert none.find("devices/video") is None


def test_a_seed_is_a_read_only_disk_that_goes_without_a_trace() -> None:
    path = "/var/lib/libvirt/raptorctl/alice-dev-seed.iso"
    text = render_domain(template("virtio-console"), replace(PLAIN, seed=path))
    assert read_domain(text).disks == (PLAIN.disk, path)
    disk = etree.fromstring(text).find("devices/disk[2]")
    assert disk is not None
    assert disk.find("readonly") is not None
    assert disk.find("target[@bus='virtio']") is not None
    port = '    <controller type="pci" model="pcie-root-port"/>\n'  # its own, spare from now on
    without = render_domain(template("virtio-console"), PLAIN)
    assert without_seed(text).replace(port, "", 1) == without
    assert etree.fromstring(seed_element(path)).find("source[@file]") is not None


def test_eight_ports_are_spare_whatever_it_is_made_of_and_whatever_it_is_given() -> None:
    def ports(xml: str) -> int:
        return len(etree.fromstring(xml).findall("devices/controller[@model='pcie-root-port']"))

    plain = render_domain(template("serial-console"), PLAIN)
    disks = (DiskDevice("one", "/dev/lvm-data/one"), DiskDevice("two", "/dev/lvm-data/two"))
    assert ports(render_domain(template("serial-console"), replace(PLAIN, disks=disks))) == (
        ports(plain) + 2
    )
    old = re.sub(r".*pcie-root.*\n", "", plain)  # as it was made before ports were kept
    assert ports(old) == 0
    assert ports(with_disk(old, disks[0])) == ports(plain) + 1
    assert ports(with_disk(with_disk(old, disks[0]), disks[1])) == ports(plain) + 2


def test_a_machine_that_is_not_q35_has_no_ports() -> None:
    other = replace(PLAIN, libvirt=replace(PLAIN.libvirt, machine_type="pc-i440fx-9.1"))
    assert "pcie-root" not in render_domain(template("serial-console"), other)
