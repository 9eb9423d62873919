"""Wiping real logical volumes, proved by other means: dd and tr read every byte."""

import re
from collections.abc import Iterator

import pytest

from tests.lab.drive import drive, fields, tidied
from tests.lab.host import Lab

NAME = "guest-zz-one"
PATH = f"/dev/lvm-data/{NAME}"
MIB = 1 << 20
SIZE = 20 * MIB  # small, as every byte is read under emulation
GIVEN = f'volume = GROUP.named("{NAME}")\n'


@pytest.fixture
def host(lab: Lab) -> Iterator[Lab]:
    with tidied(lab):
        yield lab


def make(lab: Lab, size: int = SIZE, name: str = NAME) -> None:
    """Make a volume that is full of a pattern, each byte of it on the device."""
    drive(lab, f'GROUP.create("{name}", {size}, TAGS)')
    fill(lab, size, name)


def fill(lab: Lab, size: int, name: str = NAME) -> None:
    to = f"of=/dev/lvm-data/{name} bs=4M oflag=direct"
    lab.sh(f"dd {to} iflag=fullblock,count_bytes count={size} status=none < <(yes secret)")


def nonzero(lab: Lab, name: str = NAME) -> int:
    """Count bytes that are not zero, past the page cache."""
    read = f"dd if=/dev/lvm-data/{name} bs=4M iflag=direct status=none"
    return int(lab.sh(rf"{read} | tr -d '\000' | wc -c").stdout)


def untouched(lab: Lab, size: int = SIZE, name: str = NAME) -> bool:
    return nonzero(lab, name) == size


@pytest.mark.parametrize("size", [4 * MIB, 76 * MIB])
def test_a_full_volume_holds_zeroes_afterwards(host: Lab, size: int) -> None:
    make(host, size)
    assert untouched(host, size)
    report = drive(host, GIVEN + "wipe(volume)")
    assert f"size={size}, method='BLKZEROOUT'" in report
    assert f"verified={size}, coverage='full'" in report
    assert nonzero(host) == 0


def test_a_volume_in_two_pieces_of_the_group(host: Lab) -> None:
    make(host, 8 * MIB)
    make(host, 4 * MIB, "guest-zz-between")
    host.run("lvextend", "-L", "20m", f"lvm-data/{NAME}")
    fill(host, 20 * MIB)
    assert fields(host, NAME, "seg_count") == ["2"]
    assert "coverage='full'" in drive(host, GIVEN + "wipe(volume)")
    assert nonzero(host) == 0
    assert untouched(host, 4 * MIB, "guest-zz-between")  # the neighbour


def test_writing_does_where_the_device_cannot(host: Lab) -> None:
    make(host)
    script = "import raptorctl.host.volume.device as device; device.BLKZEROOUT = 0x12ff\n"
    report = drive(host, script + GIVEN + "wipe(volume)")
    assert "method='O_DIRECT writes'" in report
    assert nonzero(host) == 0


def test_a_large_volume_is_read_back_in_samples(host: Lab) -> None:
    drive(host, f'GROUP.create("{NAME}", 8 << 30, TAGS)')
    report = drive(host, GIVEN + "wipe(volume, up_to=1 << 30)")
    assert "coverage='sampled'" in report
    verified = int(report.split("verified=")[1].split(",")[0])
    assert (8 << 30) // 64 <= verified < (8 << 30) // 16


def test_what_was_not_zeroed_is_found(host: Lab) -> None:
    make(host)
    # A device that acknowledges and keeps the data, as some drives do.
    script = "BlockDevice.offload_zeroes = lambda *_: True\n"
    said = drive(
        host,
        "from raptorctl.host.volume.device import BlockDevice\n" + script + GIVEN + "wipe(volume)",
    )
    assert re.fullmatch(r"WipeError: /dev/dm-\d+ is not zero at offset \d+ after zeroing", said)


def test_a_volume_that_somebody_has_open_is_refused(host: Lab) -> None:
    make(host)
    with host.start("bash", "-c", f"exec 3<{PATH}; echo held; cat") as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        said = drive(host, GIVEN + "wipe(volume)")
        holder.communicate()
    assert said.startswith(f"WipeError: {PATH} is in use: see `fuser /dev/dm-")
    assert untouched(host)


