"""What stands before, behind and between members, streams and frames; and what is no damage.

The archives are made by the programs people use, or byte by byte by the formats' texts.
"""

import hashlib
import lzma
import signal
import subprocess
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from raptorctl.errors import CommandError, HostError
from raptorctl.host.image.transfer import brought
from raptorctl.host.image.unpack import unpacker, verdict
from raptorctl.host.system.caller import open_own
from raptorctl.model.sizes import MIB, Size
from tests.disks import packed, raw_disk

pytestmark = pytest.mark.long

SKIPPABLE = b"\x5a\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"some"  # RFC 8878 3.1.2


@dataclass
class Brought:
    """What came of an archive."""

    content: bytes
    notes: list[str] = field(default_factory=list)


def bring(archive: bytes, folder: Path) -> Brought:
    source, target, notes = folder / "archive", folder / "target", list[str]()
    source.write_bytes(archive)
    with open_own(str(source)) as stream:
        digest = brought(stream, target, Size(64 * MIB), lambda _done, _all: None, notes.append)
    content = target.read_bytes()
    assert digest == hashlib.sha256(content).hexdigest()
    return Brought(content, notes)


def refused(archive: bytes, folder: Path, said: str) -> None:
    with pytest.raises(HostError, match=said) as caught:
        bring(archive, folder)
    assert "damaged" not in caught.value.brief


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return raw_disk(tmp_path / "image")


def of(raw: Path, kind: str) -> bytes:
    return packed(raw, kind).read_bytes()


# Behind the last


@pytest.mark.parametrize(
    "behind",
    [b'FWx0{"metadata_version":"1.1"}', b"\n", b"\0" * 512 + b"x", b"\x1f\x9dabc", b"\x1f"],
)
def test_what_is_behind_the_last_member_of_gzip_is_noted_and_no_damage(
    tmp_path: Path, raw: Path, behind: bytes
) -> None:
    done = bring(of(raw, "gz") + behind, tmp_path)
    assert done.content == raw.read_bytes()
    count = len(behind.lstrip(b"\0"))
    assert done.notes == [
        f"{count} {'byte' if count == 1 else 'bytes'} behind what it unpacks to "
        f"{'is' if count == 1 else 'are'} no gzip; unpacked all the same"
    ]


@pytest.mark.parametrize("zeroes", [1, 511, 3 * MIB])
def test_zeroes_behind_gzip_are_its_padding(tmp_path: Path, raw: Path, zeroes: int) -> None:
    assert bring(of(raw, "gz") + bytes(zeroes), tmp_path) == Brought(raw.read_bytes())


@pytest.mark.parametrize("zeroes", [4, 512, 3 * MIB])
def test_zeroes_behind_xz_are_its_padding(tmp_path: Path, raw: Path, zeroes: int) -> None:
    assert bring(of(raw, "xz") + bytes(zeroes), tmp_path) == Brought(raw.read_bytes())


@pytest.mark.parametrize(
    ("kind", "behind", "said"),
    [
        (
            "xz",
            b"garbage\n",
            "8 bytes behind what it unpacks to are no xz: .*xz -dc --single-stream ",
        ),
        (
            "xz",
            bytes(7),
            "the zeroes behind it are 7, and should be a multiple of 4: .*--single-str",
        ),
        ("zst", b"garbage\n", "what stands behind its last frame is no zstd: .*zstd -dc FILE "),
        ("zst", bytes(512), "what stands behind its last frame is no zstd"),
        ("zst", b"x", "what stands behind its last frame is no zstd"),
    ],
)
def test_what_the_format_has_no_room_for_is_said_so(
    tmp_path: Path, raw: Path, kind: str, behind: bytes, said: str
) -> None:
    refused(of(raw, kind) + behind, tmp_path, said)


def test_what_is_behind_a_7z_is_none_of_its(tmp_path: Path, raw: Path) -> None:
    assert bring(of(raw, "7z") + b"tail", tmp_path).content == raw.read_bytes()


# Between and before


@pytest.mark.parametrize(
    ("kind", "between"),
    [
        ("gz", b""),
        ("gz", bytes(100)),
        ("xz", b""),
        ("xz", bytes(8)),
        ("zst", b""),
        ("zst", SKIPPABLE),
    ],
)
def test_one_after_the_other_is_one_image(
    tmp_path: Path, raw: Path, kind: str, between: bytes
) -> None:
    one = of(raw, kind)
    assert bring(one + between + one, tmp_path).content == raw.read_bytes() * 2


@pytest.mark.parametrize("kind", ["gz", "xz", "zst"])
def test_a_second_that_is_cut_off_is_damage(tmp_path: Path, raw: Path, kind: str) -> None:
    one = of(raw, kind)
    with pytest.raises(HostError, match="the archive is damaged or cut off"):
        bring(one + one[:-9], tmp_path)


def test_skippable_frames_stand_anywhere_in_zstd(tmp_path: Path, raw: Path) -> None:
    archive = SKIPPABLE + SKIPPABLE + of(raw, "zst") + SKIPPABLE
    assert bring(archive, tmp_path).content == raw.read_bytes()


def test_a_skippable_frame_alone_makes_no_zstd(tmp_path: Path, raw: Path) -> None:
    """LZ4 has the same ones (its frame format)."""
    words = ["bsdtar", "--lz4", "-C", str(tmp_path), "-cf", "-", raw.name]
    lz4 = subprocess.run(words, check=True, capture_output=True, timeout=60).stdout
    (tmp_path / "archive").write_bytes(SKIPPABLE + lz4)
    with open_own(str(tmp_path / "archive")) as source:
        assert unpacker(source) is None


# Limits


