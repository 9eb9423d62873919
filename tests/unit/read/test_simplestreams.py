"""Indexes of simplestreams, as Ubuntu's and Incus' servers have them."""

import json
from typing import Any

import pytest

from raptorctl.errors import ImageError, InputError
from raptorctl.read.simplestreams import disks_of, is_streams, only_disk, product_files

DIGEST = "ab" * 32


def item(ftype: str, path: str, **more: Any) -> dict[str, Any]:
    return {"ftype": ftype, "path": path, "sha256": DIGEST, "size": 1000, **more}


UBUNTU: dict[str, Any] = {
    "content_id": "com.ubuntu.cloud:released:download",
    "datatype": "image-downloads",
    "format": "products:1.0",
    "products": {
        "com.ubuntu.cloud:server:24.04:amd64": {
            "aliases": "24.04,n,noble,default,lts", "arch": "amd64", "os": "ubuntu",
            "release": "noble", "version": "24.04",
            "versions": {
                "20240423": {"items": {"disk1.img": item("disk1.img", "server/a/1/x.img")}},
                "20240423.9": {"items": {"disk1.img": item("disk1.img", "server/a/9/x.img")}},
                "20240423.10": {"items": {
                    "disk1.img": item("disk1.img", "server/a/10/x.img"),
                    "lxd.tar.xz": item("lxd.tar.xz", "server/a/10/x.tar.xz"),
                }},
                "20240501": {"items": {"squashfs": item("squashfs", "server/a/b.squashfs")}},
            },
        },
        "com.ubuntu.cloud:server:24.04:arm64": {
            "aliases": "24.04", "arch": "arm64", "os": "ubuntu",
            "versions": {"1": {"items": {"disk1.img": item("disk1.img", "server/arm.img")}}},
        },
    },
}  # fmt: skip

INCUS: dict[str, Any] = {
    "datatype": "image-downloads",
    "format": "products:1.0",
    "products": {
        f"debian:trixie:amd64:{variant}": {
            "aliases": f"debian/trixie/{variant},debian/13/{variant}", "arch": "amd64",
            "os": "Debian", "release": "trixie", "variant": variant,
            "versions": {"20240101_05:24": {"items": {
                "disk.qcow2": item("disk-kvm.img", f"images/debian/{variant}/20240101_05:24/disk.qcow2"),
                "incus.tar.xz": item("incus.tar.xz", "images/debian/incus.tar.xz"),
                "root.squashfs": item("squashfs", "images/debian/rootfs.squashfs"),
            }}},
        }
        for variant in ("default", "cloud")
    },
}  # fmt: skip

INDEX: dict[str, Any] = {
    "format": "index:1.0",
    "index": {
        "images": {
            "datatype": "image-downloads",
            "format": "products:1.0",
            "path": "streams/v1/images.json",
        },
        "com.ubuntu.cloud:released:aws": {
            "datatype": "image-ids",
            "format": "products:1.0",
            "path": "streams/v1/aws.json",
        },
    },
}


def text(data: Any) -> bytes:
    return json.dumps(data).encode()


def chosen(data: Any, what: str, version: str = "") -> str:
    return only_disk(disks_of(text(data), "there", what, version), what, version).path


def test_lists_of_what_can_be_downloaded_are_read_and_no_others() -> None:
    assert is_streams(text(INDEX))
    assert product_files(text(INDEX), "there") == ("streams/v1/images.json",)


@pytest.mark.parametrize(
    "what", ["com.ubuntu.cloud:server:24.04:amd64", "24.04", "noble", "ubuntu:24.04", "ubuntu:lts"]
)
def test_a_product_is_found_by_all_that_it_is_called(what: str) -> None:
    assert chosen(UBUNTU, what) == "server/a/10/x.img"


def test_the_newest_version_that_has_a_disk_is_taken_or_the_one_that_is_asked_for() -> None:
    assert chosen(UBUNTU, "noble", "20240423.9") == "server/a/9/x.img"
    with pytest.raises(InputError, match=r"there is no disk .* called 'noble@20240501'"):
        chosen(UBUNTU, "noble", "20240501")


def test_incus_aliases_and_versions_are_read() -> None:
    path = "images/debian/cloud/20240101_05:24/disk.qcow2"
    assert chosen(INCUS, "debian/13/cloud") == path
    assert chosen(INCUS, "debian/13/cloud", "20240101_05:24") == path


def test_several_that_may_be_meant_are_named() -> None:
    with pytest.raises(InputError, match="debian:trixie:amd64:cloud, debian:trixie:amd64:default"):
        chosen(INCUS, "trixie")


def test_what_is_for_another_architecture_is_none() -> None:
    with pytest.raises(InputError, match="there is no disk of a virtual machine for amd64"):
        chosen(UBUNTU, "com.ubuntu.cloud:server:24.04:arm64")


def test_what_stands_at_the_top_counts_below() -> None:
    data = {"format": "products:1.0", "arch": "amd64", "ftype": "disk.img", "products": {
        "cirros": {"versions": {"1": {"items": {"x": {"path": "a/b.img", "sha256": DIGEST, "size": 5}}}}}}}  # fmt: skip
    assert chosen(data, "cirros") == "a/b.img"


@pytest.mark.parametrize(
    "more",
    [
        {"path": "../../etc/passwd"},
        {"path": "/etc/passwd"},
        {"path": "https://elsewhere/x.img"},
        {"path": "a/./b"},
        {"path": "a b"},
        {"sha256": "short"},
        {"sha256": None},
        {"size": 0},
        {"size": -5},
        {"size": "1000"},
        {"size": 1 << 64},
        {"size": True},
    ],
)
def test_what_cannot_be_checked_or_lies_elsewhere_is_no_disk(more: dict[str, Any]) -> None:
    disk = item("disk.img", "a.img") | more
    data = {"format": "products:1.0", "products": {
        "p": {"arch": "amd64", "versions": {"1": {"items": {"x": disk}}}}}}  # fmt: skip
    assert disks_of(text(data), "there", "p", "") == ()


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b"{}", b"<html>"])
def test_what_is_no_list_is_one_line(data: bytes) -> None:
    assert not is_streams(data)
    for read in (lambda: product_files(data, "there"), lambda: disks_of(data, "there", "p", "")):
        with pytest.raises(ImageError, match=r"^there: it ") as caught:
            read()
        assert "\n" not in caught.value.brief
