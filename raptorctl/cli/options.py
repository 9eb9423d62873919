"""What several commands take, written once."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from raptorctl.cli.output import Format
from raptorctl.errors import InputError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.names import MachineName, parse_words, shown
from raptorctl.model.settings import DEFAULT_FILE, template_name
from raptorctl.model.sizes import Size

if TYPE_CHECKING:
    from raptorctl.plans.provision import ProvisionRequest

T = TypeVar("T")

SettingsFile = Annotated[
    Path,
    typer.Option(
        "--settings", metavar="FILE", help=f"Default: {DEFAULT_FILE}.", show_default=False
    ),
]
Details = Annotated[bool, typer.Option("-v", "--verbose", help="Say more about an error.")]
Words = Annotated[
    list[str],
    typer.Argument(
        metavar="TENANT MACHINE", help="`alice dev`, also written `alice-dev`.", show_default=False
    ),
]
Output = Annotated[Format, typer.Option("-o", "--output", help="What the result looks like.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan and stop.")]
Yes = Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")]
SizeText = Annotated[
    str, typer.Option("--size", metavar="SIZE", help="Of the disk: 40G, 2T.", show_default=False)
]
CpusText = Annotated[
    str,
    typer.Option(
        "--cpus",
        metavar="SET",
        help="Host CPUs, one for each virtual CPU, in order: 4-7 or 0,2,4.",
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
NoStart = Annotated[bool, typer.Option("--no-start", help="Make it, but do not start it.")]


def example(*lines: str) -> str:
    """Lay out examples for the end of a command's help; click leaves a block after \\b alone."""
    return "\n".join(("\b", "Example:", *(f"  {line}" for line in lines)))


def machine_name(words: list[str]) -> MachineName:
    """Read `alice dev` or `alice-dev`."""
    return parse_words(words)


def request(
    words: list[str],
    size: str,
    cpus: str,
    memory: str | None,
    slot: str,
    template: str | None,
    *,
    start: bool = True,
) -> "ProvisionRequest":
    """Turn what was typed into a request; every error names its option.

    Raises:
        InputError: something typed cannot be right on any host.
    """
    from raptorctl.plans.provision import ProvisionRequest

    return ProvisionRequest(
        name=machine_name(words),
        size=_named("--size", Size.parse, size),
        cpus=_named("--cpus", CpuSet.parse, cpus),
        memory=None if memory is None else _named("--memory", Size.parse, memory),
        slot=_named("--slot", _slot, slot),
        template=None if template is None else _named("--template", template_name, template),
        start=start,
    )


def _slot(text: str) -> int | None:
    if text == "auto":
        return None
    if not (text.isascii() and text.isdecimal() and 0 < len(text) < 10):
        raise InputError(f"{shown(text)} is not a slot", resolution="write its number, or auto")
    return int(text)


def _named(option: str, parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except InputError as error:
        raise InputError(f"{option}: {error.brief}", resolution=error.resolution) from error
