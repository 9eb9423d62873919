"""Where images are shared: a registry, a folder on another host, a folder of this one."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from raptorctl.errors import InputError
from raptorctl.model.image_source import LONGEST, TAG, split_oci
from raptorctl.model.names import shown

USER: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}", re.ASCII)
HOST: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}|\[[0-9A-Fa-f:.]+\]", re.ASCII)


@dataclass(frozen=True)
class SshPlace:
    """A folder on another host.

    Args:
        host: a name, an address, or what ssh_config(5) calls it.
        folder: absolute.
        user: or "" for what ssh takes.
        port: or 0 likewise.
    """

    host: str
    folder: str
    user: str = ""
    port: int = 0

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        port = f":{self.port}" if self.port else ""
        return f"ssh://{user}{self.host}{port}{quote(self.folder)}"


@dataclass(frozen=True)
class Target:
    """Where an image is pushed.

    Args:
        text: `oci://registry/repository:tag`, `ssh://host/folder`, or a folder's absolute path.
        kind: `oci`, `ssh` or `folder`.
        place: of `ssh`.
        expires: when a folder's index is believed no more, UTC, RFC 3339; or "" for never.
    """

    text: str
    kind: str
    place: SshPlace | None = None
    expires: str = ""


def parse_target(text: str, name: str, here: str) -> Target:
    """Read what somebody typed.

    Args:
        text: `oci://...`, `ssh://...`, or a path with a slash in it.
        name: of the image; of a registry without a tag, it gives the tag.
        here: the directory that a relative path begins at, absolute.

    Raises:
        InputError: it is none of these.
    """
    if text.startswith("oci://"):
        return Target(_with_tag(text, name), "oci")
    if text.startswith("ssh://"):
        place = parse_ssh(text)
        return Target(str(place), "ssh", place)
    if "://" in text or not ("/" in text or text.startswith(".")) or "\0" in text:
        raise InputError(
            f"{shown(text)} is no place to push an image to",
            resolution="write oci://REGISTRY/REPOSITORY:TAG, ssh://HOST/FOLDER or ./FOLDER",
        )
    return Target(str(PurePosixPath(here, text)), "folder")


def parse_ssh(text: str) -> SshPlace:
    """Read `ssh://[USER@]HOST[:PORT]/FOLDER`.

    Raises:
        InputError: it is none, or carries a password.
    """
    try:
        parts = urlsplit(text)
        port = parts.port or 0
    except ValueError as error:
        raise _unfit(text) from error
    folder, user = unquote(parts.path), parts.username or ""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    fits = HOST.fullmatch(host) and (not user or USER.fullmatch(user)) and folder.isprintable()
    if not fits or parts.password is not None or parts.query or len(text) > LONGEST:
        raise _unfit(text)
    plain = str(PurePosixPath(folder))
    if plain in {"/", "."} or ".." in PurePosixPath(folder).parts:
        raise _unfit(text)
    return SshPlace(host.strip("[]"), f"/{plain.lstrip('/')}", user, port)


def _unfit(text: str) -> InputError:
    # What stands before an @ may be a password.
    return InputError(
        f"{shown(re.sub('//.*@', '//...@', text))} is not a folder on another host",
        resolution="write ssh://HOST/FOLDER or ssh://USER@HOST:PORT/FOLDER",
    )


def _with_tag(text: str, name: str) -> str:
    """Return a reference that has a tag; by itself, an image's name gives one."""
    registry, repository, tag = split_oci(text)
    if ":" in tag:
        raise InputError(
            f"{shown(text)} names a digest, and what is pushed has its own",
            resolution="write oci://REGISTRY/REPOSITORY:TAG",
        )
    given = ":" in text.removeprefix("oci://").partition("/")[2]
    named = name.partition("@")[0].partition(":")[2]
    if not given and TAG.fullmatch(named):
        tag = named
    return f"oci://{registry}/{repository}:{tag}"


def called_at(target: Target, name: str) -> str:
    """What an image is called where it is pushed: in a registry by its reference.

    Args:
        target: where.
        name: what it is called here.
    """
    if target.kind != "oci":
        return name
    _, repository, tag = split_oci(target.text)
    return f"{repository.rpartition('/')[2][:64]}:{tag[:63]}"
