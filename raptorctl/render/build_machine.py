"""A throw-away machine for a build: libvirt's definition, its seed, and what is run in it.

It has QEMU's own network, so that it needs no bridge, and its ssh on a port of loopback.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree

from raptorctl.model.build import BuildShare, BuildStep, Verbosity
from raptorctl.model.build_room import RoomDisk
from raptorctl.model.seed import HostKey, Seed
from raptorctl.model.session_host import LOOPBACK, mac_of
from raptorctl.render.read_domain import QEMU
from raptorctl.render.yaml_text import dump

LABEL: Final = "raptor-build"
"""Of the disk by which files, shares and scripts come in and go out."""
HERE: Final = "/run/raptorctl-build"
"""Where that is mounted in the guest."""
MEMORY: Final = 1024
"""MiB: enough for a package manager."""
CPUS: Final = 2


@dataclass(frozen=True)
class BuildMachine:
    """What a throw-away machine is made of.

    Args:
        name: the domain's.
        uuid: libvirt's identifier.
        accelerator: `kvm` or `qemu`.
        firmware: OVMF's code, and its template of variables.
        variables: the machine's own copy of these.
        disks: raw files; the first is booted.
        seed: the ISO of its cloud-init.
        console: where what it says on its console goes.
        port: of loopback, for its ssh.
        network: whether it may reach anything but us.
    """

    name: str
    uuid: str
    accelerator: str
    firmware: tuple[str, str]
    variables: str
    disks: tuple[str, ...]
    seed: str
    console: str
    port: int
    network: bool = True

    def xml(self) -> str:
        """The domain, which libvirt ends when its connection does."""
        root = etree.Element("domain", type=self.accelerator, nsmap={"qemu": QEMU})
        for key, text in (("name", self.name), ("uuid", self.uuid), ("vcpu", str(CPUS))):
            etree.SubElement(root, key).text = text
        etree.SubElement(root, "memory", unit="MiB").text = str(MEMORY)
        system = etree.SubElement(root, "os")
        etree.SubElement(system, "type", arch="x86_64", machine="q35").text = "hvm"
        code, template = self.firmware
        etree.SubElement(system, "loader", readonly="yes", type="pflash").text = code
        etree.SubElement(system, "nvram", template=template).text = self.variables
        features = etree.SubElement(root, "features")
        for feature in ("acpi", "apic"):
            etree.SubElement(features, feature)
        mode = "host-passthrough" if self.accelerator == "kvm" else "maximum"
        etree.SubElement(root, "cpu", mode=mode)
        for event in ("on_poweroff", "on_crash"):
            etree.SubElement(root, event).text = "destroy"
        self._devices(etree.SubElement(root, "devices"))
        line = etree.SubElement(root, f"{{{QEMU}}}commandline")
        for word in self._line():
            etree.SubElement(line, f"{{{QEMU}}}arg").set("value", word)
        return etree.tostring(root, encoding="unicode", pretty_print=True)

    def _devices(self, devices: etree._Element) -> None:
        for number, path in enumerate(self.disks):
            disk = etree.SubElement(devices, "disk", type="file", device="disk")
            # What is not written through is lost with the build, which is then begun anew.
            etree.SubElement(
                disk, "driver", name="qemu", type="raw", cache="unsafe", discard="unmap"
            )
            etree.SubElement(disk, "source", file=path)
            etree.SubElement(disk, "target", dev=f"vd{chr(ord('a') + number)}", bus="virtio")
            etree.SubElement(disk, "serial").text = serial(number)
            if number == 0:
                etree.SubElement(disk, "boot", order="1")
        drive = etree.SubElement(devices, "disk", type="file", device="cdrom")
        etree.SubElement(drive, "driver", name="qemu", type="raw")
        etree.SubElement(drive, "source", file=self.seed)
        etree.SubElement(drive, "target", dev="sda", bus="sata")
        etree.SubElement(drive, "readonly")
        port = etree.SubElement(devices, "serial", type="file")
        etree.SubElement(port, "source", path=self.console)
        etree.SubElement(port, "target", port="0")
        etree.SubElement(devices, "controller", type="usb", model="none")
        etree.SubElement(devices, "memballoon", model="none")
        source = etree.SubElement(etree.SubElement(devices, "rng", model="virtio"), "backend")
        source.set("model", "random")
        source.text = "/dev/urandom"

    def _line(self) -> Iterator[str]:
        # qemu(1), -netdev user: restrict isolates the guest but for what is forwarded.
        apart = "" if self.network else ",restrict=on"
        yield from ("-netdev", f"user,id=net0,hostfwd=tcp:{LOOPBACK}:{self.port}-:22{apart}")
        mac = mac_of(self.uuid)
        yield from ("-device", f"virtio-net-pci,netdev=net0,mac={mac},bus=pcie.0,addr=0x10")


def serial(number: int) -> str:
    """By which a disk is found in the guest: /dev/disk/by-id/virtio-SERIAL."""
    return f"raptor-build-{number}"


def seed(job: str, key: str, host_key: HostKey) -> Seed:
    """What cloud-init is told: let root in by one key, and be known by another.

    Args:
        job: another one makes cloud-init begin anew.
        key: the public key, one line.
        host_key: of the guest's ssh.
    """
    config = {
        "disable_root": False,
        "preserve_hostname": True,
        "users": [{"name": "root", "ssh_authorized_keys": [key]}],
        "ssh_deletekeys": True,
        "ssh_genkeytypes": ["ed25519"],
        "ssh_keys": {"ed25519_private": host_key.private, "ed25519_public": host_key.public},
    }
    meta = {"instance-id": f"build-{job}", "local-hostname": "build"}
    return Seed(dump(meta), f"#cloud-config\n{dump(config)}")


READY: Final = """\
if command -v cloud-init >/dev/null; then
  cloud-init status --wait >/dev/null || [ $? -eq 2 ]
