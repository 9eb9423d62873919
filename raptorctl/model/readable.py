"""What tenants may look at beside machines, where the settings' `access.readable` says so.

As `polkit/10-raptorctl.rules` decides it; the relay has the calls that go with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from raptorctl.model.names import DISK_PREFIX, VOLUME_PREFIX


@dataclass(frozen=True)
class Readable:
    """One kind of it.

    Args:
        driver: libvirt's, where a daemon of its own asks polkit; libvirtd says QEMU.
        permissions: to list and to read.
    """

    driver: str
    permissions: frozenset[str]


VOLUME: Final = "storage-vol."
LOOKS: Final[Mapping[str, Readable]] = {
    "volumes": Readable(
        "storage",
        frozenset(
            "connect.search-storage-pools storage-pool.getattr storage-pool.read "
            "storage-pool.search-storage-vols storage-vol.getattr storage-vol.read".split()
        ),
    ),
    "node-devices": Readable(
        "nodedev",
        frozenset("connect.search-node-devices node-device.getattr node-device.read".split()),
    ),
}
"""By the settings' word; of volumes, those of the tenant's own machines."""


def owns_volume(tenant: str, volume: str) -> bool:
    """Whether a volume is a disk, or a further disk, of a machine of the tenant's, by its name."""
    return volume.startswith((f"{VOLUME_PREFIX}{tenant}-", f"{DISK_PREFIX}{tenant}-"))
