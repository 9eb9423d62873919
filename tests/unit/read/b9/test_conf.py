"""B9's configuration: its own examples, its README's, and what is told of one that is wrong."""

from pathlib import Path

import pytest

from raptorctl.model.b9_conf import B9Conf, B9Repository
from raptorctl.model.diagnostic import FileError
from raptorctl.read.b9.conf import LARGEST, read_conf

SAMPLES = Path(__file__).parents[3] / "samples" / "b9"
WRITTEN = """# as B9 writes it
[global]
build_dir_root: Just "/b"
keep_temp_dirs: True
max_cached_shared_images: Just 3
repository: Just "tilia"
repository_cache: Just (InB9UserDir "repo-cache")
default_timeout_seconds: 10
timeout_factor: 3
ext4_attributes: ["attr1", "attr2"]

[tilia-repo]
remote_path: /srv/b9
ssh_priv_key_file: /home/me/.ssh/id
ssh_remote_host: images.example.test
ssh_remote_port: 2222
ssh_remote_user: me

[systemdNspawn]
max_lifetime_seconds: Just 2
"""


def conf(text: str) -> B9Conf:
    return read_conf(text, "b9.conf")


def problems(text: str) -> list[str]:
    with pytest.raises(FileError) as caught:
        conf(text)
    return [one.removeprefix("b9.conf:") for one in caught.value.problems]


def test_what_b9_writes_is_read() -> None:
    read = conf(WRITTEN)
    assert (read.cache, read.cached, read.keep) == ("~/.b9/repo-cache", 3, True)
    assert (read.timeout, read.lifetime, read.timeout_factor) == (10, 2, 3)
    assert read.repositories == (
        B9Repository(
            "tilia", "/srv/b9", "/home/me/.ssh/id", "images.example.test", 2222, "me"
        ),
    )  # fmt: skip
    assert read.repository == "tilia"


def test_what_has_nothing_like_it_is_told_by_its_name() -> None:
    assert [(one.line, one.key) for one in conf(WRITTEN).left] == [
        (3, "global.build_dir_root"),
        (10, "global.ext4_attributes"),
        (19, "systemdNspawn"),
    ]


def test_the_readmes_bare_values_are_read() -> None:
    read = conf((SAMPLES / "sample.b9.conf").read_text())
    assert (read.cache, read.cached, read.timeout, read.timeout_factor) == (
        "~/.b9/repo-cache", 2, 3600, 4,
    )  # fmt: skip
    assert "global.repository" in [one.key for one in read.left]


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.conf")), ids=lambda path: path.name)
def test_upstreams_own_are_read(path: Path) -> None:
    assert conf(path.read_text()).cached == 2


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ('Path "/x"', "/x"),
        ('Just (InHomeDir "x")', "~/x"),
        ('InTempDir "x"', "/tmp/x"),
        ("Nothing", ""),
        ('Just "/x \\246"', "/x ö"),
        ("/x", "/x"),
    ],
)
def test_paths(said: str, meant: str) -> None:
    assert conf(f"[global]\nrepository_cache: {said}").cache == meant


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x: 1", "1: has a key before its first section"),
        ("[global]\nx", "2: is neither a section nor a key"),
        ("[global]\n[global]", "2: a section is there twice"),
        ("[global]\nrepository: a\nrepository: b", "3: 'repository' is there twice"),
        ("[globl]", "1: globl: is not known; did you mean global?"),
        ("[global]\nverbositi: 1", "2: global.verbositi: is not known; did you mean verbosity?"),
        ("[docker]\nx: 1", "2: docker.x: is not known; known: guest_capabilities, network"),
        ("[global]\nkeep_temp_dirs: yes", "2: global.keep_temp_dirs: should be True or False; it"),
        ("[global]\ntimeout_factor: Just 0", "2: global.timeout_factor: should be a whole number"),
        ("[global]\nrepository: \"\\q\"", "2: global.repository: \\q is no escape of Haskell"),
        ("[a-repo]", "1: a-repo: "),
        ("[a-repo]\nport: 1", "1: a-repo: "),
        ("# " + "x" * LARGEST, " is larger than 64 KiB"),
    ],
)  # fmt: skip
def test_what_is_wrong_has_its_line(text: str, said: str) -> None:
    assert problems(text)[0].startswith(said)
