"""Options for a machine's TPM, firmware, CD drive and huge pages."""

import enum
from typing import Annotated

import typer

from raptorctl.errors import InputError
from raptorctl.model.names import shown
from raptorctl.model.spec import BootDevice


class OnOff(enum.StrEnum):
    """What `--secure-boot` takes."""

    ON = "on"
    OFF = "off"


class PageSize(enum.StrEnum):
    """What `--hugepages` takes."""

    SMALL = "2M"
    LARGE = "1G"


IsoRef = Annotated[
    str | None,
    typer.Option(
        "--iso",
        metavar="REF",
        help="ISO for a CD drive, booted while the disk does not: a name, a URL, a file.",
        show_default=False,
    ),
]
HugePages = Annotated[
    PageSize | None,
    typer.Option("--hugepages", help="Make its memory of huge pages.", show_default=False),
]
Tpm = Annotated[
    bool | None,
    typer.Option("--tpm/--no-tpm", help="Emulate a TPM 2.0 (swtpm).", show_default=False),
]
SecureBoot = Annotated[
    OnOff | None,
    typer.Option(
        "--secure-boot",
        help="Boot only what is signed. Default: from the settings.",
        show_default=False,
    ),
]
BootOrder = Annotated[
    str | None,
    typer.Option(
        "--boot",
        metavar="LIST",
        help="What the firmware tries, in order: disk, cdrom, network.",
        show_default=False,
    ),
]


def boot_order(text: str) -> tuple[BootDevice, ...]:
    """Read what the firmware is to try.

    Raises:
        InputError: it names something else, or something twice.
    """
    known = {device.value: device for device in BootDevice}
    words, use = text.split(","), ", ".join(known)
    for word in words:
        if word not in known:
            raise InputError(f"{shown(word)} is no boot device", resolution=f"use {use}")
    if len(set(words)) < len(words):
        raise InputError("a boot order names each device once", resolution="e.g. disk,network")
    return tuple(known[word] for word in words)
