"""What is run in disks, and how."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from raptorctl.model.build import BuildFile, BuildShare, BuildStep, Way


@dataclass(frozen=True)
class RoomDisk:
    """A disk that steps find mounted.

    Args:
        path: its raw file.
        mount: where; "" for nowhere.
        partition: which file system of it; 0 for the whole disk.
    """

    path: str
    mount: str
    partition: int = 0


@dataclass(frozen=True)
class BuildRoom:
    """Where steps are run.

    Args:
        folder: the build's.
        job: the job's identifier.
        way: `boot` or `nspawn`.
        disks: the first is the one that is booted.
        files: what cannot be put into the first disk without its being mounted.
        shares: folders that steps see.
        steps: in order.
        network: whether steps may use one.
        uuid: by which a machine is known.
        variables: what is put into the text of files that ask for it.
    """

    folder: str
    job: str
    way: Way
    disks: tuple[RoomDisk, ...]
    files: tuple[BuildFile, ...] = field(default=(), repr=False)
    shares: tuple[BuildShare, ...] = ()
    steps: tuple[BuildStep, ...] = ()
    network: bool = True
    uuid: str = ""
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
