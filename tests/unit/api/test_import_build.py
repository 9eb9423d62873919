"""B9's files as ours: what is printed is read back as the same builds."""

from dataclasses import replace
from pathlib import Path

import pytest

from raptorctl.api.b9 import BuildText, build_sets
from raptorctl.api.import_build import import_b9
from raptorctl.errors import InputError
from raptorctl.model.build import Build
from raptorctl.model.file_format import FileFormat
from raptorctl.read.build_file import BuildReader, parse_builds

SAMPLES = Path(__file__).parents[2] / "samples" / "b9"
GIVEN = {"build_id": "ID", "build_date": "DATE", "arg_1": "one", "arg_2": "two"}
REST = {f"arg_{number}": "" for number in range(3, 10)}

MANY = r"""
Sources
  [ FromContent "user-data" (FromString "#cloud-config\nruncmd: [\"echo ${HOME} $$ \\n\"]\n")
  , FromContent "q" (FromString "a\n\"\"\"\n\"")
  , FromContent "raw" (FromByteString "\255\0\10")
  , SetPermissions 7 0 0 [FromFile "run" (Source NoConversion "bin/${arg_1}")]
  ]
  [ Artifact (IID "seed") (CloudInit [CI_ISO, CI_VFAT, CI_DIR] "out/${arg_2}")
  , Artifact (IID "disks")
      (VmImagesWithFixup
         [ ImageTarget (Share "web" Vmdk (Resize (ImageSize 8 GB)))
             (SourceImage (Image "base.img" QCow2 Ext4) NoPT KeepSize) (MountPoint "/")
         , ImageTarget (LocalFile (Image "data.img" QCow2 Ext4) ShrinkToMinimum)
             (EmptyImage "data" Ext4 Raw (ImageSize 64 MB)) (MountPoint "/d")
         , ImageTarget Transient (From "debian:13" (ShrinkToMinimumAndIncrease (ImageSize 5 MB))) NotMounted
         ]
         (VmScript X86_64 [SharedDirectory "rw" (MountPoint "/rw")]
            (In "/x" [Run "echo" ["\"$$PATH\"", "${build_id}", "'a\\b'"]]))
         (Run "sync" ["\"$1\""]))
  ]
"""


def both(text: str, file: str) -> tuple[tuple[Build, ...], tuple[Build, ...]]:
    """What is built of a file, and of what it is imported as."""
    (first,) = build_sets([BuildText(file, text)], {}, [GIVEN | REST])
    again = parse_builds(import_b9(text, file), BuildReader("raptor.toml", {}, GIVEN | REST))
    return tuple(map(plain, first.builds)), tuple(map(plain, again.builds))


def plain(build: Build) -> Build:
    """Formats that a file's name says as well are said."""
    disks = [
        replace(d, outputs=tuple(replace(one, format=one.written_as) for one in d.outputs))
        for d in build.disks
    ]
    return replace(build, disks=tuple(disks), variables={})


@pytest.mark.parametrize(
    "name", ["minimal", "minimal-sleep-5", "minimal-interactive", "max", "filer"]
)
def test_upstreams_own_are_the_same_builds(name: str) -> None:
    first, again = both((SAMPLES / f"{name}.b9").read_text(), f"b/{name}.b9")
    assert first == again


def test_all_that_a_build_can_be_is_read_back() -> None:
    first, again = both(MANY, "x.b9")
    assert first == again


def test_what_is_not_known_yet_stays_open() -> None:
    text = import_b9(MANY, "x.b9")
    assert 'copy = "bin/${arg_1}"' in text
    assert '{ file = "out/${arg_2}.iso" }' in text
    assert "\npushd /x" in text


def test_what_has_no_key_is_a_comment() -> None:
    text = """Sources [FromContent "a" (FromString "b")] [Artifact (IID "v") (VmImages
      [ImageTarget Transient (From "b" (ResizeImage (ImageSize 2 GB))) (MountPoint "/")]
      (VmScript X86_64 [SharedSources (MountPoint "/src")] (Run "x" [])))]"""
    said = import_b9(text, "x.b9")
    assert "# not imported: size: the disk alone would become 2G" in said
    assert "# not imported: share at /src: only folders are shared" in said
    assert "# not imported: output: all disks are thrown away" in said


def test_names_have_small_letters() -> None:
    one = 'Artifact (IID "{}") (VmImages [ImageTarget (Share "{}" Raw KeepSize) (From "b" KeepSize) NotMounted] NoVmScript)'
    assert "[build.web-arg_1]" in import_b9(one.format("Web-${arg_1}", "s"), "x.b9")
    two = f"Let [] [{one.format('a', 's')}, {one.format('A', 't')}]"
    with pytest.raises(InputError, match="two builds would be called 'a'"):
        import_b9(two, "x.b9")


def test_a_configuration_becomes_what_is_typed_instead() -> None:
    text = """[global]
repository_cache: Just (InB9UserDir "repo-cache")
max_cached_shared_images: Just 2
keep_temp_dirs: True
default_timeout_seconds: 60
timeout_factor: 3
log_file: Just "x"
[tilia-repo]
remote_path: /srv/b9
ssh_priv_key_file: /home/me/.ssh/id
ssh_remote_host: images.example.test
ssh_remote_port: 2222
ssh_remote_user: me
[systemdNspawn]
max_lifetime_seconds: Just 2
"""
    assert import_b9(text, "b9.conf", FileFormat.B9_CONF).splitlines() == [
        "# tilia-repo: raptorctl image push NAME ssh://me@images.example.test:2222/srv/b9",
        "# tilia-repo: raptorctl image pull ssh://me@images.example.test:2222/srv/b9#NAME",
        "# tilia-repo: ssh(1) is to know the key: IdentityFile /home/me/.ssh/id",
        "# repository_cache: raptorctl image pull ~/.b9/repo-cache/NAME_ID.qcow2 --name NAME",
        "# max_cached_shared_images: raptorctl image keep 2 NAME",
        "# timeout_factor: raptorctl build --timeout-factor 3",
        '# default_timeout_seconds: steps = [{ timeout = "60s" }]',
        '# max_lifetime_seconds: steps = [{ timeout = "2s" }]',
        "# keep_temp_dirs: raptorctl build --keep",
        "# not imported:7: global.log_file: has nothing like it in raptorctl; "
        "each build has a log of its own",
        "# not imported:14: systemdNspawn: has nothing like it in raptorctl; "
        "raptorctl boots a machine, or runs systemd-nspawn with --trust",
    ]  # fmt: skip
