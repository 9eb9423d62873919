"""No byte of a removed machine is ever read again: whole jobs, whole groups, every byte looked at.

A small group on two loop devices is filled by one machine, byte for byte, with a pattern. Once the
machine is gone, the group is filled again by somebody else, who reads all of it.
"""

from collections.abc import Iterator

import pytest

from tests.lab.host import Lab

GROUP = "small"
DISK = 32  # MiB of each of the two loop devices
ALL = 62  # MiB of extents, 1 MiB each, that fit on both, LVM's own first MiB apart
MACHINE = f"/dev/{GROUP}/guest-alice-dev"
SETTINGS = "/root/small.toml"
TAGS = "--addtag raptor --addtag raptor.tenant=alice --addtag raptor.clean --addtag raptor.slot=1"

DEADLY = """
import os, signal, sys
from raptorctl.host.volume.wipe import BlockWiper
share = float(sys.argv.pop(1))
wipe = BlockWiper.wipe
def deadly(self, volume, tick):
    def counted(done, total):
        if done >= share * total:
            os.kill(os.getpid(), signal.SIGKILL)
        tick(done, total)
    return wipe(self, volume, counted)
BlockWiper.wipe = deadly
from raptorctl.host.volume import wipe as module
module.FIRST_STEP = module.LARGEST_STEP = 1 << 20
from raptorctl.__main__ import main
sys.exit(main())
"""
"""Kills itself in the middle of a wipe, which it does in small steps."""


@pytest.fixture(scope="module", autouse=True)
def _host(lab: Lab) -> None:
    lab.put(DEADLY, "/root/deadly.py")
    lab.sh(f"""
        sed 's/^volume_group = .*/volume_group = "{GROUP}"/' /etc/raptorctl/settings.toml >{SETTINGS}
        grep -q '"{GROUP}"' {SETTINGS}
        # The pool's checker is another package's, and this is about data, not about metadata.
        printf 'global {{ thin_check_executable = "" }}\\n' >/etc/lvm/lvmlocal.conf
    """)


@pytest.fixture
def group(lab: Lab) -> Iterator[Lab]:
    """An empty group whose disks hold zeroes."""
    lab.sh(f"""
        for name in one two; do
            truncate -s {DISK}M /var/tmp/$name
            losetup /dev/loop$([ $name = one ] && echo 6 || echo 7) /var/tmp/$name
        done
        vgcreate -q -s 1m {GROUP} /dev/loop6 /dev/loop7
    """)
    yield lab
    lab.sh(f"""
        ! ls /var/lib/raptorctl/journal/*.jsonl || raptorctl --settings {SETTINGS} recover || true
        vgremove -q -y -f {GROUP} || true
        pvremove -q -y -ff /dev/loop6 /dev/loop7 || true
        losetup -d /dev/loop6 /dev/loop7
        rm -f /var/tmp/one /var/tmp/two
    """)


def raptorctl(lab: Lab, *words: str, check: bool = True) -> str:
    done = lab.run("raptorctl", "--settings", SETTINGS, *words, check=check)
    return done.stdout + done.stderr


def provision(lab: Lab, size: int) -> None:
    raptorctl(lab, "provision", "alice", "dev", "--size", f"{size}M", "--cpus", "6-6", "--memory",
              "64M", "--no-start", "-y")  # fmt: skip


def fill(lab: Lab, path: str = MACHINE) -> None:
    """Write a pattern over every byte of a device."""
    lab.sh(f"""
        size=$(blockdev --getsize64 {path})
        dd of={path} bs=1M oflag=direct iflag=fullblock,count_bytes count=$size \\
            status=none < <(yes secret)
    """)
    assert nonzero(lab, path) > 0


def nonzero(lab: Lab, path: str) -> int:
    """Count bytes that are not zero, past the page cache."""
    read = f"dd if={path} bs=1M iflag=direct status=none"
    return int(lab.sh(rf"{read} | tr -d '\000' | wc -c").stdout)


