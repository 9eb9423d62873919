"""Consoles of guests, good and bad, and what is read from them."""

from dataclasses import replace

import pytest

from raptorctl.model.boot_text import is_old, last_boot
from raptorctl.model.first_boot import BootFacts, Explanation, Sign, cloud_init, explain
from raptorctl.model.guest import Sight
from raptorctl.model.host_key import learned
from tests.unit.model.test_guest import KEY, told

MAC = "52:54:00:00:00:01"
MOST = 2 << 20
"""Bytes of a console's log (virtlogd.conf(5), max_size)."""
NO, AGENT = (
    Sight(so=False, seen="198.51.100.1:22: (no answer)"),
    Sight(so=False, seen="not connected"),
)
FACTS = BootFacts(
    state="running",
    active=True,
    seconds=42.0,
    frames=0,
    leases=(),
    address=Sight(so=False, seen=f"no answer of {MAC} at 198.51.100.1"),
    ssh=NO,
    agent=AGENT,
    mac=MAC,
)
UP = replace(
    FACTS,
    frames=120,
    leases=(f"DHCPACK(br-vm1) 198.51.100.1 {MAC} alice-dev",),
    address=Sight(so=True, seen=f"{MAC} answers at 198.51.100.1"),
    ssh=Sight(so=True, seen="198.51.100.1:22: SSH-2.0-OpenSSH_10.0p2 Debian-7"),
    agent=Sight(so=True, seen="the guest's agent answers"),
)

FIRMWARE = (
    "\x1b[2J\x1b[01;01H\x1b[=3h\x1b[2J\x1b[01;01H\x1b[2J\x1b[01;01H"
    'BdsDxe: loading Boot0001 "UEFI Misc Device" from PciRoot(0x0)/Pci(0x1,0x0)\r\n'
    'BdsDxe: starting Boot0001 "UEFI Misc Device" from PciRoot(0x0)/Pci(0x1,0x0)\r\n'
)
LOADER = "EFI stub: Loaded initrd from LINUX_EFI_INITRD_MEDIA_GUID device path\r\n"
KERNEL = """\
[    0.000000] Linux version 6.12.48+deb13-cloud-amd64 (debian-kernel@lists.debian.org)\r
[    0.000000] Command line: root=UUID=1f2e3d4c ro console=hvc0\r
[    0.000000] efi: EFI v2.7 by EDK II\r
[    0.000000] DMI: QEMU Standard PC (Q35 + ICH9, 2009), BIOS 2025.02-8 05/01/2025\r
[    1.834512] virtio_blk virtio1: [vda] 4194304 512-byte logical blocks (2.15 GB/2.00 GiB)\r
"""
ROOT = """\
Begin: Running /scripts/local-premount ... done.\r
[    3.201443] EXT4-fs (vda1): mounted filesystem 1f2e3d4c ro with ordered data mode.\r
[    4.100000] systemd[1]: systemd 257.7-1 running in system mode\r
\r
Welcome to \x1b[1mDebian GNU/Linux 13 (trixie)\x1b[0m!\r
\r
[\x1b[0;32m  OK  \x1b[0m] Reached target \x1b[0;1;39mlocal-fs.target\x1b[0m - Local File Systems.\r
"""
LOCAL = "[   12.345678] cloud-init[312]: Cloud-init v. 25.1.4 running 'init-local' at Tue, 24 Nov 2026 23:00:01 +0000. Up 12.30 seconds.\r\n"
INIT = """\
[   15.100001] cloud-init[366]: Cloud-init v. 25.1.4 running 'init' at Tue, 24 Nov 2026 23:00:04 +0000. Up 15.02 seconds.\r
[   15.200001] cloud-init[366]: ci-info: |  eth0  | True | 198.51.100.1 | 255.255.255.255 | global | 52:54:00:00:00:01 |\r
"""
CONFIG = "[   17.000001] cloud-init[400]: Cloud-init v. 25.1.4 running 'modules:config' at Tue, 24 Nov 2026 23:00:06 +0000. Up 17.01 seconds.\r\n"
FINAL = "[   18.000001] cloud-init[420]: Cloud-init v. 25.1.4 running 'modules:final' at Tue, 24 Nov 2026 23:00:07 +0000. Up 18.01 seconds.\r\n"
FINISHED = "[   19.000001] cloud-init[420]: Cloud-init v. 25.1.4 finished at Tue, 24 Nov 2026 23:00:08 +0000. Datasource DataSourceNoCloud [seed=/dev/vdb].  Up 19.22 seconds\r\n"
LOGIN = "\r\nDebian GNU/Linux 13 alice-dev hvc0\r\n\r\nalice-dev login: "
BOOT = FIRMWARE + LOADER + KERNEL + ROOT
WHOLE = BOOT + LOCAL + INIT + CONFIG + FINAL + FINISHED + LOGIN


def marks(told: Explanation) -> dict[str, str]:
    return {stage.name: stage.mark.value for stage in told.stages}


