"""`make demo`: the main job on the throwaway host, one command after the other, as a person does it."""

import re
import subprocess
import sys

import pexpect

from tests.lab import page
from tests.lab.errors import LabError
from tests.lab.host import Lab

FIRMWARE = "BdsDxe|UEFI|PXE|Shell>"
CONSOLE_TIMEOUT = 240
"""Seconds until the firmware speaks; measured: 33 on two cores without KVM, twice emulated."""

STORY = (
    ("Is the host ready?", "raptorctl doctor"),
    ("What would happen?", "raptorctl provision alice dev --size 40G --cpus 4-7 --dry-run"),
    ("One line, and alice has a machine.", "raptorctl provision alice dev --size 40G --cpus 4-7"),
    ("Who has what?", "raptorctl list"),
    ("All about one machine.", "raptorctl show alice dev"),
    ("Which CPUs are whose?", "raptorctl cpu map"),
    ("libvirt says the same.", "virsh list --all"),
    ("So does LVM.", "lvs -o lv_name,lv_size,lv_tags lvm-data"),
    ("And DNS, both ways.", "dig +noall +answer @127.0.0.1 alice-dev.raptor.example ANY"),
    ("", "dig +noall +answer @127.0.0.1 -x 198.51.100.1"),
    ("", "dig +noall +answer @127.0.0.1 -x 2001:db8:0:1::1"),
)


def shown(lab: Lab, why: str, command: str) -> None:
    """Run a command in the lab for everybody to see."""
    if why:
        print(f"\n# {why}")
    print(f"$ {command}", flush=True)
    done = subprocess.run(lab.ssh.argv(*command.split()), stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise LabError(f"`{command}` ended with {done.returncode}")


def listened(lab: Lab) -> None:
    """Show the firmware speaking on the machine's console."""
    print("\n# The firmware speaks on the console (^] leaves it).\n$ virsh console alice-dev")
    argv = lab.ssh.argv("virsh", "console", "--force", "alice-dev", tty=True)
    with pexpect.spawn(argv[0], argv[1:], timeout=CONSOLE_TIMEOUT, encoding="utf-8") as console:
        console.expect(r"Escape character[^\n]*\n")
        lab.run("virsh", "reset", "alice-dev")
        console.expect(f"({FIRMWARE})[^\r\n]*")
        print(plain(f"{console.before}{console.after}"))


def plain(text: str) -> str:
    """Strip cursor movements and empty lines: the firmware paints, we print."""
    clean = re.sub(r"\x1b\[[0-9;?=]*[A-Za-z]", "", text).replace("\r", "\n")
    return "\n".join(line for line in clean.split("\n") if line.strip())


def main() -> int:
    """Tell the story on a pristine lab."""
    lab = Lab()
    try:
        lab.up()
        lab.reset()
        for why, command in STORY:
            shown(lab, why, command)
        listened(lab)
        print("\nTake it away again, provably, whenever you like:\n")
        print("    .venv/bin/python -m tests.lab exec --tty -- raptorctl deprovision alice dev")
        if page.is_there(lab):
            page.show(lab)
    except (LabError, pexpect.ExceptionPexpect) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    print("\nThat was it. For another link to the page: .venv/bin/python -m tests.lab web")
    return 0


if __name__ == "__main__":
    sys.exit(main())
