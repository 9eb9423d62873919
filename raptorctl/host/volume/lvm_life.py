"""LVM, once a volume is in use: it grows, and has snapshots.

lvextend(8) makes a device larger at once, and whoever opens it from then on, such as a machine
that its tenant starts just then, reads what earlier owners left there. So a volume is enlarged by
extents that another volume has held meanwhile, for which they were zeroed and read back.
"""

import re
from collections.abc import Iterable
from itertools import chain
from typing import Final

from raptorctl.drivers.tick import Tick
from raptorctl.errors import ConflictError, HostError
from raptorctl.host.volume.lvm import LvmGroup
from raptorctl.host.volume.lvm_report import by_uuid, report
from raptorctl.model.volume import Extents, Volume

RANGE: Final = re.compile(r"(/[^\s:]+):([0-9]{1,10})-([0-9]{1,10})", re.ASCII)


class LivingGroup(LvmGroup):
    """All of `raptorctl.drivers.volume.Volumes`; raises as `LvmGroup` does."""

    def extents(self, volume: Volume) -> Extents:
        """Return where the volume lies, and the group's commit at that time.

        Raises:
            HostError: it does not lie on disks alone, as a linear volume does.
        """
        commit = self._commit()
        rows = report(
            "lvs", "-o", "lv_uuid,seg_pe_ranges", "--select", by_uuid(volume.uuid), "--", self.name
        )
        ranges = tuple(part for row in rows for part in row["seg_pe_ranges"].split())
        if not ranges or not all(RANGE.fullmatch(part) for part in ranges):
            raise HostError(f"{self._path(volume)} lies at {ranges}, not on disks alone")
        return Extents(ranges, commit)

    def extend(self, volume: Volume, extents: Extents) -> None:
        """Enlarge a volume by just these extents.

        The group's number counts every change (vgs(8), vg_seqno): the removal that freed them, and
        this one. One more, and somebody may have had them in between.

        Raises:
            CommandError: they are not free any more.
            ConflictError: somebody else changed the group; the volume is as it was.
        """
        current, group = self._ours(self._still(volume)), self.group()
        if group is None:
            raise self._missing()
        size = current.size + group.extent * sum(map(_length, extents.ranges))
        # lvextend(8) takes names only; the second look tells whether it got the right volume.
        path = f"{self.name}/{current.name}"
        self._act("lvextend", "--size", f"{int(size)}b", "--", path, *extents.ranges)
        if self._still(volume).size != size:
            raise HostError(f"lvextend left {path} with {self._still(volume).size}, not {size}")
        if self._commit() != extents.commit + 2:
            self.shrink(volume, current.size)
            raise ConflictError(
                f"{self.name} was changed by another program while {path} grew",
                resolution="try it again",
            )

    def enlarge(self, volume: Volume, size: int) -> None:
        """Refuse: it grows by extents that were zeroed, see `extend`.

        Raises:
            HostError: always.
        """
        raise HostError(f"{self._path(volume)} is not a file")

    def shrink(self, volume: Volume, size: int) -> None:
        """Give the end of a volume back, whatever is there; `size` bytes stay."""
        current = self._ours(self._still(volume))
        if current.size <= size:
            return
        path = f"{self.name}/{current.name}"
        forced = ("--yes", "--force", "--fs", "ignore")
        self._act("lvreduce", *forced, "--size", f"{int(size)}b", "--", path)
        if self._still(volume).size != size:
            raise HostError(f"lvreduce left {path} with {self._still(volume).size}, not {size}")

    def snapshot(
        self, origin: Volume, name: str, size: int, tags: Iterable[str], tick: Tick
    ) -> Volume:
        """Take a snapshot: an image of `origin` as it is now, with room for what changes.

        Args:
            origin: of ours, used or not; writes to it wait for the blink of an eye.
            name: free in the group.
            size: bytes for the old content of what changes, a multiple of the extent.
            tags: on it from its first moment.
            tick: not told anything: it takes a moment, however large the volume is.
        """
        current, tags = self._ours(self._still(origin)), tuple(tags)
        options = chain.from_iterable(("--addtag", tag) for tag in tags)
        self._act(
            "lvcreate", "--yes", "--snapshot", *options, "--size", f"{int(size)}b", "--name", name,
            "--", f"{self.name}/{current.name}",
        )  # fmt: skip
        made = self.named(name)
        if made is None or (made.origin, made.size) != (current.name, size):
            raise HostError(f"lvcreate made another {self.name}/{name} than asked for: {made}")
        return made

    def split(self, snapshot: Volume) -> Volume:
        """Make a snapshot a volume of its own, with all that it kept: what is wiped and removed.

        lvconvert(8), --splitsnapshot, which says what for. Its UUID, size and tags stay.

        Raises:
            ConflictError: it is gone, not ours, or open.
        """
        current = self._ours(self._still(snapshot))
        if current.origin:
            if current.is_open:
                raise ConflictError(f"{self._path(current)} is open")
            path = f"{self.name}/{current.name}"
            self._act("lvconvert", "--yes", "--splitsnapshot", "--", path)
            current = self._still(snapshot)
        if current.origin:
            raise HostError(f"lvconvert left {self._path(current)} a snapshot")
        return current

    def _commit(self) -> int:
        (row,) = report("vgs", "-o", "vg_seqno", "--", self.name)
        return int(row["vg_seqno"])


def _length(extents: str) -> int:
    first, _, last = extents.rpartition(":")[2].partition("-")
    return int(last) - int(first) + 1
