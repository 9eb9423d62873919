"""A firmware that says one line and halts, for machines that only have to be there.

OVMF ends in a shell that spins: ten seconds of a running machine cost nine of a processor, and
everything beside it takes twice as long. Tests that are about firmware keep OVMF.
"""

from typing import Final

from tests.lab.host import Lab

PATH: Final = "/usr/share/OVMF/HALT.fd"
SIZE: Final = 4096
"""Bytes; QEMU wants whole pages, and maps them so that they end at 4 GiB (docs/system/i386/pc)."""

SAYS: Final = "lab firmware: halted"
"""On the first serial port, with an escape sequence before it, as real ones write them."""

SETTINGS: Final = "/etc/raptorctl/settings.toml"
QEMU_CONF: Final = "/etc/libvirt/qemu.conf"


def image() -> bytes:
    """Return the flash: code that writes to COM1 (0x3f8), its text, and the reset vector.

    A processor begins 16 bytes below 4 GiB, in real mode, and what it reads by CS is just here
    (Intel SDM volume 3, "First Instruction Executed").
    """
    text = b"\x1b[2J" + SAYS.encode() + b"\r\n\0"
    begin = 0x10000 - 256
    code = bytes([
        0xFA,                                           # cli
        0xBA, 0xF8, 0x03,                               # mov dx, 0x3f8
        0xBE, *(begin + 19).to_bytes(2, "little"),      # mov si, text
        0x2E, 0xAC,                                     # next: lodsb from cs:si
        0x84, 0xC0,                                     # test al, al
        0x74, 0x03,                                     # jz halt
        0xEE,                                           # out dx, al
        0xEB, 0xF7,                                     # jmp next
        0xF4,                                           # halt: hlt
        0xEB, 0xFD,                                     # jmp halt
    ])  # fmt: skip
    vector = b"\xe9" + (begin - 0xFFF3).to_bytes(2, "little", signed=True)  # jmp begin
    return (code + text).rjust(0).ljust(240, b"\0").rjust(SIZE - 16, b"\0") + vector.ljust(
        16, b"\0"
    )


def unconfined(lab: Lab) -> None:
    """Have libvirt start machines without AppArmor's profiles.

    It compiles a machine's profile six times at each start: half of what a start takes in the lab.
    """
    lab.sh(f"""
        sed -i 's/^\\(security_[a-z]*_confined\\) = 1/\\1 = 0/' {QEMU_CONF}
        echo 'security_driver = "none"' >>{QEMU_CONF}
        systemctl restart libvirtd
        systemctl is-active --quiet libvirtd
        virsh uri >/dev/null
    """)


def halting(lab: Lab) -> None:
    """Have machines that are made from now on halt, and nothing wait for them to hear ACPI."""
    octal = "".join(f"\\{byte:03o}" for byte in image()[-256:])
    lab.sh(f"""
        (head -c {SIZE - 256} /dev/zero; printf '{octal}') >{PATH}
        sed -i -e 's|^firmware_code = .*|firmware_code = "{PATH}"|' \\
            -e 's|^shutdown_timeout = .*|shutdown_timeout = 1|' {SETTINGS}
        grep -q 'firmware_code = "{PATH}"' {SETTINGS}
    """)
