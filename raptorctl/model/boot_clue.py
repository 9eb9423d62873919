"""What tells on a console how far a boot came.

The words are those of OVMF (MdeModulePkg/Universal/BdsDxe), GRUB, systemd-boot, Linux
(init/main.c), initramfs-tools, dracut, systemd, agetty, and cloud-init 25 (cloudinit/cmd/main.py,
"Cloud-init v. ... running 'init' at ...").

What a guest writes may be made to be slow to search: no pattern begins with `.*`, and what stands
between two words is bounded.
"""

import re
from dataclasses import dataclass
from typing import Final

from raptorctl.model.seed import SEED_DONE

# The last is how UEFI's terminal driver clears a screen (MdeModulePkg, TerminalConOut.c), which
# nothing else does with two digits; the kernel names its firmware too, in other words.
FIRMWARE: Final = (
    r"BdsDxe: |^UEFI Interactive Shell|^\W*SeaBIOS \(version|>>Start PXE|\x1b\[2J\x1b\[01;01H"
)
FIRMWARE_SPEAKS: Final = re.compile(FIRMWARE)
KERNEL_SPEAKS: Final = re.compile(r"(?:\[ +0\.000000\] )?Linux version \d")


@dataclass(frozen=True)
class Clue:
    """What tells of a stage on the console.

    Args:
        stage: its name.
        sign: that it was reached.
        fault: that it failed, and the boot with it.
        advice: what to try when the boot hangs at it or fails in it.
    """

    stage: str
    sign: re.Pattern[str]
    fault: re.Pattern[str] | None
    advice: str


def _clue(stage: str, sign: str, fault: str, advice: str) -> Clue:
    return Clue(stage, re.compile(sign), re.compile(fault) if fault else None, advice)


CLUES: Final = (
    _clue(
        "firmware",
        FIRMWARE,
        r"BdsDxe: (?:No bootable option|failed to load .*)|No bootable (?:option|device).*"
        r"|Boot failed: not a bootable disk|Access Denied|Security Violation"
        r"|UEFI Interactive Shell",
        "nothing on the disk boots: provision it from an image (`--image`), or, where it says "
        "Access Denied, without secure boot",
    ),
    _clue(
        "boot loader",
        r"BdsDxe: starting Boot|GNU GRUB|Welcome to GRUB|systemd-boot|EFI stub:|Booting `"
        r"|Loading Linux |Loading initial ramdisk",
        r"grub rescue>|error: (?:no such device|unknown filesystem|file .{1,200} not found).*"
        r"|error: .{0,200}(?:no such partition|out of memory).*",
        "the boot loader does not find its kernel: look at it with `raptorctl console`",
    ),
    _clue(
        "kernel",
        r"Linux version \d|\[    0\.000000\] |Command line: ",
        r"Kernel panic - not syncing: .*|end Kernel panic.*",
        "the kernel must have virtio drivers, and its command line `console=hvc0` or "
        "`console=ttyS0` for more to be seen",
    ),
    _clue(
        "root filesystem",
        r"systemd\[1\]: |Welcome to .{1,99}!|EXT4-fs \(\w+\): mounted"
        r"|XFS \(\w+\): Ending clean mount|Run /sbin/init as init|\(initramfs\)"
        r"|Begin: Running /scripts|dracut",
        r"VFS: Unable to mount root fs.*|ALERT!.{0,200}does not exist.*|Gave up waiting for root.*"
        r"|dracut-initqueue\[\d+\]: Warning: .{0,200}timeout.*|You are in emergency mode.*"
        r"|Cannot open access to console, the root account is locked.*",
        "the root filesystem is not found or broken: compare `root=` with the image's own UUIDs",
    ),
    _clue(
        "cloud-init local",
        r"Cloud-init v\. \S+ running 'init-local'|cloud-init-local\.service"
        r"|Cloud-init: Local Stage",
        r"Failed to start (?:cloud-init-local\.service|Cloud-init: Local Stage).*",
        "cloud-init's first stage reads the seed: see `raptorctl show` for its disk",
    ),
    _clue(
        "cloud-init network",
        r"Cloud-init v\. \S+ running 'init' |Cloud-init: Network Stage",
        r"Failed to start (?:cloud-init\.service|cloud-init-network\.service"
        r"|Cloud-init: Network Stage).*|DataSourceNone.*|No (?:instance )?datasource found.*"
        r"|Failed loading yaml blob.*|Invalid cloud-config.*|failed (?:schema )?validation.*",
        "the seed was not found or not understood: check its YAML with `cloud-init schema`",
    ),
    _clue(
        "cloud-init config",
        r"Cloud-init v\. \S+ running 'modules:config'|Cloud-init: Config Stage",
        r"Failed to start (?:cloud-config\.service|Cloud-init: Config Stage).*",
        "read `/var/log/cloud-init.log` in the guest",
    ),
    _clue(
        "cloud-init final",
        r"Cloud-init v\. \S+ running 'modules:final'|Cloud-init: Final Stage"
        r"|Cloud-init v\. \S+ finished at |" + re.escape(SEED_DONE),
        r"Failed to start (?:cloud-final\.service|Cloud-init: Final Stage).*"
        r"|Failed running .{0,200}scripts.*|\bRunning module \S{1,80} .{0,200}failed.*",
        "a script or module of the user data failed: read `/var/log/cloud-init-output.log` in "
        "the guest",
    ),
    _clue(
        "login",
        r"\blogin: ?$",
        "",
        "no getty on this console: the guest needs one on `hvc0` or `ttyS0`",
    ),
)
