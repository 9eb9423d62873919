"""What a machine is asked for with: options of provision, and of commands that begin as it does."""

from collections.abc import Iterable
from typing import Annotated

import typer

from raptorctl.cli.options import machine_name, named, public_keys
from raptorctl.errors import InputError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.names import shown
from raptorctl.model.profile import NO_PROFILE, Graphics, Profile
from raptorctl.model.seed import Network
from raptorctl.model.settings import template_name
from raptorctl.model.sizes import Size
from raptorctl.plans.provision import ProvisionRequest

SizeText = Annotated[
    str | None,
    typer.Option(
        "--size",
        metavar="SIZE",
        help="Disk size: 40G, 2T. Session host default: the image's, or 10G.",
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
    typer.Option(
        "--memory",
        metavar="SIZE",
        help="Memory: 8G. Default: from the settings.",
        show_default=False,
    ),
]
SlotText = Annotated[
    str,
    typer.Option("--slot", metavar="N|auto", help="Network slot; auto takes the first free one."),
]
TemplateText = Annotated[
    str | None,
    typer.Option(
        "--template",
        metavar="NAME",
        help="Domain template. Default: from the settings.",
        show_default=False,
    ),
]
ImageRef = Annotated[
    str | None,
    typer.Option(
        "--image",
        metavar="REF",
        help="Image for the disk: a name, a URL, a file. Default: an empty disk.",
        show_default=False,
    ),
]
ProfileName = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="Profile to start from; options given here override it.",
        show_default=False,
    ),
]
UserDataFile = Annotated[
    str | None,
    typer.Option(
        "--user-data",
        metavar="FILE|-",
        help="Your cloud-config (merged with ours) or script; - reads standard input.",
        show_default=False,
    ),
]
NetworkKind = Annotated[
    Network | None,
    typer.Option("--network", help="How the guest gets its addresses.", show_default=False),
]
Screen = Annotated[
    Graphics | None,
    typer.Option("--graphics", help="Show its screen over SPICE or VNC.", show_default=False),
]
NoSeed = Annotated[bool, typer.Option("--no-seed", help="Do not make a seed for cloud-init.")]
AllowPrivateKey = Annotated[
    bool, typer.Option("--allow-private-key", help="Accept user-data that contains private keys.")
]
NoStart = Annotated[bool, typer.Option("--no-start", help="Create it, but do not start it.")]


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
) -> ProvisionRequest:
    """Turn what was typed, and what a profile says beside it, into a request.

    On a host of one's own (`own`) CPUs are counted, and neither they nor a size has to be said.

    Raises:
        InputError: something typed cannot be right on any host; every error names its option.
    """
    name = machine_name(words)
    if not own:
        given = {"--size": (size, profile.size), "--cpus": (cpus, profile.cpus)}
        _refuse_missing(option for option, values in given.items() if values == (None, None))
    return ProvisionRequest(
        name=name,
        size=profile.size if size is None else named("--size", Size.parse, size),
        cpus=CpuSet() if own or cpus is None else named("--cpus", CpuSet.parse, cpus),
        cpu_count=_count(cpus, profile, own=own),
        memory=profile.memory if memory is None else named("--memory", Size.parse_memory, memory),
        slot=named("--slot", _slot, slot),
        template=profile.template if template is None else _template(template),
        start=start,
        keys=public_keys(key),
        image=image or profile.image,
        graphics=profile.graphics,
    )


def _refuse_missing(options: Iterable[str]) -> None:
    """Name all that is missing at once."""
    if missing := list(options):
        verb, them = ("is", "it") if len(missing) == 1 else ("are", "them")
        raise InputError(
            f"{' and '.join(missing)} {verb} missing",
            resolution=f"give {them}, or a --profile that has {them}",
        )


def _count(cpus: str | None, profile: Profile, *, own: bool) -> int:
    """How many CPUs, where nobody says which: never on a host of one's own."""
    if own:
        return (profile.cpus or 0) if cpus is None else named("--cpus", count, cpus)
    return 0 if cpus is not None else profile.cpus or 0


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


def _slot(text: str) -> int | None:
    if text == "auto":
        return None
    if not (text.isascii() and text.isdecimal() and 0 < len(text) < 10):
        raise InputError(f"{shown(text)} is not a slot", resolution="write its number, or auto")
    return int(text)
