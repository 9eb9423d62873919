"""Plain files: ours, and those that tell us what to do and are read with care."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from raptorctl.errors import HostError, InputError, RefusedError, SettingsError
from raptorctl.host.system.caller import caller, open_own, whole
from raptorctl.host.system.durable import remove_file, replace_file
from raptorctl.model.error_code import Code
from raptorctl.model.names import shown
from raptorctl.model.settings import Settings
from raptorctl.model.settings_file import DEFAULT_FILE
from raptorctl.model.settings_text import parse_settings
from raptorctl.model.sizes import MIB
from raptorctl.model.tenant import KEYS, RECORDS

LARGEST: Final = MIB
"""Bytes of a file that is read whole; no settings or template comes near it."""

SETTINGS: Final = Path("/etc/raptorctl")
TEMPLATES: Final = "domain_templates"
"""The folder of templates, among what we ship and among the host's own settings."""
ADMIN_TEMPLATES: Final = SETTINGS / TEMPLATES
PACKAGE: Final = Path(__file__).parents[2]


class LocalFiles:
    """Files of the machine we run on; implements `raptorctl.drivers.files.Files`."""

    def exists(self, path: str) -> bool:
        """Whether a regular file is there."""
        return Path(path).is_file()

    def size(self, path: str) -> int | None:
        """Return the bytes of a regular file, or None when it is not there."""
        try:
            return Path(path).stat().st_size if self.exists(path) else None
        except OSError:  # of a directory that is not for us
            return None

    def remove(self, path: str) -> None:
        """Remove it if it is there, durably, and what is left of a write that was cut off.

        Raises:
            OSError: it cannot be removed, e.g. as it is a directory.
        """
        remove_file(Path(path))

    def list(self, directory: str) -> tuple[str, ...]:
        """Return the paths of the regular files in a directory; none where it is missing."""
        folder = Path(directory)
        found = folder.iterdir() if folder.is_dir() else ()
        return tuple(sorted(str(path) for path in found if path.is_file()))

    def read(self, path: str) -> str | None:
        """Return the text of a small file, or None when it is not there.

        Raises:
            SettingsError: it cannot be trusted; see `read_trusted`.
        """
        return read_trusted(Path(path)) if os.path.lexists(path) else None

    def read_bytes(self, path: str, largest: int) -> bytes | None:
        """Return what is in a file, or None when it is not there.

        Raises:
            HostError: it is no regular file, larger than `largest`, or cannot be read.
        """
        if not os.path.lexists(path):
            return None
        try:
            with open_own(path) as stream:
                data = whole(stream, largest + 1)
        except InputError as error:
            raise HostError(error.brief, resolution=error.resolution) from error
        if len(data) > largest:
            raise HostError(f"{path} is larger than {largest} bytes")
        return data

    def write(self, path: str, text: str, mode: int) -> None:
        """Put text in a file's place, whole or not at all, durably; ours, with `mode`.

        Raises:
            HostError: it cannot be written; what was there is untouched.
        """
        self.write_bytes(path, text.encode(), mode)

    def write_bytes(self, path: str, data: bytes, mode: int) -> None:
        """Do the same with bytes.

        Raises:
            HostError: it cannot be written; what was there is untouched.
        """
        try:
            replace_file(Path(path), data, mode)
        except OSError as error:
            raise HostError(f"cannot write {path}: {error.strerror}") from error


def read_settings(path: Path = Path(DEFAULT_FILE)) -> Settings:
    """Read the host's settings.

    Raises:
        SettingsError: the file is missing, others may write it, or it says something impossible.
        RefusedError: it is not for whoever typed sudo to name.
    """
    path = _allowed(path)
    if str(path) == DEFAULT_FILE and not os.path.lexists(path):
        raise SettingsError(
            str(path),
            "",
            "is not there",
            resolution="write it, for a shared host; or run without root, on a session host",
        )
    return parse_settings(read_trusted(path), str(path))


def _allowed(path: Path) -> Path:
    """Return what to open for a name of settings; under sudo, a file that only root can choose.

    That a file is root's says nothing of who wrote its content: the cache of images, logs and
    records of ours are root's too. So it must lie where root alone puts files, by a path on which
    nobody else can put anything in another's place.
    """
    if caller() is None or str(path) == DEFAULT_FILE:
        return path
    # First by name alone: what is elsewhere is not looked at, and nothing is told of it.
    if _is_ours(Path(os.path.abspath(path))):  # noqa: PTH100 - resolve() would look
        try:
            real = path.resolve(strict=True)
        except (OSError, RuntimeError) as error:
            raise SettingsError(str(path), "", f"cannot be read: {error}") from error
        if _is_ours(real) and not any(map(_others_write, (real, *real.parents))):
            return real
    raise RefusedError(
        f"--settings {shown(str(path))}: under sudo, settings are a file below {SETTINGS}",
        resolution=f"have root put it there, or use {DEFAULT_FILE}",
        code=Code.NOT_ALLOWED,
        subject=str(path),
    )


def _is_ours(path: Path) -> bool:
    """Whether it is where root puts settings, and nothing that we write ourselves."""
    written = any(path.is_relative_to(folder) for folder in (RECORDS, KEYS))
    return path.is_relative_to(SETTINGS) and not written


def _others_write(path: Path) -> bool:
    status = path.stat()
    return status.st_uid != 0 or bool(status.st_mode & 0o022)


def templates(admin: Path = ADMIN_TEMPLATES) -> Mapping[str, str]:
    """Read all domain templates as XML, by their names without ending.

    Args:
        admin: the host's own; one named like a shipped one takes its place.

    Raises:
        SettingsError: one of the host's own cannot be trusted or read.
    """
    # Whose shipped ones are does not matter: they are as good as the program they are beside.
    ours = {file.stem: file.read_text() for file in _xml(shipped(TEMPLATES))}
    return ours | {file.stem: read_trusted(file) for file in _xml(admin)}


def shipped_rules() -> str:
    """Return polkit's rules as they come with us."""
    return (shipped("polkit") / "10-raptorctl.rules").read_text()


def _xml(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.xml"))


def shipped(folder: str) -> Path:
    """Return where a folder of ours is: inside an installed package, or at the checkout's top."""
    installed = PACKAGE / "_data" / folder
    return installed if installed.is_dir() else PACKAGE.parent / folder


def read_trusted(path: Path) -> str:
    """Read a text file that root acts upon.

    Raises:
        SettingsError: it is missing, not a regular file, too large, or not UTF-8; or we are root
            and somebody else could have written it.
    """
    try:
        # O_NONBLOCK: opening a FIFO must not wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        with open(descriptor, "rb") as stream:  # noqa: PTH123 - a descriptor
            if problem := _problem(os.fstat(descriptor)):
                raise SettingsError(str(path), "", problem)
            return stream.read(LARGEST).decode()
    except OSError as error:
        raise SettingsError(str(path), "", f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(str(path), "", "is not UTF-8 text") from error


def _problem(status: os.stat_result) -> str:
    if not stat.S_ISREG(status.st_mode):
        return "is not a regular file"
    if status.st_size > LARGEST:
        return f"is larger than {LARGEST} bytes"
    if os.geteuid() == 0 and (status.st_uid != 0 or status.st_mode & 0o022):
        return "can be written by others than root: chown root, chmod go-w"
    return ""
