"""Which of several is the image, in a real registry: by platform, media type and title."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from raptorctl.errors import HostError
from tests.disks import disk, packed, raw_disk
from tests.images import Cache
from tests.integration.registry import INDEX, MANIFEST, QCOW2, Registry

TAR = "application/vnd.oci.image.layer.v1.tar"  # what `oras push` calls a file by default
FILE = "application/octet-stream"
EMPTY = "application/vnd.oci.empty.v1+json"
CONTAINER = "application/vnd.oci.image.config.v1+json"
TITLE = "org.opencontainers.image.title"
ATTESTATION = {"vnd.docker.reference.type": "attestation-manifest"}
UNKNOWN = {"os": "unknown", "architecture": "unknown"}
AMD64, ARM64 = ({"os": "linux", "architecture": each} for each in ("amd64", "arm64"))


@pytest.fixture
def image(tmp_path: Path) -> bytes:
    return disk(tmp_path / "image.qcow2").read_bytes()


@pytest.fixture
def other(tmp_path: Path) -> bytes:
    return disk(tmp_path / "other.qcow2", seed=2).read_bytes()


def push(
    running: Registry,
    *layers: tuple[str, str, bytes],
    config: str = EMPTY,
    about: bytes = b"{}",
    notes: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """Put files there as `oras push` does, each title, type and bytes; return an index's entry."""
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": config, "digest": running.push("web", about), "size": len(about)},
        "layers": [
            {"mediaType": media, "digest": running.push("web", data), "size": len(data),
             **({"annotations": {TITLE: title, **notes}} if title else {})}
            for title, media, data in layers
        ],
    }  # fmt: skip
    digest = running.manifest("web", "1", manifest)
    size = running.size("web", digest)
    return {"mediaType": MANIFEST, "digest": digest, "size": size}


def index(running: Registry, *entries: Mapping[str, Any], tag: str = "1") -> dict[str, Any]:
    told = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
    digest = running.manifest("web", tag, told)
    return {"mediaType": INDEX, "digest": digest, "size": running.size("web", digest)}


def pulled(cache: Cache, running: Registry) -> str:
    return cache.pull(f"oci://{running.address}/web:1").image.digest


def refused(cache: Cache, running: Registry, said: str) -> None:
    with pytest.raises(HostError, match=said):
        pulled(cache, running)
    assert cache.left("files", "names", "partial") == []


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# By platform


def test_an_index_without_amd64_is_refused_and_says_for_what_it_is(
    running: Registry, cache: Cache, image: bytes
) -> None:
    entry = push(running, ("disk.qcow2", QCOW2, image))
    arm = {**entry, "platform": {**ARM64, "variant": "v8"}}
    index(running, arm, {**entry, "platform": {"os": "freebsd", "architecture": "amd64"}})
    refused(cache, running, "it is for freebsd/amd64, linux/arm64/v8, and not for linux/amd64")


@pytest.mark.parametrize(
    "platform",
    [AMD64, {"os": "linux", "architecture": "x86_64"}, {"architecture": "amd64"},
     {**AMD64, "variant": "v1"}, {**AMD64, "variant": "v3"}],
)  # fmt: skip
def test_amd64_is_taken_wherever_it_stands(
    running: Registry, cache: Cache, image: bytes, other: bytes, platform: dict[str, str]
) -> None:
    arm = push(running, ("disk.qcow2", QCOW2, other))
    ours = push(running, ("disk.qcow2", QCOW2, image))
    bare = push(running, ("third.qcow2", QCOW2, other))
    index(running, {**arm, "platform": ARM64}, bare, {**ours, "platform": platform})
    assert pulled(cache, running) == sha256(image)


def test_the_oldest_variant_of_amd64_runs_everywhere(
    running: Registry, cache: Cache, image: bytes, other: bytes
) -> None:
    newer = push(running, ("disk.qcow2", QCOW2, other))
    index(running, {**newer, "platform": {**AMD64, "variant": "v3"}},
          {**push(running, ("disk.qcow2", QCOW2, image)), "platform": AMD64})  # fmt: skip
    assert pulled(cache, running) == sha256(image)


