"""Machine templates, which people know as profiles: ours, and the host's own."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from raptorctl.errors import InputError
from raptorctl.host.system.files import read_trusted, shipped
from raptorctl.model.error_code import Code
from raptorctl.model.profile import parse_profile
from raptorctl.model.spec import MachineSpec

ADMIN_PROFILES: Final = Path("/etc/raptorctl/machine_templates")


def profile_files(admin: Path = ADMIN_PROFILES) -> Mapping[str, Path]:
    """Return the files of all profiles by name; the host's own take the place of ours.

    Args:
        admin: the host's own.
    """
    folders = (shipped("machine_templates"), admin)
    return {file.stem: file for folder in folders for file in sorted(folder.glob("*.toml"))}


def read_profile(name: str, admin: Path = ADMIN_PROFILES) -> MachineSpec:
    """Read the part of a machine that a profile is, with the text of the user-data it names.

    Raises:
        InputError: there is none of that name.
        SettingsError: it, or the file of user-data, cannot be trusted or read; or it says
            something impossible.
    """
    files = profile_files(admin)
    if name not in files:
        known = ", ".join(sorted(files)) or "none"
        raise InputError(
            f"there is no profile {name}",
            resolution=f"there is: {known}",
            code=Code.TEMPLATE_NOT_FOUND,
            subject=name,
        )
    file = files[name]
    profile = parse_profile(profile_text(file), str(file))
    beside = profile_text(file.parent / profile.user_data) if profile.user_data else ""
    return replace(profile.spec, profile=(name,), user_data=beside or None)


def profile_text(file: Path) -> str:
    """Read one of these files, with the care that one of the host's own needs.

    Raises:
        SettingsError: it cannot be trusted or read.
    """
    ours = file.parent == shipped("machine_templates")
    return file.read_text() if ours and file.is_file() else read_trusted(file)
