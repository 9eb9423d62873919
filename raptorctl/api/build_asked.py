"""What is asked of builds, and the builds that were read for it."""

from collections.abc import Collection
from dataclasses import dataclass

from raptorctl.model.build_set import BuildSet


@dataclass(frozen=True)
class ReadBuilds:
    """A file's builds, as they are this time, and with what is new each time left open.

    Args:
        now: as they are built.
        always: as they are compared with what was built before.
    """

    now: BuildSet
    always: BuildSet


@dataclass(frozen=True)
class Asked:
    """How builds are asked for.

    Args:
        only: their names; all, if none is named.
        trust: whether this host's kernel may mount the images.
        keep: whether the folder of each stays.
        if_changed: whether what is built already stays as it is.
        timeout_factor: what each time limit is multiplied by.
        dry_run: whether images are only looked for, and not pulled.
    """

    only: Collection[str] = ()
    trust: bool = False
    keep: bool = False
    if_changed: bool = False
    timeout_factor: float = 1.0
    dry_run: bool = False