@pytest.mark.parametrize(
    ("media", "about"),
    [
        (CONTAINER, {"os": "linux", "architecture": "arm64", "variant": "v8"}),
        ("application/vnd.docker.container.image.v1+json", {"architecture": "aarch64"}),
        (
            "application/vnd.cirruslabs.tart.config.v1+json",
            {"os": "darwin", "architecture": "arm64"},
        ),
        (CONTAINER, {"os": "freebsd", "architecture": "amd64"}),
    ],
)
@pytest.mark.parametrize("indexed", [False, True])
def test_a_manifest_whose_config_names_another_platform_is_refused(
    running: Registry, cache: Cache, image: bytes, media: str, about: dict[str, str], indexed: bool
) -> None:
    told = json.dumps(about).encode()
    entry = push(running, ("disk.qcow2", QCOW2, image), config=media, about=told)
    if indexed:
        index(running, entry)
    machine = about["architecture"].replace("aarch64", "arm64")
    refused(
        cache, running, f"it is for {about.get('os', 'linux')}/{machine}.*, and not for linux/amd64"
    )


@pytest.mark.parametrize(
    "about",
    [b'{"os": "linux", "architecture": "amd64"}', b'{"architecture": "x86_64", "variant": "v2"}',
     b'{"architecture": ""}', b'{"os": "unknown", "architecture": "unknown"}', b"{}", b"[]", b"?"],
)  # fmt: skip
def test_a_config_that_names_ours_or_none_is_no_hindrance(
    running: Registry, cache: Cache, image: bytes, about: bytes
) -> None:
    push(running, ("disk.qcow2", QCOW2, image), config=CONTAINER, about=about)
    assert pulled(cache, running) == sha256(image)


@pytest.mark.parametrize("platform", [{}, {"platform": {}}, {"platform": {"os": "linux"}}])
def test_one_without_a_platform_stands_in(
    running: Registry, cache: Cache, image: bytes, other: bytes, platform: dict[str, Any]
) -> None:
    arm = {**push(running, ("disk.qcow2", QCOW2, other)), "platform": ARM64}
    index(running, arm, {**push(running, ("disk.qcow2", QCOW2, image)), **platform})
    assert pulled(cache, running) == sha256(image)


# What is said about an image


@pytest.mark.parametrize(
    "sign",
    [
        {"platform": UNKNOWN, "annotations": ATTESTATION},
        {"platform": UNKNOWN},
        {"annotations": ATTESTATION},
        {"platform": AMD64, "annotations": ATTESTATION},
        {"artifactType": "application/vnd.dev.cosign.artifact.sig.v1+json"},
        {"artifactType": "application/spdx+json"},
    ],
)
def test_an_attestation_is_no_image(
    running: Registry, cache: Cache, image: bytes, sign: dict[str, Any]
) -> None:
    attestation = push(running, ("", "application/vnd.in-toto+json", b"{\n}"))
    index(running, {**attestation, **sign}, push(running, ("", QCOW2, image)))
    assert pulled(cache, running) == sha256(image)


def test_attestations_alone_are_said_so(running: Registry, cache: Cache) -> None:
    entry = push(running, ("", "application/vnd.in-toto+json", b"{\n}"))
    index(running, {**entry, "platform": UNKNOWN, "annotations": ATTESTATION})
    refused(cache, running, "its index names attestations and signatures alone, and no image")


# Several manifests for us


def test_of_several_manifests_the_one_with_a_disk_is_taken(
    running: Registry, cache: Cache, image: bytes
) -> None:
    index(running, push(running, ("sbom.json", "application/json", b"{\n}")),
          push(running, ("boot.iso", FILE, b"iso")), push(running, ("disk.qcow2", FILE, image)))  # fmt: skip
    assert pulled(cache, running) == sha256(image)


def test_of_several_manifests_with_disks_all_are_named(
    running: Registry, cache: Cache, image: bytes, other: bytes
) -> None:
    one, two = (push(running, (f"{sort}.qcow2", FILE, data), config=EMPTY)
                for sort, data in (("qemu", image), ("hyperv", other)))  # fmt: skip
    index(running, {**one, "platform": AMD64}, {**two, "platform": AMD64})
    named = rf"'qemu.qcow2' .* of {one['digest']}, 'hyperv.qcow2' .* of {two['digest']}"
    refused(cache, running, f"2 of its manifests are images of disks: {named}: .*@sha256:DIGEST")
    chosen = cache.pull(f"oci://{running.address}/web@{two['digest']}")
    assert chosen.image.digest == sha256(other)


def test_an_index_in_an_index_is_followed(running: Registry, cache: Cache, image: bytes) -> None:
    entry = push(running, ("disk.qcow2", FILE, image))
    index(running, index(running, {**entry, "platform": AMD64}, tag="inner"))
    assert pulled(cache, running) == sha256(image)


# Several files


