"""Files and servers' replies that a build file names: whole, or an error that says which."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from raptorctl.errors import DownloadError, HostError, InputError
from raptorctl.host.image import supply
from raptorctl.host.image.supply import GivenSupply
from tests.integration.image_server import ImageServer, Page, serving


@pytest.fixture
def server() -> Iterator[ImageServer]:
    with serving(ImageServer()) as running:
        yield running


def test_a_reply_is_taken_and_asked_for_once(server: ImageServer) -> None:
    server.pages["/x"] = Page(b"text \xff")
    given = GivenSupply()
    assert given.url(f"{server.url}/x") == given.url(f"{server.url}/x") == b"text \xff"
    assert len(server.of("/x")) == 1


@pytest.mark.parametrize(
    "page", [Page(b"not here", status=404), Page(b"half of it", cut_after=3, cuts=9), Page(status=204)]
)  # fmt: skip
def test_an_error_page_or_half_a_reply_is_nothing(server: ImageServer, page: Page) -> None:
    server.pages["/x"] = page
    with pytest.raises(DownloadError, match=f"{server.url}/x: "):
        GivenSupply().url(f"{server.url}/x")


def test_what_is_too_large_is_refused(
    server: ImageServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supply, "LARGEST", 4)
    server.pages["/x"] = Page(b"12345")
    (tmp_path / "file").write_bytes(b"12345")
    with pytest.raises(HostError):
        GivenSupply().url(f"{server.url}/x")
    with pytest.raises(InputError, match="is larger than"):
        GivenSupply().file(str(tmp_path / "file"))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/", "x", "", "http://\0/"])
def test_only_web_servers_are_asked(url: str) -> None:
    with pytest.raises(InputError, match="is no URL of http or https"):
        GivenSupply().url(url)


def test_half_an_address_is_no_url() -> None:
    with pytest.raises(InputError, match="is no URL: Invalid IPv6 URL"):
        GivenSupply().url("http://[")


def test_a_file_is_regular(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/hostname")
    for name in ("link", "none", ".", "\0"):
        with pytest.raises(InputError):
            GivenSupply().file(str(tmp_path / name))
