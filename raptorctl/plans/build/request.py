"""What a build is asked for, with all that was found out about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from raptorctl.drivers.image import RegistryLogin
from raptorctl.model.build import Build, BuildDisk, Empty, Filesystem, FromImage, Way
from raptorctl.model.build_look import EDITABLE, Area, DiskLook
from raptorctl.model.image import Image
from raptorctl.model.image_target import Target
from raptorctl.model.sizes import Size


@dataclass(frozen=True)
class Read:
    """A file or folder of this side that goes into a build.

    Args:
        path: as the build names it, absolute.
        what: what it is to the build: `is copied into it`.
        places: what it is the name of, and where links of that name lead.
    """

    path: str
    what: str
    places: tuple[str, ...]


@dataclass(frozen=True)
class BuildRequest:
    """A build, with all that was found out about it.

    Args:
        build: whose paths of this side are absolute.
        images: what each disk begins as, in the disks' order; None for an empty one.
        looks: what is on them; None where that is not known yet, or there is nothing.
        folder: where builds' folders are, absolute.
        record: the file in which it is remembered.
        inputs: SHA-256 of all that goes into it; "" while it is not known.
        awaits: what it begins as that other builds of the run make first, and their names: of
            that, nothing is known yet.
        missing: folders that have to be made, innermost first, by an output's path.
        places: where an output's path leads, whatever links are on the way, by the path.
        reads: what of this side goes into it.
        foreign: outputs in whose place something is that this build did not put there.
        folders: what is copied and is a folder, as the build names it.
        obstacles: what is in an output's place and not ours to replace, by its path.
        here: digests of images of the cache, by name.
        built: names of those that a build made.
        targets: where its outputs are pushed to, as they say it.
        login: for registries.
        root: whether root asks.
        sudo: whether root asks for somebody who is not root, but may run us by sudo.
        trust: whether this host's kernel may mount the images.
        keep: whether the build's folder stays.
    """

    build: Build
    images: tuple[Image | None, ...]
    looks: tuple[DiskLook | None, ...]
    folder: str
    record: str = ""
    inputs: str = ""
    awaits: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
    reads: tuple[Read, ...] = ()
    foreign: frozenset[str] = frozenset()
    folders: frozenset[str] = frozenset()
    obstacles: Mapping[str, str] = field(default_factory=dict)
    here: Mapping[str, str] = field(default_factory=dict)
    built: frozenset[str] = frozenset()
    targets: Mapping[str, Target] = field(default_factory=dict)
    login: RegistryLogin = RegistryLogin()
    root: bool = False
    sudo: bool = False
    trust: bool = False
    keep: bool = False

    def area(self, disk: BuildDisk, number: int) -> Area | None:
        """The file system of a disk that files go into, as far as it is known.

        Args:
            disk: the disk.
            number: its place among the build's disks, from 0.
        """
        if isinstance(disk.source, Empty):
            form = disk.source.filesystem
            return Area(0, disk.source.size, form.value if form else "")
        look = self.looks[number]
        if look is None:
            return None
        if disk.source.partition:
            return look.partition(disk.source.partition)
        return look.root

    def last(self, disk: BuildDisk, number: int) -> Area | None:
        """The file system that a disk's size is about."""
        look = self.looks[number]
        whole = isinstance(disk.source, Empty) or disk.source.partition
        return self.area(disk, number) if whole or look is None else look.last

    def size(self, disk: BuildDisk, number: int) -> Size:
        """Bytes of a disk before it is resized; 0 while they are not known."""
        image = self.images[number]
        if isinstance(disk.source, FromImage) and disk.source.partition:
            area = self.area(disk, number)
            return area.size if area else Size(0)
        return disk.source.size if isinstance(disk.source, Empty) else (image or _NONE).size

    def editable(self, disk: BuildDisk, number: int) -> bool:
        """Whether files are put into a disk without its being mounted."""
        area = self.area(disk, number)
        return area is None or area.filesystem in {*EDITABLE, Filesystem.ISO}

    @property
    def way(self) -> Way:
        """How: as the file says, else the least that does what is asked for."""
        build = self.build
        if build.way:
            return build.way
        with_files = (build.disk_of(file.to) for file in build.files)
        names = {disk.name for disk in with_files if disk}
        told = ((d, n) for n, d in enumerate(build.disks) if d.name in names)
        if not build.steps and all(self.editable(*one) for one in told):
            return Way.EDIT
        return Way.NSPAWN if self.trust else Way.BOOT


_NONE = Image("", "", "", "", Size(0), Size(0), "", "")
