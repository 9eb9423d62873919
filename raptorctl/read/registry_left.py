"""What a machine of a registry has and raptorctl has no key for: each with where it stands."""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from raptorctl.model.diagnostic import Diagnostic
from raptorctl.model.names import MACHINE
from raptorctl.model.registry import DeletionPolicy, PoolVolume, RegistryVm, Tree
from raptorctl.model.spec import MachineSpec
from raptorctl.read.registry_image import is_iso
from raptorctl.read.registry_yaml import place_of

SIZE: Final = re.compile(r"([1-9][0-9]*)([MGT])(?:iB)?", re.ASCII)
"""As virsh has sizes in powers of 1024 (virsh(1), NOTES)."""
NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
NOTHING_TO_SAY: Final = {
    "osinfo", "os-variant", "import", "noautoconsole", "disk", "memory", "vcpus",
}  # fmt: skip
"""Options of virt-install that are said elsewhere, or that raptorctl decides by itself."""
KEYS: Final = {"network": "net", "graphics": "graphics", "boot": "boot", "tpm": "tpm"}
"""What says the like here, in other words."""
AS_DISK: Final = "write it as a disk of the machine"

Said = tuple[Tree, str, str, str]
"""What stands in the registry, its key, the problem, what to do."""


def left_of(vm: RegistryVm) -> Iterator[Diagnostic]:
    """Say what it has not, each with where it stands and what to do."""
    tree = vm.tree["vm"]
    options = tree["libvirt"]["domain"].get("virtInstall") or {}
    otherwise = place_of(tree["name"], ("", 0, 0))
    for part in (_options(options), _disks(vm, options.get("disk")), _unfit(vm), _volumes(vm),
                 _cloud_init(vm), _login(vm)):  # fmt: skip
        for value, key, problem, hint in part:
            yield Diagnostic(*place_of(value, otherwise), key, problem, hint)


def boot_volume(vm: RegistryVm) -> PoolVolume | None:
    """The disk over the image, or the empty one beside an ISO, whose capacity is said."""
    disks = (one for one in vm.volumes if one.capacity and not one.upload)
    return next((one for one in disks if one.backing or is_iso(vm.image.url)), None)


def hostname_of(vm: RegistryVm) -> str:
    """What meta-data calls the guest, if it can be called so; or ""."""
    from raptorctl.model.profile import Profile, broken_rules

    data = _documents(vm).get("meta-data")
    name = data.get("local-hostname") if isinstance(data, dict) else None
    fits = isinstance(name, str) and not any(broken_rules(Profile(MachineSpec(hostname=str(name)))))
    return str(name) if fits else ""


def is_number(value: Tree) -> bool:
    """Whether it is a whole number from 1, as virt-install has it."""
    return isinstance(value, str) and NUMBER.fullmatch(value) is not None


def _options(options: Mapping[str, Tree]) -> Iterator[Said]:
    for key, value in options.items():
        wrong = key in {"memory", "vcpus"} and not is_number(value)
        nothing = key in NOTHING_TO_SAY or value is None or (key, value) == ("graphics", "none")
        if wrong or not nothing:
            hint = f"say {KEYS[key]}" if key in KEYS else ""
            yield key, f"virtInstall.{key}", "is virt-install's, and not read", hint


def _disks(vm: RegistryVm, disks: Tree) -> Iterator[Said]:
    """Disks of virt-install that are none of the registry's volumes."""
    folders = {pool.name: pool.path.rstrip("/") for pool in vm.pools}
    known = {f"{one.pool}/{one.name}" for one in vm.volumes}
    known |= {f"{folders[one.pool]}/{one.name}" for one in vm.volumes if one.pool in folders}
    for item in disks if isinstance(disks, list) else ():
        options = item.get("options") or {}
        value = options.get("path") or options.get("vol") or item["name"]
        is_image = PurePosixPath(str(value)).name == vm.image.volume_name
        if str(value) not in known and not is_image:
            yield value, "virtInstall.disk", f"{value} is no volume of the registry", AS_DISK
    if isinstance(disks, str) and disks != "none" and not any(one in disks for one in known):
        yield disks, "virtInstall.disk", f"{disks} is no volume of the registry", AS_DISK