def frame(exponent: int, mantissa: int) -> bytes:
    """A frame of 100 bytes in one raw block (RFC 8878 3.1.1.1.2, 3.1.1.2)."""
    block = (1 | 100 << 3).to_bytes(3, "little") + b"x" * 100
    return b"\x28\xb5\x2f\xfd\x00" + bytes([exponent << 3 | mantissa]) + block


def test_a_long_window_is_given(tmp_path: Path, raw: Path) -> None:
    words = ["zstd", "-q", "-c", "--long=28"]
    told = subprocess.run(
        words, input=raw.read_bytes(), check=True, capture_output=True, timeout=60
    )
    assert bring(told.stdout, tmp_path).content == raw.read_bytes()


def test_the_longest_window_of_zstd_is_given(tmp_path: Path) -> None:
    assert bring(frame(21, 0), tmp_path).content == b"x" * 100  # 2^(10+21), as --long=31


@pytest.mark.parametrize(
    ("archive", "said"),
    [
        (frame(21, 1), "it takes a window of 2.2G to be unpacked, and 2G is allowed"),
        (frame(10, 0) + frame(21, 7), "it takes a window of 3.7G to be unpacked"),
        (frame(22, 0), "it takes a window of more than 2G to be unpacked"),
    ],
)
def test_a_longer_window_is_told_with_what_to_do(tmp_path: Path, archive: bytes, said: str) -> None:
    refused(archive, tmp_path, f"{said}.*; pack it anew with `zstd --long=27` or less")


def test_a_zstd_that_wants_a_dictionary_is_told(tmp_path: Path) -> None:
    archive = frame(10, 0)
    # Frame_Header_Descriptor 01: one byte of Dictionary_ID behind the window's (3.1.1.1.1).
    refused(archive[:4] + b"\x01" + archive[5:6] + b"\x07" + archive[6:], tmp_path, "a dictionary")


def with_header(archive: bytes, at: int, byte: int) -> bytes:
    """An xz whose block header has another byte, and the CRC of that (.xz format 3.1.7)."""
    content = bytearray(archive)
    content[12 + at] = byte
    end = 12 + content[12] * 4
    content[end : end + 4] = zlib.crc32(bytes(content[12:end])).to_bytes(4, "little")
    return bytes(content)


def of_filter(byte: int) -> bytes:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0}]
    archive = lzma.compress(b"x" * 1000, lzma.FORMAT_XZ, filters=filters)
    return with_header(archive, archive.index(b"\x21\x01", 12) - 12 + byte // 256, byte % 256)


def test_a_dictionary_beyond_the_limit_of_memory_is_told(tmp_path: Path) -> None:
    refused(of_filter(2 * 256 + 40), tmp_path, "it takes more memory than 2G.*`xz -9` or less")


def test_a_filter_that_is_not_known_is_told(tmp_path: Path) -> None:
    refused(of_filter(0x0F), tmp_path, "it is packed in a way that is not known here")


def test_a_check_that_is_not_known_is_noted_as_xz_warns_of_it(tmp_path: Path) -> None:
    content = bytearray(lzma.compress(b"x" * 1000, check=lzma.CHECK_CRC32))
    content[7] = content[-3] = 2  # a reserved ID, of four bytes as CRC32 (.xz format 2.1.1.2)
    content[8:12] = zlib.crc32(bytes(content[6:8])).to_bytes(4, "little")
    content[-12:-8] = zlib.crc32(bytes(content[-8:-2])).to_bytes(4, "little")
    (tmp_path / "x.xz").write_bytes(content)
    xz = subprocess.run(
        ["xz", "-dc", tmp_path / "x.xz"], capture_output=True, check=False, timeout=60
    )
    assert (xz.returncode, xz.stdout) == (2, b"x" * 1000)
    done = bring(bytes(content), tmp_path)
    assert done.content == xz.stdout
    assert done.notes == [
        "its check is of a kind that is not known here, and was not made; unpacked all the same"
    ]


@pytest.mark.parametrize("kind", ["gz", "xz", "zst", "7z"])
@pytest.mark.parametrize(
    ("status", "said"),
    [
        (-signal.SIGXCPU, "unpacking it took more than 4 hours of CPU, and was ended"),
        (-signal.SIGKILL, "its unpacker was killed, perhaps for want of memory"),
    ],
)
def test_a_limit_of_ours_is_no_damage(
    tmp_path: Path, raw: Path, kind: str, status: int, said: str
) -> None:
    with open_own(str(packed(raw, kind))) as source:
        found = unpacker(source)
    assert found
    assert said in verdict(found, CommandError(found.limited, status, "")).brief


# 7z


def test_the_name_of_what_is_in_a_7z_may_be_any(tmp_path: Path) -> None:
    """In the C locale bsdtar ends with 1 over a name that is not ASCII."""
    raw = raw_disk(tmp_path / "büro образ.raw")
    words = ["env", "LC_ALL=C.UTF-8", "bsdtar", "--format=7zip", "-C", str(tmp_path), "-cf"]
    subprocess.run([*words, str(tmp_path / "x.7z"), raw.name], check=True, timeout=60)
    assert bring((tmp_path / "x.7z").read_bytes(), tmp_path).content == raw.read_bytes()


@pytest.mark.parametrize(
    ("stderr", "said"),
    [
        ("bsdtar: The archive header is encrypted, but currently not supported", "it is encrypted"),
        ("bsdtar: Unsupported 7-Zip compression method", "in a way that libarchive does not know"),
        ("bsdtar: Couldn't allocate memory", "it takes more memory than 2G"),
    ],
)
def test_what_libarchive_cannot_do_is_no_damage(
    tmp_path: Path, raw: Path, stderr: str, said: str
) -> None:
    with open_own(str(packed(raw, "7z"))) as source:
        found = unpacker(source)
    assert found
    assert said in verdict(found, CommandError(found.limited, 1, stderr)).brief
