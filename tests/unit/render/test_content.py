"""Contents: what becomes of texts, files, servers' replies and YAML."""

import base64
import hashlib

import pytest

from raptorctl.drivers.supply import Supply
from raptorctl.errors import DownloadError, InputError
from raptorctl.model.content import (
    Base64,
    Content,
    FromPath,
    FromUrl,
    Items,
    Merged,
    Parsed,
    Scalar,
    Table,
    Tree,
    Verbatim,
    Yaml,
)
from raptorctl.render.content import Maker

FILES = {
    "a.yaml": b"#cloud-config\npackages: [a]\nmode: 0644\n",
    "name": b"I am NAME",
    "raw": b"\xff",
}
URL = "https://example.test/x"


class Given:
    """Some files and one server."""

    def file(self, path: str) -> bytes:
        if path not in FILES:
            raise InputError(f"{path} is not there")
        return FILES[path]

    def url(self, url: str) -> bytes:
        assert url == URL
        return b"reply"


GIVEN: Supply = Given()


def made(content: Content) -> bytes:
    return Maker(GIVEN, lambda text: text.replace("NAME", "web")).made(content)


def yaml(tree: Tree, *, header: bool = False) -> str:
    return made(Yaml(tree, header)).decode()


def test_what_is_written_stays_as_it_is() -> None:
    assert made(Verbatim(b"\xffNAME")) == b"\xffNAME"


def test_names_of_a_file_are_expanded_where_that_is_asked_for() -> None:
    assert made(FromPath("name")) == b"I am NAME"
    assert made(FromPath("name", expand=True)) == b"I am web"


def test_a_file_that_is_no_text_has_no_names() -> None:
    assert made(FromPath("raw")) == b"\xff"
    with pytest.raises(InputError, match=r"^'raw': it is not UTF-8"):
        made(FromPath("raw", expand=True))


def test_a_reply_is_what_its_checksum_says() -> None:
    digest = hashlib.sha256(b"reply").hexdigest()
    assert made(FromUrl(URL)) == made(FromUrl(URL, digest.upper())) == b"reply"
    with pytest.raises(DownloadError, match="has another checksum"):
        made(FromUrl(URL, digest[::-1]))


def test_base64_is_one_line() -> None:
    assert base64.b64decode(made(Base64(FromPath("raw")))) == b"\xff"
    assert b"\n" not in made(Base64(Verbatim(b"x" * 200)))


def test_yaml_keeps_order_and_what_scalars_are() -> None:
    tree = Table((
        ("b", Items((Scalar(1), Scalar(Verbatim(b"1"))))),
        ("a", Parsed(Verbatim(b"[no, 0644, 12:30, text]"))),
    ))  # fmt: skip
    assert yaml(tree) == (
        '"b":\n  - 1\n  - "1"\n"a":\n  - no\n  - 0644\n  - "12:30"\n  - "text"\n'
    )  # fmt: skip


def test_a_merged_cloud_config_has_one_header() -> None:
    parts = (Parsed(FromPath("a.yaml")), Parsed(Verbatim(b"#cloud-config\npackages: [b]\n")))
    assert yaml(Merged(parts), header=True) == (
        '#cloud-config\npackages:\n  - "a"\n  - "b"\nmode: 0644\n'
    )  # fmt: skip


@pytest.mark.parametrize(("first", "headed"), [(b"#cloud-config\n", True), (b"# none\n", False)])
def test_it_is_a_cloud_config_if_a_part_is(first: bytes, *, headed: bool) -> None:
    parts = (Parsed(Verbatim(b"a: [1]")), Parsed(Verbatim(first + b"a: 2")))
    text = made(Yaml(Merged(parts), header=None)).decode()
    assert text.startswith("#cloud-config\n") is headed
    assert text.endswith('"a":\n  - 1\n  - 2\n')


def test_parts_that_cannot_both_be_are_an_error() -> None:
    parts = (Parsed(Verbatim(b"a: 1")), Parsed(Verbatim(b"a: 2")))
    with pytest.raises(InputError, match="a is '1' in one part and '2' in another"):
        yaml(Merged(parts))
    assert yaml(Merged(parts, glue=True)) == '"a":\n  - 1\n  - 2\n'


def test_what_is_no_yaml_is_told_with_its_file() -> None:
    with pytest.raises(InputError, match=r"^'raw': it is not UTF-8"):
        yaml(Parsed(FromPath("raw")))
    with pytest.raises(InputError, match=r"^YAML: line 1 has an anchor or an alias"):
        yaml(Parsed(Verbatim(b"a: &x [1]")))


def test_a_key_is_there_once() -> None:
    with pytest.raises(InputError, match="'a' is there twice"):
        yaml(Table((("a", Scalar(1)), ("a", Scalar(2)))))
