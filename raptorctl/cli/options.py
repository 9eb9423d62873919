"""What several commands take, written once."""

import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from raptorctl.cli.output import Format
from raptorctl.errors import InputError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.names import MachineName, parse_words, shown
from raptorctl.model.profile import NO_PROFILE, Graphics, Profile
from raptorctl.model.seed import Network
from raptorctl.model.settings import DEFAULT_FILE, template_name
from raptorctl.model.sizes import Size

if TYPE_CHECKING:
    from raptorctl.model.ssh_key import PublicKey
    from raptorctl.plans.provision import ProvisionRequest

T = TypeVar("T")

SettingsFile = Annotated[
    Path,
    typer.Option(
        "--settings", metavar="FILE", help=f"Default: {DEFAULT_FILE}.", show_default=False
    ),
]
Details = Annotated[bool, typer.Option("-v", "--verbose", help="Say more about an error.")]


def completed(context: typer.Context, words: list[str]) -> list[str]:
    """Put the caller's name before a machine's on a host of his own, where nobody else is."""
    from raptorctl.cli.session import Session
    from raptorctl.model.own import own_words

    session = context.obj
    if isinstance(session, Session) and session.own:
        return own_words(words, session.settings.owner)
    return words


Words = Annotated[
    list[str],
    typer.Argument(
        metavar="TENANT MACHINE",
        help="`alice dev`, also written `alice-dev`; on a host of your own `dev`.",
        callback=completed,
        show_default=False,
    ),
]
Output = Annotated[Format, typer.Option("-o", "--output", help="What the result looks like.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan and stop.")]
Yes = Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")]
SizeText = Annotated[
    str | None,
    typer.Option(
        "--size",
        metavar="SIZE",
        help="Of the disk: 40G, 2T. On a host of your own: the image's, or 10G.",
        show_default=False,
    ),
]
CpusText = Annotated[
    str | None,
    typer.Option(
        "--cpus",
        metavar="SET",
        help="Host CPUs, one for each virtual CPU, in order: 4-7 or 0,2,4. On a host of your own: "
        "how many; 2.",
        show_default=False,
    ),
]
MemoryText = Annotated[
    str | None,
    typer.Option("--memory", metavar="SIZE", help="Default: the settings'.", show_default=False),
]
SlotText = Annotated[
    str, typer.Option("--slot", metavar="N|auto", help="Place on the network; auto: first free.")
]
TemplateText = Annotated[
    str | None,
    typer.Option(
        "--template",
        metavar="NAME",
        help="Of the domain. Default: the settings'.",
        show_default=False,
    ),
]
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
ImageRef = Annotated[
    str | None,
    typer.Option(
        "--image",
        metavar="REF",
        help="What the disk begins as: an image's name, a URL, a file. Default: it is empty.",
        show_default=False,
    ),
]
ProfileName = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="A machine template: what this command does not say is as it says.",
        show_default=False,
    ),
]
UserDataFile = Annotated[
    str | None,
    typer.Option(
        "--user-data",
        metavar="FILE|-",
        help="Your own cloud-config, merged into ours, or a script; - is standard input.",
        show_default=False,
    ),
]
NetworkKind = Annotated[
    Network | None,
    typer.Option("--network", help="How the guest gets its addresses.", show_default=False),
]
Screen = Annotated[
    Graphics | None,
    typer.Option("--graphics", help="What shows its screen.", show_default=False),
]
NoSeed = Annotated[bool, typer.Option("--no-seed", help="Tell cloud-init nothing.")]
AllowPrivateKey = Annotated[
    bool, typer.Option("--allow-private-key", help="Let user-data hold private keys.")
]
NoStart = Annotated[bool, typer.Option("--no-start", help="Make it, but do not start it.")]


def example(*lines: str) -> str:
    """Lay out examples for the end of a command's help; click leaves a block after \\b alone."""
    return "\n".join(("\b", "Example:", *(f"  {line}" for line in lines)))


def machine_name(words: list[str]) -> MachineName:
    """Read `alice dev` or `alice-dev`."""
    return parse_words(words)


def request(
    words: list[str],
    size: str | None,
    cpus: str | None,
    memory: str | None,
    slot: str,
    template: str | None,
    key: str | None = None,
    image: str | None = None,
    profile: Profile = NO_PROFILE,
    *,
    start: bool = True,
    own: bool = False,
) -> "ProvisionRequest":
    """Turn what was typed, and what a profile says beside it, into a request.

    On a host of one's own (`own`) CPUs are counted, and neither they nor a size has to be said.

    Raises:
        InputError: something typed cannot be right on any host; every error names its option.
    """
    from raptorctl.plans.provision import ProvisionRequest

    return ProvisionRequest(
        name=machine_name(words),
        size=_given("--size", Size.parse, size, profile.size, needed=not own),
        cpus=CpuSet() if own or cpus is None else named("--cpus", CpuSet.parse, cpus),
        cpu_count=_count(cpus, profile, own=own),
        memory=profile.memory if memory is None else named("--memory", Size.parse, memory),
        slot=named("--slot", _slot, slot),
        template=profile.template if template is None else _template(template),
        start=start,
        keys=public_keys(key),
        image=image or profile.image,
        graphics=profile.graphics,
    )


def _given(
    option: str,
    parse: Callable[[str], T],
    text: str | None,
    default: T | None,
    *,
    needed: bool,
) -> T | None:
    if text is not None:
        return named(option, parse, text)
    return _needed(option, default) if needed else default


def _needed(option: str, value: T | None) -> T:
    if value is None:
        raise InputError(f"{option} is missing", resolution="say it, or a --profile that has one")
    return value


def _count(cpus: str | None, profile: Profile, *, own: bool) -> int:
    """How many CPUs, where nobody says which: never on a host of one's own."""
    if own:
        return (profile.cpus or 0) if cpus is None else named("--cpus", count, cpus)
    return 0 if cpus is not None else _needed("--cpus", profile.cpus)


def _template(text: str) -> str:
    return named("--template", template_name, text)


def count(text: str) -> int:
    """Read how many virtual CPUs a machine is to have, where none is pinned.

    Raises:
        InputError: it is no such number.
    """
    if not (text.isascii() and text.isdecimal() and 0 < len(text) < 4 and int(text)):
        raise InputError(
            f"{shown(text)} is not a number of CPUs",
            resolution="on a host of your own say how many, e.g. 2",
        )
    return int(text)


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
    """Read a text that somebody hands in; `-` is standard input.

    Args:
        path: of the file.
        largest: bytes.

    Raises:
        InputError: it cannot be read, is too large, or is not UTF-8.
    """
    from raptorctl.host.caller import read_given

    data = sys.stdin.buffer.read(largest + 1) if path == "-" else read_given(path, largest)
    if len(data) > largest:
        raise InputError(f"{shown(path)} is larger than {largest} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{shown(path)} is not UTF-8 text") from error


def _slot(text: str) -> int | None:
    if text == "auto":
        return None
    if not (text.isascii() and text.isdecimal() and 0 < len(text) < 10):
        raise InputError(f"{shown(text)} is not a slot", resolution="write its number, or auto")
    return int(text)


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


def named(option: str, parse: Callable[[str], T], text: str) -> T:
    """Read an option's text; an error names the option.

    Raises:
        InputError: `parse` will not have it.
    """
    try:
        return parse(text)
    except InputError as error:
        raise InputError(f"{option}: {error.brief}", resolution=error.resolution) from error
