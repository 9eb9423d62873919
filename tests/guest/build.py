"""The guests' disks, out of one root file system made by mmdebstrap."""

import lzma
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.guest import disk, installer_iso
from tests.lab import cache, image
from tests.lab.process import as_root, tool

HERE = Path(__file__).parent
FILES = HERE / "files"
"""Laid over the Debian guest's root file system."""

SMALL = HERE / "small"
"""The small guest's own files."""

TINY = HERE / "tiny/autoexec.ipxe"
"""What the tiny guest does; iPXE looks for it in the partition that it was loaded from."""

PACKAGES = (
    "systemd-sysv linux-image-cloud-amd64 initramfs-tools zstd kmod udev dbus libpam-systemd "
    "cloud-init cloud-guest-utils fdisk e2fsprogs netplan.io iproute2 openssh-server sudo "
    "qemu-guest-agent "
    # What the disks are made with; it stays, as it weighs next to nothing.
    "systemd-ukify systemd-boot-efi python3-pefile busybox-static cpio dropbear-bin "
    f"ipxe xorriso {installer_iso.PACKAGE}"
).split()

NOT_IN_A_GUEST = (
    "apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer "
    "e2scrub_reap.service systemd-networkd-wait-online.service"
).split()
"""A guest lives for minutes, and often under emulation within emulation."""

MODULES = ("failover", "net_failover", "virtio_net", "evdev", "button")
"""The small guest's kernel modules in the order they are loaded: network, power button."""

SSH_SERVER = "/usr/sbin/dropbear"
"""Of the small guest: OpenSSH's needs five times the room."""

CONSOLES = "console=ttyS0 console=hvc0"
"""Both templates' consoles. The last one that is there becomes /dev/console."""

ROOT_MIB = 3000
KERNEL_MIB = 64
SMALL_MIB = 36
TINY_MIB = 4


@dataclass(frozen=True)
class Guests:
    """A finished directory of guests."""

    path: Path

    @property
    def debian(self) -> Path:
        """The Debian guest: qcow2, compressed; about 3 GiB for the one who boots it."""
        return self.path / "debian.qcow2"

    @property
    def small(self) -> Path:
        """The small guest: raw, below 40 MB."""
        return self.path / "small.raw"

    @property
    def tiny(self) -> Path:
        """The tiny guest: raw, 6 MiB."""
        return self.path / "tiny.raw"

    @property
    def installer(self) -> Path:
        """Debian's installer: an ISO of some 60 MB."""
        return self.path / "installer.iso"


def ensure() -> Guests:
    """Return the guests for the current inputs, built if they are not there."""
    own = tuple((HERE / name).read_bytes() for name in ("build.py", "disk.py", "installer_iso.py"))
    name = cache.digest(*own, image.SUITE, cache.tree_digest(FILES, SMALL, TINY.parent))
    title = f"building the guests of Debian {image.SUITE}"
    return Guests(cache.made("guest", name, title, 6, _build))


def _build(scratch: Path) -> None:
    work = scratch / "work"
    work.mkdir()
    rootfs = work / "rootfs"
    _bootstrap(rootfs)
    installer_iso.build(rootfs, work, Guests(scratch).installer)
    _small(rootfs, work, Guests(scratch).small)
    _tiny(rootfs, work, Guests(scratch).tiny)
    _debian(rootfs, work, Guests(scratch).debian)
    cache.remove(work)


def _bootstrap(rootfs: Path) -> None:
    """Install the packages; our files are there before (for the initrd) and after (to win)."""
    lay = f'cp -rT --no-preserve=ownership "{FILES}" "$1"'
    options = (
        *("--variant=minbase", "--mode=root", f"--include={','.join(PACKAGES)}"),
        *(f"--setup-hook={lay}", f"--customize-hook={lay}"),
        *("--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*"),
        f"--dpkgopt=path-exclude={installer_iso.GRAPHICAL}",
    )
    tool(*as_root("mmdebstrap", *options, image.SUITE, rootfs, *image.mirror()), timeout=1800)


def _debian(rootfs: Path, work: Path, target: Path) -> None:
    initrd = "/boot/" + next(rootfs.glob("boot/initrd.img-*")).name
    kernel = _kernel(rootfs, work / "debian.efi", initrd, f"root=LABEL=guest-root rw {CONSOLES}")
    _as_if_new(rootfs)
    system = disk.system_partition(kernel, work / "debian.esp", KERNEL_MIB)
    root = disk.root_partition(rootfs, work / "debian.root", ROOT_MIB)
    raw = work / "debian.raw"
    disk.assemble(raw, system, root)
    form = ("-f", "raw", "-O", "qcow2", "-o", "compression_type=zstd")
    tool("qemu-img", "convert", "-c", *form, raw, target, timeout=600)


