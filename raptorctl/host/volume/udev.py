"""Waiting for device nodes to come and go. Every wait has a bound and says what it saw.

What is waited for is looked at directly; udev's events (pyudev) only say when to look again, so
a lost event or a host without udev costs at most one interval.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from raptorctl.errors import WaitError
from raptorctl.model.volume import Volume

TIMEOUT: Final = 30.0
"""Seconds, as `udevadm settle` is commonly given by installers."""

INTERVAL: Final = 0.25
"""Seconds between two looks when no event comes."""

QUEUE: Final = Path("/run/udev/queue")
"""Exists as long as udev has events to work on (systemd, udev-manager.c)."""

NUMBERS: Final = Path("/sys/dev/block")
"""One entry for each block device, by its number (sysfs(5))."""


def wait_for_node(volume: Volume, timeout: float = TIMEOUT) -> None:
    """Wait until the volume's path leads to its device.

    Args:
        volume: an active one.
        timeout: seconds.

    Raises:
        WaitError: it does not.
    """
    wanted = os.makedev(volume.major, volume.minor)
    wait_for(
        f"{volume.path} to be device {volume.major}:{volume.minor}",
        lambda: _number(volume.path) == wanted,
        lambda: _described(volume.path),
        timeout,
    )


def wait_until_gone(volume: Volume, timeout: float = TIMEOUT) -> None:
    """Wait until neither the kernel's device nor the path is there any more.

    Args:
        volume: as it was before its removal.
        timeout: seconds.

    Raises:
        WaitError: something of it is still there.
    """
    wait_for(
        f"{volume.path} to go away",
        lambda: not os.path.lexists(volume.path) and not holds(volume),
        lambda: _described(volume.path) if os.path.lexists(volume.path) else "its kernel device",
        timeout,
    )


def settle(timeout: float = TIMEOUT) -> None:
    """Wait until udev has worked on all events, like `udevadm settle`.

    Raises:
        WaitError: it is still at work.
    """
    wait_for("udev to settle", lambda: not QUEUE.exists(), lambda: "events in its queue", timeout)


def holds(volume: Volume) -> bool:
    """Whether the volume's device number is in use by this very volume.

    The kernel knows a logical volume as `LVM-`, the group's UUID and the volume's, without hyphens
    (lvm2, lib/activate/dev_manager.c).
    """
    try:
        uuid = (NUMBERS / f"{volume.major}:{volume.minor}" / "dm/uuid").read_text().strip()
    except OSError:
        return False
    return uuid.endswith(volume.uuid.replace("-", ""))


def wait_for(
    awaited: str,
    condition: Callable[[], bool],
    seen: Callable[[], str],
    timeout: float = TIMEOUT,
) -> None:
    """Wait until `condition` holds, looking at it again at each event of a block device.

    Args:
        awaited: what is waited for, for the error.
        condition: the look.
        seen: says what is there instead, for the error.
        timeout: seconds.

    Raises:
        WaitError: it did not come to hold.
    """
    # Nearly always it holds at once: lvm waits for udev by itself (dmsetup(8), "udev cookies").
    if condition():
        return
    deadline = time.monotonic() + timeout
    next_event = _events()
    while not condition():
        left = deadline - time.monotonic()
        if left <= 0:
            raise WaitError(awaited, timeout, seen())
        next_event(min(left, INTERVAL))


def _events() -> Callable[[float], object]:
    import pyudev

    monitor = pyudev.Monitor.from_netlink(pyudev.Context())
    monitor.filter_by("block")
    monitor.start()
    return lambda seconds: monitor.poll(timeout=seconds)


def _number(path: str) -> int | None:
    try:
        return os.stat(path).st_rdev  # noqa: PTH116 - beside os.makedev and os.major
    except OSError:
        return None


def _described(path: str) -> str:
    number = _number(path)
    return f"device {os.major(number)}:{os.minor(number)}" if number is not None else "nothing"
