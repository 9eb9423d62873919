"""Partition tables, by sfdisk(8): read, and written anew for a disk of another size."""

import json
from pathlib import Path
from typing import Any, Final

from raptorctl.errors import CommandError, HostError
from raptorctl.host.build.room import tool
from raptorctl.model.build_look import HEAD, Area, DiskLook, filesystem_of
from raptorctl.model.sizes import MIB, Size

SECTOR: Final = 512
BOOT_CODE: Final = 440
"""Bytes before a disk's signature that a boot loader has, and sfdisk does not keep (MBR)."""
GPT_END: Final = 33 * SECTOR
"""Bytes of a GPT's second copy at the disk's end (UEFI specification, 5.3.2)."""
FIELDS: Final = ("type", "uuid", "name", "attrs")


def table_of(disk: Path) -> dict[str, Any]:
    """Return what sfdisk tells of a disk's partition table; {} where it has none.

    Raises:
        HostError: sectors that are not of 512 bytes.
    """
    head = disk.open("rb").read(2 * SECTOR)
    has_mark = head[510:512] == b"\x55\xaa"
    if not (has_mark or head[SECTOR : SECTOR + 8] == b"EFI PART") or filesystem_of(head) == "vfat":
        return {}
    try:
        said = tool(disk.parent, "sfdisk", "--json", disk.name)
    except CommandError:
        return {}
    found: dict[str, Any] = json.loads(said)["partitiontable"]
    if found.get("sectorsize", SECTOR) != SECTOR:
        raise HostError("its partition table counts in sectors that are not of 512 bytes")
    return found


def look_at(disk: Path) -> DiskLook:
    """Say what is on a raw disk."""
    size = Size(disk.stat().st_size)
    table = table_of(disk)
    with disk.open("rb") as file:

        def filesystem(start: int) -> str:
            file.seek(start)
            return filesystem_of(file.read(HEAD))

        if not table.get("partitions"):
            return DiskLook(size, areas=(Area(0, size, filesystem(0)),))
        areas = [
            Area(
                start=one["start"] * SECTOR,
                size=Size(one["size"] * SECTOR),
                filesystem=filesystem(one["start"] * SECTOR),
                number=number_of(one, table),
                type=str(one.get("type", "")),
            )
            for one in table["partitions"]
        ]
    areas.sort(key=lambda area: area.number)
    return DiskLook(size, table["label"], tuple(areas))


def number_of(partition: dict[str, Any], table: dict[str, Any]) -> int:
    """A partition's number: what follows the disk's name, and a `p` after a digit."""
    return int(partition["node"].removeprefix(table["device"]).lstrip("p"))


def room(label: str, start: int, had: int, size: int) -> int:
    """Bytes that the last partition gets on a disk of a size: whole MiB, or those that it has.

    Args:
        label: the partition table's kind.
        start: of the partition, bytes from the disk's beginning.
        had: its bytes before.
        size: bytes of the disk.
    """
    left = max(0, size - start - (GPT_END if label == "gpt" else 0))
    whole = left - left % MIB if left > MIB else left
    return had if whole < had <= left else whole


def resized(disk: Path, number: int, size: int) -> None:
    """Give a raw disk a size, and its last partition all that is left of it.

    Args:
        disk: its bytes beyond the new size are cut off.
        number: of the partition that is nearest the disk's end.
        size: bytes of the disk.

    Raises:
        HostError: sfdisk does not take it.
    """
    table = table_of(disk)
    for one in table["partitions"]:
        if number_of(one, table) == number:
            start, had = one["start"] * SECTOR, one["size"] * SECTOR
            one["size"] = room(table["label"], start, had, size) // SECTOR
    with disk.open("r+b") as file:
        boot_code = file.read(BOOT_CODE)
        file.truncate(size)
    script = disk.with_suffix(".table")
    script.write_text(_script(table))
    words = ("--no-reread", "--no-tell-kernel", "--wipe=never", "--wipe-partitions=never")
    try:
        tool(disk.parent, "sh", "-c", 'exec sfdisk -q "$@" < "$0"', script.name, *words, disk.name)
    except CommandError as error:
        raise HostError(
            f"the partition table does not fit a disk of {Size(size)}: {error.reason.line}",
            details=error.details,
        ) from error
    finally:
        script.unlink()
    with disk.open("r+b") as file:
        file.write(boot_code)


def _script(table: dict[str, Any]) -> str:
    """The table as sfdisk reads it, with all identifiers, so that what boots by them still does."""
    head = [f"label: {table['label']}", f"label-id: {table['id']}", "unit: sectors"]
    if "firstlba" in table:
        head.append(f"first-lba: {table['firstlba']}")
    lines = []
    for one in table["partitions"]:
        said = [f"start={one['start']}", f"size={one['size']}"]
        said += [f'{key}="{one[key]}"' for key in FIELDS if one.get(key)]
        said += ["bootable"] if one.get("bootable") else []
        lines.append(f"{number_of(one, table)} : {', '.join(said)}")
    return "\n".join([*head, "", *lines, ""])
