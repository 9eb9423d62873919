"""How images are named and found."""

import pytest

from raptorctl.errors import InputError
from raptorctl.model.image import Image, find, image_name, parse_digest
from raptorctl.model.sizes import Size


def image(name: str, digit: str, source: str = "") -> Image:
    return Image(name, source or f"/{name}", digit * 64, "raw", Size(1), Size(1), "", "")


IMAGES = (
    image("debian:13", "a", "https://example.org/13"),
    image("debian:13@bbbbbbbbbbbb", "b", "https://example.org/13"),
    image("web", "c"),
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("debian:13", "debian:13"),
        ("debian:13@bbbbbbbbbbbb", "debian:13@bbbbbbbbbbbb"),
        ("https://example.org/13", "debian:13"),
        ("/web", "web"),
        ("c" * 12, "web"),
        (f"sha256:{'b' * 64}", "debian:13@bbbbbbbbbbbb"),
    ],
)
def test_an_image_is_found_by_name_source_and_digest(text: str, name: str) -> None:
    found = find(IMAGES, text)
    assert found
    assert found.name == name


@pytest.mark.parametrize("text", ["debian", "", "c" * 11, "sha256:", "d" * 64, "web:latest"])
def test_what_is_not_here_is_not_found(text: str) -> None:
    assert find(IMAGES, text) is None


def test_a_name_goes_before_the_digest_it_looks_like() -> None:
    named = image("c" * 12, "d")
    assert find((*IMAGES, named), "c" * 12) == named


def test_a_digest_that_several_begin_with_is_refused() -> None:
    twin = Image("twin", "/t", "c" * 63 + "d", "raw", Size(1), Size(1), "", "")
    with pytest.raises(InputError, match="2 images begin with"):
        find((*IMAGES, twin), "c" * 12)


def test_two_names_of_one_file_are_one_digest() -> None:
    assert find((*IMAGES, image("other", "c")), "c" * 12)


@pytest.mark.parametrize("text", ["web", "debian:13", "a.b_c+d-e:1.2", "A", "x" * 64])
def test_names(text: str) -> None:
    assert image_name(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".web",
        "-x",
        "a/b",
        "a b",
        "a:b:c",
        "a:",
        ":b",
        "a..b",
        "a@b",
        "ä",
        "a\n",
        "x" * 65,
        "a\0",
    ],
)
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(InputError, match="is not an image's name"):
        image_name(text)


def test_digests_are_read_in_either_case() -> None:
    assert parse_digest(f"sha256:{'AB' * 32}") == "ab" * 32


@pytest.mark.parametrize("text", ["", "ab", "g" * 64, "a" * 65, "a" * 63 + "\n", "٣" * 64])
def test_what_is_no_digest(text: str) -> None:
    with pytest.raises(InputError, match="is not a SHA-256"):
        parse_digest(text)
