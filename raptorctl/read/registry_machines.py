"""Machines of a registry as the tables of `raptor.toml`, and what has no place there."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from raptorctl.model.raptor_file import RaptorFile
from raptorctl.model.registry import SETTING, RegistryVm, SshAccess, Text
from raptorctl.read.raptor_file import Reader, parse_tables
from raptorctl.read.registry import parse_registry
from raptorctl.read.registry_image import is_iso
from raptorctl.read.registry_left import SIZE, boot_volume, hostname_of, is_number, left_of
from raptorctl.read.registry_yaml import place_of
from raptorctl.read.toml_places import Path, Place
from raptorctl.read.variables import literal
from raptorctl.read.vmfile import Table
from raptorctl.read.vmfile import Tree as Tables

SUFFIXES: Final = (".yaml", ".yml")


def registry_tables(files: Iterable[tuple[str, str]]) -> Tables:
    """Read a registry.

    Args:
        files: name and text of each.

    Raises:
        FileError: something in it cannot be; all of it, with line and column.
    """
    machines = parse_registry(files).machines()
    left = {vm.name: tuple(left_of(vm)) for vm in machines}
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
    if is_number(options.get("vcpus")):
        said["cpus"] = int(options["vcpus"])
    if is_number(options.get("memory")):
        said["memory"] = f"{int(options['memory'])}M"
    if size := _size(vm):
        said["size"] = size
    user = vm.variables.get(f"{SETTING}SSH_USER", (vm.ssh or SshAccess()).user)
    more = {"hostname": hostname_of(vm), "account": user}
    return said | {key: value for key, value in more.items() if value}


def _size(vm: RegistryVm) -> str:
    """What the disk over the image is to hold, if that is said."""
    boot = boot_volume(vm)
    found = SIZE.fullmatch(boot.capacity) if boot else None
    return f"{found[1]}{found[2]}" if found else ""
