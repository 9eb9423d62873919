"""Rows about builds: edited disks beside libguestfs, steps beside systemd-nspawn and ssh by hand."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from tests import guest
from tests.bench import contest
from tests.bench.contest import Contender
from tests.bench.figures import Row, ratio_row
from tests.lab import qemu
from tests.root_host import RootHost
from tests.small_tree import small_disk, small_tree

MIB: Final = 1 << 20
DATA: Final = 800
"""MiB that the edited image has."""
SPARE: Final = 300
"""MiB of the small tree's disk."""
ROUNDS: Final = 3
FILES: Final = {"motd": "/etc/motd", "page": "/srv/site/index.html", "site": "/etc/site.conf"}
EDITED: Final = """
[build.edited]
from = "./image.qcow2"
files = [{files}]
output = [{{ file = "ours.qcow2" }}]
"""
STEPS: Final = "i=0; while [ $i -lt 200 ]; do cp /bin/bash /srv/$i; i=$((i+1)); done"
"""Some 250 MB written, so that there is something to do beside mounting."""
RUN: Final = f"""
[build.run]
from = "./base.raw"
steps = [{{ inline = "{STEPS}" }}]
output = [{{ file = "ours.raw" }}]
"""


def rows() -> list[Row]:
    """Measure builds of root's, who alone may mount."""
    if os.geteuid() != 0:
        return []
    return [*edited(), *run()]


def edited() -> list[Row]:
    """Compare three files put into an image with what libguestfs's programs take for it."""
    if not shutil.which("virt-customize"):
        return []  # apt install guestfs-tools libguestfs-tools; and a kernel in /boot
    with tempfile.TemporaryDirectory(prefix="raptorctl-bench-", dir="/var/tmp") as name:
        host = RootHost(Path(name))
        _image(host.folder)
        files = ", ".join(f'{{ copy = "{file}", to = "{to}" }}' for file, to in FILES.items())
        (host.folder / "raptor.toml").write_text(EDITED.format(files=files))
        _pulled(host, "edited")
        copied = "qemu-img convert -O qcow2 image.qcow2 theirs.qcow2"
        customized = " ".join(f"--upload {file}:{to}" for file, to in FILES.items())
        fished = " : ".join(f"upload {file} {to}" for file, to in FILES.items())
        laps = contest.here(
            ROUNDS,
            Contender("ours", _in(host, host.argv("build", "edited"))),
            Contender(
                "customize",
                _guestfs(
                    host,
                    f"{copied} && virt-customize -q --no-network -a theirs.qcow2 "
                    f"--mkdir /srv/site {customized} && sync theirs.qcow2",
                ),
            ),
            Contender(
                "guestfish",
                _guestfs(
                    host,
                    f"{copied} && guestfish -a theirs.qcow2 -m /dev/sda2 "
                    f"mkdir-p /srv/site : {fished} && sync theirs.qcow2",
                ),
            ),
        )
    what = f"`build`, three files into an image of {DATA} MiB, whole process"
    return [
        ratio_row(what, f"`qemu-img convert`, `{tool}`, `sync`", "here", 0.2, took)
        for tool, took in (
            ("virt-customize", contest.seconds(laps, "ours", "customize")),
            ("guestfish", contest.seconds(laps, "ours", "guestfish")),
        )
    ]


def _image(folder: Path) -> None:
    """Have Debian there with so much data, and the files that go into it."""
    raw, filler = folder / "raw", folder / "filler"
    subprocess.run(["qemu-img", "convert", "-O", "raw", guest.debian(), raw], check=True)
    missing = max(0, DATA * MIB - raw.stat().st_blocks * 512)
    filler.write_bytes(os.urandom(missing))
    root = subprocess.run(
        ["sfdisk", "--json", raw], capture_output=True, text=True, check=True
    ).stdout.rpartition('"start": ')[2]
    start = int(root.partition(",")[0]) * 512
    write = f"write {filler} /srv/filler"
    subprocess.run(["debugfs", "-w", "-R", write, f"{raw}?offset={start}"], check=True)
    subprocess.run(["qemu-img", "convert", "-O", "qcow2", raw, folder / "image.qcow2"], check=True)
    raw.unlink()
    filler.unlink()
    for file in FILES:
        (folder / file).write_text(f"{file}\n" * 100)


def _guestfs(host: RootHost, line: str) -> tuple[str, ...]:
    emulated = () if "kvm" in qemu.accelerator()[-1] else ("LIBGUESTFS_BACKEND_SETTINGS=force_tcg",)
    return _in(host, ("env", "LIBGUESTFS_BACKEND=direct", *emulated, "sh", "-c", line))


def run() -> list[Row]:
    """Compare a step by systemd-nspawn with the bare command between two copies."""
    with tempfile.TemporaryDirectory(prefix="raptorctl-bench-", dir="/var/tmp") as name:
        host = RootHost(Path(name))
        small_disk(host.folder / "base.raw", small_tree(host.folder / "tree"), SPARE * MIB)
        (host.folder / "raptor.toml").write_text(RUN)
        _pulled(host, "run", "--trust")
        script = host.folder / "script"
        script.write_text(STEPS)
        by_hand = (
            "qemu-img convert -f raw -O raw base.raw work.raw\n"
            "mkdir -p at && mount -o loop work.raw at\n"
            "systemd-nspawn --quiet --register=no --keep-unit --as-pid2 --pipe --private-network "
            "--directory=at --bind-ro=$PWD/script:/run/script -- sh /run/script\n"
            "umount at\n"
            "qemu-img convert -f raw -O raw work.raw theirs.raw\n"
            "sync theirs.raw\n"
        )
        laps = contest.here(
            ROUNDS,
            Contender("ours", _in(host, host.argv("build", "--trust", "run"))),
            Contender("by hand", _in(host, ("sh", "-ec", by_hand))),
        )
    return [
        ratio_row(
            "`build --trust`, a step by systemd-nspawn, whole process",
            "the same by `qemu-img`, `mount`, `systemd-nspawn`",
            "here",
            1.2,
            contest.seconds(laps, "ours", "by hand"),
        )
    ]


def _in(host: RootHost, argv: tuple[str, ...]) -> tuple[str, ...]:
    """Run in the host's folder."""
    return ("env", f"--chdir={host.folder}", *argv)


def _pulled(host: RootHost, *words: str) -> None:
    """Build once: from then on the image is in the cache."""
    done = host.raptorctl("build", *words)
    if done.returncode:
        raise SystemExit(done.stderr)
