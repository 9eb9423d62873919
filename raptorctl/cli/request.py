"""What a machine is asked for with: options of provision, and of commands that begin as it does."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Final, TypeVar

import typer

from raptorctl.api.session import Session
from raptorctl.cli.command import seed
from raptorctl.cli.hardware import BootOrder, HugePages, IsoRef, OnOff, SecureBoot, Tpm, boot_order
from raptorctl.cli.options import KeyFile, named, public_keys
from raptorctl.cli.profiles import read_profiles
from raptorctl.cli.seed_options import (
    AllowJinja,
    AllowPrivateKey,
    MetaDataFile,
    NetworkFile,
    NoSeed,
    SeedFolder,
    UserDataFile,
    VendorDataFile,
)
from raptorctl.errors import InputError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.disk import read_disks
from raptorctl.model.expiry import parse_expiry
from raptorctl.model.net import FORMS, read_nets
from raptorctl.model.seed import Network
from raptorctl.model.settings import template_name
from raptorctl.model.sizes import Size
from raptorctl.model.spec import CLOUD_TEXTS, Graphics, MachineSpec
from raptorctl.read.count import count, cpu_words, slot_number

T = TypeVar("T")

TEXTS: Final = {key: f"--{key.replace('_', '-')}" for key in CLOUD_TEXTS}
"""The option that names each file of cloud-init's."""

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
        metavar="N|SET",
        help="How many CPUs, chosen among the free ones: 4; or which, one for each virtual CPU, in "
        "order: 4-7 or 0,2,4. One alone is 4-4.",
        show_default=False,
    ),
]
EmulatorCpus = Annotated[
    str | None,
    typer.Option(
        "--emulator-cpus",
        metavar="SET",
        help="Host CPUs for QEMU's own threads. Default: the last two of --cpus.",
        show_default=False,
    ),
]
Share = Annotated[
    bool, typer.Option("--share", help="Take the CPUs that --cpus names, whoever has them.")
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
ProfileNames = Annotated[
    list[str] | None,
    typer.Option(
        "--profile",
        metavar="NAME|FILE",
        help="Profile to start from, by name or path; repeatable: each is laid over those before "
        "it. Options given here override it.",
        show_default=False,
    ),
]
Nets = Annotated[
    list[str] | None,
    typer.Option(
        "--net",
        metavar="NET",
        help=f"Network interface: {FORMS}. Ports are of loopback. Default: a slot; user on a "
        "session host.",
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
Disks = Annotated[
    list[str] | None,
    typer.Option(
        "--disk",
        metavar="NAME=SIZE",
        help="Add a disk: data=100G[,keep][,image=REF][,bus=scsi]; data=keep:dev.data takes up a "
        "kept one. Repeatable.",
        show_default=False,
    ),
]
Expires = Annotated[
    str | None,
    typer.Option(
        "--expires",
        metavar="DATE|SPAN",
        help="The first day it is not to run any more: 2027-01-31, 90d, never.",
        show_default=False,
    ),
]
NoStart = Annotated[bool, typer.Option("--no-start", help="Create it, but do not start it.")]


@dataclass(frozen=True)
class MachineOptions:
    """What may be said of a machine on a command line."""

    size: SizeText = None
    cpus: CpusText = None
    emulator_cpus: EmulatorCpus = None
    share: Share = False
    memory: MemoryText = None
    slot: SlotText = "auto"
    template: TemplateText = None
    key: KeyFile = None
    image: ImageRef = None
    iso: IsoRef = None
    profile: ProfileNames = None
    user_data: UserDataFile = None
    vendor_data: VendorDataFile = None
    net: Nets = None
    network: NetworkKind = None
    network_config: NetworkFile = None
    meta_data: MetaDataFile = None
    cloud_init: SeedFolder = None
    graphics: Screen = None
    hugepages: HugePages = None
    tpm: Tpm = None
    secure_boot: SecureBoot = None
    boot: BootOrder = None
    disk: Disks = None
    expires: Expires = None
    no_seed: NoSeed = False
    allow_private_key: AllowPrivateKey = False
    allow_jinja: AllowJinja = False

    def __post_init__(self) -> None:
        read = {"--key": self.key} | {option: getattr(self, key) for key, option in TEXTS.items()}
        if len(piped := [option for option, file in read.items() if file == "-"]) > 1:
            raise InputError(f"{' and '.join(piped)} cannot both be standard input")
        told = {**read, "--network": self.network, "--cloud-init": self.cloud_init}
        del told["--key"]
        if self.no_seed and (said := [option for option, value in told.items() if value]):
            raise InputError(f"--no-seed says nothing, so {said[0]} says too much")
        if self.network and self.network_config:
            raise InputError("--network-config says all of it, so --network says too much")


def new_machine(options: MachineOptions, session: Session) -> MachineSpec:
    """Return what a machine that is to be made should be: `asked`, and nothing needed is missing.

    Raises:
        InputError: as `asked`; or no size or CPUs were said, which a shared host has no default of.
    """
    spec = asked(options, session)
    if not session.on_session_host:
        needed = {"--size": spec.size, "--cpus": spec.cpus}
        _refuse_missing(option for option, value in needed.items() if value is None)
    return spec


def asked(options: MachineOptions, session: Session) -> MachineSpec:
    """Lay what was typed over the profiles that were named, and check what cloud-init is told.

    Args:
        options: what was typed.
        session: on a session host CPUs are counted; elsewhere they are named.

    Raises:
        InputError: something typed cannot be right on any host; every error names its option.
    """
    below = read_profiles(options.profile or (), session)
    spec = _typed(options, session_host=session.on_session_host).over(below)
    return replace(spec, **seed.texts(options, below))


def _typed(options: MachineOptions, *, session_host: bool) -> MachineSpec:
    return MachineSpec(
        size=_read("--size", Size.parse, options.size),
        cpus=_cpus(options.cpus, session_host=session_host),
        emulator_cpus=_read("--emulator-cpus", CpuSet.parse, options.emulator_cpus),
        share=options.share or None,
        memory=_read("--memory", Size.parse_memory, options.memory),
        slot=named("--slot", slot_number, options.slot),
        template=_read("--template", template_name, options.template),
        image=options.image,
        iso=options.iso,
        graphics=options.graphics,
        hugepages=_read("--hugepages", Size.parse, options.hugepages),
        tpm=options.tpm,
        secure_boot=None if options.secure_boot is None else options.secure_boot is OnOff.ON,
        boot=_read("--boot", boot_order, options.boot),
        net=named("--net", read_nets, options.net) if options.net else None,
        network=options.network,
        seed=False if options.no_seed else None,
        keys=public_keys(options.key) or None,
        disks=named("--disk", read_disks, options.disk) if options.disk else None,
        expires=_read("--expires", parse_expiry, options.expires),
    )


def _cpus(text: str | None, *, session_host: bool) -> CpuSet | int | None:
    return _read("--cpus", count if session_host else cpu_words, text)


def _read(option: str, parse: Callable[[str], T], text: str | None) -> T | None:
    return None if text is None else named(option, parse, text)


def _refuse_missing(options: Iterable[str]) -> None:
    """Name all that is missing at once."""
    if missing := list(options):
        verb, them = ("is", "it") if len(missing) == 1 else ("are", "them")
        raise InputError(
            f"{' and '.join(missing)} {verb} missing",
            resolution=f"give {them}, or a --profile that has {them}",
        )
