"""What a console said since its machine was last started."""

import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Final

from raptorctl.model.boot_clue import CLUES, FIRMWARE_SPEAKS, KERNEL_SPEAKS

ENDED_AT: Final = re.compile(r"Cloud-init v\. \S+ finished at (\w+, \d+ \w+ \d+ [\d:]+ [+-]\d{4})")
CONTROL: Final = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|[\x00-\x08\x0b-\x1f\x7f]")


LINE: Final = 1024
"""Characters of a line that are looked at together; what is longer is taken apart."""


def last_boot(console: str) -> str:
    """Return what a console said since the last boot began.

    A boot begins where the firmware speaks, or the kernel for the first time, after something that
    only a kernel or what it runs can have said.
    """
    lines, late, begun, within = list(_lines(console)), False, 0, 0
    # A guest may repeat itself thousands of times.
    begins, is_late = cache(_begins), cache(_is_late)
    for number, line in enumerate(lines):
        # Within the line, too: a prompt that waits for a login has not ended its own.
        if late and (start := begins(line)) is not None:
            late, begun, within = False, number, start
        late = late or is_late(line)
    return "\n".join(lines[begun:])[within:]


def is_in_firmware(console: str) -> bool:
    """Whether the last boot told of firmware or a boot loader, and of no system: none hears ACPI.

    A system that says nothing on its console cannot be told from one that is not up yet.
    """
    said = last_boot(console)
    lines = tuple(_lines(said))
    return bool(FIRMWARE_SPEAKS.search(said)) and not any(map(cache(_is_late), lines))


def _begins(line: str) -> int | None:
    """Where in a line a boot begins."""
    found = FIRMWARE_SPEAKS.search(line) or KERNEL_SPEAKS.search(line)
    return found.start() if found else None


def _is_late(line: str) -> bool:
    """Whether only a kernel, or what it runs, can have said that."""
    return bool(KERNEL_SPEAKS.search(line)) or any(c.sign.search(line) for c in CLUES[3:])


def _lines(console: str) -> Iterator[str]:
    """What a console said, in lines of some length; a bar of progress has one for each step."""
    for line in console.splitlines():
        yield from (line[start : start + LINE] for start in range(0, len(line) or 1, LINE))


def is_old(console: str, started: float) -> bool:
    """Whether the last boot that a console tells of had ended before the machine was switched on.

    Args:
        console: what it said.
        started: when it was switched on, in seconds since the epoch. The guest's clock is the
            host's to begin with; a minute is left for what became of it.
    """
    told = ENDED_AT.findall(last_boot(console))
    try:
        return bool(told) and parsedate_to_datetime(told[-1]).timestamp() < started - 60
    except (ValueError, OverflowError):  # what a guest calls a date
        return False
