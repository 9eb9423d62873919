"""Machines of a registry as the tables of `raptor.toml`, and what has no place there."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from raptorctl.model.diagnostic import Diagnostic
from raptorctl.model.names import MACHINE
from raptorctl.model.raptor_file import RaptorFile
from raptorctl.model.registry import SETTING, PoolVolume, RegistryVm, SshAccess, Text, Tree
from raptorctl.read.raptor_file import Reader, parse_tables
from raptorctl.read.registry import parse_registry
from raptorctl.read.registry_image import is_iso
from raptorctl.read.registry_yaml import place_of
from raptorctl.read.toml_places import Path, Place
from raptorctl.read.variables import literal
from raptorctl.read.vmfile import Table
from raptorctl.read.vmfile import Tree as Tables

SUFFIXES: Final = (".yaml", ".yml")
SIZE: Final = re.compile(r"([1-9][0-9]*)([MGT])(?:iB)?", re.ASCII)
"""As virsh has sizes in powers of 1024 (virsh(1), NOTES)."""
NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
NOTHING_TO_SAY: Final = {
    "osinfo", "os-variant", "import", "noautoconsole", "disk", "memory", "vcpus",
}  # fmt: skip
"""Options of virt-install that are said elsewhere, or that raptorctl decides by itself."""

KEYS: Final = {"network": "net", "graphics": "graphics", "boot": "boot", "tpm": "tpm"}
"""What says the like here, in other words."""


def registry_tables(files: Iterable[tuple[str, str]]) -> Tables:
    """Read a registry.

    Args:
        files: name and text of each.

    Raises:
        FileError: something in it cannot be; all of it, with line and column.
    """
    machines = parse_registry(files).machines()
    left = {vm.name: tuple(_left(vm)) for vm in machines}
    whole = {vm.name: _place(vm) for vm in machines}
    places: dict[Path, Place] = {("machine", name): place[1:] for name, place in whole.items()}
    said: Table = {"machine": {vm.name: _said(vm) for vm in machines}}
    in_files = {name: place[0] for name, place in whole.items()}
    sha256 = {vm.name: _sha256(vm) for vm in machines if vm.image.sha256}
    return Tables(said, places, left, in_files, sha256)


def parse_registry_machines(files: Iterable[tuple[str, str]], reader: Reader) -> RaptorFile:
    """Read a registry as if it were a file of ours.

    Raises:
        FileError: as `registry_tables`; or a machine is none that raptorctl can have.
    """
    tree = registry_tables(files)
    file = parse_tables(literal(tree.data), tree.places, replace(reader, files=tree.files))
    return replace(file, left=tree.left, sha256=tree.sha256)


def _place(vm: RegistryVm) -> tuple[str, int, int]:
    return place_of(vm.tree["vm"]["name"], ("", 0, 0))


def _sha256(vm: RegistryVm) -> Text:
    return Text(vm.image.sha256.lower(), place_of(vm.image.sha256, _place(vm)))


def _said(vm: RegistryVm) -> dict[str, Any]:
    """What raptorctl has a key for."""
    options = vm.tree["vm"]["libvirt"]["domain"].get("virtInstall") or {}
    said: dict[str, Any] = {"iso" if is_iso(vm.image.url) else "image": vm.image.url}
    if _is_number(options.get("vcpus")):
        said["cpus"] = int(options["vcpus"])
    if _is_number(options.get("memory")):
        said["memory"] = f"{int(options['memory'])}M"
    if size := _size(vm):
        said["size"] = size
    user = vm.variables.get(f"{SETTING}SSH_USER", (vm.ssh or SshAccess()).user)
    return said | ({"account": user} if user else {})


def _left(vm: RegistryVm) -> Iterator[Diagnostic]:
    """What it has not, each with where it stands and what to do."""
    tree = vm.tree["vm"]
    yield from _options(tree["libvirt"]["domain"].get("virtInstall") or {})
    for key, problem, hint in (*_unfit(vm), *_volumes(vm), *_login(vm)):
        yield Diagnostic(*_place(vm), key, problem, hint)


def _unfit(vm: RegistryVm) -> Iterator[tuple[str, str, str]]:
    if not MACHINE.fullmatch(vm.name):
        yield "name", f"{vm.name} is no machine's name", "choose another"
    for note in () if is_iso(vm.image.url) else vm.image.notes:
        yield "image", note, ""


def _volumes(vm: RegistryVm) -> Iterator[tuple[str, str, str]]:
    boot = _boot(vm)
    if boot and not SIZE.fullmatch(boot.capacity):
        yield "size", f"{boot.capacity} is in no unit of 1024", ""
    for volume in vm.volumes:
        if not volume.backing and not volume.upload and volume is not boot:
            said = f"{volume.pool}/{volume.name} of {volume.capacity}"
            yield "volumes", said, "write it as a disk of the machine"


def _login(vm: RegistryVm) -> Iterator[tuple[str, str, str]]:
    for name in vm.seed.data if vm.seed else ():
        if name != "meta-data":
            hint = f"`registry gen` writes it: name that file as {name.replace('-', '_')}"
            yield "cloudInit", f"{name} is a file of its own here", hint
    if vm.ssh and vm.ssh.password:
        yield "ssh", "password: machines are logged in to by key", "name keys"


def _options(options: Mapping[str, Tree]) -> Iterator[Diagnostic]:
    for key, value in options.items():
        wrong = key in {"memory", "vcpus"} and not _is_number(value)
        nothing = key in NOTHING_TO_SAY or value is None or (key, value) == ("graphics", "none")
        if wrong or not nothing:
            place = place_of(key, ("", 0, 0))
            hint = f"say {KEYS[key]}" if key in KEYS else ""
            yield Diagnostic(*place, f"virtInstall.{key}", "is virt-install's, and not read", hint)


def _size(vm: RegistryVm) -> str:
    """What the disk over the image is to hold, if that is said."""
    boot = _boot(vm)
    found = SIZE.fullmatch(boot.capacity) if boot else None
    return f"{found[1]}{found[2]}" if found else ""


def _boot(vm: RegistryVm) -> PoolVolume | None:
    """The disk over the image, or the empty one beside an ISO, whose capacity is said."""
    disks = (one for one in vm.volumes if one.capacity and not one.upload)
    return next((one for one in disks if one.backing or is_iso(vm.image.url)), None)


def _is_number(value: Tree) -> bool:
    return isinstance(value, str) and NUMBER.fullmatch(value) is not None
