"""The catalogue of images: what it may say."""

import re

import pytest

from raptorctl.errors import SettingsError
from raptorctl.host.image.catalogue import catalogue
from raptorctl.host.system.files import shipped
from raptorctl.model.catalogue import parse_catalogue

WEB = r"""
[[image]]
name = "web"
[[image.tag]]
pattern = '(?P<major>\d+)(?:\.(?P<minor>\d+))?'
url = "https://example.org/{major}/{minor}"
[[image.tag]]
pattern = '.*'
url = "https://example.org/any"
"""


def url(text: str, name: str) -> str | None:
    found = parse_catalogue(text, "c.toml").resolve(name)
    return found.url if found else None


def test_groups_are_put_into_the_url_and_a_missing_one_is_nothing() -> None:
    assert url(WEB, "web:3.20") == "https://example.org/3/20"
    assert url(WEB, "web:3") == "https://example.org/3/"


def test_the_first_pattern_that_matches_the_whole_tag_counts() -> None:
    assert url(WEB, "web:3.20-garbage") == "https://example.org/any"
    assert url(WEB, "wob:3") is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{major}/{minor}", "{nobody}", "the pattern has no group nobody"),
        ("{major}/{minor}", "{major.__class__}", "braces hold the name of a group"),
        ("{major}/{minor}", "{major!r}", "braces hold the name of a group"),
        ("{major}/{minor}", "{0}", "braces hold the name of a group"),
        ("{major}/{minor}", "{{major}}", "braces hold the name of a group"),
        ("{major}/{minor}", "{major:>9}", "braces hold the name of a group"),
        (
            '"https://example.org/any"',
            '"oci://x/y:1"\nchecksum_url = "https://x/y"',
            r"image\[0\].tag\[1\].checksum_url: goes with no oci:// url",
        ),
        ("https://example.org/any", "file:///etc/passwd", r"image\[0\].tag\[1\].url: should begin"),
        ("'.*'", "'('", "is not a regular expression"),
        ('name = "web"', 'name = "web:1"', r"image\[0\].name"),
        ('name = "web"', 'nam = "web"', "nam: is not known here"),
        ("[[image]]", "[[image", "is not TOML"),
        ("url =", "# url =", "url: is missing"),
    ],
)
def test_what_a_catalogue_cannot_say(old: str, new: str, said: str) -> None:
    with pytest.raises(SettingsError, match=f"^c.toml: .*{said}"):
        parse_catalogue(WEB.replace(old, new), "c.toml")


def test_an_image_without_tags_is_refused() -> None:
    with pytest.raises(SettingsError, match="tag"):
        parse_catalogue('[[image]]\nname = "a"\ntag = []', "c.toml")


def test_a_name_of_the_hosts_takes_the_place_of_a_shipped_one(tmp_path) -> None:  # type: ignore[no-untyped-def]
    own = tmp_path / "catalogue.toml"
    own.write_text(WEB.replace('"web"', '"debian"'))
    own.chmod(0o644)
    both = catalogue(own)
    resolved = both.resolve("debian:13")
    assert resolved
    assert resolved.url == "https://example.org/13/"
    assert both.resolve("ubuntu:24.04")


def test_a_catalogue_that_others_may_write_is_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    own = tmp_path / "catalogue.toml"
    own.symlink_to(tmp_path / "nowhere")
    with pytest.raises(SettingsError, match="cannot be read"):
        catalogue(own)


SHIPPED = parse_catalogue((shipped("images") / "catalogue.toml").read_text(), "shipped")


@pytest.mark.parametrize(
    "name",
    ["debian", "debian:13", "debian:trixie", "debian:12", "debian:13-20251117-2299", "ubuntu:24.04",
     "ubuntu:noble", "fedora", "fedora:42", "fedora:42-1.1", "alpine:3.21.2", "arch", "rocky:9"],
)  # fmt: skip
def test_the_shipped_catalogue_knows(name: str) -> None:
    found = SHIPPED.resolve(name)
    assert found
    for text in (found.url, found.checksum_url):
        assert re.fullmatch(r"https://[a-z0-9.-]+/[A-Za-z0-9._/-]+", text), text


@pytest.mark.parametrize(
    "name", ["debian:99", "debian:13x", "ubuntu:24.4", "ubuntu:../x", "alpine:3"]
)
def test_the_shipped_catalogue_makes_no_url_of(name: str) -> None:
    assert SHIPPED.resolve(name) is None