def _unfit(vm: RegistryVm) -> Iterator[Said]:
    tree = vm.tree
    if not MACHINE.fullmatch(vm.name):
        yield tree["vm"]["name"], "name", f"{vm.name} is no machine's name", "choose another"
    for note in () if is_iso(vm.image.url) else vm.image.notes:
        yield tree["vm"]["image"], "image", note, ""
    if path := vm.image.archive_path:
        yield path, "archive.path", f"{path} is not picked out", "unpack it, and name that file"
    if urlsplit(vm.uri).netloc:
        uri, problem = tree["node"]["libvirt"]["connection"]["uri"], "is on another host"
        yield (
            uri,
            "node",
            f"{vm.uri} {problem}, and the machine is made here",
            "run raptorctl there",
        )


def _volumes(vm: RegistryVm) -> Iterator[Said]:
    boot, trees = boot_volume(vm), vm.tree["vm"]["libvirt"].get("volumes") or []
    first = boot or next((one for one in vm.volumes if one.backing), None)
    for volume, tree in zip(vm.volumes, trees, strict=True):
        keeps = volume.policy is DeletionPolicy.RETAIN
        called = f"{volume.pool}/{volume.name}"
        if volume is first:
            if boot and not SIZE.fullmatch(boot.capacity):
                yield tree["capacity"], "size", f"{boot.capacity} is in no unit of 1024", ""
            if keeps:
                problem = f"{called} goes with its machine here"
                yield (
                    tree["deletionPolicy"],
                    "deletionPolicy",
                    problem,
                    "keep data on a further disk",
                )
        elif not _is_part(vm, volume, first):
            sources = {"of": volume.capacity, "from": volume.upload}
            sources |= {"over": "/".join(volume.backing[:2]) if volume.backing else ""}
            said = "".join(f" {word} {value}" for word, value in sources.items() if value)
            hint = f"{AS_DISK}, with keep = true" if keeps else AS_DISK
            yield tree["name"], "volumes", called + said, hint


def _is_part(vm: RegistryVm, volume: PoolVolume, boot: PoolVolume | None) -> bool:
    """Whether it holds the image, which is pulled here, or the seed, which is made here."""
    if boot and boot.backing and boot.backing[:2] == (volume.pool, volume.name):
        return True
    path = PurePosixPath(volume.upload)
    is_seed = vm.seed is not None and path == PurePosixPath(vm.seed.path)
    return bool(volume.upload) and (is_seed or path.name == vm.image.volume_name)


def _documents(vm: RegistryVm) -> Mapping[str, Tree]:
    said = vm.tree["vm"].get("cloudInit")
    found: Mapping[str, Tree] = said["noCloud"]["data"] if said else {}
    return found


def _cloud_init(vm: RegistryVm) -> Iterator[Said]:
    for name, data in _documents(vm).items():
        if name == "meta-data" and isinstance(data, dict):
            for key, value in data.items():
                is_said = key == "instance-id" or (key == "local-hostname" and hostname_of(vm))
                if value is not None and not is_said:
                    yield key, "cloudInit", f"meta-data: {key} is not read", "say meta_data"
        elif data:
            hint = f"`registry gen` writes it: name that file as {name.replace('-', '_')}"
            yield name, "cloudInit", f"{name} is a file of its own here", hint


def _login(vm: RegistryVm) -> Iterator[Said]:
    ssh = vm.tree["vm"].get("ssh") or {}
    if ssh.get("password"):
        problem = "password: machines are logged in to by key"
        yield ssh["password"], "ssh", problem, "name keys"
    if ssh.get("host"):
        yield ssh["host"], "ssh", "host: machines are found by their slot or network", "say net"
    if ssh.get("options"):
        names = ", ".join(map(str, ssh["options"]))
        yield ssh["options"], "ssh", f"options: {names}: not read", "write them into ~/.ssh/config"