def _as_if_new(rootfs: Path) -> None:
    """Take out what each machine must have for itself, and what costs a first boot time."""
    systemctl = ("systemctl", "-q", f"--root={rootfs}")
    tool(*as_root(*systemctl, "enable", "systemd-networkd.service"), timeout=30)
    tool(*as_root(*systemctl, "mask", *NOT_IN_A_GUEST), timeout=30)
    keys = sorted(rootfs.glob("etc/ssh/ssh_host_*_key*"))
    # mmdebstrap leaves this machine's resolv.conf; Debian's cloud images have none before DHCP.
    tool(*as_root("rm", "-f", *keys, rootfs / "etc/resolv.conf"), timeout=30)
    # An empty file: a new number at each first boot, yet not systemd's own "first boot", which
    # would set all units to their presets (machine-id(5)).
    tool(*as_root("truncate", "-s", "0", rootfs / "etc/machine-id"), timeout=30)
    # Or systemd rebuilds its caches (systemd.unit(5), ConditionNeedsUpdate).
    tool(*as_root("touch", rootfs / "etc/.updated", rootfs / "var/.updated"), timeout=30)


def _small(rootfs: Path, work: Path, target: Path) -> None:
    tree = work / "small"
    shutil.copytree(SMALL, tree)
    (tree / "bin").mkdir()
    for name in ("dev", "proc", "sys", "modules"):
        (tree / name).mkdir()
    shutil.copy(rootfs / "usr/bin/busybox", tree / "bin")
    (tree / "bin/sh").symlink_to("busybox")
    _modules(rootfs, tree / "modules")
    _ssh_server(rootfs, tree)
    initrd = _packed(rootfs, tree)
    kernel = _kernel(rootfs, work / "small.efi", initrd, f"rdinit=/init.sh {CONSOLES}")
    disk.assemble(target, disk.system_partition(kernel, work / "small.esp", SMALL_MIB))
    target.with_suffix(".sfdisk").unlink()


def _tiny(rootfs: Path, work: Path, target: Path) -> None:
    program = rootfs / "usr/lib/ipxe/ipxe-amd64.efi"
    disk.assemble(target, disk.system_partition(program, work / "tiny.esp", TINY_MIB, TINY))
    target.with_suffix(".sfdisk").unlink()


def _modules(rootfs: Path, target: Path) -> None:
    """Unpack the kernel modules, numbered in the order they must be loaded."""
    for number, name in enumerate(MODULES):
        (packed,) = rootfs.glob(f"usr/lib/modules/*/kernel/**/{name}.ko.xz")
        (target / f"{number}-{name}.ko").write_bytes(lzma.decompress(packed.read_bytes()))


def _ssh_server(rootfs: Path, tree: Path) -> None:
    """Lay dropbear(8) beside the small guest's own files, and what it is linked with."""
    linked = tool(*as_root("chroot", rootfs, "ldd", SSH_SERVER), timeout=30).stdout
    for name in (SSH_SERVER, *re.findall(r"(/lib\S+) \(0x", linked)):
        target = tree / name.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy((rootfs / name.lstrip("/")).resolve(), target)


def _packed(rootfs: Path, tree: Path) -> str:
    """Pack `tree` as an initial RAM disk; return its path inside the root file system."""
    tool(*as_root("cp", "-r", tree, rootfs / "tmp/small"), timeout=30)
    pack = "cd /tmp/small && find . | cpio --quiet -o -H newc -R 0:0 | gzip >/tmp/small.initrd"
    tool(*as_root("chroot", rootfs, "sh", "-c", pack), timeout=60)
    tool(*as_root("rm", "-r", rootfs / "tmp/small"), timeout=30)
    return "/tmp/small.initrd"


def _kernel(rootfs: Path, target: Path, initrd: str, words: str) -> Path:
    """Make one EFI program of the kernel, an initial RAM disk and the kernel's command line.

    By the guest's own ukify(1): Debian 12 has none.
    """
    linux = "/boot/" + next(rootfs.glob("boot/vmlinuz-*")).name
    parts = (f"--linux={linux}", f"--initrd={initrd}", f"--cmdline={words}")
    make = ("ukify", "build", *parts, "--output=/tmp/uki.efi")
    tool(*as_root("chroot", rootfs, *make), timeout=60)
    tool(*as_root("install", "-m", "644", rootfs / "tmp/uki.efi", target), timeout=60)
    tool(*as_root("rm", "-f", rootfs / "tmp/uki.efi", rootfs / "tmp/small.initrd"), timeout=30)
    return target
