"""Folders of cloud-init's files, as its NoCloud data source has them: which of a machine's texts.

https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html
"""

from collections.abc import Iterable, Mapping
from typing import Final

from raptorctl.errors import InputError
from raptorctl.model.diagnostic import nearest
from raptorctl.model.names import shown
from raptorctl.model.spec import CLOUD_TEXTS

KEYS: Final = {key.replace("_", "-"): key for key in CLOUD_TEXTS}
"""What each file is to a machine, by its name."""


def seed_files(folder: str, names: Iterable[str]) -> Mapping[str, str]:
    """Return the paths of a folder's files, by the machine's keys.

    Args:
        folder: its path.
        names: what is in it. Hidden files and editors' copies (`~`) are left alone.

    Raises:
        InputError: it has none of the files, or one that cloud-init would not read.
    """
    there = [name for name in names if not name.startswith(".") and not name.endswith("~")]
    for name in there:
        if name not in KEYS:
            raise InputError(
                f"{shown(name)} in {shown(folder)} is no file of cloud-init's",
                resolution=nearest(name, KEYS),
            )
    if not there:
        raise InputError(f"{shown(folder)} has none of {', '.join(KEYS)}")
    return {KEYS[name]: f"{folder.rstrip('/') or '/'}/{name}" for name in there}


def given_files(folder: str) -> Mapping[str, str]:
    """Return the same of a folder that somebody named, read with their rights."""
    from raptorctl.host.system.walk import list_given

    return seed_files(folder, list_given(folder))
