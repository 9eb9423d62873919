"""A profile in bash of one virtual machine, as `build-vm.sh` reads it: what it says and is told."""

from dataclasses import dataclass
from typing import Final

REQUIRED: Final = (
    "DOMAIN", "HOSTNAME", "RAM_MB", "VCPUS", "DISK_SIZE", "GRAPHICS", "BASE_URL", "BASE_IMAGE",
)  # fmt: skip
"""The variables that each profile sets."""
FUNCTION: Final = "generate_user_data"
"""The function that each profile has."""
DEFAULTS: Final = {
    "SC_GAME_HOST_IP": "10.42.0.1",
    "SC_SSH_KEY": "~/.ssh/sc_host_key",
    "SC_BASE_DIR": "/var/lib/libvirt/images/base",
    "SC_SEED_DIR": "/var/lib/libvirt/images/seed",
    "SC_POOL_NAME": "sc-images",
    "SC_POOL_DIR": "/var/lib/libvirt/images",
    "SC_NETWORK_NAME": "sc-internal",
    "SC_WORKSTATION_GRAPHICS": "spice",
    "LIBVIRT_DEFAULT_URI": "qemu:///system",
}
"""What it is told beside them, unless the caller's environment says otherwise."""
LARGEST: Final = 1 << 18
"""Bytes of a profile."""


@dataclass(frozen=True)
class ShellProfile:
    """What a profile said.

    Args:
        said: the required variables by name; "" for one that is not set.
        has_function: whether it has `FUNCTION`.
        user_data: what that printed, byte for byte.
    """

    said: dict[str, str]
    has_function: bool
    user_data: bytes
