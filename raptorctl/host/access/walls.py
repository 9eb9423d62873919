"""What keeps machines and tenants' sessions from the host itself, looked at for doctor.

Changes nothing. Each is looked at by its effect, so a host made by hand may have it some other way.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from raptorctl.host.system import unit
from raptorctl.model.probe import Walls
from raptorctl.model.volume import Volume

UDEV: Final = Path("/run/udev/data")
"""udev's own records, `bMAJOR:MINOR` for a block device (systemd, src/libsystemd/sd-device)."""

UNREAD: Final = "E:DM_UDEV_DISABLE_OTHER_RULES_FLAG=1"
"""With it, the rules of systemd and LVM look at nothing on the device (13-dm-disk.rules)."""

ROUTES: Final = Path("/proc/net/ipv6_route")
WHOLE: Final = 128
"""Bits of the prefix of a single address."""

WRITABLE: Final = ("/home", "/var/tmp")  # noqa: S108 - looked at only
LINGER: Final = "org.freedesktop.login1.set-self-linger"

# Any number does: what is asked is what systemd has for all of them.
UNITS: Final = (
    "user.slice",
    "user-60000.slice",
    "user@60000.service",
    "raptorctl-request.socket",
)
KEYS: Final = "MemoryMax,ExecCondition,ActiveState"


def look(volumes: Iterable[Volume], bridges: Iterable[str], lingers: Callable[[], bool]) -> Walls:
    """Look at everything once.

    Args:
        volumes: of machines.
        bridges: of the slots.
        lingers: tells whether a tenant may let programs outlive their session.

    Raises:
        CommandError: systemd does not answer.
        MissingError: there is no systemd.
    """
    sessions, session, manager, requests = unit.properties(KEYS, *UNITS)
    return Walls(
        read_disks=tuple(volume.name for volume in volumes if reads(volume, UDEV)),
        on_link=tuple(on_link(ROUTES.read_text(), frozenset(bridges))),
        sessions=sessions.get("MemoryMax") != "infinity",
        session=session.get("MemoryMax") != "infinity",
        shell_only=bool(manager.get("ExecCondition")),
        lingers=lingers(),
        on_root=tuple(path for path in WRITABLE if _device(path) == _device("/")),
        requests=requests.get("ActiveState") == "active",
    )


def reads(volume: Volume, records: Path) -> bool:
    """Tell whether udev's rules read what is on a volume; one that is not active is not read."""
    try:
        record = (records / f"b{volume.major}:{volume.minor}").read_text()
    except FileNotFoundError:
        return False
    return UNREAD not in record.splitlines()


def on_link(routes: str, bridges: frozenset[str]) -> Iterator[str]:
    """Yield the bridges that more than single addresses are on the link of.

    Args:
        routes: /proc/net/ipv6_route: destination, bits of its prefix in hexadecimal, ...,
            interface (Linux, net/ipv6/route.c).
        bridges: whose routes count.
    """
    fields = [line.split() for line in routes.splitlines()]
    wide = {
        field[-1]
        for field in fields
        if int(field[1], 16) < WHOLE and not field[0].startswith(("fe8", "ff"))
    }
    yield from sorted(wide & bridges)


def _device(path: str) -> int:
    return Path(path).stat().st_dev
