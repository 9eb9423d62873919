"""A machine that stands on a session host, as the noun that a folder with a Makefile is made of.

Its domain is the same but for its UUID: by that, the folder knows its own domain from the one that
raptorctl has. Its disks are volumes of a pool in the folder, named by the definition as such
(formatdomain.html#hard-drives-floppy-disks-cdroms, type `volume`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, fields, replace
from typing import Final
from uuid import UUID, uuid5

from lxml import etree
from lxml.etree import _Element

from raptorctl.model.domain import Domain, Mark
from raptorctl.model.image import Image
from raptorctl.model.made import read_made
from raptorctl.model.names import MachineName
from raptorctl.model.registry import (
    SETTING,
    DeletionPolicy,
    DirectoryPool,
    NoCloudSeed,
    PoolVolume,
    RegistryVm,
    SshAccess,
    TaggedImage,
)
from raptorctl.model.seed import Seed
from raptorctl.model.volume import Volume
from raptorctl.render.read_domain import MACHINE_TAG, parse_domain

XML: Final = "domain.xml"
KNOWN_HOSTS: Final = "known_hosts"
SEED: Final = "seed.iso"
IMAGES: Final = ".images"
FOLDER: Final = UUID("4b1b9a1c-6a53-4a0e-9d63-2a6a0f6f4d11")
"""The namespace of the UUIDs of domains that folders define (RFC 9562, version 5)."""


@dataclass(frozen=True)
class StandingDisk:
    """A disk of a machine.

    Args:
        name: of its volume in the folder's pool.
        volume: as it stands.
        image: what it began as, or None.
    """

    name: str
    volume: Volume
    image: Image | None


@dataclass(frozen=True)
class StandingMachine:
    """A machine that stands.

    Args:
        domain: as it is defined.
        mark: its mark.
        disks: the first, and further ones.
        seed: what its cloud-init was told, and the file that says so; or None.
    """

    domain: Domain
    mark: Mark
    disks: tuple[StandingDisk, ...]
    seed: tuple[str, Seed] | None

    @property
    def name(self) -> MachineName:
        """The machine's."""
        return self.mark.name


def standing_vm(there: StandingMachine) -> RegistryVm:
    """Describe the same machine anew: what its disks hold is not carried over."""
    pool = there.domain.name
    images = dict.fromkeys(disk.image for disk in there.disks if disk.image)
    volumes = [*(_image_volume(pool, image) for image in images), *_disks(pool, there.disks)]
    seed = None
    if there.seed:
        volumes.append(PoolVolume(pool, SEED, "raw", DeletionPolicy.DELETE, upload=SEED))
        seed = NoCloudSeed(SEED, dict(_documents(there.seed[1])))
    uuid = str(uuid5(FOLDER, there.domain.uuid))
    files = {XML: _definition(there, uuid), **_known_hosts(there.mark)}
    return RegistryVm(
        name=there.name.machine,
        uri="qemu:///session",
        image=_tagged(next(iter(images), None)),
        variables={"DEFAULT_IMAGE_DIR": IMAGES, **_address(there.mark)},
        domain=there.domain.name,
        virt_install=(),
        pools=(DirectoryPool(pool, "pool", DeletionPolicy.DELETE),),
        volumes=tuple(volumes),
        seed=seed,
        ssh=_ssh(there.mark) if there.mark.ssh else None,
        tree={},
        uuid=uuid,
        files=files,
    )


def _tagged(image: Image | None) -> TaggedImage:
    if image is None:
        return TaggedImage("none", "", {}, "", "none", "raw")
    return TaggedImage(
        image.name, "", {}, image.source, _file(image), image.format, sha256=image.digest
    )


def _file(image: Image) -> str:
    return f"{image.short}.{image.format}"


def _image_volume(pool: str, image: Image) -> PoolVolume:
    name = _file(image)
    return PoolVolume(pool, name, image.format, DeletionPolicy.RETAIN, upload=f"{IMAGES}/{name}")


def _disks(pool: str, disks: tuple[StandingDisk, ...]) -> Iterator[PoolVolume]:
    for disk in disks:
        backing = (pool, _file(disk.image), disk.image.format) if disk.image else None
        kept = DeletionPolicy.RETAIN if disk.volume.kept else DeletionPolicy.DELETE
        capacity = str(int(disk.volume.size))
        yield PoolVolume(pool, disk.name, "qcow2", kept, capacity, backing=backing)


def _documents(seed: Seed) -> Iterator[tuple[str, str]]:
    for field, text in zip(fields(seed), astuple(seed), strict=True):
        if text:
            yield field.name.replace("_", "-"), text


def _known_hosts(mark: Mark) -> Mapping[str, str]:
    return {KNOWN_HOSTS: f"{mark.name.domain} {mark.host_key}\n"} if mark.host_key else {}


def _address(mark: Mark) -> Mapping[str, str]:
    """Say where ssh is forwarded from; a machine without network has no address."""
    host = mark.ssh.rpartition(":")[0]
    return {f"{SETTING}IP_CMD": f"echo {host}" if host else "echo it has no network >&2; exit 1"}


def _ssh(mark: Mark) -> SshAccess:
    made = read_made(mark.made)
    host, _, port = mark.ssh.rpartition(":")
    known = {
        "UserKnownHostsFile": KNOWN_HOSTS, "StrictHostKeyChecking": "yes",
        "HostKeyAlias": mark.name.domain,
    }  # fmt: skip
    user = (made.spec.account if made else None) or mark.tenant
    return SshAccess(user, host, options={"Port": port, **(known if mark.host_key else {})})


def _definition(there: StandingMachine, uuid: str) -> str:
    root = parse_domain(there.domain.xml)
    _drop(root, f"metadata/{MACHINE_TAG}", "devices//log", "os/nvram/source")
    _drop(root, "uuid")
    made = etree.Element("uuid")
    made.text = uuid
    root.insert(1, made)  # behind its name
    for nvram in root.findall("os/nvram"):  # its file is libvirt's choice
        nvram.text = None
        nvram.attrib.pop("type", "")
    names = {disk.volume.path: disk.name for disk in there.disks}
    if there.seed:
        names[there.seed[0]] = SEED
    for disk in root.findall("devices/disk"):
        _point(disk, there.domain.name, names)
    return etree.tostring(root, pretty_print=True, encoding="unicode")


def _point(disk: _Element, pool: str, names: Mapping[str, str]) -> None:
    """Have a disk name its volume in the place of its file."""
    source = disk.find("source")
    name = names.get(source.get("file") or "") if source is not None else None
    if source is None or name is None:
        return
    _drop(disk, "backingStore")
    disk.set("type", "volume")
    source.attrib.clear()
    for child in list(source):
        source.remove(child)
    source.set("pool", pool)
    source.set("volume", name)


def _drop(root: _Element, *paths: str) -> None:
    for path in paths:
        for element in root.findall(path):
            parent = element.getparent()
            if parent is not None:
                parent.remove(element)


def from_cache(image: Image) -> Image:
    """Return an image as it can be had without raptorctl: from where it was, or from the cache.

    Only what curl gets and needs no unpacking comes from its source: its digest is then the same.
    """
    plain = image.source.startswith(("https://", "http://"))
    packed = image.source.endswith((".xz", ".gz", ".zst", ".7z", ".zip", ".tar"))
    return image if plain and not packed else replace(image, source=f"file://{image.path}")
