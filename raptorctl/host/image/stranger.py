"""What is no image of a disk, by how it begins.

Where no other source is named, the bytes are those of file(1)'s magic.
"""

import re
from typing import Final

UNPACKED: Final = "xz, zst, gz and 7z are unpacked"

# Offset, bytes, and what to say.
ARCHIVES: Final[tuple[tuple[int, bytes, str], ...]] = (
    (257, b"ustar", "a tar archive"),  # tar(5)
    (0, b"PK\x03\x04", "a zip archive"),  # APPNOTE.TXT 4.3.7
    (0, b"PK\x05\x06", "a zip archive with nothing in it"),  # 4.3.16
    (0, b"PK\x07\x08", "a part of a zip archive"),  # 8.5.4
    (0, b"PK00PK", "a zip archive"),  # 8.5.4, of several parts that came to be one
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\x04\x22\x4d\x18", "an lz4 archive"),  # LZ4 frame format
    (0, b"\x02\x21\x4c\x18", "an lz4 archive of the legacy kind"),
    (0, b"LZIP", "an lzip archive"),
    (0, b"\x89LZO\x00\r\n\x1a\n", "an lzop archive"),
    (0, b"LRZI", "an lrzip archive"),
    (0, b"RZIP", "an rzip archive"),
    (0, b"\x1f\x9d", "an archive of compress (.Z)"),
    (0, b"\x1f\x1e", "an archive of pack (.z)"),
    (0, b"\x1f\xa0", "an archive of SCO's compress -H (.Z)"),
    (0, b"\xff\x06\x00\x00sNaPpY", "a snappy archive"),
    (0, b"Rar!\x1a\x07", "a rar archive"),
    (0, b"MSCF", "a cabinet archive (.cab)"),
    (0, b"!<arch>\n", "an ar archive, perhaps a Debian package"),  # deb(5)
    (0, b"\xed\xab\xee\xdb", "an RPM package"),
    (0, b"xar!", "a xar archive"),
    (0, b"MSWIM\x00\x00\x00", "a Windows image (.wim), which holds files and no disk"),
    (0, b"070701", "a cpio archive"),  # cpio(5)
    (0, b"070702", "a cpio archive"),
    (0, b"070707", "a cpio archive"),
    (0, b"\xc7\x71", "a cpio archive"),
    (0, b"\x71\xc7", "a cpio archive"),
    (0, b"\x1f\x8b", "a gzip archive of an unknown method"),  # RFC 1952 2.3.1, CM
    (0, b"VMA\x00", "a backup of Proxmox (.vma)"),
    (0, b"partclone-image", "a backup of partclone"),
)

OTHERS: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"# Disk DescriptorFile", "a VMDK whose data are in other files"),
    (0, b"COWD", "a VMDK of the old ESX kind"),
    (0, b"conectix", "a VHD"),
    (0, b"vhdxfile", "a VHDX"),
    (0x40, b"\x7f\x10\xda\xbe", "a VDI"),
    (0, b"QED\0", "a QED"),
    (0, b"WithoutFreeSpace", "a disk of Parallels"),
    (0, b"WithouFreSpacExt", "a disk of Parallels"),
    (0, b"\x3a\xff\x26\xed", "a sparse image of Android; simg2img makes a raw one of it"),
    (0, b"EVF\t\r\n\xff\x00", "a forensic image (EWF)"),
    (0, b"LUKS\xba\xbe", "encrypted"),
    (0, b"\x1f\x8b\x08", "an archive in an archive"),
    (0, b"\xfd7zXZ\x00", "an archive in an archive"),
    (0, b"\x28\xb5\x2f\xfd", "an archive in an archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "an archive in an archive"),
    (0, b"\x7fELF", "a program"),
    (514, b"HdrS", "a kernel"),  # Documentation/arch/x86/boot.rst; 55 AA stands before it
    (0, b"QFI\xfb\x00\x00\x00\x01", "a qcow of version 1"),
)

# What takes more than some bytes at one place.
SHAPES: Final[tuple[tuple[bytes, str], ...]] = (
    # xz's lzma-file-format.txt: properties, a size of dictionary, the size or all ones.
    (rb"\x5d\0\0.{2}(\xff{8}|.{5}\0{3})", "an archive of lzma, from before xz"),
    (rb"[\x1e\x22-\x27]\xb5\x2f\xfd", "an archive of zstd, from before 0.8"),
    # RFC 8878 3.1.2 and LZ4's frame format: a zstd behind it would have been unpacked.
    (rb"[\x50-\x5f]\x2a\x4d\x18", "an archive, perhaps of lz4"),
    (rb"..-l[hz][0-9sd]-", "an lha archive"),
)


def stranger(head: bytes) -> str:
    """Return what something is that is no image of a disk, or "".

    Args:
        head: its first 33 KiB, or more.
    """
    for offset, magic, what in OTHERS:
        if head[offset : offset + len(magic)] == magic:
            return what
    if what := _archive(head):
        return f"{what}; {UNPACKED}"
    return ""


def _archive(head: bytes) -> str:
    boots = head[510:512] == b"\x55\xaa"  # boot code may begin with any two or three bytes
    for offset, magic, what in ARCHIVES:
        if head[offset : offset + len(magic)] == magic and not (boots and len(magic) < 4):
            return _tar(head) if magic == b"ustar" else what
    for shape, what in SHAPES:
        if re.match(shape, head, re.DOTALL):
            return what
    return _tar(head) if _is_old_tar(head) else ""


def _tar(head: bytes) -> str:
    """An OVA begins with its description (DSP0243, 5.1)."""
    first = head[:100].partition(b"\0")[0].lower()
    return (
        "an OVA, a tar archive; take its disk out" if first.endswith(b".ovf") else "a tar archive"
    )


def _is_old_tar(head: bytes) -> bool:
    """Whether a sum of the header stands where tar has it (tar(5), "Old-Style Archive Format")."""
    told = re.fullmatch(rb" *([0-7]{1,7})[ \0]*", head[148:156])
    if not head[:1].strip(b"\0") or not told:
        return False
    return int(told[1], 8) == sum(head[:148]) + 8 * ord(" ") + sum(head[156:512])