@pytest.mark.parametrize("media", [TAR, FILE])
@pytest.mark.parametrize(
    "others", [["SHA256SUMS"], ["notes.txt"], ["OVMF.fd", "manifest.json"], ["disk.qcow2.asc"]]
)
def test_the_file_that_is_called_as_a_disk_is_the_image(
    running: Registry, cache: Cache, image: bytes, media: str, others: list[str]
) -> None:
    before = [(title, media, f"{title}\n".encode()) for title in others]
    push(
        running,
        *before,
        ("disk.qcow2", media, image),
        config="application/vnd.unknown.config.v1+json",
    )
    assert pulled(cache, running) == sha256(image)


@pytest.mark.parametrize("kind", ["xz", "zst", "gz"])
def test_a_title_may_end_as_an_archive_does(
    running: Registry, cache: Cache, tmp_path: Path, kind: str
) -> None:
    raw = raw_disk(tmp_path / "raw")
    archive = packed(raw, kind).read_bytes()
    push(running, ("notes", FILE, b"notes\n"), (f"disk.raw.{kind}", "application/zstd", archive))
    assert pulled(cache, running) == sha256(raw.read_bytes())


@pytest.mark.parametrize(
    "media", ["application/vnd.kubevirt.disk.qcow2", "application/x-qcow2", QCOW2]
)
def test_a_media_type_of_disks_tells_the_image(
    running: Registry, cache: Cache, image: bytes, media: str
) -> None:
    push(running, ("", FILE, b"notes\n"), ("", media, image))
    assert pulled(cache, running) == sha256(image)


def test_several_disks_are_refused_and_named(
    running: Registry, cache: Cache, image: bytes, other: bytes
) -> None:
    push(running, ("a.qcow2", FILE, image), ("b.qcow2", TAR, other), ("c.txt", FILE, b"c\n"))
    refused(cache, running, r"2 of its files may be the image: 'a.qcow2' .*, 'b.qcow2' \(app")


def test_several_files_of_which_none_is_known_are_named(running: Registry, cache: Cache) -> None:
    push(running, ("SHA256SUMS", TAR, b"a\n"), ("OVMF.fd", TAR, b"b\n"))
    refused(
        cache, running, "none of its files is known for an image of a disk: 'SHA256SUMS' .*OVMF"
    )


def test_the_same_file_twice_is_one(running: Registry, cache: Cache, image: bytes) -> None:
    push(running, ("a.qcow2", FILE, image), ("b.qcow2", FILE, image))
    assert pulled(cache, running) == sha256(image)


def test_the_layer_that_was_looked_at_is_named(running: Registry, cache: Cache) -> None:
    push(running, ("disk.img", FILE, b"not found\n"))
    refused(cache, running, r"/web:1: its layer 'disk.img' \(application/octet-stream, 10B\): "
            "it is not an image of a disk but text")  # fmt: skip


def test_a_title_promises_a_format(running: Registry, cache: Cache, tmp_path: Path) -> None:
    push(running, ("disk.qcow2", FILE, raw_disk(tmp_path / "raw").read_bytes()))
    refused(cache, running, r"it is called \.qcow2, but it is raw")


@pytest.mark.parametrize(
    ("media", "config"),
    [(f"{TAR}+gzip", CONTAINER), (TAR, CONTAINER), (f"{TAR}+gzip", EMPTY),
     ("application/vnd.docker.image.rootfs.diff.tar.gzip", CONTAINER)],
)  # fmt: skip
def test_a_container_is_refused_before_it_is_downloaded(
    running: Registry, cache: Cache, media: str, config: str
) -> None:
    push(running, ("", media, b"not even an archive"), config=config)
    refused(
        cache,
        running,
        "it is a container's image: its layers are tar archives, and no file that is a disk",
    )


def test_a_folder_of_oras_is_no_disk(running: Registry, cache: Cache) -> None:
    notes = {"io.deis.oras.content.unpack": "true"}
    push(running, ("disk.img", f"{TAR}+gzip", b"folder"), notes=notes)
    refused(cache, running, "no file that is a disk")


# Asked again


def test_a_refresh_with_nothing_new_downloads_nothing_and_says_so(
    running: Registry, cache: Cache, image: bytes, other: bytes
) -> None:
    push(running, ("disk.qcow2", FILE, image))
    pulled(cache, running)
    reference = f"oci://{running.address}/web:1"
    cache.watcher.titles.clear()
    assert cache.pull(reference, refresh=True).outcome == "already here"
    assert cache.watcher.titles == [f"ask {reference} for something newer"]
    push(running, ("disk.qcow2", FILE, other))
    assert cache.pull(reference, refresh=True).outcome == "pulled"
    assert f"download {reference}" in cache.watcher.titles
