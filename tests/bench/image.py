"""Rows about images: written onto a device of this machine; and machines in the lab that begin as one."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import guest
from tests.bench import contest
from tests.bench.contest import PLACE, Contender
from tests.bench.figures import Row, ratio_row, speed_row
from tests.bench.local import SCRIPTS, loop_device
from tests.bench.storage import CLEAR, PIECE, bytes_read_back, prepare
from tests.lab.host import Lab

MIB = 1 << 20
GUEST = 3 << 30
"""Bytes that the guest sees, as with most distributions' cloud images."""
DATA = 800
"""MiB of them that are data, in pieces with holes between."""
ROUNDS = 5

MADE = 3
"""Rounds of whole machines, of a minute or more each."""
IMAGE = "/root/debian.qcow2"
PROVISION = (
    "raptorctl", "provision", "alice", "ours", "--size", "4G", "--cpus", "2-3",
    "--memory", "768M", "--slot", "1", "--image", "debian-test", "--key", "/root/alice.pub",
    "-y", "-o", "json",
)  # fmt: skip
TOLD = {
    "meta-data": "instance-id: hand\nlocal-hostname: alice-hand\n",
    "network-config": """version: 2
ethernets:
  lan:
    match: {macaddress: "52:54:00:00:00:01"}
    set-name: eth0
    dhcp4: true
    dhcp6: true
""",
    "user-data": """#cloud-config
users:
- name: alice
  shell: /bin/bash
  sudo: ALL=(ALL) NOPASSWD:ALL
  ssh_authorized_keys: [KEY]
ssh_pwauth: false
""",
}
"""What a person tells cloud-init by hand."""


def written() -> list[Row]:
    """Compare the writing of an image with qemu-img's own, onto the same device."""
    if os.geteuid() != 0:
        return []  # only root may have a loop device
    with (
        tempfile.TemporaryDirectory(prefix="raptorctl-bench-") as folder,
        loop_device(4 << 30) as device,
    ):
        image = _image(Path(folder))
        clear = f"blkdiscard -z {device}"
        ours = (sys.executable, str(SCRIPTS / "write_image.py"), str(image), str(GUEST), device)
        theirs = ("qemu-img", "convert", "-n", "-W", "-f", "qcow2", "-O", "raw", str(image), device)
        laps = contest.here(
            ROUNDS,
            Contender("writing", (*ours, "no"), before=clear),
            Contender("both", (*ours, "yes"), before=clear),
            Contender("theirs", theirs, before=clear),
        )
    what, against = f"image of {DATA} MiB of data in {GUEST >> 30} GiB", "`qemu-img convert -n -W`"
    took = contest.seconds(laps, "theirs", "theirs")[0]
    return [
        speed_row(
            f"{what}, written", against, "here", 0.9, (contest.reported(laps, "writing"), took)
        ),
        speed_row(
            f"{what}, written and compared",
            against,
            "here",
            0.9,
            (contest.reported(laps, "both"), took),
        ),
    ]


def made(lab: Lab) -> list[Row]:
    """Compare `provision --image` from end to end with the same by hand, read back or not."""
    prepare(lab)
    lab.push(str(guest.debian()), IMAGE)
    lab.run("raptorctl", "image", "pull", IMAGE, "--name", "debian-test", timeout=900)
    lab.sh("ssh-keygen -q -t ed25519 -N '' -C alice -f /root/alice")
    key = lab.run("cat", "/root/alice.pub").stdout.strip()
    for name, text in TOLD.items():
        lab.put(text.replace("KEY", key), f"{PLACE}/{name}")
    by_hand = (
        "bash",
        f"{PLACE}/image_by_hand.sh",
        IMAGE,
        str(bytes_read_back(lab, PROVISION) // PIECE),
    )
    laps = contest.in_lab(
        lab,
        MADE,
        Contender("provision", PROVISION, before=CLEAR),
        Contender("by hand", by_hand, before=CLEAR),
        Contender("compared", (*by_hand, "compare"), before=CLEAR),
    )
    lab.sh(CLEAR)
    what, tools = "`provision --image`, Debian on 4 GiB", "qemu-img, cloud-localds, virt-install"
    compared = contest.seconds(laps, "provision", "compared")
    blind = contest.seconds(laps, "provision", "by hand")
    return [
        ratio_row(what, f"{tools}, `qemu-img compare`", "lab", 1.1, compared),
        ratio_row(what, f"{tools}, nothing compared", "lab", 1.1, blind),
    ]


def _image(folder: Path) -> Path:
    raw, image = folder / "raw", folder / "qcow2"
    with raw.open("wb") as file:
        file.truncate(GUEST)
        for piece in range(DATA):
            file.seek(piece * (GUEST // DATA))
            file.write(os.urandom(MIB))
    subprocess.run(["qemu-img", "convert", "-O", "qcow2", raw, image], check=True)
    return image
