"""Artifacts as builds of ours: upstream's own examples, images, seeds, and what cannot be."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from raptorctl.drivers.supply import Supply
from raptorctl.errors import InputError
from raptorctl.model.build import (
    Build,
    BuildDisk,
    BuildFile,
    BuildOutput,
    BuildShare,
    DiskFormat,
    Empty,
    Filesystem,
    Fit,
    FromImage,
    Resize,
)
from raptorctl.model.content import Content
from raptorctl.model.diagnostic import FileError
from raptorctl.model.sizes import Size
from raptorctl.read.b9.lower import lowered
from raptorctl.read.b9.typed import read_b9
from raptorctl.read.b9.unfold import unfold
from raptorctl.read.b9.variables import Unset, expanded
from raptorctl.render.content import Maker

SAMPLES = Path(__file__).parents[3] / "samples" / "b9"
GIB = 1 << 30


class Given:
    """Two files."""

    def file(self, path: str) -> bytes:
        if path == "b/deep/user-data":
            return b"#cloud-config\nhostname: $host\n"
        raise InputError(f"{path} is not there", resolution="write it")

    def url(self, url: str) -> bytes:
        return url.encode()


GIVEN: Supply = Given()


def make(content: Content, known: Mapping[str, str]) -> bytes:
    def put_in(text: str) -> str:
        made = expanded(text, known)
        if isinstance(made, Unset):
            raise InputError(made.problem, resolution=made.hint)
        return made

    return Maker(GIVEN, put_in).made(content)


def builds(text: str, file: str = "b/x.b9", **known: str) -> tuple[Build, ...]:
    return lowered(unfold([read_b9(text, file)], known), make, file).builds


def only(text: str) -> Build:
    (build,) = builds(text)
    return build


def problems(text: str) -> list[str]:
    with pytest.raises(FileError) as caught:
        builds(text)
    return [one.removeprefix("b/x.b9:") for one in caught.value.problems]


def images(targets: str, script: str = "NoVmScript") -> str:
    return f'Artifact (IID "v") (VmImages [{targets}] {script})'


def target(
    to: str = "Transient",
    source: str = '(From "base" KeepSize)',
    mount: str = '(MountPoint "/")',
) -> str:
    return f"ImageTarget {to} {source} {mount}"


def bash(lines: str) -> tuple[str, ...]:
    """What is added to it is its `$1` and so on."""
    return ("/bin/bash", "-e", "-c", lines, "bash")


def script(text: str, shares: str = "") -> str:
    return f"(VmScript X86_64 [{shares}] ({text}))"


def test_upstreams_minimal_example() -> None:
    (build,) = builds((SAMPLES / "minimal.b9").read_text(), "ex/minimal.b9")
    assert build.name == "test-libvirt"
    output = BuildOutput(file="ex/minimal-image-out.vmdk", format=DiskFormat.VMDK)
    source = FromImage("./ex/minimal-image-in.qcow2")
    assert build.disks == (BuildDisk(source, "/", outputs=(output,)),)
    assert build.shares == (BuildShare("/mnt/test-share-ro", "ex/test-share-ro"),)
    assert [step.command for step in build.steps] == [
        bash("/bin/cp /mnt/test-share-ro/test /test-2-passed\n/bin/touch /test-1-passed\n")
    ]
    assert [step.command for step in build.after] == [bash("echo ${1}\n")]


def test_upstreams_max_example() -> None:
    (build,) = builds((SAMPLES / "max.b9").read_text(), "max.b9")
    root, data = build.disks
    assert data.source == Empty(Size(64 * GIB), Filesystem.EXT4, "data")
    assert (root.mount, data.mount, data.name) == ("/", "/data", "disk2")
    assert "export PATH=$PATH:/bin" in build.steps[0].command[3]
    assert "\nset +e\nyum -y makecache\nset -e\n" in build.steps[0].command[3]


def test_upstreams_filer_goes_into_folders_and_out_of_its_own() -> None:
    (build,) = builds((SAMPLES / "filer.b9").read_text(), "vm/filer.b9")
    assert [share.path for share in build.shares] == ["vm/filer", "vm/../_common/upload"]
    assert build.disks[0].source == FromImage("fedora-20-prod")
    assert build.steps[0].command == bash(
        "dhclient\npushd /mnt/build_root > /dev/null\n./machine-\npopd > /dev/null\n"
        "pushd /mnt/common > /dev/null\n./post_export.sh\npopd > /dev/null\n"
    )


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("KeepSize", Resize()),
        ("(ResizeImage (ImageSize 1 GB))", Resize(Fit.DISK, Size(GIB))),
        ("(Resize (ImageSize 3 MB))", Resize(Fit.TO, Size(3 << 20))),
        ("ShrinkToMinimum", Resize(Fit.MINIMUM)),
        ("(ShrinkToMinimumAndIncrease (ImageSize 5 KB))", Resize(Fit.MINIMUM, Size(5 << 10))),
    ],
)
def test_sizes_are_powers_of_1024(said: str, meant: Resize) -> None:
    assert only(images(target(f'(Share "s" Raw {said})'))).disks[0].resize == meant
    assert only(images(target(source=f'(From "s" {said})'))).disks[0].resize == meant


def test_where_images_go() -> None:
    build = only(
        images(", ".join([
            target('(Share "s" QCow2 KeepSize)'),
            target('(LocalFile (Image "/o/x" Raw Ext4) KeepSize)', mount='(MountPoint "/a")'),
            target(mount="NotMounted"),
        ]))
    )  # fmt: skip
    assert [disk.outputs for disk in build.disks] == [
        (BuildOutput(image="s", format=DiskFormat.QCOW2),),
        (BuildOutput(file="/o/x", format=DiskFormat.RAW),),
        (),
    ]
    assert [disk.mount for disk in build.disks] == ["/", "/a", ""]


def test_a_mount_point_has_no_needless_parts() -> None:
    data = target(mount='(MountPoint "//srv/./data/")')
    build = only(images(target(mount='(MountPoint "//")') + ", " + data, script('Run "x" []')))
    assert [disk.mount for disk in build.disks] == ["/", "/srv/data"]


def test_the_image_of_root_is_entered_wherever_it_is_written() -> None:
    build = only(images(target(mount='(MountPoint "/a")') + ", " + target(), script('Run "x" []')))
    assert [(disk.mount, disk.name) for disk in build.disks] == [("/", ""), ("/a", "disk2")]


def test_a_partition_becomes_the_disk() -> None:
    source = '(SourceImage (Image "x" Raw Ext4) (Partition 2) KeepSize)'
    assert only(images(target(source=source))).disks[0].source == FromImage("./b/x", 2)


def test_an_empty_image_may_have_no_file_system() -> None:
    source = '(EmptyImage "l" NoFileSystem Raw (ImageSize 1 MB))'
    assert only(images(target(source=source))).disks[0].source == Empty(Size(1 << 20))


def test_a_script_is_one_shell() -> None:
    text = """Begin [ As "www" [In "/a b" [IgnoreErrors True [Verbosity Quiet [Run "a" ["b", "$$c"]]]]]
                    , As "root" [Verbosity OnlyStdErr [Run "d" []], IgnoreErrors False [NoOP]]
                    , In "/x" [In "/y" [Run "e" []]] ]"""
    assert only(images(target(), script(text))).steps[0].command == bash(
        "set +e\npushd '/a b' &> /dev/null\nrunuser -p -u www -- a b $c &> /dev/null\n"
        "popd > /dev/null\nset -e\n"
        "d > /dev/null\n"
        "pushd /y > /dev/null\ne\npopd > /dev/null\n"
    )


@pytest.mark.parametrize("text", ["NoOP", "Begin []", 'In "/" [NoOP]'])
def test_a_script_that_runs_nothing_is_no_step(text: str) -> None:
    assert only(images(target(mount="NotMounted"), script(text))).steps == ()


def test_shares_and_generated_sources() -> None:
    shares = """SharedDirectory "rw" (MountPoint "/rw"), SharedSources (MountPoint "/src"),
                SharedDirectoryRO "no" NotMounted"""
    text = images(target(), script('Run "x" []', shares))
    build = only(f'Sources [FromContent "a/b" (FromString "x")] [{text}]')
    assert build.shares == (
        BuildShare("/rw", "b/rw", writable=True),
        BuildShare("/src", files=(BuildFile("a/b", content=b"x"),)),
    )


SEED = """Let [("host", "web")] [Sources
  [ FromContent "meta-data" (FromString "instance-id: $host")
  , FromDirectory "deep" [FromFile "user-data" (Source ExpandVariables "user-data")]
  , SetPermissions 6 4 0 [IntoDirectory "a/$host" [FromFile "k" (Source NoConversion "${host}.key")]]
  ] [Artifact (IID "seed-$host") (CloudInit [%s] "out/$host")]]"""


def test_a_seed_is_an_image_of_its_files() -> None:
    build = only(SEED % "CI_ISO")
    assert build.name == "seed-web"
    assert build.files == (
        BuildFile("/meta-data", content=b"instance-id: $host"),
        BuildFile("/user-data", content=b"#cloud-config\nhostname: web\n"),
        BuildFile("/a/web/k", copy="b/web.key", mode=0o640),
    )
    output = BuildOutput(file="b/out/web.iso", format=DiskFormat.RAW)
    empty = Empty(filesystem=Filesystem.ISO, label="cidata")
    assert build.disks == (BuildDisk(empty, outputs=(output,)),)


def test_all_kinds_of_a_seed_have_the_same_files() -> None:
    iso, vfat = builds(SEED % "CI_DIR, CI_VFAT, CI_ISO, CI_VFAT")
    if iso.disks[0].source.filesystem is Filesystem.VFAT:  # type: ignore[union-attr]
        iso, vfat = vfat, iso
    assert iso.files == vfat.files
    assert {one.target for one in (*iso.outputs, *vfat.outputs)} == {
        "b/out/web.iso", "b/out/web.vfat", "b/out/web",
    }  # fmt: skip
    assert only(SEED % "CI_DIR").outputs == (BuildOutput(folder="b/out/web"),)


def test_of_two_files_in_one_place_the_later_one_is_there() -> None:
    text = """Sources [FromContent "a" (FromString "1"), FromContent "b" (FromString "2")]
      [Sources [FromContent "./a" (FromString "3")] [Artifact (IID "v") (CloudInit [CI_DIR] "o")]]"""
    assert [(one.to, one.content) for one in only(text).files] == [("/b", b"2"), ("/a", b"3")]


@pytest.mark.parametrize(
    ("content", "made"),
    [
        ('FromString "$x\\246"', "$xö".encode()),
        ('FromByteString "\\255"', b"\xff"),
        ('RenderBase64Binary "\\255"', b"/w=="),
        ('RenderBase64BinaryFile "deep/user-data"', b"I2Nsb3VkLWNvbmZpZwpob3N0bmFtZTogJGhvc3QK"),
        ('FromURL "http://x.test/"', b"http://x.test/"),
        ('RenderYamlObject (ASTMerge [AST (YamlObject "k: 1"), AST (YamlObject "k: 2")])',
         b'"k":\n  - 1\n  - 2\n'),
        ("""RenderCloudConfig (ASTMerge
              [ ASTParse (Source NoConversion "deep/user-data")
              , ASTObj [ ("runcmd", ASTArr [ASTString "a", ASTInt 1, ASTEmbed (FromString "b")]) ]
              , AST (MkCloudConfigYaml {fromCloudConfigYaml = YamlObject "#cloud-config\\nruncmd: c"})
              ])""",
         b'#cloud-config\nhostname: "$host"\nruncmd:\n  - "a"\n  - 1\n  - "b"\n  - "c"\n'),
    ],
)  # fmt: skip
def test_each_content_is_what_b9_makes_of_it(content: str, made: bytes) -> None:
    text = (
        f"""Sources [FromContent "f" ({content})] [Artifact (IID "v") (CloudInit [CI_DIR] "o")]"""
    )
    assert only(text).files == (BuildFile("/f", content=made),)


def test_a_text_as_it_is_is_a_copy() -> None:
    text = 'FromContent "f" (FromTextFile (Source NoConversion "deep/user-data"))'
    assert only(seed(text)).files == (BuildFile("/f", copy="b/deep/user-data"),)


def seed(sources: str) -> str:
    return f'Sources [{sources}] [Artifact (IID "v") (CloudInit [CI_DIR] "o")]'


def empty(filesystem: str, size: str = "ImageSize 1 GB", label: str = "l") -> str:
    return target(source=f'(EmptyImage "{label}" {filesystem} Raw ({size}))')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (images(""), "1:21: the artifact 'v' has no image"),
        (images(target(mount="NotMounted"), script('Run "x" []')),
         "1:21: no image is mounted at /, where the script is run"),
        (images(target(mount='(MountPoint "a")')), "1:77: 'a' is no place to mount at; /, or"),
        (images(target(mount='(MountPoint "/../a")')), "1:77: '/../a' is no place to mount at"),
        (images(empty("ISO9660")), "1:69: an empty image of ISO9660 holds nothing; use CloudInit"),
        (images(empty("Ext4", "ImageSize 0 KB")), "1:79: 0 KB is no size of an image"),
        (images(empty("Ext4", "ImageSize (-1) GB")), "1:79: -1 GB is no size of an image"),
        (images(empty("Ext4", "ImageSize 99999999 GB")), "1:79: 99999999 GB is no size of an image"),
        (images(empty("VFAT", label="x" * 12)), "1:54: the label 'xxxxxxxxxxxx' is longer than the 11"),
        (images(target('(LocalFile (Image "o" Raw VFAT) ShrinkToMinimum)',
                       '(SourceImage (Image "i" Raw VFAT) NoPT KeepSize)')),
         "1:75: ShrinkToMinimum is for Ext4, not for VFAT; write ResizeImage or KeepSize"),
        (images(target('(Share "s" Raw ShrinkToMinimum)', '(From "b" (Resize (ImageSize 1 GB)))')),
         "1:86: source and destination have different sizes; write KeepSize in one of them"),
        (images(target(source='(SourceImage (Image "x" Raw Ext4) (Partition 0) KeepSize)')),
         "1:88: there is no partition 0; the first one is 1"),
        (images(", ".join([target('(LocalFile (Image "o" Raw Ext4) KeepSize)')] * 2)),
         "1:21: 'b/o' would be written twice"),
        (images(target('(LocalFile (Image "" Raw Ext4) KeepSize)')), "1:55: '' is no name of a file"),
        (images(target(source='(SourceImage (Image "a/" Raw Ext4) NoPT KeepSize)')),
         "1:67: 'a/' is no name of a file"),
        (images(target(source='(From "" KeepSize)')), "1:54: From names no image"),
        (images(target('(Share "A b" Raw KeepSize)')), "1:44: 'A b' is not an image's name"),
        (images(target('(LocalFile (Image "a\\0" Raw Ext4) KeepSize)')),
         "1:21: a path in it has a NUL, which no path can have"),
        (seed('FromFile "a" (Source NoConversion "\\0")'), "1:72: a path in it has a NUL"),
        (seed(""), "1:33: the seed 'v' has no files"),
        (seed('FromContent "../x" (FromString "")'), "1:22: '../x' is no path in a folder"),
        (seed('IntoDirectory "/etc" [FromContent "x" (FromString "")]'), "1:44: '/etc/x' is no path"),
        (seed('FromContent "a" (FromString ""), FromContent "a/b" (FromString "")'),
         "1:55: 'a/b' would be in a file, not in a folder"),
        (seed('SetPermissions 6 8 4 [FromContent "a" (FromString "")]'),
         "1:10: the permission 8 of group is none: 0 to 7"),
        (seed('SetPermissions 6 4 4 [SetPermissions 6 4 4 [FromContent "a" (FromString "")]]'),
         "1:32: permissions are set already, by the SetPermissions around it"),
        (seed('FromContent "a" (FromByteString "\\300")'), "1:42: has the character 300, which is no"),
        (seed('FromContent "a" (RenderYamlObject (ASTMerge []))'), "1:45: ASTMerge has nothing to"),
        (seed('FromContent "a" (FromTextFile (Source ExpandVariables "no"))'),
         "1:22: b/no is not there; write it"),
        (seed('FromContent "a" (FromTextFile (Source ExpandVariables "deep/user-data"))'),
         "1:22: 'b/deep/user-data': there is no variable 'host'; known: instance_id"),
        (seed('FromContent "a" (RenderCloudConfig (ASTMerge [ASTInt 1, ASTInt 2]))'),
         "1:22: it is '1' in one part and '2' in another; say it in one of them"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_in_its_place(text: str, said: str) -> None:
    assert problems(text)[0].startswith(said)


def test_a_fixup_gets_the_images_in_the_order_in_which_they_are_written() -> None:
    targets = target(mount='(MountPoint "/a")') + ", " + target()
    text = f'Artifact (IID "v") (VmImagesWithFixup [{targets}] NoVmScript (Run "x" []))'
    assert "the fixup's first image is not the one of /" in problems(text)[0]


def test_what_is_too_much_for_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    text = seed('FromContent "a" (FromString "12345"), FromContent "b" (FromString "12345")')
    monkeypatch.setattr("raptorctl.read.b9.lower.MOST_BYTES", 9)
    assert "all files are more than 0 MiB together" in problems(text)[0]
    monkeypatch.setattr("raptorctl.read.b9.lower.MOST_FILES", 1)
    assert "all artifacts have more than 1 files" in problems(text)[0]


@pytest.mark.parametrize("name", ["../x", "a b", "", "-x", "x" * 64])
def test_a_name_is_one_of_a_file(name: str) -> None:
    text = f'Artifact (IID "{name}") (CloudInit [CI_DIR] "x")'
    assert "is no name of a build" in problems(text)[0]


def test_shares_are_nothing_without_a_script() -> None:
    shares = 'SharedDirectory "rw" (MountPoint "/rw")'
    assert only(images(target(), script("NoOP", shares))).shares == ()


def test_each_disk_knows_its_place_in_its_file() -> None:
    text = images(target(mount='(MountPoint "/a")') + "\n, " + target())
    found = lowered(unfold([read_b9(text, "x.b9")], {}), make, "x.b9")
    assert found.wrong(found.builds[0], "from", "is odd").place == "x.b9:2:26"
    assert found.wrong(found.builds[0], "disks.disk2.from", "is odd").line == 1
    shares = 'SharedDirectory "a" NotMounted,\n SharedDirectory "b" (MountPoint "/b")'
    shared = images(target(), script('Run "x" []', shares))
    made = lowered(unfold([read_b9(shared, "x.b9")], {}), make, "x.b9")
    assert made.wrong(made.builds[0], "shares[0].path", "is odd").place == "x.b9:2:2"
    other = lowered(unfold([read_b9(text, "y.b9")], {}), make, "x.b9")
    assert other.wrong(other.builds[0], "from", "is odd").place == "y.b9:2:26"


def test_no_two_builds_have_one_name() -> None:
    seed = 'Artifact (IID "%s") (CloudInit [CI_VFAT, CI_ISO] "out/%s")'
    text = f'Sources [FromContent "meta-data" (FromString "")] [{seed % ("a", "a")},\n {seed}]'
    [said] = problems(text % ("a-vfat", "b"))
    assert said.startswith("2:27: two builds are called 'a-vfat'; a seed's second")
