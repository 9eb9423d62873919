"""LVM: the volumes of one volume group.

LVM is asked for JSON and bytes (lvmreport(7)) and parsed at once into nouns. An act on a volume
goes by LVM's own UUID, which no rename changes and no new volume inherits: the acting programs
get it as a selection, which they evaluate under the group's lock, so between our look and their
act nobody can put another volume under the same name.
"""

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from itertools import chain
from typing import Any, Final

from raptorctl.errors import CommandError, ConflictError, HostError, MissingError, WaitError
from raptorctl.host import udev
from raptorctl.host.command import run
from raptorctl.model.sizes import Size
from raptorctl.model.volume import OURS, Volume, VolumeGroup

# With its command log in the report, LVM says there, and not on stderr, what went wrong.
REPORT: Final = (
    "--config", "log/report_command_log=0", "--reportformat", "json", "--units", "b", "--nosuffix",
)  # fmt: skip
GROUP_FIELDS: Final = "vg_name,vg_size,vg_free,vg_extent_size"
# lv_layout and not segtype: a segment's field would give a row for each segment.
VOLUME_FIELDS: Final = (
    "lv_uuid,lv_name,vg_name,lv_size,lv_tags,"
    "lv_kernel_major,lv_kernel_minor,lv_device_open,lv_layout,origin,"
    "snap_percent,lv_snapshot_invalid"
)
UUID: Final = re.compile(r"[0-9A-Za-z]{6}(-[0-9A-Za-z]{4}){5}-[0-9A-Za-z]{6}", re.ASCII)
PROBED: Final = 5.0
"""Seconds in which udev has probed a volume, unless it hangs."""

NOT_FOUND: Final = re.compile(r'Volume group "[^"]*" not found')


