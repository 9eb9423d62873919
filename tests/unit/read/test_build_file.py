"""`[build.NAME]`: what it may say, and that all that is wrong is told at once, in its place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raptorctl.model.build import (
    BuildOutput,
    BuildShare,
    DiskFormat,
    Empty,
    Filesystem,
    Fit,
    FromImage,
    Resize,
    Verbosity,
    Way,
)
from raptorctl.model.build_set import BuildSet
from raptorctl.model.diagnostic import FileError
from raptorctl.model.sizes import GIB, Size
from raptorctl.read.build_file import BuildReader, parse_builds
from raptorctl.read.raptor_file import Reader, parse_raptor_file

WHOLE = """
[vars]
release = "13"
[build.web]
from = "debian:${release}"
size = "minimum+1G"
way = "boot"
network = false
files = [
    { copy = "site/", to = "/srv//site/" },
    { content = "${arg_1} ${build_id} $$1", to = "/etc/motd", mode = "0600", owner = "7:8" },
    { base64 = "AAE=", to = "/key" },
]
shares = [{ path = "../upload", at = "/mnt/common", writable = true }]
steps = [
    { run = "install.sh", dir = "/mnt/common", user = "root", timeout = "20m" },
    { command = ["./a", "b c"], ignore_errors = true, verbosity = "errors", timeout = 5 },
]
after = [{ inline = "true" }]
output = [{ image = "web" }, { file = "out/web.vmdk" }, { file = "out/web", format = "raw" }]
[build.web.disks.data]
from = { empty = "64G", filesystem = "ext4", label = "audio" }
at = "/export/audio"
[build.seed]
from = { filesystem = "iso9660", label = "cidata" }
files = [{ content = "x", to = "/meta-data" }]
output = [{ folder = "seed" }]
"""
OUT = 'output = [{ image = "a" }]\n'


def read(text: str, **given: str) -> BuildSet:
    known = {"build_id": "B1", "build_date": "D1", "arg_1": "one", **given}
    return parse_builds(text, BuildReader("raptor.toml", given=known))


def wrong(text: str) -> tuple[str, ...]:
    with pytest.raises(FileError) as caught:
        read(text)
    assert caught.value.exit_code == 2
    return caught.value.problems


def one(line: str, said: str = 'from = "debian:13"\n') -> str:
    """What is wrong with a build that is right but for one line, its fourth."""
    found = wrong(f"[build.a]\n{said}{OUT}{line}\n")
    assert len(found) == 1
    return found[0].removeprefix("raptor.toml:4:").partition(": ")[2]


def test_a_whole_file() -> None:
    web, seed = read(WHOLE).builds
    root, data = web.disks
    assert root.source == FromImage("debian:13")
    assert root.resize == Resize(Fit.MINIMUM, Size(GIB))
    assert data.source == Empty(Size(64 * GIB), Filesystem.EXT4, "audio")
    assert (data.name, data.mount, data.outputs) == ("data", "/export/audio", ())
    assert [file.to for file in web.files] == ["/srv/site", "/etc/motd", "/key"]
    assert [file.content for file in web.files] == [None, b"one B1 $1", b"\0\1"]
    assert (web.files[1].mode, web.files[1].owner) == (0o600, (7, 8))
    assert web.shares == (BuildShare("/mnt/common", "../upload", writable=True),)
    assert [step.timeout for step in web.steps] == [1200.0, 5.0]
    assert web.steps[1].command == ("./a", "b c")
    assert web.steps[1].verbosity is Verbosity.ERRORS
    assert (web.way, web.network) == (Way.BOOT, False)
    assert [o.written_as for o in web.outputs] == [
        DiskFormat.QCOW2, DiskFormat.VMDK, DiskFormat.RAW,
    ]  # fmt: skip
    assert seed.disks[0].source == Empty(Size(0), Filesystem.ISO, "cidata")
    assert seed.outputs == (BuildOutput(folder="seed"),)


def test_a_file_of_machines_may_have_builds_beside_them() -> None:
    assert parse_raptor_file(WHOLE, Reader("raptor.toml", "me")).machines == ()


MANY = [str(number) for number in range(100)]
MATRIX = '[build.a]\nfrom = "debian:13"\noutput = [{ image = "${build}" }]\n'


def test_variables_have_one_another_and_a_builds_own_in_them() -> None:
    text = (
        '[vars]\na = "${b}.${build}"\nb = "x$$"\nc = "${machine}"\n[build.web]\nfrom = "${a}"\n'
        + OUT
    )
    (web,) = read(text).builds
    assert web.disks[0].source == FromImage("x$.web")
    assert (web.variables["a"], "c" in web.variables) == ("x$.web", False)
    (said,) = wrong(text.replace("x$$", "${a}"))
    assert said == "raptor.toml:6:1: build.web.from: stands for itself: a -> b -> a"


def test_a_matrix_is_a_product_whose_first_list_varies_slowest() -> None:
    text = f'{MATRIX}matrix = {{ f = ["s", "l"], r = ["eu", "us", "ap"] }}'
    found = read(text)
    names = ["a-s-eu", "a-s-us", "a-s-ap", "a-l-eu", "a-l-us", "a-l-ap"]
    assert [build.name for build in found.builds] == names
    assert [output.image for build in found.builds for output in build.outputs] == names
    assert [build.name for build in found.picked(["a-l-us"])] == ["a-l-us"]
    assert len(found.picked(["a"])) == 6


def test_a_matrix_that_is_zipped_pairs_its_lists() -> None:
    text = f'{MATRIX}zip = true\nmatrix = {{ f = ["s", "l"], r = ["eu", "us"] }}'
    assert [build.name for build in read(text).builds] == ["a-s-eu", "a-l-us"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("out = 1", "build.a.out: is not known here; did you mean output?"),
        ('size = "64 ZB"', "build.a.size: '64 ZB' is not a size: write a whole number and K, M, G "
         "or T, e.g. 40G, or minimum, or minimum+1G"),
        ("size = 8", 'build.a.size: should be text, e.g. "8G"'),
        ('way = "fly"', "build.a.way: 'fly' should be one of edit, boot, nspawn"),
        ('network = "no"', "build.a.network: should be true or false"),
        ('files = [{ content = "" }]', "build.a.files.0.to: is missing"),
        ('files = [{ copy = "a", content = "", to = "/a" }]',
         "build.a.files.0: should say one of copy, content, base64, url and merge"),
        ('files = [{ url = "ftp://x/", to = "/a" }]',
         "build.a.files.0: url: 'ftp://x/' is none of http or https"),
        ('files = [{ url = "https://x/", sha256 = "12", to = "/a" }]',
         "build.a.files.0: sha256: should be 64 hexadecimal digits"),
        ('files = [{ copy = "a", glue = true, to = "/a" }]',
         "build.a.files.0: sha256 is for url, and glue for merge"),
        ('files = [{ url = "https://x/", expand = true, to = "/a" }]',
         "build.a.files.0: expand is for copy and merge; content has its variables put in anyway"),
        ('files = [{ copy = "a", to = "a" }]',
         "build.a.files.0: 'a' should be an absolute path, without .."),
        ('files = [{ copy = "a", to = "/../a" }]',
         "build.a.files.0: '/../a' should be an absolute path, without .."),
        ('files = [{ copy = "a", to = "/a", mode = "0898" }]',
         "build.a.files.0: mode: '0898' is no mode: write e.g. \"0644\""),
        ('files = [{ copy = "a", to = "/a", owner = "root" }]',
         "build.a.files.0: owner: 'root' is not UID:GID, by number"),
        ('files = [{ base64 = "?", to = "/a" }]', "build.a.files.0: base64: is no base64"),
        ('files = [{ content = "${nope}", to = "/a" }]',
         "build.a.files: there is no variable 'nope'; known: arg_1, build, build_date, build_id; "
         "a dollar is written $$"),
        ('shares = [{ path = "a", at = "/" }]', "build.a.shares.0: at: nothing is shared over /"),
        ('steps = [{ run = "a", inline = "b" }]',
         "build.a.steps.0: should say one of run, inline and command"),
        ('steps = [{ run = "a", timeout = "1w" }]',
         "build.a.steps.0: timeout: '1w' is no time: write e.g. \"20m\""),
        ('steps = [{ run = "a", timeout = 0 }]',
         "build.a.steps.0: timeout: should be more than nothing, and at most a week"),
        ('steps = [{ run = "a", user = "a b" }]',
         "build.a.steps.0: user: 'a b' is no account's name"),
        ("steps = 1", "build.a.steps: should be a list of tables"),
        ('[build.a.disks.x]\nfrom = "a:1"\nat = "/"', "build.a.disks.x.at: should be a path below /"),
        ('matrix = { a = [] }', "build.a.matrix: should be lists of text, none of them empty, by "
         "names"),
        ('zip = true\nmatrix = { a = ["1"], b = ["1", "2"] }',
         "build.a.matrix: lists that are paired are of one length; a has 1, b has 2"),
        ('matrix = { a = ["../x"] }',
         "build.a.matrix: makes 'a-../x', which is no build's name"),
        (f"matrix = {{ a = {MANY}, b = {MANY} }}",
         "build.a.matrix: makes 10000 builds, and one table may make 1000"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(line: str, problem: str) -> None:
    assert one(line).partition(": ")[2] in problem or one(line) == problem


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("1", "should be an image, or a table"),
        ("{}", "should say image, or empty and how large"),
        ('{ image = "a", empty = "1G" }', "an image is not empty: say image, or empty"),
        ('{ image = "a", partition = 500 }', "partitions are numbered from 1 to 128"),
        ('{ filesystem = "ext4" }', 'should say how large: empty = "10G"'),
        ('{ empty = "1G", filesystem = "zfs" }', "'zfs' should be one of ext4, vfat, iso9660"),
        ('{ empty = "4M", filesystem = "iso9660" }',
         "an ISO is as large as its files: leave empty out"),
        ('{ empty = "1G", label = "a" }', "a label is a file system's: say which, filesystem"),
        ('{ filesystem = "vfat", label = "abcdefghijkl" }',
         "label: 'abcdefghijkl' is more than vfat takes, 11 letters"),
    ],
)  # fmt: skip
def test_what_no_disk_begins_as_is_told(said: str, problem: str) -> None:
    assert wrong(f"[build.a]\nfrom = {said}\n{OUT}") == (
        f"raptor.toml:2:1: build.a.from: {problem}",
    )


def test_two_builds_do_not_write_the_same() -> None:
    text = "".join(f'[build.{name}]\nfrom = "debian:13"\n{OUT}' for name in "ab")
    assert wrong(text) == ("raptor.toml:6:1: build.b.output: a is written twice, by a as well",)


def test_what_is_written_is_compared_by_kind_and_without_needless_parts() -> None:
    outputs = ['{ image = "web" }, { file = "web" }', '{ file = "./o/../web" }']
    text = "".join(
        f'[build.{name}]\nfrom = "debian:13"\noutput = [{output}]\n'
        for name, output in zip("ab", outputs, strict=True)
    )
    assert wrong(text) == (
        "raptor.toml:6:1: build.b.output: ./o/../web is written twice, by a as well",
    )


def test_a_build_goes_somewhere() -> None:
    assert wrong('[build.a]\nfrom = "debian:13"\n') == (
        "raptor.toml:1:1: build.a.output: is missing; say where it goes: "
        "output = [{ image = ... }]",
    )


@pytest.mark.parametrize("text", ["[build", "build = 1", "[build]\na = 1", "[build.'A b']\nx=1"])
def test_what_is_no_file_of_builds_is_told(text: str) -> None:
    assert wrong(text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 99) | st.sampled_from(["", "a", "/a", "1G", "${x}"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["from", "to", "copy", "image", "run", "at"]), inner)
    ),
    max_leaves=8,
)
KEYS = st.sampled_from(["from", "size", "files", "steps", "output", "disks", "matrix", "zip", "x"])


@given(st.dictionaries(KEYS, VALUES))
def test_whatever_stands_in_a_build_is_a_build_or_told(table: dict[str, object]) -> None:
    from raptorctl.read.build_file import _Reading

    try:
        _Reading({"build": {"a": table}}, {}, BuildReader("f")).whole()
    except FileError as error:
        assert error.problems
