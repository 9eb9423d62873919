"""What is an image, by real qemu-img and files of every kind."""

import subprocess
from pathlib import Path

import pytest

from raptorctl.errors import HostError
from raptorctl.host.image.look import HEAD, foreseen, look
from raptorctl.model.sizes import GIB, MIB, Size
from tests.disks import disk, iso, packed, qemu_img, raw_disk

pytestmark = pytest.mark.long

LARGEST = Size(GIB)


def refused(path: Path, said: str, called: str = "") -> None:
    with pytest.raises(HostError, match=said):
        look(path, called, LARGEST)


def cut(path: Path, keep: int) -> Path:
    target = path.with_name("cut")
    target.write_bytes(path.read_bytes()[:keep])
    return target


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("qcow2", ""),
        ("qcow2", "compat=0.10"),
        ("qcow2", "cluster_size=4096"),
        ("vmdk", ""),
        ("vmdk", "subformat=streamOptimized"),
    ],
)
def test_formats_are_known_by_their_content(tmp_path: Path, form: str, options: str) -> None:
    seen = look(disk(tmp_path / "image", form, options), "image", LARGEST)
    assert (seen.format, seen.size) == (form, 4 * MIB)


def test_a_raw_image_has_a_partition_table(tmp_path: Path) -> None:
    assert look(raw_disk(tmp_path / "image"), "web.img", LARGEST).format == "raw"


def test_a_kernel_is_no_disk_though_it_ends_its_first_sector_as_one(tmp_path: Path) -> None:
    kernel = tmp_path / "vmlinuz"
    kernel.write_bytes(b"MZ" + bytes(508) + b"\x55\xaa\xeb\x6aHdrS" + bytes(MIB))
    refused(kernel, "not an image of a disk but a kernel")


def test_a_raw_image_may_be_a_file_system(tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.write_bytes(bytes(1080) + b"\x53\xef" + bytes(MIB))
    assert look(image, "", LARGEST).format == "raw"


def test_a_qcow2_with_a_backing_file_is_refused_unopened(tmp_path: Path) -> None:
    base = disk(tmp_path / "base")
    qemu_img("create", "-f", "qcow2", "-b", base, "-F", "qcow2", tmp_path / "over")
    refused(tmp_path / "over", "backing file.*qemu-img convert")


def test_a_qcow2_with_a_data_file_is_refused(tmp_path: Path) -> None:
    disk(tmp_path / "image", "qcow2", f"data_file={tmp_path / 'data'}")
    refused(tmp_path / "image", "data are in another file")


def test_an_encrypted_qcow2_is_refused(tmp_path: Path) -> None:
    qemu_img("create", "-f", "qcow2", tmp_path / "image", "4M")
    with (tmp_path / "image").open("r+b") as file:
        file.seek(32)  # crypt_method (QEMU's docs/interop/qcow2.txt); 2 is LUKS
        file.write((2).to_bytes(4))
    refused(tmp_path / "image", "encrypted")


def test_a_vmdk_whose_extents_lie_elsewhere_is_refused(tmp_path: Path) -> None:
    disk(tmp_path / "image.vmdk", "vmdk", "subformat=monolithicFlat")
    refused(tmp_path / "image.vmdk", "data are in other files")


def test_a_vmdk_that_is_only_a_descriptor_in_a_header_is_refused(tmp_path: Path) -> None:
    image = disk(tmp_path / "image", "vmdk")
    content = bytearray(image.read_bytes())
    content[12:20] = bytes(8)  # capacity: 0 makes QEMU read extents from the descriptor
    image.write_bytes(content)
    refused(image, "data are in other files")


@pytest.mark.parametrize("form", ["qcow2", "vmdk"])
@pytest.mark.parametrize("keep", [40, 3000, 200_000, -70_000])
def test_a_cut_image_is_refused(tmp_path: Path, form: str, keep: int) -> None:
    options = "subformat=streamOptimized" if form == "vmdk" else ""
    refused(cut(disk(tmp_path / "image", form, options), keep), "cut off")


def test_a_qcow2_with_broken_tables_is_refused(tmp_path: Path) -> None:
    image = disk(tmp_path / "image")
    content = bytearray(image.read_bytes())
    table = int.from_bytes(content[40:48], "big")  # l1_table_offset, qcow2.txt
    content[table : table + 8] = (0x80 << 56 | 0x7FFFFFFF0000).to_bytes(8, "big")
    image.write_bytes(content)
    refused(image, "damaged or cut off")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "an empty file"),
        (b"<!DOCTYPE html>\n<title>404</title>", r"a web page \(HTML\)"),
        (b"\xef\xbb\xbf \n<HTML>", r"a web page \(HTML\)"),
        (b"not found\n", "but text"),
        (b"# Disk DescriptorFile\nversion=1\n", "data are in other files"),
        (b"\x7fELF" + bytes(600), "a program"),
        (b"PK\x03\x04" + bytes(600), "a zip archive"),
        (bytes(257) + b"ustar" + bytes(600), "a tar archive"),
        (b"BZh9" + bytes(600), "bzip2"),
        (b"\x89LZO\x00\r\n\x1a\n" + bytes(600), "an lzop archive; xz, zst, gz and 7z are unpacked"),
        (b"LZIP\x01" + bytes(600), "an lzip archive"),
        (b"Rar!\x1a\x07\x01\x00" + bytes(600), "a rar archive"),
        (b"\x02\x21\x4c\x18" + bytes(600), "an lz4 archive of the legacy kind"),
        (b"MSCF" + bytes(600), "a cabinet archive"),
        (b"VMA\x00" + bytes(600), "a backup of Proxmox"),
        (b"!<arch>\ndebian-binary", "an ar archive"),
        (b"\x27\xb5\x2f\xfd" + bytes(600), "an archive of zstd, from before 0.8"),
        (b"conectix" + bytes(600), "a VHD"),
        (b"QFI\xfb" + bytes(3) + b"\x01" + bytes(600), "version 1"),
        (bytes(MIB), "no partition table and no file system"),
        (bytes(range(256)) * 4096, "no partition table and no file system"),
    ],
)
def test_what_is_no_disk_is_refused_by_its_name(tmp_path: Path, content: bytes, said: str) -> None:
    image = tmp_path / "image"
    image.write_bytes(content)
    refused(image, said)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["bsdtar", "--bzip2", "-cf", "-", "image"],
            "a bzip2 archive; xz, zst, gz and 7z are unpacked",
        ),
        (["bsdtar", "--lz4", "-cf", "-", "image"], "an lz4 archive"),
        (["xz", "--format=lzma", "-c", "image"], "an archive of lzma, from before xz"),
        (["bsdtar", "--format=zip", "-cf", "-", "image"], "a zip archive"),
        (["tar", "--format=v7", "-c", "image"], "a tar archive"),
        (["tar", "--format=gnu", "-c", "image"], "a tar archive"),
        (["tar", "--format=pax", "-c", "image"], "a tar archive"),
        (["tar", "--format=ustar", "-c", "web.ovf", "image"], "an OVA, a tar archive"),
        (["bsdtar", "--format=cpio", "-cf", "-", "image"], "a cpio archive"),
        (["bsdtar", "--format=bin", "-cf", "-", "image"], "a cpio archive"),
        (["bsdtar", "--format=xar", "-cf", "-", "image"], "a xar archive"),
        (["bsdtar", "--format=ar", "-cf", "-", "image"], "an ar archive"),
        (["bsdtar", "--compress", "-cf", "-", "image"], r"an archive of compress \(\.Z\)"),
    ],
)
def test_an_archive_that_is_not_taken_is_named_for_what_it_is(
    tmp_path: Path, words: list[str], said: str
) -> None:
    raw_disk(tmp_path / "image")
    (tmp_path / "web.ovf").write_text("<Envelope/>")
    with (tmp_path / "archive").open("wb") as archive:
        subprocess.run(words, cwd=tmp_path, stdout=archive, check=True, timeout=60)
    refused(tmp_path / "archive", said)


