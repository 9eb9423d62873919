"""Specs of domains, each with a golden file of the same name: every template and every option."""

from dataclasses import replace
from itertools import product
from pathlib import Path

from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Mark
from raptorctl.model.domain_spec import DomainSpec
from raptorctl.model.net import Forward, Net, Nic
from raptorctl.model.settings import Libvirt
from raptorctl.model.sizes import Size
from raptorctl.model.slot import Slot
from raptorctl.model.spec import BootDevice, Graphics

TEMPLATES = Path(__file__).parents[1] / "domain_templates"

MARK = Mark(
    tenant="alice",
    machine="dev",
    slot=1,
    job="20250102-030405-abcd",
    created="2025-01-02T03:04:05+00:00",
    created_by="carol",
    template="virtio-console",
)
PLAIN = DomainSpec(
    mark=MARK,
    uuid="3f0c6b52-8f7b-4c0d-9d0e-5a2f6f1f0a11",
    accelerator="kvm",
    memory=Size.parse("4G"),
    cpus=CpuSet.parse("4-7"),
    emulator=CpuSet.parse("6-7"),
    disk="/dev/lvm-data/guest-alice-dev",
    slot=Slot(1),
    libvirt=Libvirt(),
)
NICS = (
    Nic(Net("bridge:br0"), "52:54:00:aa:00:01"),
    Nic(Net("network:default"), "52:54:00:aa:00:02"),
)
SECURE = Libvirt(
    firmware_code="/usr/share/OVMF/OVMF_CODE_4M.secboot.fd",
    firmware_vars="/usr/share/OVMF/OVMF_VARS_4M.ms.fd",
    secure_boot=True,
)
ELSEWHERE = Libvirt(
    machine_type="pc-q35-8.2",
    firmware_code="/run/libvirt/nix-ovmf/OVMF_CODE.fd",
    firmware_vars="/run/libvirt/nix-ovmf/OVMF_VARS.fd",
    nvram_dir="/srv/nvram",
)


def template(name: str) -> str:
    return (TEMPLATES / f"{name}.xml").read_text()


def _templates_and_settings() -> dict[str, DomainSpec]:
    names = sorted(path.stem for path in TEMPLATES.glob("*.xml"))
    variants = product(names, ("kvm", "qemu"), (Libvirt(), SECURE))
    return {
        f"{name}-{accelerator}{'-secure-boot' if libvirt.secure_boot else ''}": replace(
            PLAIN,
            mark=replace(MARK, template=name),
            accelerator=accelerator,
            libvirt=libvirt,
        )
        for name, accelerator, libvirt in variants
    }


SAMPLES: dict[str, DomainSpec] = _templates_and_settings() | {
    "one-cpu": replace(PLAIN, cpus=CpuSet((3,)), emulator=CpuSet((3,))),
    "cpus-in-an-order-of-their-own": replace(
        PLAIN, cpus=CpuSet.parse("7,2-3,5"), emulator=CpuSet.parse("0-1,9")
    ),
    "no-emulator-pins": replace(PLAIN, emulator=CpuSet()),
    "memory-1536M": replace(PLAIN, memory=Size.parse("1536M")),
    "slot-16": replace(PLAIN, mark=replace(MARK, slot=16), slot=Slot(16)),
    "other-firmware-paths": replace(PLAIN, libvirt=ELSEWHERE),
    "with-a-seed": replace(PLAIN, seed="/var/lib/libvirt/raptorctl/alice-dev-seed.iso"),
    "screen-on-a-vnc-socket": replace(PLAIN, graphics=Graphics.VNC),
    "screen-on-a-spice-socket": replace(PLAIN, graphics=Graphics.SPICE),
    "with-a-tpm": replace(PLAIN, tpm=True),
    "boots-from-disk-then-network": replace(
        PLAIN, boot=(BootDevice.DISK, BootDevice.NETWORK, BootDevice.CDROM)
    ),
    "without-network": replace(PLAIN, mark=replace(MARK, slot=0), slot=None),
    "on-a-bridge-and-a-network": replace(PLAIN, nics=NICS),
    "on-a-bridge-without-a-slot": replace(
        PLAIN, mark=replace(MARK, slot=0), slot=None, nics=NICS[:1]
    ),
    "with-ports-of-loopback": replace(
        PLAIN,
        mark=replace(MARK, slot=0, ssh="127.0.0.1:2201"),
        slot=None,
        forwards=(Forward(8080, 80), Forward(8443, 443)),
    ),
    "installs-from-an-iso": replace(
        PLAIN, iso=f"/var/lib/libvirt/raptorctl/alice-dev-cd-{'15' * 32}.iso"
    ),
    "in-huge-pages": replace(PLAIN, hugepages=Size.parse("1G")),
    "hyphens-in-the-name": replace(
        PLAIN, mark=replace(MARK, machine="web-2-eu"), disk="/dev/lvm-data/guest-alice-web-2-eu"
    ),
}