class LvmGroup:
    """One volume group; implements `raptorctl.host.drivers.Volumes`.

    Every method raises CommandError when LVM refuses, and MissingError when the group, or LVM
    itself, is not there.

    Args:
        name: the group's.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    # Reading

    def group(self) -> VolumeGroup | None:
        """Return the group, or None when it is not there."""
        try:
            rows = report("vgs", "-o", GROUP_FIELDS, "--", self.name)
        except CommandError as error:
            if NOT_FOUND.search(error.stderr):
                return None
            raise
        return parse_group(rows[0])

    def list(self) -> tuple[Volume, ...]:
        """Return all visible volumes of the group, ours or not."""
        return self._volumes()

    def find(self, uuid: str) -> Volume | None:
        """Return the volume with LVM's identifier `uuid`, read anew."""
        volume = self._find(uuid)
        if volume and volume.is_open:
            # Perhaps only by udev, which probes a device after each writer has closed it (udev(7),
            # "watch"): look again when it has ended.
            with suppress(WaitError):
                udev.settle(PROBED)
            volume = self._find(uuid)
        return volume

    def _find(self, uuid: str) -> Volume | None:
        return next(iter(self._volumes("--select", by_uuid(uuid))), None)

    def named(self, name: str) -> Volume | None:
        """Return the volume of that name, read anew."""
        return next((v for v in self._volumes() if v.name == name), None)

    def _volumes(self, *select: str) -> tuple[Volume, ...]:
        try:
            rows = report("lvs", "-o", VOLUME_FIELDS, *select, "--", self.name)
        except CommandError as error:
            if NOT_FOUND.search(error.stderr):
                raise self._missing() from error
            raise
        return tuple(parse_volume(row) for row in rows)

    def _missing(self) -> MissingError:
        return MissingError(
            f"there is no volume group {self.name}",
            resolution="set storage.volume_group, or make one with vgcreate",
        )

    # Acting

    def create(self, name: str, size: int, tags: Iterable[str]) -> Volume:
        """Make a volume and wait for its device node.

        LVM neither zeroes its beginning nor looks for signatures in it (-Zn, -Wn of lvcreate(8)):
        all of it is zeroed before anybody may use it, and until then its node stays out of boot.

        Args:
            name: free in the group.
            size: bytes, a multiple of the extent.
            tags: on it from its first moment, in one metadata commit.
        """
        tags = tuple(tags)
        run(
            "lvcreate", "--yes", "--type", "linear", "-Zn", "-Wn", "--setautoactivation", "n",
            *_options("--addtag", tags), "--size", f"{size}b", "--name", name, "--", self.name,
        )  # fmt: skip
        volume = self.named(name)
        if volume is None or volume.size != size or not set(tags) <= set(volume.tags):
            raise HostError(f"lvcreate made another {self.name}/{name} than asked for: {volume}")
        if volume.major < 0:  # lvm.conf(5): activation/volume_list may keep it from being active
            return self.activate(volume)
        udev.wait_for_node(volume)
        return volume

    def retag(
        self, volume: Volume, *, add: Iterable[str], remove: Iterable[str], at_boot: bool
    ) -> None:
        """Change tags, and whether it is activated at boot, in one metadata commit."""
        add, remove = set(add), set(remove)
        run(
            "lvchange", *_options("--addtag", sorted(add)), *_options("--deltag", sorted(remove)),
            "--setautoactivation", "y" if at_boot else "n",
            "--select", by_uuid(volume.uuid), "--", self.name,
        )  # fmt: skip
        tags = set(self._still(volume).tags)
        if not add <= tags or remove & tags:
            raise HostError(f"lvchange left {self._path(volume)} with tags {sorted(tags)}")

    def rename(self, volume: Volume, name: str) -> None:
        """Give the volume another name.

        Raises:
            ConflictError: the name is taken, or the volume is gone or not ours.
        """
        current = self._ours(volume)
        if current.name == name:
            return
        if self.named(name):
            raise ConflictError(f"there is a volume {self.name}/{name} already")
        # lvrename(8) takes names only. The second look tells whether it got the right volume.
        run("lvrename", "--", self.name, current.name, name)
        if self._still(volume).name != name:
            raise ConflictError(f"{self._path(current)} was exchanged while being renamed")

    def activate(self, volume: Volume) -> Volume:
        """Make its device node and wait for it.

        Returns:
            the volume as it is now, with its device number.

        Raises:
            WaitError: the node did not come.
        """
        current = self._still(volume)
        if current.major < 0:
            run("lvchange", "-ay", "--select", by_uuid(volume.uuid), "--", self.name)
            current = self._still(volume)
        udev.wait_for_node(current)
        return current

    def remove(self, volume: Volume, *, discard: bool = True) -> None:
        """Remove the volume and wait until its node is gone; it is fine when it is gone already.

        Args:
            volume: to be removed.
            discard: whether its space may be discarded if lvm.conf(5) says so (issue_discards);
                what was discarded may be read as anything.

        Raises:
            ConflictError: it is not ours, is open, or another volume is a snapshot of it.
        """
        if self.find(volume.uuid) is None:
            return
        current = self._ours(volume)
        if current.is_open:
            raise ConflictError(
                f"{self._path(current)} is open", resolution=f"see `fuser {current.path}`"
            )
        if snapshots := [v.name for v in self.list() if v.origin == current.name]:
            raise ConflictError(f"{self._path(current)} has snapshots: {', '.join(snapshots)}")
        wanted = f"{by_uuid(volume.uuid)} && lv_tags={OURS}"
        kept = () if discard else ("--config", "devices/issue_discards=0")
        run("lvremove", *kept, "--yes", "--select", wanted, "--", self.name)
        if self.find(volume.uuid):
            raise HostError(f"lvremove left {self._path(current)} there")
        udev.wait_until_gone(current)

    def _still(self, volume: Volume) -> Volume:
        current = self.find(volume.uuid)
        if current is None:
            raise ConflictError(f"the volume {self._path(volume)} ({volume.uuid}) is gone")
        return current

    def _ours(self, volume: Volume) -> Volume:
        current = self._still(volume)
        if not current.ours:
            raise ConflictError(
                f"{self._path(current)} is not ours", resolution=f"it has no LVM tag {OURS}"
            )
        return current

    def _path(self, volume: Volume) -> str:
        return f"{self.name}/{volume.name}"


def parse_group(row: dict[str, Any]) -> VolumeGroup:
    """Turn a row of `vgs` into a noun; sizes are in bytes."""
    return VolumeGroup(
        name=row["vg_name"],
        size=Size(row["vg_size"]),
        free=Size(row["vg_free"]),
        extent=Size(row["vg_extent_size"]),
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
        raise HostError("LVM's report is not what it should be", details=text) from error


def report(program: str, *args: str) -> list[dict[str, Any]]:
    """Ask LVM; returns the rows of its report."""
    return parse_report(run(program, *REPORT, *args), program.removesuffix("s"))


def by_uuid(uuid: str) -> str:
    """Select one volume by LVM's identifier."""
    # The selection is a small language, and one that is always true would remove everything.
    if not UUID.fullmatch(uuid):
        raise ValueError(f"not a volume's UUID: {uuid!r}")
    return f"lv_uuid={uuid}"


def _options(option: str, values: Iterable[str]) -> Iterable[str]:
    return chain.from_iterable((option, value) for value in values)
