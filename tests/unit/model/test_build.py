"""The nouns of builds."""

import pytest

from raptorctl.model.build import (
    Build,
    BuildDisk,
    BuildOutput,
    DiskFormat,
    Empty,
    Filesystem,
    Fit,
    FromImage,
    Resize,
)
from raptorctl.model.sizes import GIB, Size

ROOT = BuildDisk(FromImage("debian:13"), outputs=(BuildOutput(image="web"),))
AUDIO = BuildDisk(
    Empty(Size(64 * GIB), Filesystem.EXT4, "audio"),
    "/export/audio",
    outputs=(BuildOutput(file="out/1.vmdk"),),
    name="audio",
)


@pytest.mark.parametrize(
    ("output", "form"),
    [
        (BuildOutput(image="web"), DiskFormat.QCOW2),
        (BuildOutput(push="oci://registry.example/web"), DiskFormat.QCOW2),
        (BuildOutput(file="out/web.vmdk"), DiskFormat.VMDK),
        (BuildOutput(file="out/web.img"), DiskFormat.RAW),
        (BuildOutput(file="out/seed.iso"), DiskFormat.RAW),
        (BuildOutput(file="out/web"), DiskFormat.QCOW2),
        (BuildOutput(file="out/web.img", format=DiskFormat.QCOW2), DiskFormat.QCOW2),
    ],
)
def test_what_an_output_is_written_as_is_said_or_told_by_its_name(
    output: BuildOutput, form: DiskFormat
) -> None:
    assert output.written_as is form


@pytest.mark.parametrize(
    ("output", "form"),
    [
        (BuildOutput(image="seed"), DiskFormat.RAW),
        (BuildOutput(push="./images"), DiskFormat.RAW),
        (BuildOutput(file="out/seed"), DiskFormat.RAW),
        (BuildOutput(file="out/seed.qcow2"), DiskFormat.QCOW2),
        (BuildOutput(push="./images", format=DiskFormat.VMDK), DiskFormat.VMDK),
    ],
)
def test_an_iso_is_written_as_it_is_unless_another_format_is_said(
    output: BuildOutput, form: DiskFormat
) -> None:
    assert BuildDisk(Empty(filesystem=Filesystem.ISO)).written_as(output) is form


@pytest.mark.parametrize(
    ("path", "disk"),
    [("/etc/motd", ROOT), ("/export/audio/a", AUDIO), ("/export/audiobook", ROOT)],
)
def test_a_path_is_on_the_disk_that_is_mounted_nearest(path: str, disk: BuildDisk) -> None:
    assert Build("filer", (ROOT, AUDIO)).disk_of(path) is disk


def test_a_path_is_on_no_disk_where_none_is_mounted() -> None:
    assert Build("data", (BuildDisk(Empty(), ""),)).disk_of("/a") is None


def test_a_build_exports_what_its_disks_do_in_order() -> None:
    build = Build("filer", (ROOT, AUDIO))
    assert [output.target for output in build.outputs] == ["web", "out/1.vmdk"]


@pytest.mark.parametrize(
    ("resize", "text"),
    [
        (Resize(), "as it is"),
        (Resize(Fit.TO, Size(8 * GIB)), "8G"),
        (Resize(Fit.MINIMUM), "minimum"),
        (Resize(Fit.MINIMUM, Size(GIB)), "minimum+1G"),
    ],
)
def test_a_resize_is_told_as_it_is_written(resize: Resize, text: str) -> None:
    assert str(resize) == text