def leaked(lab: Lab, free: int = ALL) -> int:
    """Take all that is free, `free` MiB, as somebody else would, and count what shows of others."""
    lab.run("lvcreate", "-q", "-y", "-Zn", "-Wn", "-l", "100%FREE", "-n", "others", GROUP)
    size = int(lab.run("blockdev", "--getsize64", f"/dev/{GROUP}/others").stdout)
    assert size == free << 20, "not all of it is free"
    return nonzero(lab, f"/dev/{GROUP}/others")


def volumes(lab: Lab) -> str:
    return lab.run("lvs", "--noheadings", "-o", "lv_name,lv_tags", GROUP).stdout


def killed(lab: Lab, share: float) -> None:
    words = f"/opt/raptorctl/bin/python /root/deadly.py {share} --settings {SETTINGS}"
    done = lab.sh(f"{words} deprovision alice dev -y", check=False)
    assert done.returncode == 137, done.stderr


def test_a_machine_sees_nothing_of_others_and_leaves_nothing(group: Lab) -> None:
    """Not even where somebody made its volume larger; and a volume of nobody's would leak."""
    lvcreate = ("lvcreate", "-q", "-y", "-Zn", "-Wn", "-l", "100%FREE", GROUP, "-n")
    group.run(*lvcreate, "plain")
    fill(group, f"/dev/{GROUP}/plain")
    group.run("lvremove", "-q", "-y", f"{GROUP}/plain")
    assert leaked(group) > 0
    group.run("lvremove", "-q", "-y", f"{GROUP}/others")
    provision(group, ALL - 16)
    assert nonzero(group, MACHINE) == 0
    group.run("lvextend", "-q", "-L", f"{ALL}m", f"{GROUP}/guest-alice-dev")
    fill(group)
    raptorctl(group, "deprovision", "alice", "dev", "-y")
    assert leaked(group) == 0


def test_killed_in_the_middle_of_the_wipe_nothing_is_left_and_a_new_volume_stays(
    group: Lab,
) -> None:
    """Somebody makes a volume of the same name before the wipe is taken up again."""
    provision(group, ALL - 16)
    fill(group)
    killed(group, 0.5)
    assert "raptor.dirty" in volumes(group)
    group.run("lvcreate", "-q", "-y", "-Zn", "-Wn", "-L", "16m", "-n", "guest-alice-dev", GROUP)
    fill(group)
    written = nonzero(group, MACHINE)
    raptorctl(group, "recover")
    assert nonzero(group, MACHINE) == written
    assert volumes(group).split() == ["guest-alice-dev"]
    assert leaked(group, ALL - 16) == 0


def test_nothing_is_left_in_a_thin_pool_that_zeroes_no_chunks(group: Lab) -> None:
    group.sh(f"""
        lvcreate -q -y --type thin-pool -Zn -L 40m -n pool {GROUP}
        lvcreate -q -y -V 32m --thinpool pool {TAGS} -n guest-alice-dev {GROUP}
    """)
    fill(group)
    raptorctl(group, "deprovision", "alice", "dev", "-y")
    assert "alice" not in volumes(group)
    assert touched(group) == 0


def test_a_pool_that_zeroes_no_chunks_would_show_a_leak(group: Lab) -> None:
    group.sh(f"""
        lvcreate -q -y --type thin-pool -Zn -L 40m -n pool {GROUP}
        lvcreate -q -y -V 32m --thinpool pool -n plain {GROUP}
    """)
    fill(group, f"/dev/{GROUP}/plain")
    group.run("lvremove", "-q", "-y", f"{GROUP}/plain")
    assert touched(group) > 0


def touched(lab: Lab) -> int:
    """Have the pool give chunks to a new volume, by a sector in each, and count what shows."""
    lab.sh(f"""
        lvcreate -q -y -V 32m --thinpool pool -n others {GROUP}
        for at in $(seq 0 64 32767); do
            dd if=/dev/zero of=/dev/{GROUP}/others bs=1k seek=$at count=1 conv=notrunc status=none
        done
        sync
    """)
    return nonzero(lab, f"/dev/{GROUP}/others")
