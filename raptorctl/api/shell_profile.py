"""A machine's profile in bash as a file of ours: what is code is run where it can do nothing."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from raptorctl.api.session import Session
from raptorctl.errors import InputError, RefusedError
from raptorctl.model.names import shown
from raptorctl.model.raptor_file import STDIN
from raptorctl.model.shell_profile import DEFAULTS, FUNCTION, LARGEST, ShellProfile
from raptorctl.read.shell_profile import DRIVER, left, parse_said, profile_table
from raptorctl.render.raptor_toml import SCHEMA, table_lines

if TYPE_CHECKING:
    from raptorctl.host.system.sandbox import Confined

ENDING: Final = ".sh"
PROFILES: Final = "profiles"
NOTES: Final = 20
"""Lines of what a profile said on standard error that are passed on."""


@dataclass(frozen=True)
class ImportedProfile:
    """A profile as a file of ours.

    Args:
        file: the text of `raptor.toml`.
        user_data: the path that it names.
        content: what belongs there, byte for byte.
    """

    file: str
    user_data: Path
    content: bytes


def is_profile(file: str) -> bool:
    """Whether a word means a profile: it ends in `.sh`, or is a name and no path."""
    return file.endswith(ENDING) or (file != STDIN and "/" not in file and "." not in file)


def trusted_profile(session: Session, name: str, *, trusted: bool) -> str:
    """Find a profile that may be run: not by root, nor where nobody has said so.

    Args:
        session: who asks.
        name: its path; or a name, of which NAME and profiles/NAME.sh are tried.
        trusted: whether it was said.

    Returns:
        Its path.

    Raises:
        InputError: there is no such profile.
        RefusedError: it may not be run; says what would be done.
    """
    if session.is_root and not session.on_session_host:
        raise RefusedError(
            f"{shown(name)} is a program, and is never run as root",
            resolution="leave sudo out, and be an account without rights",
            subject=name,
        )
    file = _found(name)
    if not trusted:
        raise RefusedError(
            f"{shown(file)} is a program; it would be run in bubblewrap, without network, files "
            "or rights, and its user-data written beside raptor.toml",
            resolution="if that is meant, say --trust",
            subject=file,
        )
    return file


def import_profile(
    file: str,
    environment: Mapping[str, str],
    told: Callable[[str], None],
    user_data: str = "",
    tenant: str = "",
) -> ImportedProfile:
    """Run a profile in a room of its own, and say what it says as `raptor.toml`.

    Args:
        file: its path.
        environment: the caller's, which may override what profiles are told.
        told: is told each line that the profile says on standard error.
        user_data: where its user-data is to be; beside us by default.
        tenant: on a shared host, whose the machine is to be.

    Raises:
        InputError: it cannot be read, or what it says cannot be.
        FileError: something is missing in it; all of it.
        RefusedError: root asks; or there is no bwrap, or no room for it.
    """
    host = {key: environment.get(key) or value for key, value in DEFAULTS.items()}
    host["SC_SSH_KEY"] = os.path.expanduser(host["SC_SSH_KEY"])  # noqa: PTH111 - a text
    key = _public_key(f"{host['SC_SSH_KEY']}.pub")
    ended = _run(file, key, host)
    for line in ended.err.decode(errors="replace").splitlines()[:NOTES]:
        told(shown(line))
    _refuse_endless(ended, file)
    profile = parse_said(ended.out, file)
    table = profile_table(profile, file, key)
    _refuse_failed(profile, ended, file)
    domain = profile.said["DOMAIN"]
    path = Path(user_data or f"{domain}.user-data")
    said = {**table, "user_data": str(path) if path.is_absolute() else f"./{path}"}
    notes = [*left(profile.said, host), *_unfit(profile.user_data)]
    whose = f"{tenant}-{domain}" if tenant else domain
    lines = [SCHEMA, *table_lines(("machine", whose), said, notes)]
    return ImportedProfile("\n".join(lines) + "\n", path, profile.user_data)


def write_user_data(made: ImportedProfile) -> bool:
    """Write the user-data that a file of ours names, for its owner's eyes alone.

    Returns:
        Whether it was not there before.

    Raises:
        InputError: another is there; or it cannot be written.
    """
    from raptorctl.host.system.caller import read_given
    from raptorctl.host.system.folder import write_files

    path = made.user_data
    if os.path.lexists(path):
        if read_given(str(path), len(made.content)) == made.content:
            return False
        raise InputError(
            f"{shown(str(path))} is there, and differs from what the profile prints",
            resolution="move it away, or name another --user-data",
            subject=str(path),
        )
    write_files({path: (made.content, 0o600)})
    return True


def _found(name: str) -> str:
    if "/" in name:
        return name
    tried = (name, f"{PROFILES}/{name.removesuffix(ENDING)}{ENDING}")
    for file in tried:
        if Path(file).is_file():
            return file
    raise InputError(
        f"there is no profile {shown(name)}",
        resolution=f"tried {' and '.join(tried)}",
        subject=name,
    )


def _public_key(path: str) -> str:
    from raptorctl.host.system.caller import read_given
    from raptorctl.model.ssh_key import LARGEST_FILE

    try:
        return read_given(path, LARGEST_FILE, follow=True).decode().rstrip("\n")
    except (InputError, UnicodeDecodeError):
        return ""


def _run(file: str, key: str, told: Mapping[str, str]) -> "Confined":
    from raptorctl.host.system.caller import read_given
    from raptorctl.host.system.sandbox import FILE, confined

    text = read_given(file, LARGEST, follow=True)
    if len(text) > LARGEST:
        raise InputError(f"{shown(file)} is larger than {LARGEST >> 10} KiB", subject=file)
    argv = ("bash", "--norc", "--noprofile", "-c", DRIVER, FILE, key)
    return confined(argv, text, told)


def _refuse_endless(ended: "Confined", file: str) -> None:
    from raptorctl.host.system.sandbox import OUTPUT, SECONDS

    if ended.status is None:
        raise InputError(f"{shown(file)} did not end in {SECONDS} seconds", subject=file)
    if max(len(ended.out), len(ended.err)) >= OUTPUT:
        raise InputError(f"{shown(file)} prints {OUTPUT >> 20} MiB or more", subject=file)


def _refuse_failed(profile: ShellProfile, ended: "Confined", file: str) -> None:
    if ended.status:
        raise InputError(f"{FUNCTION} of {shown(file)} failed", subject=file)
    if not profile.user_data:
        raise InputError(f"{FUNCTION} of {shown(file)} printed nothing", subject=file)


def _unfit(user_data: bytes) -> list[str]:
    """Say why `up` will not have it; it is written all the same."""
    from raptorctl.render.user_data import check

    try:
        check(user_data.decode())
    except UnicodeDecodeError:
        return ["up refuses this user_data: it is not UTF-8 text"]
    except InputError as error:
        return [f"up refuses this user_data: {error}"]
    return []