def test_a_boot_that_went_well_has_all_stages_and_no_problem() -> None:
    told = explain(WHOLE, UP)
    assert set(marks(told).values()) == {"seen"}
    assert (told.problem, told.advice, told.reached) == ("", "", "agent")
    assert [stage.name for stage in told.stages] == [
        "power", "firmware", "boot loader", "kernel", "root filesystem", "network",
        "cloud-init local", "cloud-init network", "cloud-init config", "cloud-init final", "login",
        "ssh", "agent",
    ]  # fmt: skip


def test_a_machine_that_is_off_is_to_be_started() -> None:
    told = explain(WHOLE, replace(FACTS, state="shut off", active=False))
    assert (told.problem, told.reached) == ("it is shut off", "")
    assert "raptorctl start" in told.advice


STUCK = [
    ("", FACTS, "power", "its console has said nothing"),
    ("", replace(UP, ssh=NO), "agent", "on the network"),
    (FIRMWARE.splitlines(keepends=True)[0], FACTS, "firmware", "it is at firmware"),
    (
        FIRMWARE.replace("starting", "failed to load")
        + "BdsDxe: No bootable option or device was found.\r\nBdsDxe: Press any key\r\n",
        FACTS, "firmware", "firmware failed: BdsDxe: failed to load",
    ),
    (
        'BdsDxe: loading Boot0002 "UEFI Misc Device"\r\nBdsDxe: failed to load Boot0002 "UEFI Misc Device" from PciRoot(0x0): Access Denied\r\n',
        FACTS, "firmware", "Access Denied",
    ),
    (FIRMWARE + "error: no such device: 1f2e3d4c.\r\ngrub rescue> ", FACTS, "boot loader", "no such device"),
    (FIRMWARE + LOADER, FACTS, "boot loader", "it is at boot loader"),
    (FIRMWARE + LOADER + KERNEL, FACTS, "kernel", "it is at kernel"),
    (
        FIRMWARE + KERNEL
        + '[    2.1] VFS: Unable to mount root fs on "" or unknown-block(0,0)\r\n'
        + "[    2.2] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\r\n"
        + "[    2.3] ---[ end Kernel panic - not syncing: VFS: Unable to mount root fs ]---\r\n",
        FACTS, "root filesystem", "root filesystem failed: VFS: Unable to mount root fs",
    ),
    (
        FIRMWARE + KERNEL
        + "Begin: Waiting for root file system ... done.\r\nGave up waiting for root file system device.  Common problems:\r\n"
        + "ALERT!  UUID=1f2e3d4c does not exist.  Dropping to a shell!\r\n(initramfs) ",
        FACTS, "root filesystem", "Gave up waiting for root",
    ),
    (
        FIRMWARE + KERNEL + "[    2.2] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100\r\n",
        FACTS, "kernel", "kernel failed: Kernel panic - not syncing: Attempted to kill init",
    ),
    (
        BOOT + LOCAL
        + "[\x1b[0;1;31mFAILED\x1b[0m] Failed to start \x1b[0;1;39msystemd-networkd-wait-online.service\x1b[0m - Wait for Network to be Configured.\r\n"
        + LOGIN,
        replace(FACTS, frames=14), "login", "not on the network: Failed to start systemd-networkd-wait-online",
    ),
    (BOOT + LOGIN, FACTS, "login", f"not on the network: 0 frames sent, no DHCP request of {MAC}"),
    (
        BOOT + LOGIN, replace(FACTS, frames=9, leases=(f"DHCPDISCOVER(br-vm1) {MAC}", f"DHCPOFFER(br-vm1) 198.51.100.1 {MAC}")),
        "login", "the DHCP server answered (DHCPOFFER",
    ),
    (
        BOOT + LOCAL + INIT
        + "[   15.3] cloud-init[366]: 2026-11-24 23:00:04,500 - __init__.py[WARNING]: Failed loading yaml blob. Invalid format at line 3 column 1: \"while scanning for the next token\r\n"
        + CONFIG + FINAL + FINISHED + LOGIN,
        replace(UP, ssh=NO), "agent", "cloud-init network failed: Failed loading yaml blob",
    ),
    (
        BOOT + LOCAL + INIT + CONFIG + FINAL + FINISHED.replace("DataSourceNoCloud [seed=/dev/vdb]", "DataSourceNone") + LOGIN,
        replace(UP, ssh=NO), "agent", "cloud-init network failed: DataSourceNone",
    ),
    (
        BOOT + LOCAL + INIT + CONFIG + FINAL
        + "[   18.5] cloud-init[420]: 2026-11-24 23:00:07,900 - cc_scripts_user.py[WARNING]: Failed to run module scripts_user (scripts in /var/lib/cloud/instance/scripts)\r\n"
        + "[   18.6] cloud-init[420]: 2026-11-24 23:00:07,901 - util.py[WARNING]: Running module scripts_user (<module 'cloudinit.config.cc_scripts_user'>) failed\r\n"
        + FINISHED + LOGIN,
        UP, "agent", "cloud-init final failed",
    ),
    (BOOT + LOCAL + INIT + CONFIG, UP, "agent", "cloud-init has not finished: it is at cloud-init config"),
    (WHOLE, replace(UP, ssh=NO), "agent", "it is up, but ssh does not answer: 198.51.100.1:22"),
    (
        BOOT + "[\x1b[0;1;31mFAILED\x1b[0m] Failed to start \x1b[0;1;39mssh.service\x1b[0m - OpenBSD Secure Shell server.\r\n" + LOGIN,
        replace(UP, ssh=NO), "agent", "it is up, but its ssh server does not start: Failed to start ssh.service",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("console", "facts", "reached", "problem"), STUCK)
def test_where_a_boot_hangs_is_said_in_one_sentence(
    console: str, facts: BootFacts, reached: str, problem: str
) -> None:
    told = explain(console, facts)
    assert problem in told.problem
    assert told.advice
    seen = [s.name for s in told.stages if s.mark in {Sign.SEEN, Sign.FAILED}]
    facts_tell = {"ssh", "agent", "network"} if facts.agent and facts.agent.so else {"network"}
    console_tells = [name for name in seen if name not in facts_tell]
    assert told.reached == reached or console_tells[-1] == reached


def test_a_boot_option_that_fails_before_one_that_works_is_no_fault() -> None:
    first = 'BdsDxe: failed to load Boot0001 "UEFI QEMU DVD-ROM" from PciRoot(0x0): Not Found\r\n'
    assert explain(first + WHOLE, UP).problem == ""


def test_who_may_not_know_of_dhcp_is_not_told_that_there_was_none() -> None:
    told = explain(BOOT, replace(FACTS, leases=None, frames=5, agent=None))
    network = next(stage for stage in told.stages if stage.name == "network")
    assert (network.mark, "only an admin" in network.seen) == (Sign.UNKNOWN, True)
    assert marks(told)["agent"] == "unknown"


def test_of_qemus_own_network_nothing_is_claimed() -> None:
    own = replace(FACTS, address=Sight(so=False, seen="", problem="its network is QEMU's own"))
    told = explain(BOOT + LOGIN, own)
    assert (marks(told)["network"], "ssh does not answer" in told.problem) == ("unknown", True)


def test_what_was_said_at_an_earlier_boot_does_not_count() -> None:
    for earlier, boot in ((WHOLE, BOOT), (WHOLE, FIRMWARE + KERNEL), (KERNEL + ROOT, KERNEL)):
        assert last_boot(earlier + boot).splitlines() == boot.splitlines()
    assert last_boot(WHOLE).splitlines() == WHOLE.splitlines()
    assert not cloud_init(WHOLE + BOOT + LOCAL).so


def test_cloud_init_has_finished_when_it_says_so() -> None:
    assert cloud_init(WHOLE).seen.startswith("Cloud-init v. 25.1.4 finished at")
    assert cloud_init(BOOT + "raptorctl: cloud-init final done\r\n").so
    for part in ("", BOOT, BOOT + LOCAL, BOOT + LOCAL + INIT + CONFIG + FINAL):
        sight = cloud_init(part)
        assert (sight.so, sight.problem) == (False, "")
    assert "cloud-init config" in cloud_init(BOOT + LOCAL + INIT + CONFIG).seen


def test_cloud_init_that_failed_says_at_what() -> None:
    failed = (
        FINAL + "cloud-init[420]: Failed running /var/lib/cloud/instance/scripts/runcmd [1]\r\n"
    )
    assert not cloud_init(BOOT + failed).problem
    assert "scripts/runcmd [1]" in cloud_init(BOOT + failed + FINISHED).problem
    assert "yaml" in cloud_init(BOOT + "Failed loading yaml blob. Invalid\r\n" + FINISHED).problem


def test_a_guest_that_writes_nonsense_is_read_all_the_same() -> None:
    assert "has said nothing" in explain("\x1b[0m\x1b[2J\x1b[01;01H", FACTS).problem
    for noise in ("\x00\xff" * 5000, "login: " * 2000, "\x1b[" * 3000, "Linux version 1\n" * 500):
        assert explain(noise, FACTS).stages


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "noise",
    ["a" * MOST, "".join(f"\r{n} of {MOST}" for n in range(MOST // 20)), "Welcome to " * (MOST // 11),
     "Running module x " * (MOST // 17), "Failed running " * (MOST // 15), "error: " * (MOST // 7),
     "ALERT!" * (MOST // 6), "\x1b[" * (MOST // 2), "ci-info: |" + " " * MOST],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_what_a_guest_writes_to_be_slow_to_read_is_read_in_time(noise: str) -> None:
    """A search that looks again from each letter would take hours for a log of this length."""
    assert not cloud_init(noise).so
    assert explain(noise, FACTS).stages
    assert cloud_init(noise + "\n" + FINISHED).so
    assert learned(noise + told(f"{KEY.type} {KEY.blob}"))


def test_a_date_that_is_none_is_not_old() -> None:
    finished = FINISHED.replace("24 Nov 2026", "24 Nov 99999999999999999999")
    assert not is_old(WHOLE.replace(FINISHED, finished), 2e9)
    assert is_old(WHOLE, 2e9)
