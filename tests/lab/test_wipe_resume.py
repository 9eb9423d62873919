"""A disk that fails in the middle of a wipe: its volume stays, dirty, until the wipe is finished."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.host import Lab

GROUP = "flawed"
SETTINGS = "/root/flawed.toml"
BEGIN = 1 << 11  # in sectors of 512 bytes
SECTORS = 64 << 11
RAPTORCTL = ("raptorctl", "--settings", SETTINGS)
MACHINE = ("alice", "dev")


@pytest.fixture
def host(lab: Lab) -> Iterator[Lab]:
    """A group on one disk that can be made to fail (dmsetup(8)), with one machine on it.

    Below LVM: a table laid over the volume itself would be replaced when the volume is renamed.
    It begins 1 MiB into its file, where LVM does not find its label a second time (pvcreate(8)).
    """
    lab.reset()
    lab.sh(f"""
        sed 's/^volume_group = .*/volume_group = "{GROUP}"/' /etc/raptorctl/settings.toml >{SETTINGS}
        grep -q '"{GROUP}"' {SETTINGS}
        truncate -s 65M /var/tmp/disk
        losetup /dev/loop6 /var/tmp/disk
        dmsetup create disk --table '0 {SECTORS} linear /dev/loop6 {BEGIN}'
        vgcreate {GROUP} /dev/mapper/disk
    """)
    more = ("--size", "40M", "--memory", "64M", "--cpus", "6-6", "--no-start", "-y")
    lab.run(*RAPTORCTL, "provision", *MACHINE, *more)
    yield lab


def lay(lab: Lab, *table: str) -> None:
    """Give the disk another table."""
    lines = "\n".join(table)
    lab.sh(f"dmsetup suspend disk; dmsetup reload disk <<'END'\n{lines}\nEND\ndmsetup resume disk")


def break_disk(lab: Lab) -> None:
    """Let 4 MiB fail, 20 MiB behind the beginning: inside the volume, which is the first."""
    lay(
        lab,
        f"0 40960 linear /dev/loop6 {BEGIN}",
        "40960 8192 error",
        f"49152 {SECTORS - 49152} linear /dev/loop6 {BEGIN + 49152}",
    )


def mend_disk(lab: Lab) -> None:
    lay(lab, f"0 {SECTORS} linear /dev/loop6 {BEGIN}")


def waiting(lab: Lab) -> list[dict[str, Any]]:
    said = lab.run(*RAPTORCTL, "wipe", "list", "-o", "json").stdout
    found: list[dict[str, Any]] = json.loads(said)["volumes"]
    return found


def volumes(lab: Lab) -> list[str]:
    return lab.run("lvs", "--noheadings", "-o", "lv_name,lv_tags", GROUP).stdout.split()


def fails(lab: Lab) -> dict[str, Any]:
    """Remove the machine from the broken disk, and return what is told of its volume."""
    break_disk(lab)
    done = lab.run(*RAPTORCTL, "deprovision", *MACHINE, "-y", check=False)
    assert done.returncode == 4, done.stderr
    name, tags = volumes(lab)
    assert name.startswith("wipe-")
    assert "raptor.dirty" in tags.split(",")
    (told,) = waiting(lab)
    assert (told["volume"], told["machine"], told["outcome"]) == (name, "alice-dev", "unfinished")
    return told


@pytest.mark.timeout(900)
def test_the_job_that_failed_is_finished_by_recover(host: Lab) -> None:
    told = fails(host)
    assert told["advice"] == f"raptorctl recover {told['job']}"
    refused = host.run(*RAPTORCTL, "wipe", "resume", told["uuid"], "-y", check=False)
    assert refused.returncode == 3
    assert f"raptorctl recover {told['job']}" in refused.stderr
    assert host.run(*RAPTORCTL, "recover", check=False).returncode == 4  # still broken
    assert len(waiting(host)) == 1
    mend_disk(host)
    host.run(*RAPTORCTL, "recover")
    assert waiting(host) == []
    assert volumes(host) == []


@pytest.mark.long
@pytest.mark.timeout(900)
def test_what_an_abandoned_job_left_is_finished_by_resume(host: Lab) -> None:
    told = fails(host)
    host.run(*RAPTORCTL, "recover", told["job"], "--abandon")
    assert waiting(host)[0]["advice"] == f"raptorctl wipe resume {told['volume']}"
    done = host.run(*RAPTORCTL, "wipe", "resume", "--all", "-y", check=False)
    assert done.returncode == 4  # still broken, and never removed
    assert len(volumes(host)) == 2
    mend_disk(host)
    host.run(*RAPTORCTL, "recover")
    assert volumes(host) == []
