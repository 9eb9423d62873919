"""Which line of what a program says is the reason, and that each known cause has its own advice."""

import re

import pytest

from raptorctl.errors import CommandError
from raptorctl.model.cause import ANY, BY_PROGRAM, FILES_OF_SSH, LIBVIRT, LOGIN
from raptorctl.model.reason import why

MISSING = """\
  WARNING: Couldn't find device with uuid Q3463E-hy2Z-pjEu-90dx-H0F5-EbRD-Nh8sjf.
  WARNING: VG lvm-data is missing PV Q3463E-hy2Z-pjEu-90dx-H0F5-EbRD-Nh8sjf (last written to /dev/sdb).
  Cannot change VG lvm-data while PVs are missing.
  See vgreduce --removemissing and vgextend --restoremissing.
  Cannot process volume group lvm-data
"""

SAID = [
    (["lvcreate"], MISSING, "Cannot change VG lvm-data while PVs are missing", "--removemissing lvm-data"),
    (["lvs"], "  Volume group lvm-data is exported\n", "Volume group lvm-data is exported", "vgimport lvm-data"),
    (
        ["vgs"],
        "  Cannot access VG lvm-data with system ID me with local system ID other.\n",
        "Cannot access VG lvm-data with system ID me with local system ID other",
        "lvmsystemid",
    ),
    (
        ["lvcreate"],
        '  Volume group "lvm-data" has insufficient free space (23 extents): 2560 required.\n',
        'Volume group "lvm-data" has insufficient free space (23 extents): 2560 required',
        "vgs",
    ),
    (
        ["lvchange"],
        "  /run/lock/lvm/V_lvm-data: flock failed: Resource temporarily unavailable\n"
        "  Can't get lock for lvm-data\n  Cannot process volume group lvm-data\n",
        "/run/lock/lvm/V_lvm-data: flock failed: Resource temporarily unavailable",
        "another LVM command",
    ),
    (
        ["lvcreate"],
        "  /dev/mapper/control: open failed: No such device\n"
        "  Failure to communicate with kernel device-mapper driver.\n"
        "  Check that device-mapper is available in the kernel.\n",
        "Failure to communicate with kernel device-mapper driver",
        "modprobe dm_mod",
    ),
    (
        ["lvcreate"],
        "  Something that nobody foresaw.\n  Cannot process volume group lvm-data\n",
        "Something that nobody foresaw",
        "",
    ),
    (
        ["prlimit", "--as=1", "/usr/bin/setpriv", "--pdeathsig=KILL", "/usr/bin/qemu-img", "convert"],
        'qemu-img: Could not open \'a\': Failed to get "write" lock\n'
        "Is another process using the image [a]?\n",
        "qemu-img: Could not open 'a': Failed to get \"write\" lock",
        "fuser",
    ),
    (
        ["qemu-img", "create"],
        "qemu-img: z: Could not open '/nope': No such file or directory\n"
        "Could not open backing image.\n",
        "qemu-img: z: Could not open '/nope': No such file or directory",
        "",
    ),
    (
        ["qemu-img", "convert"],
        "qemu-img: error while writing at byte 2096128: No space left on device\n",
        "qemu-img: error while writing at byte 2096128: No space left on device",
        "df -h",
    ),
    (
        ["useradd"],
        "useradd: existing lock file /etc/passwd.lock without a PID\n"
        "useradd: cannot lock /etc/passwd; try again later.\n",
        "useradd: cannot lock /etc/passwd; try again later",
        "remove /etc/passwd.lock",
    ),
    (
        ["systemctl"],
        "Failed to reload-or-restart polkit.service: Unit polkit.service not found.\n",
        "Failed to reload-or-restart polkit.service: Unit polkit.service not found",
        "polkitd",
    ),
    (
        ["bsdtar"],
        "bsdtar: disk.raw: truncated input\nbsdtar: Error exit delayed from previous errors.\n",
        "bsdtar: disk.raw: truncated input",
        "",
    ),
    (["anything"], "", "", ""),
    (["anything"], "warning: only this\n", "warning: only this", ""),
]  # fmt: skip


@pytest.mark.parametrize(("argv", "said", "line", "advice"), SAID)
def test_the_reason_is_the_line_that_says_it_and_a_known_cause_has_its_advice(
    argv: list[str], said: str, line: str, advice: str
) -> None:
    error = CommandError(argv, 5, said)
    assert error.brief.partition("): ")[2] == line
    assert advice in error.resolution
    assert bool(advice) is bool(error.resolution)


def test_the_program_that_failed_is_named_and_not_the_one_that_bounds_it() -> None:
    argv = ["prlimit", "--as=1", "/usr/bin/qemu-img", "info"]
    assert CommandError(argv, 1, "").brief == "qemu-img failed (exit status 1)"
    argv = ["prlimit", "--as=1", "/usr/bin/env", "LC_ALL=C.UTF-8", "/usr/bin/bsdtar", "-tf", "-"]
    assert CommandError(argv, 1, "").brief == "bsdtar failed (exit status 1)"
    assert CommandError(["prlimit", "--as=1"], 1, "").brief == "prlimit failed (exit status 1)"


def test_an_argument_is_not_taken_for_the_program() -> None:
    said = "find: cannot lock /etc/passwd"
    assert CommandError(["find", "/etc/useradd"], 1, said).resolution == ""


LIBVIRT_SAYS = [
    ("cannot set CPU affinity on process 8453: Invalid argument", "pinned to is offline"),
    ("internal error: No more available PCI slots", "stop it, add the disk, start it"),
    ("Cannot get interface MTU on 'br-vm1': No such device", "bridge does not exist"),
    ("Unable to add bridge br-vm1 port vnet0: No such device", "bridge does not exist"),
    (
        "internal error: QEMU unexpectedly closed the monitor (vm='alice-dev'): "
        "qemu-system-x86_64: warning: host doesn't support requested feature\n"
        "2026-11-28T20:00:00Z qemu-system-x86_64: cannot set up guest memory 'pc.ram': "
        "Cannot allocate memory",
        "too little memory",
    ),
    (
        "qemu-system-x86_64: unable to map backing store for guest RAM: Cannot allocate memory",
        "too few huge pages",
    ),
    (
        "Failed to connect socket to '/var/run/libvirt/virtlogd-sock': No such file or directory",
        "virtlogd.socket",
    ),
    ("unsupported configuration: Emulator does not support machine type 'pc-q35-9.1'", "-machine"),
    ("Could not open '/srv/a.qcow2': Permission denied", "QEMU may not open /srv/a.qcow2"),
]


@pytest.mark.parametrize(("said", "advice"), LIBVIRT_SAYS)
def test_what_keeps_libvirt_from_starting_a_machine_has_its_own_advice(
    said: str, advice: str
) -> None:
    found = why(said, (*LIBVIRT, *ANY))
    assert advice in found.advice
    assert "warning" not in found.line


@pytest.mark.parametrize("causes", [*BY_PROGRAM.values(), LIBVIRT, LOGIN, FILES_OF_SSH, ANY])
def test_every_expression_and_every_advice_can_be_used(causes: object) -> None:
    assert isinstance(causes, tuple)
    for cause in causes:
        groups = re.compile(cause.said).groups
        assert all(int(number) <= groups for number in re.findall(r"\\(\d)", cause.advice))
