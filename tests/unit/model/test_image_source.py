"""What somebody may type for an image, and what it comes to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raptorctl.errors import InputError
from raptorctl.model.catalogue import Catalogue, CatalogueEntry, Tag
from raptorctl.model.image import NAME
from raptorctl.model.image_source import parse_source, split_oci

CATALOGUE = Catalogue((
    CatalogueEntry("web", (
        Tag(r"(?P<major>\d+)\.(?P<minor>\d+)", "https://example.org/{major}/web-{major}.{minor}.qcow2",
            "https://example.org/{major}/SHA256SUMS"),
        Tag("latest", "oci://example.org/images/web:stable"),
    )),
))  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "text", "name", "kind"),
    [
        ("./a.qcow2", "/here/a.qcow2", "a.qcow2", "file"),
        ("../a.img.xz", "/a.img.xz", "a.img", "file"),
        ("/x/../y/./b c.raw", "/y/b c.raw", "b-c.raw", "file"),
        ("images/a.raw", "/here/images/a.raw", "a.raw", "file"),
        ("/../../etc/x", "/etc/x", "x", "file"),
        ("https://example.org/d/a.qcow2?x=1", "https://example.org/d/a.qcow2?x=1", "a.qcow2", "https"),
        ("http://example.org/a.img.zst", "http://example.org/a.img.zst", "a.img", "http"),
        ("https://example.org/", "https://example.org/", "example.org", "https"),
        ("oci://example.org/a/b:1", "oci://example.org/a/b:1", "b:1", "oci"),
        ("oci://[::1]:5000/b", "oci://[::1]:5000/b:latest", "b:latest", "oci"),
        (f"oci://e.org/b@sha256:{'a' * 64}", f"oci://e.org/b@sha256:{'a' * 64}", f"b:{'a' * 12}", "oci"),
        ("web:2.1", "https://example.org/2/web-2.1.qcow2", "web:2.1", "https"),
        ("web", "oci://example.org/images/web:stable", "web:latest", "oci"),
    ],
)  # fmt: skip
def test_sources(typed: str, text: str, name: str, kind: str) -> None:
    source = parse_source(typed, CATALOGUE, "/here")
    assert (source.text, source.name, source.kind) == (text, name, kind)


def test_a_listed_name_brings_its_checksums() -> None:
    source = parse_source("web:2.1", CATALOGUE, "/here")
    assert source.checksum_url == "https://example.org/2/SHA256SUMS"
    assert source.listed


def test_an_unlisted_name_says_what_is_listed_and_how_a_file_is_written() -> None:
    with pytest.raises(InputError, match=r"'wob:1' is in no catalogue.*known: web.*\./FILE"):
        parse_source("wob:1", CATALOGUE, "/here")


@pytest.mark.parametrize(
    "typed", ["web:2.1-garbage", "web:2", "web:x2.1", "web:2.1\n", "web:", "", "web:2.1:3"]
)
def test_a_tag_is_matched_as_a_whole(typed: str) -> None:
    if typed == "web:":
        pytest.skip("an empty tag is the latest") if NAME.fullmatch(typed) else None
    with pytest.raises(InputError, match="is in no catalogue"):
        parse_source(typed, CATALOGUE, "/here")


@pytest.mark.parametrize(
    "typed",
    [
        "ftp://example.org/a", "https://", "https://u:p@example.org/a", "https://u@example.org/a",
        "https://example.org/a b", "https://example.org/a#b", "https://example.org:port/a",
        "https://exämple.org/a", "https://[::1/a", "file:///etc/passwd", "https://e.org/\n",
        f"https://example.org/{'a' * 2048}", "oci://example.org", "oci://example.org/", "oci:///a",
        "oci://example.org/UPPER:1", "oci://example.org/a:b c", "oci://u@example.org/a",
        "oci://example.org/a@sha256:abc", "oci://example.org/../a", "oci://example.org/a:..",
    ],
)  # fmt: skip
def test_what_is_no_source(typed: str) -> None:
    with pytest.raises(InputError):
        parse_source(typed, CATALOGUE, "/here")


def test_a_password_in_a_url_is_not_repeated_in_the_refusal_as_a_reason() -> None:
    with pytest.raises(InputError, match="no user, password"):
        parse_source("https://u:p@example.org/a", CATALOGUE, "/here")


@given(st.text(max_size=40))
def test_whatever_is_typed_is_a_source_with_a_good_name_or_refused(typed: str) -> None:
    try:
        source = parse_source(typed, CATALOGUE, "/here")
    except InputError as error:
        assert "\n" not in error.brief
        return
    assert NAME.fullmatch(source.name)
    assert ".." not in source.name
    assert source.kind in {"file", "http", "https", "oci"}
    assert ".." not in source.text.split("/") or source.kind != "file"


@given(st.from_regex(r"oci://[a-z.]{1,9}(:[0-9]{2,4})?/[a-z]{1,9}(/[a-z]{1,5})?(:[A-Za-z0-9._]{1,9})?",
                     fullmatch=True))  # fmt: skip
def test_a_reference_that_was_read_reads_the_same_again(text: str) -> None:
    try:
        once = parse_source(text, CATALOGUE, "/")
    except InputError:
        return
    assert parse_source(once.text, CATALOGUE, "/") == once
    assert split_oci(once.text) == split_oci(text)