fi
"""
"""Waits until the first boot is over; 2 is done with warnings (cloud-init status)."""


def enter(disks: Sequence[RoomDisk], shares: Sequence[BuildShare]) -> str:
    """Mount what steps are to see; what was made for it is written down.

    Args:
        disks: all of them; the first is the one that was booted.
        shares: in the order in which they are on the disk that brings them.
    """
    lines = ["set -e", f"mkdir -p {HERE}", f"mount -L {LABEL} {HERE}"]
    lines += [f"chmod 755 {HERE}", f": > {HERE}/made"]
    for number, disk in enumerate(disks):
        if number and disk.mount:
            part = f"-part{disk.partition}" if disk.partition else ""
            device = f"/dev/disk/by-id/virtio-{serial(number)}{part}"
            lines += [*_made(disk.mount), f"mount {device} {shlex.quote(disk.mount)}"]
    for number, share in enumerate(shares):
        at = shlex.quote(share.at)
        lines += [*_made(share.at), f"mount --bind {HERE}/shares/{number} {at}"]
        if not share.writable:
            lines.append(f"mount -o remount,bind,ro {at}")
    return "\n".join([*lines, ""])


def _made(path: str) -> Iterator[str]:
    at = shlex.quote(path)
    yield f"[ -d {at} ] || {{ mkdir -p {at}; echo {at} >> {HERE}/made; }}"


def placed(files: Sequence[Mapping[str, str]]) -> str:
    """Put files where they go that could not be put there before.

    Args:
        files: of each its `path`, `kind`, `source` on the disk that brings them, `mode`, `owner`.
    """
    lines = ["set -e"]
    for file in files:
        path, parent = (
            shlex.quote(file["path"]),
            shlex.quote(file["path"].rpartition("/")[0] or "/"),
        )
        lines.append(f"mkdir -p {parent}")
        if file["kind"] == "folder":
            lines.append(f"[ -d {path} ] || {{ mkdir {path}; chmod {file['mode']} {path}; }}")
        elif file["kind"] == "link":
            lines.append(f"ln -sfn {shlex.quote(file['source'])} {path}")
        else:
            lines.append(f"cp --remove-destination {HERE}/{file['source']} {path}")
            lines.append(f"chmod {file['mode']} {path}")
        lines.append(f"chown -h {file['owner']} {path}")
    return "\n".join([*lines, ""])


def step_script(step: BuildStep, number: int) -> str:
    """Run one step, where and as whom it says.

    Args:
        step: the step.
        number: its script's, on the disk that brings it.
    """
    words = step.command or (f"{HERE}/steps/{number}",)
    if not step.command and step.verbosity is Verbosity.TRACE:
        words = ("sh", "-ex", *words)
    command = shlex.join(words)
    if step.user not in {"", "root"}:
        command = f"runuser -u {shlex.quote(step.user)} -- {command}"
    quiet = {Verbosity.ERRORS: " >/dev/null", Verbosity.NOTHING: " >/dev/null 2>&1"}
    folder = shlex.quote(step.dir) if step.dir else "~"
    return f"cd {folder} || exit 1\n{command}{quiet.get(step.verbosity, '')} </dev/null\n"


def leave(disks: Sequence[RoomDisk], shares: Sequence[BuildShare]) -> str:
    """Unmount all again, and take away what the first boot left, so that the next one is a first.

    Host keys, the account's key and the machine's identifier are this guest's alone.
    """
    mounts = [share.at for share in reversed(shares)]
    mounts += [disk.mount for disk in reversed(disks[1:]) if disk.mount]
    lines = ["set -e", *(f"umount {shlex.quote(at)}" for at in mounts)]
    lines += [
        f'while read -r at; do rmdir "$at" 2>/dev/null || true; done < {HERE}/made',
        f"rm {HERE}/made",
        f"umount {HERE}",
        "if command -v cloud-init >/dev/null; then cloud-init clean --logs >/dev/null; fi",
        "rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub",
        "[ ! -s /etc/machine-id ] || : > /etc/machine-id",
        "fstrim -a 2>/dev/null || true",
        "sync",
    ]
    return "\n".join([*lines, ""])
