"""Which of what a registry names is the image of a disk: by platform, media type and title.

https://github.com/opencontainers/image-spec: image-index.md, manifest.md, annotations.md.
Nothing is guessed: several that fit are named, and so is what there is when none does.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from raptorctl.errors import HostError, ImageError
from raptorctl.model.image_source import BLOB, PACKED
from raptorctl.model.names import shown
from raptorctl.model.sizes import Size

MANIFESTS: Final = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
INDEXES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
CONTAINERS: Final = (
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
)
STATEMENT: Final = "application/vnd.raptorctl.image.statement.v1+json"
SIGNATURE: Final = "application/vnd.raptorctl.image.signature.v1"
"""What goes with an image that we push: `raptorctl.model.image_version.Paper`."""
EMPTY: Final = "application/vnd.oci.empty.v1+json"
OURS: Final = "linux/amd64"
ARCHITECTURES: Final = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64"}
"""As containerd has it (platforms, normalizeArch): some write what uname says."""

TITLE: Final = "org.opencontainers.image.title"
UNPACK: Final = "io.deis.oras.content.unpack"  # ORAS: of a folder, which is packed by tar
REFERENCE: Final = "vnd.docker.reference.type"  # BuildKit: docs/attestations/attestation-storage.md
NO_IMAGE: Final = re.compile(
    "cosign|sigstore|notary|in-toto|attestation|provenance|signature|sbom|spdx|cyclonedx"
)
"""In an artifact's type: what is said about an image, and is none."""

DISKS: Final = (".qcow2", ".raw", ".img", ".vmdk")
DISK_WORDS: Final = frozenset({"qcow2", "vmdk", "disk", "diskimage"})
"""In a media type, as application/vnd.kubevirt.disk.qcow2."""
FILES: Final = frozenset(
    {
        "application/octet-stream",
        "application/gzip",
        "application/x-gzip",
        "application/zstd",
        "application/x-xz",
        "application/x-7z-compressed",
    }
)
"""Media types of any file at all."""


@dataclass(frozen=True)
class Blob:
    """A layer.

    Args:
        digest: `sha256:...`.
        size: bytes.
        media: its type.
        title: what the file was called, or "".
        unpacks: whether it is a folder.
    """

    digest: str
    size: int
    media: str
    title: str
    unpacks: bool

    @property
    def said(self) -> str:
        """What people know it by."""
        name = shown(self.title) if self.title else self.digest[: len("sha256:") + 12]
        return f"{name} ({shown(self.media or 'of no type').strip(chr(39))}, {Size(self.size)})"

    @property
    def file_name(self) -> str:
        """Its title without the ending of an archive."""
        return self.title.rpartition(".")[0] if self.title.endswith(PACKED) else self.title


@dataclass(frozen=True)
class Found:
    """A layer that may be the image.

    Args:
        rank: 0 where title or type say so, 1 where it is some file, 2 where only a look can tell.
        blob: the layer.
        manifest: the digest of its manifest, where an index has several; or "".
        papers: what goes with it: its statement, and the signature of that.
    """

    rank: int
    blob: Blob
    manifest: str = ""
    papers: tuple[Blob | None, Blob | None] = (None, None)


def is_index(manifest: Mapping[str, Any]) -> bool:
    """Whether it names manifests, and no layers."""
    return manifest.get("mediaType") in INDEXES or "manifests" in manifest


