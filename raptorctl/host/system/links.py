"""Network interfaces: the bridges, as the kernel has them."""

from pathlib import Path
from typing import Any, Final

from raptorctl.model.slot import Bridge

IFF_UP: Final = 0x1
"""Administratively up (netdevice(7))."""


class KernelLinks:
    """Network interfaces of the machine we run on; implements `raptorctl.drivers.links.Links`."""

    def bridges(self) -> tuple[Bridge, ...]:
        """Return every bridge, by name."""
        # Not at the top: it loads libudev, which most commands do not need.
        import pyudev

        found = pyudev.Context().list_devices(subsystem="net", DEVTYPE="bridge")
        return tuple(sorted(map(_bridge, found), key=lambda bridge: bridge.name))


def _bridge(device: Any) -> Bridge:
    ports = Path(device.sys_path) / "brif"
    return Bridge(
        name=device.sys_name,
        up=bool(int(device.attributes.asstring("flags"), 16) & IFF_UP),
        ports=tuple(sorted(port.name for port in ports.iterdir())) if ports.is_dir() else (),
    )
