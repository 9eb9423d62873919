"""Which key of a file the host refuses, told by the error's code; pure."""

from collections.abc import Mapping
from typing import Final

from raptorctl.errors import RaptorError
from raptorctl.model.error_code import Code
from raptorctl.model.spec import UNSAID, MachineSpec

KEYS: Final[Mapping[Code, str]] = {
    Code.CPU_UNAVAILABLE: "cpus",
    Code.MEMORY_UNAVAILABLE: "memory",
    Code.STORAGE_FULL: "size",
    Code.DISK_TOO_SMALL: "size",
    Code.SLOT_NOT_FOUND: "slot",
    Code.SLOT_UNAVAILABLE: "slot",
    Code.NO_NETWORK: "net",
    Code.PORT_UNAVAILABLE: "net",
    Code.TEMPLATE_NOT_FOUND: "template",
    Code.DISK_EXISTS: "disks",
    Code.DISK_NOT_FOUND: "disks",
    Code.TIMEOUT: "wait",
    Code.GUEST_STEP_FAILED: "steps",
    **dict.fromkeys(
        (
            Code.IMAGE_NOT_FOUND,
            Code.IMAGE_DAMAGED,
            Code.IMAGE_INVALID,
            Code.IMAGE_TOO_LARGE,
            Code.CHECKSUM_DIFFERS,
            Code.DOWNLOAD_FAILED,
        ),
        "image",
    ),
}
"""What else is refused, is refused of the machine as a whole."""


def blamed(error: RaptorError, spec: MachineSpec = UNSAID) -> str:
    """Return the key that an error is about; "" for the whole of its machine.

    Args:
        error: of its job, or of its plan.
        spec: of the machine.
    """
    key = KEYS.get(error.cause or error.code, "")
    if key == "size" and spec.disks:  # the room for all of them is asked at once
        return ""
    return key
