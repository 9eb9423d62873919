"""One machine of a registry, whole and checked, as the noun that a provisioner is made of."""

from collections.abc import Iterator, Mapping
from typing import Any

from raptorctl.model.diagnostic import Diagnostic, nearest
from raptorctl.model.registry import (
    PROVISIONER,
    SECONDS_SETTINGS,
    SETTING,
    SETTINGS,
    TEXT_SETTINGS,
    DeletionPolicy,
    DirectoryPool,
    NoCloudSeed,
    PoolVolume,
    RegistryVm,
    SshAccess,
    TaggedImage,
    Text,
    Tree,
)
from raptorctl.read.registry_image import DEFAULT_FORMAT
from raptorctl.read.shape import At, Checking

SOURCES = ("capacity", "backingVolume", "uploadFile")


def unfit(vm: Tree, at: At) -> Iterator[Diagnostic]:
    """Say what no schema can.

    Args:
        vm: the machine, as the schema has it.
        at: where it is.
    """
    check = Checking(whole=True)
    seen: set[tuple[str, str]] = set()
    for volume in vm["libvirt"].get("volumes") or []:
        key = At(f"{at.key}.libvirt.volumes.{volume['name']}", volume["name"].place)
        given = [word for word in SOURCES if volume.get(word) is not None]
        if not given:
            check.tell(key, f"has no source; say {', '.join(SOURCES)}")
        if {"backingVolume", "uploadFile"} <= set(given):
            check.tell(key, "has both backingVolume and uploadFile")
        name = (volume["poolName"], volume["name"])
        if name in seen:
            check.tell(key, f"is there twice in pool {volume['poolName']}")
        seen.add(name)
    yield from check.wrong


def unfit_settings(variables: Mapping[str, str], at: At) -> Iterator[Diagnostic]:
    """Say which of the provisioner's own variables cannot be.

    Args:
        variables: all of a machine's.
        at: where it is.
    """
    check = Checking(whole=True)
    for name, value in variables.items():
        if not name.startswith(SETTING):
            continue
        key, said = name.removeprefix(SETTING), At(f"{at.key}.vars.{name}", at.place)
        if key not in SETTINGS:
            known = nearest(name, [f"{SETTING}{one}" for one in SETTINGS])
            check.tell(said, f"is nothing that {PROVISIONER} knows", known)
        elif key in SECONDS_SETTINGS and not (value.isascii() and value.isdigit()):
            check.tell(said, "should be a whole number of seconds")
        elif key in TEXT_SETTINGS and ("$" in value or not value.isprintable()):
            check.tell(said, "should be text of one line without a dollar: it is no part of make")
    yield from check.wrong


def made(tree: Tree, variables: Mapping[str, str], image: TaggedImage, uri: str) -> RegistryVm:
    """Make the noun.

    Args:
        tree: vars, image, node and vm, with nothing wrong in them.
        variables: what each stands for.
        image: what the machine begins as.
        uri: of its libvirt.
    """
    vm = tree["vm"]
    libvirt = vm["libvirt"]
    return RegistryVm(
        name=str(vm["name"]),
        uri=uri,
        image=image,
        variables=variables,
        domain=str(libvirt["domain"]["name"]),
        virt_install=tuple(_arguments(libvirt["domain"].get("virtInstall") or {})),
        pools=tuple(map(_pool, libvirt.get("pools") or [])),
        volumes=tuple(map(_volume, libvirt.get("volumes") or [])),
        seed=_seed(vm.get("cloudInit")),
        ssh=_ssh(vm.get("ssh")),
        tree=tree,
    )


def _arguments(options: Mapping[Text, Tree]) -> Iterator[str]:
    """Arguments of virt-install(1), as vmp sorts them."""
    for key, value in sorted(options.items()):
        if isinstance(value, list):
            for item in value:
                if said := ",".join(_pairs(item.get("options") or {}, "")):
                    yield f"--{key}={said}"
        else:
            yield from _pairs({key: value}, "--")


def _pairs(options: Mapping[Text, Tree], before: str) -> Iterator[str]:
    for key, value in sorted(options.items()):
        if value is None or value.truth is False:
            continue
        yield f"{before}{key}" if value.truth else f"{before}{key}={value}"


def _pool(said: Tree) -> DirectoryPool:
    return DirectoryPool(str(said["name"]), str(said["directory"]["path"]), _policy(said))


def _volume(said: Tree) -> PoolVolume:
    below, upload = said.get("backingVolume"), said.get("uploadFile")
    return PoolVolume(
        pool=str(said["poolName"]),
        name=str(said["name"]),
        format=_format(said),
        policy=_policy(said),
        capacity=_text(said, "capacity"),
        upload=_text(upload or {}, "path"),
        backing=(str(below["poolName"]), str(below["name"]), _format(below)) if below else None,
    )


def _seed(said: Tree) -> NoCloudSeed | None:
    if not said:
        return None
    cloud = said["noCloud"]
    data: dict[str, Any] = {"meta-data": {}, "user-data": {}}
    data |= {str(key): value for key, value in cloud["data"].items() if value}
    return NoCloudSeed(str(cloud["seed"]["path"]), data)


def _ssh(said: Tree) -> SshAccess | None:
    if said is None:
        return None
    options = {
        str(key): ",".join(value) if isinstance(value, list) else str(value)
        for key, value in sorted((said.get("options") or {}).items())
        if value is not None
    }
    return SshAccess(_text(said, "user"), _text(said, "host"), _text(said, "password"), options)


def _policy(said: Tree) -> DeletionPolicy:
    return DeletionPolicy(_text(said, "deletionPolicy") or DeletionPolicy.DELETE)


def _format(said: Tree) -> str:
    return _text(said, "format") or DEFAULT_FORMAT


def _text(said: Tree, key: str) -> str:
    value = said.get(key)
    return "" if value is None else str(value)
