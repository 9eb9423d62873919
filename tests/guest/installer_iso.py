"""Debian's own installer, on an ISO: its signed boot loaders, its kernel, its initial RAM disk."""

import shutil
from pathlib import Path

from tests.guest import disk
from tests.lab.process import as_root, tool

PACKAGE = "debian-installer-13-netboot-amd64"
IMAGES = "usr/lib/debian-installer"
GRAPHICAL = f"/{IMAGES}/images/*/gtk/*"
"""Twice as large, and not unpacked."""

PLACE = "debian-installer/amd64"
"""Where the package's GRUB looks for its menu, on what it was loaded from."""

MENU = f"""\
serial
terminal_output serial
set timeout=0
menuentry installer {{
  linux /{PLACE}/linux console=hvc0 console=ttyS0 DEBIAN_FRONTEND=text
  initrd /{PLACE}/initrd.gz
}}
"""
MIB = 6
"""For shim and GRUB."""


def build(rootfs: Path, work: Path, target: Path) -> None:
    """Make the ISO of what the package has put below `rootfs`, and take that away from there."""
    (found,) = rootfs.glob(f"{IMAGES}/images/*/amd64/text/{PLACE}")
    tree = work / "iso"
    (tree / PLACE / "grub").mkdir(parents=True)
    for name in ("linux", "initrd.gz"):
        shutil.copy(found / name, tree / PLACE)
    (tree / PLACE / "grub/grub.cfg").write_text(MENU)
    system = tree / "system.img"
    disk.system_partition(found / "bootnetx64.efi", system, MIB)  # shim, which Microsoft signed
    tool("mcopy", "-i", system, found / "grubx64.efi", "::/EFI/BOOT/grubx64.efi", timeout=60)
    _pack(rootfs, tree, target)
    tool(*as_root("rm", "-r", rootfs / IMAGES), timeout=60)


def _pack(rootfs: Path, tree: Path, target: Path) -> None:
    """By the guest's own xorriso(1), whose El Torito entry is for UEFI (-e)."""
    tool(*as_root("cp", "-r", tree, rootfs / "tmp/iso"), timeout=60)
    form = ("-R", "-V", "installer", "-e", "system.img", "-no-emul-boot")
    make = ("xorriso", "-as", "mkisofs", "-quiet", *form, "-o", "/tmp/made.iso", "/tmp/iso")
    tool(*as_root("chroot", rootfs, *make), timeout=120)
    tool(*as_root("install", "-m", "644", rootfs / "tmp/made.iso", target), timeout=60)
    tool(*as_root("rm", "-r", rootfs / "tmp/iso", rootfs / "tmp/made.iso"), timeout=60)
