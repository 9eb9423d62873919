"""A build's throw-away machine: what libvirt and shells make of what is rendered for them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from raptorctl.model.build import BuildShare, BuildStep, Verbosity
from raptorctl.model.build_room import RoomDisk
from raptorctl.model.seed import HostKey
from raptorctl.render.build_machine import (
    BuildMachine,
    enter,
    leave,
    placed,
    seed,
    step_script,
)

DISKS = (RoomDisk("/b/0", "/"), RoomDisk("/b/1", "/srv/it's", 2))
SHARES = (BuildShare("/mnt/a b", "/x"), BuildShare("/mnt/w", "/y", writable=True))


def machine(*, network: bool = True) -> BuildMachine:
    return BuildMachine(
        name="raptor-build-j1",
        uuid="a1b2c3d4-0000-4000-8000-000000000001",
        accelerator="qemu",
        firmware=("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
        variables="/b/variables.fd",
        disks=("/b/disk0.raw", "/b/transport.raw"),
        seed="/b/seed.iso",
        console="/b/console.log",
        port=2299,
        network=network,
    )


def test_libvirt_takes_it(tmp_path: Path) -> None:
    if not (shutil.which("virt-xml-validate") and shutil.which("xmllint")):
        pytest.skip("needs virt-xml-validate and xmllint: make env")
    file = tmp_path / "build.xml"
    file.write_text(machine().xml())
    told = subprocess.run(
        ["virt-xml-validate", file, "domain"], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr


def test_without_a_network_it_reaches_nobody_and_is_reached_by_us_alone() -> None:
    line = "user,id=net0,hostfwd=tcp:127.0.0.1:2299-:22"
    assert f'"{line}"' in machine().xml()
    assert f'"{line},restrict=on"' in machine(network=False).xml()


def test_its_first_boot_lets_root_in_by_one_key_and_shows_another() -> None:
    told = seed("j1", "ssh-ed25519 AAAA mine", HostKey("PRIVATE", "ssh-ed25519 BBBB"))
    assert "build-j1" in told.meta_data
    assert "ssh-ed25519 AAAA mine" in told.user_data
    assert "disable_root: false" in told.user_data
    assert "PRIVATE" in told.user_data


FILES = (
    {"path": "/etc/a b", "kind": "file", "source": "files/0", "mode": "600", "owner": "7:8"},
    {"path": "/etc/d", "kind": "folder", "source": "", "mode": "755", "owner": "0:0"},
    {"path": "/etc/l", "kind": "link", "source": "/etc/a b", "mode": "644", "owner": "0:0"},
)


@pytest.mark.parametrize("script", [enter(DISKS, SHARES), leave(DISKS, SHARES), placed(FILES)])
def test_every_script_is_one_of_a_shell(script: str) -> None:
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)
    assert "set -e" in script


def test_what_was_mounted_last_is_unmounted_first_and_what_is_read_only_stays_so() -> None:
    mounts = [line for line in enter(DISKS, SHARES).splitlines() if line.startswith("mount")]
    assert mounts[1:] == [
        "mount /dev/disk/by-id/virtio-raptor-build-1-part2 '/srv/it'\"'\"'s'",
        "mount --bind /run/raptorctl-build/shares/0 '/mnt/a b'",
        "mount -o remount,bind,ro '/mnt/a b'",
        "mount --bind /run/raptorctl-build/shares/1 /mnt/w",
    ]
    ends = [line for line in leave(DISKS, SHARES).splitlines() if line.startswith("umount")]
    assert ends == [
        "umount /mnt/w",
        "umount '/mnt/a b'",
        "umount '/srv/it'\"'\"'s'",
        "umount /run/raptorctl-build",
    ]


@pytest.mark.parametrize(
    ("step", "status", "said"),
    [
        (BuildStep(command=("echo", "a b", "$HOME;", "'")), 0, "a b $HOME; '\n"),
        (BuildStep(command=("sh", "-c", "echo out; echo err >&2; exit 3")), 3, "out\nerr\n"),
        (BuildStep(command=("pwd",), dir="/usr/bin"), 0, "/usr/bin\n"),
        (BuildStep(command=("pwd",), dir="/no/such"), 1, None),
        (BuildStep(command=("cat",)), 0, ""),
        (
            BuildStep(command=("sh", "-c", "echo out; echo err >&2"), verbosity=Verbosity.ERRORS),
            0,
            "err\n",
        ),
        (BuildStep(command=("echo", "x"), verbosity=Verbosity.NOTHING), 0, ""),
    ],
)
def test_a_step_is_run_as_it_is_written(step: BuildStep, status: int, said: str | None) -> None:
    done = subprocess.run(
        ["sh"], input=step_script(step, 0), text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == status
    assert said is None or done.stdout == said


def test_a_step_of_another_account_is_run_by_runuser() -> None:
    told = step_script(BuildStep(inline="true", user="www-data", verbosity=Verbosity.TRACE), 3)
    assert "runuser -u www-data -- sh -ex /run/raptorctl-build/steps/3" in told
