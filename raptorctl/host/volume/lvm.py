"""LVM: the volumes of one volume group.

An act on a volume goes by LVM's own UUID, which no rename changes and no new volume inherits: the
acting programs get it as a selection, which they evaluate under the group's lock, so between our
look and their act nobody can put another volume under the same name.

Starting LVM is what takes time, so it is asked for everything at once, and what it said is kept:
`seen` is the group as the last look showed it, which after an act of ours is the look that read
the act back. An act does not rest on what was seen: its selection says what has to be so still,
lvcreate(8) and lvrename(8) refuse a name that is taken, and the kernel is asked who has a volume
open and what it is called.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from typing import Any, Final

from raptorctl.errors import CommandError, ConflictError, HostError, MissingError, WaitError
from raptorctl.host.system.command import run
from raptorctl.host.volume import udev
from raptorctl.host.volume.device import mapped
from raptorctl.host.volume.lvm_report import (
    GROUP_FIELDS,
    VOLUME_FIELDS,
    by_uuid,
    missing_group,
    parse_group,
    parse_volume,
    report,
    still_named,
    unchanged,
    unusable,
)
from raptorctl.model.error_code import Code
from raptorctl.model.volume import OURS, Volume, VolumeGroup

PROBED: Final = 5.0
"""Seconds in which udev has probed a volume, unless it hangs."""


class LvmGroup:
    """One volume group; implements `raptorctl.drivers.volume.Volumes`.

    Every method raises CommandError when LVM refuses, and MissingError when the group, or LVM
    itself, is not there.

    Args:
        name: the group's.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._seen: tuple[Volume, ...] | None = None

    # Reading

    def group(self) -> VolumeGroup | None:
        """Return the group, or None when it is not there."""
        try:
            rows = report("vgs", "-o", GROUP_FIELDS, "--", self.name)
        except CommandError as error:
            if missing_group(error):
                return None
            raise unusable(error) from error
        return parse_group(rows[0])

    def look(self) -> tuple[VolumeGroup | None, tuple[Volume, ...]]:
        """Return the group and all its visible volumes, from one report."""
        rows = self._rows(f"{GROUP_FIELDS},{VOLUME_FIELDS}")
        # A report of volumes has nothing to say of a group that has none.
        return parse_group(rows[0]) if rows else self.group(), self._keep(rows)

    def list(self) -> tuple[Volume, ...]:
        """Return all visible volumes of the group, ours or not."""
        return self._keep(self._rows(f"vg_name,{VOLUME_FIELDS}"))

    def seen(self) -> tuple[Volume, ...]:
        """Return them as the last look showed them; looks where nothing was seen since an act."""
        return self.list() if self._seen is None else self._seen

    def find(self, uuid: str) -> Volume | None:
        """Return the volume with LVM's identifier `uuid`, read anew."""
        volume = _pick(self.list(), uuid)
        return replace(volume, is_open=self.held(volume)) if volume and volume.is_open else volume

    def named(self, name: str) -> Volume | None:
        """Return the volume of that name, read anew."""
        return next((v for v in self.list() if v.name == name), None)

    def held(self, volume: Volume) -> bool:
        """Whether a process or the kernel has the volume open now, as the kernel says."""
        found = mapped(volume)
        if found is None or not found.holds(volume.uuid):
            # When it was read it was not active, or by another number.
            current = _pick(self.list(), volume.uuid)
            return current is not None and current.is_open
        if found.opened:
            # Perhaps only by udev, which probes a device after each writer has closed it (udev(7),
            # "watch"): ask again when it has ended.
            with suppress(WaitError):
                udev.settle(PROBED)
            found = mapped(volume)
        return found is not None and found.opened > 0

    def _rows(self, fields: str) -> tuple[dict[str, Any], ...]:
        try:
            return tuple(report("lvs", "-o", fields, "--", self.name))
        except CommandError as error:
            if missing_group(error):
                raise self._missing() from error
            raise unusable(error) from error

    def _keep(self, rows: Iterable[dict[str, Any]]) -> tuple[Volume, ...]:
        self._seen = tuple(map(parse_volume, rows))
        return self._seen

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
        self._act(
            "lvcreate", "--yes", "--type", "linear", "-Zn", "-Wn", "--setautoactivation", "n",
            *_options("--addtag", tags), "--size", f"{int(size)}b", "--name", name, "--", self.name,
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
    ) -> Volume:
        """Change tags, and whether it is activated at boot, in one metadata commit.

        Returns:
            the volume as it is then.

        Raises:
            ConflictError: it is gone, has another name than `volume`, or is not ours.
        """
        add, remove = set(add), set(remove)
        self._act(
            "lvchange", *_options("--addtag", sorted(add)), *_options("--deltag", sorted(remove)),
            "--setautoactivation", "y" if at_boot else "n",
            "--select", still_named(volume), "--", self.name,
        )  # fmt: skip
        current = self._still_named(volume)
        tags = set(current.tags)
        if not add <= tags or remove & tags:
            raise HostError(f"lvchange left {self._path(volume)} with tags {sorted(tags)}")
        return current

    def rename(self, volume: Volume, name: str, *, read_back: bool = True) -> Volume:
        """Give the volume another name.

        Args:
            volume: one of ours.
            name: free in the group.
            read_back: False where `retag` follows, which reads both back.

        Raises:
            ConflictError: the name is taken, or the volume is gone or not ours.
        """
        current = self._ours(self._by_its_name(volume))
        if current.name == name:
            return current
        try:
            # lvrename(8) takes names only. The look after it tells whether it got the right volume.
            self._act("lvrename", "--", self.name, current.name, name)
        except CommandError as error:
            if self.named(name):
                raise ConflictError(
                    f"there is a volume {self.name}/{name} already",
                    code=Code.CONFLICT,
                    subject=name,
                ) from error
            raise
        wanted = replace(current, name=name)
        return self._still_named(wanted) if read_back else wanted

    def activate(self, volume: Volume) -> Volume:
        """Make its device node and wait for it.

        Returns:
            the volume as it is now, with its device number.

        Raises:
            WaitError: the node did not come.
        """
        current = self._still(volume)
        if current.major < 0:
            self._act("lvchange", "-ay", "--select", by_uuid(volume.uuid), "--", self.name)
            current = self._still(volume)
        udev.wait_for_node(current)
        return current

    def remove(self, volume: Volume, *, discard: bool = True) -> None:
        """Remove the volume and wait until its node is gone; it is fine when it is gone already.

        Args:
            volume: to be removed, as long as it is clean, dirty or wiped as here.
            discard: whether its space may be discarded if lvm.conf(5) says so (issue_discards);
                what was discarded may be read as anything.

        Raises:
            ConflictError: it is not ours, is open, is not as it was, or another volume is a
                snapshot of it.
        """
        if _pick(self.seen(), volume.uuid) is None and self.find(volume.uuid) is None:
            return
        self._refuse_removal(self._ours(volume))
        kept = () if discard else ("--config", "devices/issue_discards=0")
        self._act("lvremove", *kept, "--yes", "--select", unchanged(volume), "--", self.name)
        if current := _pick(self.list(), volume.uuid):
            self._refuse_removal(self._ours(current))
            raise ConflictError(
                f"lvremove left {self._path(current)} there, with tags {sorted(current.tags)}"
            )
        udev.wait_until_gone(volume)

    def _refuse_removal(self, volume: Volume) -> None:
        if self.held(volume):
            raise ConflictError(
                f"{self._path(volume)} is open", resolution=f"see `fuser {volume.path}`"
            )
        if snapshots := [v.name for v in self.seen() if v.origin == volume.name]:
            raise ConflictError(f"{self._path(volume)} has snapshots: {', '.join(snapshots)}")

    def _act(self, program: str, *args: str) -> None:
        self._seen = None
        run(program, *args)

    def _by_its_name(self, volume: Volume) -> Volume:
        """The volume by the name that the kernel says it has now; or LVM, where it is inactive."""
        known = _pick(self.seen(), volume.uuid)
        found = mapped(known) if known else None
        sure = known and found and found.holds(known.uuid) and found.called(self.name, known.name)
        return known if known and sure else self._still(volume)

    def _still_named(self, volume: Volume) -> Volume:
        current = self._ours(self._still(volume))
        if current.name != volume.name:
            raise ConflictError(f"{self._path(volume)} is {current.name}: somebody renamed it")
        return current

    def _still(self, volume: Volume) -> Volume:
        current = self.find(volume.uuid)
        if current is None:
            raise ConflictError(f"the volume {self._path(volume)} ({volume.uuid}) is gone")
        return current

    def _ours(self, volume: Volume) -> Volume:
        if not volume.ours:
            raise ConflictError(
                f"{self._path(volume)} is not ours", resolution=f"it has no LVM tag {OURS}"
            )
        return volume

    def _path(self, volume: Volume) -> str:
        return f"{self.name}/{volume.name}"


def _pick(volumes: Iterable[Volume], uuid: str) -> Volume | None:
    return next((volume for volume in volumes if volume.uuid == uuid), None)


def _options(option: str, values: Iterable[str]) -> Iterable[str]:
    return chain.from_iterable((option, value) for value in values)
