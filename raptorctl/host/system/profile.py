"""Machine templates, which people know as profiles: ours, the host's own, and files by path."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from raptorctl.errors import InputError, SettingsError
from raptorctl.host.system.caller import read_given
from raptorctl.host.system.files import LARGEST, SETTINGS, read_trusted, shipped
from raptorctl.host.system.seed_folder import seed_files
from raptorctl.host.system.walk import list_given
from raptorctl.model.encoding import decoded
from raptorctl.model.error_code import Code
from raptorctl.model.merge import merge
from raptorctl.model.names import shown
from raptorctl.model.profile import Profile, decode_profile
from raptorctl.model.spec import CLOUD_TEXTS, SEED_FOLDER, UNSAID, MachineSpec
from raptorctl.model.toml_text import read_toml

PROFILES: Final = "machine_templates"
"""The folder of profiles, among what we ship and among the host's own settings."""
ADMIN_PROFILES: Final = SETTINGS / PROFILES
ENDING: Final = ".toml"


def profile_files(admin: Path = ADMIN_PROFILES) -> Mapping[str, Path]:
    """Return the files of all profiles by name; the host's own take the place of ours.

    Args:
        admin: the host's own.
    """
    folders = (shipped(PROFILES), admin)
    return {file.stem: file for folder in folders for file in sorted(folder.glob(f"*{ENDING}"))}


def read_profiles(names: Iterable[str], admin: Path = ADMIN_PROFILES) -> MachineSpec:
    """Lay profiles over one another, with the texts of the files that the last of them name.

    Args:
        names: what was typed, the lowest first: names, and paths of files.
        admin: the host's own.

    Raises:
        InputError: there is none of a name, or whoever named a file cannot read it.
        SettingsError: one of the host's own cannot be trusted or read, or one says something
            impossible, by itself or over those before it.
    """
    spec, table, texts = UNSAID, dict[str, Any](), dict[str, Any]()
    for name in names:
        file, text_of, names_in = _found(name, admin)
        said = read_toml(text_of(file), str(file))
        table = merge(table, said)
        profile = decode_profile(table, str(file))
        for key, beside in _beside(file, profile, said, names_in):
            texts[key] = (text_of(beside) if beside else None) or None
        spec = replace(profile.spec, profile=(*(spec.profile or ()), name))
    return replace(spec, **texts)


def _beside(
    file: Path, profile: Profile, said: Mapping[str, Any], names_in: Callable[[Path], list[str]]
) -> Iterator[tuple[str, Path | None]]:
    """Each text that a profile names, and its file; None for one that it takes away."""
    if SEED_FOLDER in said:
        yield from ((key, None) for key in CLOUD_TEXTS)
        if named := profile.beside[SEED_FOLDER]:
            folder = file.parent / named
            for key, path in seed_files(str(folder), names_in(folder)).items():
                yield key, Path(path)
    for key in CLOUD_TEXTS:
        if key in said:
            named = profile.beside[key]
            yield key, file.parent / named if named else None


def profile_text(file: Path) -> str:
    """Read one of these files, with the care that one of the host's own needs.

    Raises:
        SettingsError: it cannot be trusted or read.
    """
    ours = file.parent == shipped(PROFILES)
    return file.read_text() if ours and file.is_file() else read_trusted(file)


def is_path(name: str) -> bool:
    """Whether a profile is named by its file."""
    return "/" in name or name.endswith(ENDING)


def _found(
    name: str, admin: Path
) -> tuple[Path, Callable[[Path], str], Callable[[Path], list[str]]]:
    """Find a profile, and how to read files and folders beside it: by path, as who named it."""
    if is_path(name):
        return Path(name), _given_text, lambda folder: list_given(str(folder))
    files = profile_files(admin)
    if name not in files:
        known = ", ".join(sorted(files)) or "none"
        tried = " nor ".join(f"{folder / name}{ENDING}" for folder in (admin, shipped(PROFILES)))
        raise InputError(
            f"there is no profile {name}, neither {tried}",
            resolution=f"there is: {known}; for a file write ./{name}{ENDING}",
            code=Code.TEMPLATE_NOT_FOUND,
            subject=name,
        )
    return files[name], profile_text, _own_names


def _own_names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names alone
    except OSError as error:
        raise SettingsError(str(folder), "", f"cannot be read: {error.strerror}") from error


def _given_text(file: Path) -> str:
    data = read_given(str(file), LARGEST)
    if len(data) > LARGEST:
        raise InputError(f"{shown(str(file))} is larger than {LARGEST} bytes")
    return decoded(data, shown(str(file)))
