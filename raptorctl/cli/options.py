"""What several commands take, written once."""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from raptorctl.cli.output import Format
from raptorctl.errors import InputError
from raptorctl.model.settings_file import DEFAULT_FILE

if TYPE_CHECKING:
    from raptorctl.api.session import Session
    from raptorctl.model.names import MachineName
    from raptorctl.model.ssh_key import PublicKey

S = TypeVar("S")
T = TypeVar("T")

SettingsFile = Annotated[
    Path,
    typer.Option(
        "--settings", metavar="FILE", help=f"Default: {DEFAULT_FILE}.", show_default=False
    ),
]
Details = Annotated[bool, typer.Option("-v", "--verbose", help="Show more about an error.")]


def completed(context: typer.Context, words: list[str]) -> list[str]:
    """Put the caller's name before a machine's on a host of their own, where nobody else is."""
    from raptorctl.api.session import Session
    from raptorctl.model.session_host import session_words

    session = context.obj
    if isinstance(session, Session) and session.on_session_host:
        return session_words(words, session.settings.owner)
    return words


def completed_if_any(context: typer.Context, words: list[str] | None) -> list[str]:
    """Do the same where a machine need not be named; Debian 13's typer takes no None back."""
    return completed(context, words) if words else []


Words = Annotated[
    list[str],
    typer.Argument(
        metavar="TENANT MACHINE",
        help="`alice dev`, also written `alice-dev`; on a host of your own `dev`.",
        callback=completed,
        show_default=False,
    ),
]
Output = Annotated[Format, typer.Option("-o", "--output", help="Output format.")]
FORMAT_OF_FILE: Any = typer.Option(
    "--format",
    help="What the file is, where its name or its text would tell otherwise.",
    show_default=False,
)
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan and stop.")]
Yes = Annotated[bool, typer.Option("-y", "--yes", help="Do not ask for confirmation.")]
TenantName = Annotated[
    str, typer.Argument(metavar="TENANT", help="1 to 16 of a-z and 0-9.", show_default=False)
]
KeyFile = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="FILE|-",
        help="The tenant's public ssh keys, one per line; - is standard input.",
        show_default=False,
    ),
]


@dataclass(frozen=True)
class Manner:
    """How a changing command goes about it."""

    dry_run: DryRun = False
    yes: Yes = False
    form: Output = Format.TEXT

    @property
    def asks(self) -> bool:
        """Whether somebody is to be asked before anything happens."""
        return not self.yes and not self.dry_run


@dataclass(frozen=True)
class Unasked:
    """How a changing command goes about it that destroys nothing, and never asks."""

    dry_run: DryRun = False
    form: Output = Format.TEXT


def example(*lines: str) -> str:
    """Lay out examples for the end of a command's help; click leaves a block after \\b alone."""
    return "\n".join(("\b", "Example:", *(f"  {line}" for line in lines)))


def only_tenant(session: "Session", tenant: str | None) -> str | None:
    """Return the tenant whose things alone a list is of, None for all.

    Raises:
        InputError: the word breaks the grammar, or the host is a person's own, without tenants.
    """
    from raptorctl.model.names import parse_tenant, shown

    if tenant is not None and session.on_session_host and tenant != session.settings.owner:
        raise InputError(
            f"this host is your own: there is no tenant {shown(tenant)} to list for",
            resolution="name nothing; to see one machine, `raptorctl show NAME`",
        )
    return None if tenant is None else parse_tenant(tenant)


def machine_name(words: list[str]) -> "MachineName":
    """Read `alice dev` or `alice-dev`."""
    from raptorctl.model.names import parse_words

    return parse_words(words)


def public_keys(path: str | None) -> "tuple[PublicKey, ...]":
    """Read the file of public keys that was named, if one was.

    Raises:
        InputError: it cannot be read, or is no list of good keys; says which line, never what
            stands there.
    """
    from raptorctl.model.ssh_key import LARGEST_FILE, parse_keys

    if path is None:
        return ()
    return named("--key", lambda given: parse_keys(given_text(given, LARGEST_FILE)), path)


def given_text(path: str, largest: int) -> str:
    """Read a text that somebody hands in, without a byte order mark; `-` is standard input.

    Args:
        path: of the file.
        largest: bytes.

    Raises:
        InputError: it cannot be read, is too large, or is not UTF-8.
    """
    from raptorctl.host.system.caller import read_given
    from raptorctl.model.encoding import decoded, without_mark
    from raptorctl.model.names import shown

    data = sys.stdin.buffer.read(largest + 1) if path == "-" else read_given(path, largest)
    if len(data) > largest:
        raise InputError(f"{shown(path)} is larger than {largest} bytes")
    return without_mark(decoded(data, shown(path)))


def seconds(flag: str, text: str, *, most: float, least: float = 0, default: bool = True) -> Any:
    """An option that takes seconds.

    Args:
        flag: the option.
        text: its help.
        most: seconds.
        least: likewise.
        default: whether the help shows it.
    """
    return typer.Option(
        flag,
        metavar="SECONDS",
        min=least,
        max=most,
        callback=_finite,
        help=text,
        show_default=default,
    )


def _finite(seconds: float | None) -> float | None:
    """Refuse what is no number: `nan` is neither below nor above any bound."""
    if seconds is not None and not math.isfinite(seconds):
        raise InputError(f"{seconds} is no number of seconds")
    return seconds


def named(option: str, parse: Callable[[S], T], text: S) -> T:
    """Read an option's text, or texts; an error names the option.

    Raises:
        InputError: `parse` will not have it.
    """
    try:
        return parse(text)
    except InputError as error:
        raise InputError(
            f"{option}: {error.brief}", resolution=error.resolution, code=error.code, subject=option
        ) from error
