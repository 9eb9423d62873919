"""What may be asked of a place where images are built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from raptorctl.drivers.guest import Heard
    from raptorctl.drivers.tick import Tick
    from raptorctl.model.build import BuildFile, BuildStep, DiskFormat, Empty, Resize
    from raptorctl.model.build_look import DiskLook
    from raptorctl.model.build_record import BuildRecord
    from raptorctl.model.build_room import BuildRoom
    from raptorctl.model.image import Image


@dataclass(frozen=True)
class Put:
    """Files for one disk.

    Args:
        disk: the disk's raw file.
        partition: of the file system that they go into; 0 for the whole disk.
        files: whose paths begin at that file system's root.
        variables: what is put into the text of those that ask for it.
    """

    disk: str
    partition: int
    files: tuple[BuildFile, ...] = field(repr=False)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)


class Builder(Protocol):
    """A place where images are built: a folder for each build, and raw disks in it."""

    def look(self, image: Image) -> DiskLook:
        """Say what is on an image.

        Raises:
            HostError: it is gone or damaged.
        """

    def open(self, folder: str, job: str) -> None:
        """Make a build's folder, ours alone, with the job's name in it.

        Raises:
            HostError: there is something by that name, or no right to it.
        """

    def holds(self, folder: str, job: str) -> bool:
        """Whether the folder is there and that job's."""

    def discard(self, folder: str, job: str) -> None:
        """Remove a build's folder with all that is in it, if it is that job's."""

    def copy(self, image: Image, partition: int, disk: str, tick: Tick) -> None:
        """Make a raw disk of an image, or of a partition of it, whole or not at all.

        Raises:
            HostError: the image is gone or damaged, or there is no room.
        """

    def blank(self, empty: Empty, disk: str) -> None:
        """Make an empty raw disk, formatted as asked."""

    def there(self, disk: str) -> bool:
        """Whether a raw disk is there, whole."""

    def put(self, files: Put, empty: Empty | None) -> None:
        """Put files into a disk without mounting it; its file system is clean afterwards.

        Args:
            files: which, and where.
            empty: of a disk that is made for its files and nothing more.

        Raises:
            InputError: a file of this side is not there.
            HostError: there is no room, or something else stands where a file should go.
        """

    def resize(self, disk: str, wanted: Resize, tick: Tick) -> None:
        """Give a raw disk its size, and what is on it.

        Raises:
            HostError: what is on it does not fit.
        """

    def listen(self, heard: Heard) -> None:
        """Have somebody told what steps say, as it comes."""

    def run(self, room: BuildRoom, tick: Tick) -> None:
        """Run steps in disks.

        Raises:
            HostError: one of them failed.
            WaitError: one of them, or the guest, took too long.
            StoppedError: from `tick`.
        """

    def end(self, way: str, uuid: str) -> None:
        """End whatever runs steps still, should it have outlived us.

        Args:
            way: as of `BuildRoom`.
            uuid: of the machine.
        """

    def after(self, steps: Sequence[BuildStep], disks: Sequence[str], tick: Tick) -> None:
        """Run steps on this host, by the caller's rights, with the disks' files as arguments.

        Raises:
            HostError: one of them failed.
            WaitError: one of them took too long.
            StoppedError: from `tick`.
        """

    def wrote(self, record: str) -> frozenset[str]:
        """Return the files and folders that were written the last time, by its record."""

    def obstacle(self, target: str, record: str, *, folder: bool) -> str:
        """Say what is in an output's place, and not a build's to replace; "" for nothing.

        Args:
            target: where the output goes, absolute.
            record: of the last time that it was built.
            folder: whether the output is one.
        """

    def export(self, disk: str, form: DiskFormat, target: str, tick: Tick, *, last: bool) -> None:
        """Write a disk to a file, durably.

        Args:
            disk: the disk's raw file.
            form: that it is written in.
            target: the file.
            tick: told how far it is.
            last: whether nobody wants the disk any more, so that it may become the file itself.

        Raises:
            HostError: there is no room, or no right to write there.
        """

    def export_folder(self, disk: str, target: str) -> None:
        """Write the files that a disk was made for to a folder, durably."""

    def unexport(self, target: str, made: Sequence[str]) -> None:
        """Remove what was exported, and folders that were made for it, if they are empty."""

    def published(self, staged: str, target: str) -> bool:
        """Whether what was exported is in its place."""

    def publish(self, staged: str, target: str, before: str) -> None:
        """Put what was exported into its place; what was there goes to `before`."""

    def withdraw(self, staged: str, target: str, before: str) -> None:
        """Take it out of its place again, if it is there, and bring back what was there."""

    def settle(self, before: str) -> None:
        """Remove what was there before, for good."""

    def is_built(self, path: str, job: str) -> bool:
        """Whether the record there is of that build."""

    def record(self, path: str) -> BuildRecord | None:
        """Return what is kept of the last time, if all that it wrote is still as it was then."""

    def keep_record(self, path: str, record: BuildRecord) -> None:
        """Write down what was done, with what the files that were written are like now."""