def test_a_mounted_volume_is_refused(host: Lab) -> None:
    drive(host, f'GROUP.create("{NAME}", {SIZE}, TAGS)')
    host.sh(
        f"mkfs.ext4 -q {PATH}; mkdir -p /run/zz; mount {PATH} /run/zz; echo kept > /run/zz/file"
    )
    said = drive(host, GIVEN + "wipe(volume)")
    kept = host.sh(f"umount /run/zz; mount {PATH} /run/zz; cat /run/zz/file; umount /run/zz")
    assert said.endswith("exclusively: Device or resource busy")
    assert kept.stdout == "kept\n"


def test_another_volume_behind_the_number_is_refused(host: Lab) -> None:
    make(host)
    make(host, name="guest-zz-two")
    mixed = GIVEN + 'two = GROUP.named("guest-zz-two")\n'
    said = drive(host, mixed + "wipe(replace(volume, major=two.major, minor=two.minor))")
    (uuid,) = fields(host, NAME, "lv_uuid")
    assert said.startswith(f"WipeError: {PATH} is not volume {uuid} but LVM-")
    assert untouched(host)
    assert untouched(host, name="guest-zz-two")


def test_a_device_that_is_no_volume_is_refused(host: Lab) -> None:
    make(host)
    root = "import os\nroot = os.stat('/').st_dev\n"
    said = drive(host, root + GIVEN + "wipe(replace(volume, major=os.major(root), minor=0))")
    assert said.startswith("WipeError: ")
    host.run("test", "-x", "/bin/sh")


def test_a_volume_of_another_size_than_lvm_says_is_refused(host: Lab) -> None:
    make(host)
    said = drive(host, GIVEN + "wipe(replace(volume, size=volume.size // 2))")
    assert said == f"WipeError: {PATH} has {SIZE} bytes where LVM says {SIZE // 2}"
    assert untouched(host)


def test_a_renamed_volume_is_wiped_all_the_same(host: Lab) -> None:
    make(host)
    host.run("lvrename", "lvm-data", NAME, "wipe-zz-one")
    # The name in hand is the old one; what counts is the UUID.
    given = f'volume = replace(GROUP.named("wipe-zz-one"), name="{NAME}")\n'
    assert "coverage='full'" in drive(host, given + "wipe(volume)")
    assert nonzero(host, "wipe-zz-one") == 0


def test_an_inactive_volume_is_refused(host: Lab) -> None:
    make(host, 4 * MIB)
    host.run("lvchange", "-an", f"lvm-data/{NAME}")
    assert drive(host, GIVEN + "wipe(volume)") == f"WipeError: {PATH} is not active"


def test_a_stop_between_two_pieces_passes_through_and_leaves_the_device_free(host: Lab) -> None:
    make(host, 76 * MIB)
    script = """
from raptorctl.errors import StoppedError
def stop(done, total):
    raise StoppedError(15)
wipe(volume, tick=stop)
"""
    assert drive(host, GIVEN + script) == "StoppedError: stopped by SIGTERM"
    assert 0 < nonzero(host) < 76 * MIB
    assert "coverage='full'" in drive(host, GIVEN + "wipe(volume)")


def test_an_error_of_the_device_is_named_and_the_volume_kept(host: Lab) -> None:
    make(host)
    mapped = f"lvm--data-{NAME.replace('-', '--')}"
    # 4 MiB in its middle fail (dmsetup(8), target "error"); units are sectors of 512 bytes.
    host.sh(f"""
        place=$(dmsetup table {mapped} | cut -d' ' -f4,5)
        disk=${{place% *}} first=${{place#* }}
        dmsetup reload {mapped} <<END
        0 16384 linear $disk $first
        16384 8192 error
        24576 16384 linear $disk $((first + 24576))
END
        dmsetup resume {mapped}
    """)
    said = drive(host, GIVEN + "wipe(volume)")
    assert said.startswith("WipeError: zeroing /dev/dm-")
    assert said.endswith("failed at 0: Input/output error")
    assert fields(host, NAME, "lv_name") == [NAME]