@pytest.mark.parametrize("begins", [b"BZh", b"\x1f\x9d", b"\xc7\x71"])
def test_boot_code_may_begin_as_an_archive_does(tmp_path: Path, begins: bytes) -> None:
    image = raw_disk(tmp_path / "image")
    image.write_bytes(begins + image.read_bytes()[len(begins) :])
    assert look(image, "web.img", Size(64 * MIB)).format == "raw"


@pytest.mark.parametrize("signature", [b"CD001", b"BEA01"])
def test_an_iso_is_one_although_it_boots_as_a_disk_and_is_as_large_as_its_file(
    tmp_path: Path, signature: bytes
) -> None:
    image = iso(tmp_path / "image", signature)
    for called in ("install.iso", ""):
        seen = look(image, called, LARGEST)
        assert (seen.format, seen.size) == ("iso", image.stat().st_size)
    assert foreseen(image.read_bytes()[:HEAD], 5 * MIB, "", LARGEST).format == "iso"


def test_an_iso_named_qcow2_is_refused(tmp_path: Path) -> None:
    refused(iso(tmp_path / "image"), "called .qcow2, but it is iso", "install.qcow2")


def test_an_iso_that_was_cut_is_refused_but_for_its_last_padding(tmp_path: Path) -> None:
    blocks = raw_disk(tmp_path / "image").stat().st_size // 2048
    assert look(iso(tmp_path / "image", blocks=blocks + 150), "", LARGEST).format == "iso"
    refused(iso(tmp_path / "image", blocks=blocks + 151), "an ISO that is cut off")


@pytest.mark.parametrize(
    ("form", "ending"), [("raw", "qcow2"), ("qcow2", "raw"), ("qcow2", "vmdk")]
)
def test_an_ending_that_promises_another_format_is_refused(
    tmp_path: Path, form: str, ending: str
) -> None:
    image = raw_disk(tmp_path / "i") if form == "raw" else disk(tmp_path / "i", form)
    refused(image, f"called .{ending}, but it is {form}", f"web.{ending}")


def test_an_archive_in_an_archive_is_refused(tmp_path: Path) -> None:
    refused(packed(raw_disk(tmp_path / "image"), "xz"), "an archive in an archive")


def test_an_image_that_a_guest_sees_as_too_large_is_refused(tmp_path: Path) -> None:
    qemu_img("create", "-f", "qcow2", tmp_path / "image", "2G")
    refused(tmp_path / "image", "a guest would see 2G, more than 1G: .*images.largest")


def test_a_file_that_makes_qemu_img_greedy_ends_at_its_limits(tmp_path: Path) -> None:
    image = disk(tmp_path / "image")
    content = bytearray(image.read_bytes())
    content[36:40] = (0x7FFFFFFF).to_bytes(4, "big")  # l1_size: 16 GiB of table
    image.write_bytes(content)
    refused(image, "damaged or cut off")
