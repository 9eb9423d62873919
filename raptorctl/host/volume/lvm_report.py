"""What LVM is asked, and its answers as nouns: JSON and bytes (lvmreport(7)), parsed at once."""

import json
import re
from typing import Any, Final

from raptorctl.errors import CommandError, HostError, MissingError
from raptorctl.host.system.command import run
from raptorctl.model.sizes import Size
from raptorctl.model.volume import CLEAN, DIRTY, OURS, WIPED, Volume, VolumeGroup

# With its command log in the report, LVM says there, and not on stderr, what went wrong.
REPORT: Final = (
    "--config", "log/report_command_log=0", "--reportformat", "json", "--units", "b", "--nosuffix",
)  # fmt: skip
GROUP_FIELDS: Final = "vg_name,vg_size,vg_free,vg_extent_size,vg_missing_pv_count,max_lv,lv_count"
# lv_layout and not segtype: a segment's field would give a row for each segment.
VOLUME_FIELDS: Final = (
    "lv_uuid,lv_name,lv_size,lv_tags,"
    "lv_kernel_major,lv_kernel_minor,lv_device_open,lv_layout,origin,"
    "snap_percent,lv_snapshot_invalid"
)
UUID: Final = re.compile(r"[0-9A-Za-z]{6}(-[0-9A-Za-z]{4}){5}-[0-9A-Za-z]{6}", re.ASCII)
NAME: Final = re.compile(r"[0-9A-Za-z+_.][0-9A-Za-z+_.-]*", re.ASCII)
"""As lvm(8), "VALID NAMES"."""
NOT_FOUND: Final = re.compile(r'Volume group "[^"]*" not found')


def missing_group(error: CommandError) -> bool:
    """Whether LVM failed because there is no such group."""
    return NOT_FOUND.search(error.stderr) is not None


def unusable(error: CommandError) -> CommandError | MissingError:
    """What to raise where LVM reports nothing: what is known is a state of the host's to mend."""
    if not error.reason.advice:
        return error
    brief, advice = error.reason.line, error.reason.advice
    return MissingError(f"LVM: {brief}", details=error.details, resolution=advice)


def parse_group(row: dict[str, Any]) -> VolumeGroup:
    """Turn a row of `vgs` into a noun; sizes are in bytes."""
    return VolumeGroup(
        name=row["vg_name"],
        size=Size(row["vg_size"]),
        free=Size(row["vg_free"]),
        extent=Size(row["vg_extent_size"]),
        missing=int(row["vg_missing_pv_count"]),
        most=int(row["max_lv"]),
        count=int(row["lv_count"]),
    )


def parse_volume(row: dict[str, Any]) -> Volume:
    """Turn a row of `lvs` into a noun; sizes are in bytes."""
    return Volume(
        uuid=row["lv_uuid"],
        name=row["lv_name"],
        group=row["vg_name"],
        size=Size(row["lv_size"]),
        tags=tuple(tag for tag in row["lv_tags"].split(",") if tag),
        major=int(row["lv_kernel_major"]),
        minor=int(row["lv_kernel_minor"]),
        is_open=row["lv_device_open"] == "open",
        kind=row["lv_layout"],
        origin=row["origin"],
        used=float(row["snap_percent"]) if row["snap_percent"] else None,
        invalid=row["lv_snapshot_invalid"] == "snapshot invalid",
    )


def parse_report(text: str, key: str) -> list[dict[str, Any]]:
    """Return the rows of a report, e.g. `{"report": [{"lv": [...]}]}` (lvmreport(7)).

    Raises:
        HostError: it is something else.
    """
    try:
        return [row for part in json.loads(text)["report"] for row in part[key]]
    except (ValueError, KeyError, TypeError) as error:
        raise HostError("LVM's report has an unexpected form", details=text) from error


def report(program: str, *args: str) -> list[dict[str, Any]]:
    """Ask LVM; returns the rows of its report."""
    return parse_report(run(program, *REPORT, *args), program.removesuffix("s"))


def by_uuid(uuid: str) -> str:
    """Select one volume by LVM's identifier."""
    # The selection is a small language, and one that is always true would remove everything.
    if not UUID.fullmatch(uuid):
        raise ValueError(f"not a volume's UUID: {uuid!r}")
    return f"lv_uuid={uuid}"


def still_named(volume: Volume) -> str:
    """Select a volume as long as it has its name and our mark."""
    if not NAME.fullmatch(volume.name):
        raise ValueError(f"not a volume's name: {volume.name!r}")
    return f'{by_uuid(volume.uuid)} && lv_name="{volume.name}" && lv_tags={OURS}'


def unchanged(volume: Volume) -> str:
    """Select a volume as long as it is clean, dirty or wiped as it was, and has no snapshot."""
    states = ((tag, "=" if tag in volume.tags else "!=") for tag in (CLEAN, DIRTY, WIPED))
    said = " && ".join(f"lv_tags{is_or_not}{tag}" for tag, is_or_not in states)
    return f"{still_named(volume)} && {said} && lv_role!=origin"