def fitting(index: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the digests of the manifests for us: of linux on amd64, else of no platform.

    Raises:
        HostError: there is none; says what there is.
    """
    told = _tables(index.get("manifests"))
    images = [each for each in told if _is_image(each)]
    platforms = {id(each): _platform(each) for each in images}
    ours = [each for each in images if platforms[id(each)] in {OURS, f"{OURS}/v1"}]
    newer = [each for each in images if platforms[id(each)].startswith(f"{OURS}/")]
    bare = [each for each in images if not platforms[id(each)]]
    found = [str(each["digest"]) for each in ours or newer or bare if _is_known(each)]
    if not found:
        raise ImageError(_none(told, [p for p in platforms.values() if p]))
    return tuple(dict.fromkeys(found))


def _none(told: list[Mapping[str, Any]], platforms: list[str]) -> str:
    others = sorted(shown(platform).strip("'") for platform in set(platforms) - {OURS})
    if others:
        return f"it is for {', '.join(others)}, and not for {OURS}"
    if told and not platforms:
        return "its index names attestations and signatures alone, and no image"
    return "its index names no manifest"


def _is_image(entry: Mapping[str, Any]) -> bool:
    """Whether an index's entry is an image, and not what is said about one."""
    kind = entry.get("mediaType") or MANIFESTS[0]
    artifact = str(entry.get("artifactType") or "").lower()
    about = REFERENCE in _annotations(entry) or NO_IMAGE.search(artifact)
    return kind in {*MANIFESTS, *INDEXES} and not about and "unknown" not in _platform(entry)


def _platform(entry: Mapping[str, Any]) -> str:
    """Return `os/architecture`, and the variant if there is one; "" for none."""
    told = entry.get("platform")
    known = told if isinstance(told, dict) else {}
    system, machine, variant = (
        str(known.get(key) or "").lower() for key in ("os", "architecture", "variant")
    )
    if not machine:
        return "" if system in {"", "linux"} else system
    parts = (system or "linux", ARCHITECTURES.get(machine, machine), variant)
    return "/".join(part for part in parts if part)


def config_of(manifest: Mapping[str, Any]) -> str:
    """Return the digest of a manifest's config that may name a platform, or ""."""
    config = manifest.get("config")
    known = config if isinstance(config, dict) else {}
    media = str(known.get("mediaType") or "")
    return str(known["digest"]) if _is_known(known) and media not in {"", EMPTY} else ""


def refuse_foreign(config: Mapping[str, Any]) -> None:
    """Refuse a manifest whose config names another platform (image-spec, config.md).

    Raises:
        HostError: it is for another one; names it.
    """
    platform = _platform({"platform": config})
    if "/" not in platform or "unknown" in platform or f"{platform}/".startswith(f"{OURS}/"):
        return
    raise HostError(f"it is for {shown(platform).strip(chr(39))}, and not for {OURS}")


def candidates(manifest: Mapping[str, Any], digest: str = "") -> tuple[Found, ...]:
    """Return the layers that may be the image, of the best rank alone.

    Args:
        manifest: as the registry gave it.
        digest: its own, where an index has several.

    Raises:
        HostError: there is none; says what there is.
    """
    blobs = [_blob(each) for each in _tables(manifest.get("layers")) if _is_known(each)]
    blobs = [blob for blob in blobs if blob.media not in {EMPTY, STATEMENT, SIGNATURE}]
    config = manifest.get("config")
    container = isinstance(config, dict) and config.get("mediaType") in CONTAINERS
    told = paper(manifest, STATEMENT), paper(manifest, SIGNATURE)
    found = [Found(_rank(b), b, digest, told) for b in blobs if not _is_tar(b, container)]
    if not found:
        raise _no_file(blobs)
    return best(found)


def paper(manifest: Mapping[str, Any], media: str) -> Blob | None:
    """Return the statement or the signature that goes with an image, or None."""
    blobs = (_blob(each) for each in _tables(manifest.get("layers")) if _is_known(each))
    return next((blob for blob in blobs if blob.media == media), None)


def best(found: Iterable[Found]) -> tuple[Found, ...]:
    """Return those of the best rank, each blob once."""
    known = tuple(found)
    rank = min((each.rank for each in known), default=0)
    return tuple({each.blob.digest: each for each in known if each.rank == rank}.values())


def only(found: tuple[Found, ...]) -> Found:
    """Return the one that is meant.

    Raises:
        HostError: there are several; names them.
    """
    if len(found) == 1:
        return found[0]
    named = ", ".join(_named(each) for each in found)
    if found[0].rank > 1:
        raise ImageError(f"none of its files is known for an image of a disk: {named}")
    if len({each.manifest for each in found}) == len(found):
        raise ImageError(
            f"{len(found)} of its manifests are images of disks: {named}",
            resolution="name one by its digest, oci://REGISTRY/REPOSITORY@sha256:DIGEST",
        )
    raise ImageError(
        f"{len(found)} of its files may be the image: {named}",
        resolution="have the right one with `oras pull`, and pull ./FILE",
    )


def _named(found: Found) -> str:
    return f"{found.blob.said} of {found.manifest}" if found.manifest else found.blob.said


def _no_file(blobs: list[Blob]) -> HostError:
    if not blobs:
        return ImageError("it has no layer that could be an image, known by its SHA-256")
    return ImageError(
        "it is a container's image: its layers are tar archives, and no file that is a disk",
        resolution="of KubeVirt's containerDisk take the disk out, and pull ./FILE",
    )


def _is_tar(blob: Blob, container: bool) -> bool:
    """Whether a layer is a folder, and not a file; ORAS calls any file a tar archive by default."""
    words = set(re.split(r"[/.+;-]", blob.media))
    if blob.unpacks or "tar" not in words or _is_disk_title(blob.title):
        return blob.unpacks
    return container or bool(words & {"gzip", "gz", "zstd"})


def _rank(blob: Blob) -> int:
    if _is_disk_title(blob.title):
        return 0
    # Of what is called `notes.txt`, the type is no more than what somebody typed.
    denied = bool(re.search(r"\.[A-Za-z][A-Za-z0-9]{0,7}$", blob.file_name))
    if set(re.split(r"[/.+;-]", blob.media)) & DISK_WORDS and not denied:
        return 0
    return 1 if blob.media in FILES and not denied else 2


def _is_disk_title(title: str) -> bool:
    lower = title.lower()
    packed = next((ending for ending in PACKED if lower.endswith(ending)), "")
    return lower.removesuffix(packed).endswith(DISKS)


def _blob(layer: Mapping[str, Any]) -> Blob:
    notes = _annotations(layer)
    title, unpacks = str(notes.get(TITLE) or ""), notes.get(UNPACK) == "true"
    media = str(layer.get("mediaType") or "").lower()
    return Blob(str(layer["digest"]), int(layer["size"]), media, title, unpacks)


def _is_known(entry: Mapping[str, Any]) -> bool:
    """Whether it is named by a SHA-256 and a size."""
    size = entry.get("size")
    return bool(BLOB.fullmatch(str(entry.get("digest")))) and isinstance(size, int)


def _annotations(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    told = entry.get("annotations")
    return told if isinstance(told, dict) else {}


def _tables(data: Any) -> list[Mapping[str, Any]]:
    return [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []
