"""What a program says when it fails: which of its lines is the reason, and what helps. Pure.

The last line is rarely it: LVM ends with "Cannot process volume group", qemu-img with a question,
bsdtar with "delayed from previous errors". A known cause is found wherever it stands; else the
first line counts that is neither a warning nor such a trailer.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from raptorctl.model.cause import ANY, BY_PROGRAM, Cause

NOISE: Final = re.compile(
    r"^(warning|note|hint|info)\b|\bwarning: |"  # LVM, qemu: it went on
    r"^cannot process volume group |^failed to process |^see |^consider |^run `|"  # LVM
    r"^is another process using the image|"  # qemu-img
    r"^could not open backing image|"  # qemu-img
    r"^error: invalid (?:schema|user-data)|^invalid (?:schema|user-data)|"  # cloud-init
    r"error exit delayed from previous errors|"  # bsdtar
    r"^[\s^~]*$|"  # nft, python: where in the line it is
    r"^for more information|^try '",  # util-linux, coreutils
    re.IGNORECASE,
)
"""Lines that are no reason."""

WRAPPERS: Final = frozenset({"prlimit", "env", "setpriv"})

FAMILIES: Final = {
    **dict.fromkeys(
        "lvs vgs pvs lvcreate lvchange lvrename lvremove lvextend lvreduce lvconvert lvconfig "
        "lvmconfig vgcfgbackup".split(),
        "lvm",
    ),
    **dict.fromkeys("usermod userdel groupadd groupdel gpasswd chage passwd".split(), "useradd"),
    "loginctl": "systemctl",
}


@dataclass(frozen=True)
class Reason:
    """Why something failed.

    Args:
        line: one line; "" where nothing was said.
        advice: what to do; "" where the cause is none that is known.
    """

    line: str = ""
    advice: str = ""


def reason(argv: Sequence[str], said: str) -> Reason:
    """Find out why a program failed.

    Args:
        argv: what was started, perhaps by prlimit(1).
        said: its standard error.
    """
    name = program(argv)
    return why(said, BY_PROGRAM.get(FAMILIES.get(name, name), ANY))


def program(argv: Sequence[str]) -> str:
    """The name of what was started, by itself or by a wrapper that only bounds it."""
    name, *rest = (word.rpartition("/")[2] for word in argv)
    if name not in WRAPPERS:
        return name
    words = [word for word in rest if not word.startswith("-") and "=" not in word]
    return program(words) if words else name


def why(said: str, causes: Iterable[Cause]) -> Reason:
    """Find the line that says why, and the advice of the first cause that is known."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    for cause in causes:
        for line in lines:
            if found := re.search(cause.said, line):
                return Reason(line.rstrip("."), found.expand(cause.advice))
    telling = [line for line in lines if not NOISE.search(line)]
    return Reason((telling or lines[-1:] or [""])[0].rstrip("."))
