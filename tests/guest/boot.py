"""A guest as a QEMU process of this machine, with the virtual hardware that raptorctl gives one."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from raptorctl.model.slot import Slot
from tests.lab import image, qemu
from tests.lab.errors import LabError
from tests.lab.process import tail, tool

FIRMWARE = Path("/usr/share/OVMF")
"""Debian's package ovmf."""

SLOT = Slot(1, IPv4Address("198.51.100.1"), IPv6Address("2001:db8:0:1::1"))
"""Its place on the network."""

DHCP = "hostfwd=tcp:127.0.0.1:{port}-:22"
"""QEMU's own DHCP server gives it another address than the slot's."""

STATIC = "ipv6=off,net=169.254.0.0/16,host=169.254.1.1,hostfwd=tcp:127.0.0.1:{port}-198.51.100.1:22"
"""QEMU is where the slot's gateway is, and finds the guest at the slot's address only."""


@dataclass(frozen=True)
class Running:
    """A guest that runs.

    Args:
        directory: where its console's log and its sockets are.
        port: its port 22, on this machine's loopback.
        process: its QEMU.
    """

    directory: Path
    port: int
    process: subprocess.Popen[bytes]

    def console(self) -> str:
        """Return what it said so far."""
        return (self.directory / "console.log").read_text(errors="replace")

    def says(self, words: str, timeout: float = 900) -> str:
        """Wait until it says `words`; return all that it said."""
        end = time.monotonic() + timeout
        while words not in (said := self.console()):
            if self.process.poll() is not None:
                raise LabError(f"QEMU ended before the guest said {words!r}:\n{self._last()}")
            if time.monotonic() > end:
                raise LabError(f"no {words!r} within {timeout:.0f} s:\n{self._last()}")
            time.sleep(0.5)
        return said

    def press_power(self) -> None:
        """Press the power button (ACPI)."""
        qemu.monitor(self.directory, "system_powerdown")

    def _last(self) -> str:
        return tail(self.console() + (self.directory / "qemu.log").read_text())


def layer(disk: Path, directory: Path, form: str, size: str) -> Path:
    """Make a disk of `size` over a guest's disk, which stays as it is."""
    target = directory / "layer.qcow2"
    make = ("qemu-img", "create", "-q", "-f", "qcow2", "-b", disk, "-F", form, target, size)
    tool(*make, timeout=30)
    return target


@contextmanager
def running(
    disk: Path, directory: Path, seed: Path | None = None, network: str = DHCP
) -> Iterator[Running]:
    """Run a guest from a qcow2 `disk` that it may write, and end it afterwards."""
    port = qemu.free_port()
    (directory / "console.log").touch()
    with (directory / "qemu.log").open("wb") as log:
        process = subprocess.Popen(
            _command(disk, directory, seed, network.format(port=port)),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={"QEMU_MODULE_DIR": f"{image.ensure().qemu}/usr/lib/x86_64-linux-gnu/qemu"},
        )
    try:
        yield Running(directory, port, process)
    finally:
        process.kill()
        process.wait()


def _command(disk: Path, directory: Path, seed: Path | None, network: str) -> list[str]:
    """The lab's QEMU: under an older one the guest's kernel panics sooner or later."""
    base = image.ensure()
    share = base.qemu / "usr/share"
    variables = directory / "vars.fd"
    shutil.copy(FIRMWARE / "OVMF_VARS_4M.fd", variables)
    return [
        *qemu.binary(base, "qemu-system-x86_64"),
        *("-L", f"{share}/qemu", "-L", f"{share}/seabios"),
        *qemu.accelerator(),
        *"-M q35 -cpu max,svm=off,vmx=off -smp 2 -m 1024 -nodefaults -display none".split(),
        *("-drive", f"if=pflash,format=raw,readonly=on,file={FIRMWARE}/OVMF_CODE_4M.fd"),
        *("-drive", f"if=pflash,format=raw,file={variables}"),
        *("-drive", f"if=none,id=disk,format=qcow2,cache=unsafe,file={disk}"),
        *("-device", "virtio-blk-pci,drive=disk"),
        *_seed(seed),
        *("-netdev", f"user,id=net,restrict=on,{network}"),
        *("-device", f"virtio-net-pci,netdev=net,romfile=,mac={SLOT.mac}"),
        *("-device", "virtio-rng-pci"),
        *("-chardev", f"file,id=console,path={directory}/console.log"),
        *"-device virtio-serial-pci -device virtconsole,chardev=console".split(),
        *("-chardev", f"socket,id=agent,path={directory}/agent.sock,server=on,wait=off"),
        *("-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0"),
        *("-qmp", f"unix:{directory}/qmp.sock,server=on,wait=off"),
    ]


def _seed(seed: Path | None) -> list[str]:
    if seed is None:
        return []
    drive = f"if=none,id=seed,format=raw,readonly=on,file={seed}"
    return ["-drive", drive, "-device", "virtio-blk-pci,drive=seed,serial=raptor-seed"]
