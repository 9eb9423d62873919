"""The head of a qcow2 file (QEMU's docs/interop/qcow2.txt): read here, as a program takes long."""

import struct
from pathlib import Path
from typing import Final

MAGIC: Final = b"QFI\xfb"
SIZE: Final = struct.Struct(">Q")
AT: Final = 24  # bytes from the beginning to the size


def virtual_size(path: Path) -> int | None:
    """Return how many bytes a guest sees; None where there is no such file, or another's."""
    try:
        with path.open("rb") as file:
            head = file.read(AT + SIZE.size)
    except OSError:
        return None
    if len(head) < AT + SIZE.size or not head.startswith(MAGIC):
        return None
    size: int = SIZE.unpack_from(head, AT)[0]
    return size
