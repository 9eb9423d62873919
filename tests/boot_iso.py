"""An ISO that UEFI boots, without any tool that distributions do not all have: El Torito, by hand."""

import struct
import subprocess
from pathlib import Path
from typing import Final

BLOCK: Final = 2048
FAT: Final = 1440 << 10
"""Bytes of the boot image: a floppy disk's."""
ENDS: Final = b"\x31\xc0\xc3"
"""xor eax, eax; ret: EFI_SUCCESS."""


def boot_iso(path: Path) -> Path:
    """Write an ISO whose program ends at once, so that the firmware goes on; needs mtools."""
    program, floppy = path.with_suffix(".efi"), path.with_suffix(".fat")
    program.write_bytes(_program(ENDS))
    _run("mformat", "-i", str(floppy), "-C", "-f", "1440", "::")
    _run("mmd", "-i", str(floppy), "::EFI", "::EFI/BOOT")
    _run("mcopy", "-i", str(floppy), str(program), "::EFI/BOOT/BOOTX64.EFI")
    blocks = [bytes(BLOCK)] * 16 + [_volume(), _boot_record(), _end(), _catalogue()]
    path.write_bytes(b"".join(blocks) + floppy.read_bytes())
    program.unlink()
    floppy.unlink()
    return path


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True, timeout=60)


def _volume() -> bytes:
    """ECMA-119 8.4: no more of it than is read here."""
    length = 20 + FAT // BLOCK
    head = b"\x01CD001\x01".ljust(80, b"\0") + struct.pack("<I", length)
    return (head.ljust(128, b"\0") + struct.pack("<H", BLOCK)).ljust(BLOCK, b"\0")


def _boot_record() -> bytes:
    """The El Torito specification 1.0, 2.0: where the catalogue is."""
    head = b"\0CD001\x01EL TORITO SPECIFICATION".ljust(71, b"\0")
    return (head + struct.pack("<I", 19)).ljust(BLOCK, b"\0")


def _end() -> bytes:
    return b"\xffCD001\x01".ljust(BLOCK, b"\0")


def _catalogue() -> bytes:
    """El Torito 2.1 and 2.2: for UEFI (0xef), bootable, without emulation."""
    check = struct.pack("<BBH24sHBB", 1, 0xEF, 0, b"", 0, 0x55, 0xAA)
    total = -sum(struct.unpack("<16H", check)) & 0xFFFF
    valid = check[:28] + struct.pack("<H", total) + check[30:]
    entry = struct.pack("<BBHBBHI", 0x88, 0, 0, 0, 0, FAT // 512, 20)
    return (valid + entry).ljust(BLOCK, b"\0")


def _program(code: bytes) -> bytes:
    """A PE32+ of one section (Microsoft's PE format, "Optional Header")."""
    dos = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64)
    coff = struct.pack("<4sHHIIIHH", b"PE\0\0", 0x8664, 1, 0, 0, 0, 240, 0x22)
    sizes = struct.pack("<HBBIIIII", 0x20B, 0, 0, 0x200, 0, 0, 0x1000, 0x1000)
    image = struct.pack("<QII6HI", 0, 0x1000, 0x200, *([0] * 6), 0)
    rest = struct.pack("<IIIHH4QII", 0x2000, 0x200, 0, 10, 0, *([0] * 4), 0, 16)
    section = struct.pack(
        "<8sIIIIIIHHI", b".text", 16, 0x1000, 0x200, 0x200, 0, 0, 0, 0, 0x60000020
    )
    head = dos + coff + sizes + image + rest + bytes(128) + section
    return head.ljust(0x200, b"\0") + code.ljust(0x200, b"\0")
