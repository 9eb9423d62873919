"""Images from a server that keeps its word, and from one that does not."""

import hashlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from raptorctl.drivers.image import Wanted
from raptorctl.errors import HostError, RefusedError, StoppedError
from raptorctl.model.catalogue import Catalogue
from raptorctl.model.image import Image, find
from raptorctl.model.image_source import Source, parse_source
from raptorctl.model.sizes import MIB
from tests.disks import disk, packed, raw_disk
from tests.images import Cache
from tests.integration.image_server import ImageServer, Page, Request, serving

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def server() -> Iterator[ImageServer]:
    with serving(ImageServer()) as running:
        yield running


@pytest.fixture
def image(tmp_path: Path) -> bytes:
    return disk(tmp_path / "image.qcow2").read_bytes()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def nothing_left(cache: Cache) -> bool:
    return cache.left("files", "names", "partial") == []


def test_an_image_is_what_the_server_gave(server: ImageServer, cache: Cache, image: bytes) -> None:
    server.pages["/web.qcow2"] = Page(image)
    done = cache.pull(f"{server.url}/web.qcow2")
    assert (done.outcome, done.image.name, done.image.format) == ("pulled", "web.qcow2", "qcow2")
    assert Path(done.image.path).read_bytes() == image
    assert done.image.digest == sha256(image)
    assert cache.left("partial") == []
    assert cache.watcher.ticks[-1][0] == cache.watcher.ticks[-1][1]


def test_what_is_here_is_not_asked_for_again(
    server: ImageServer, cache: Cache, image: bytes
) -> None:
    server.pages["/web.qcow2"] = Page(image)
    first = cache.pull(f"{server.url}/web.qcow2")
    again = cache.pull(f"{server.url}/web.qcow2")
    assert (again.outcome, again.image) == ("already here", first.image)
    assert len(server.asked) == 1


def test_a_refresh_downloads_nothing_that_has_not_changed(
    server: ImageServer, cache: Cache, image: bytes
) -> None:
    server.pages["/web.qcow2"] = Page(image)
    cache.pull(f"{server.url}/web.qcow2")
    cache.watcher.titles.clear()
    again = cache.pull(f"{server.url}/web.qcow2", refresh=True)
    assert again.outcome == "already here"
    assert cache.watcher.titles == [f"ask {server.url}/web.qcow2 for something newer"]
    assert [request.sent for request in server.asked] == [len(image), 0]


def test_a_refresh_by_time_downloads_nothing_that_has_not_changed(
    server: ImageServer, cache: Cache, image: bytes
) -> None:
    page = Page(image, etag="", headers={"Last-Modified": "Thu, 19 Nov 2026 12:00:00 GMT"})
    server.pages["/web.qcow2"] = page
    cache.pull(f"{server.url}/web.qcow2")
    cache.pull(f"{server.url}/web.qcow2", refresh=True)
    asked = server.asked[1].headers
    assert asked["if-modified-since"] == "Thu, 19 Nov 2026 12:00:00 GMT"


def test_what_changed_gets_the_name_and_what_it_was_is_kept_beside_it(
    server: ImageServer, cache: Cache, image: bytes, tmp_path: Path
) -> None:
    server.pages["/web.qcow2"] = Page(image)
    old = cache.pull(f"{server.url}/web.qcow2").image
    newer = disk(tmp_path / "newer", seed=2).read_bytes()
    server.pages["/web.qcow2"] = Page(newer)
    assert cache.pull(f"{server.url}/web.qcow2").image == old
    cache.watcher.titles.clear()
    new = cache.pull(f"{server.url}/web.qcow2", refresh=True).image
    asks, downloads = cache.watcher.titles[:2]
    assert (asks.partition(" ")[0], downloads) == ("ask", f"download {server.url}/web.qcow2")
    assert new.digest == sha256(newer)
    assert cache.names == ["web.qcow2", f"web.qcow2@{old.short}"]
    assert find(cache.images.list(), old.digest)
    assert Path(old.path).read_bytes() == image


def test_another_url_is_another_image(
    server: ImageServer, cache: Cache, image: bytes, tmp_path: Path
) -> None:
    other = disk(tmp_path / "other", seed=2).read_bytes()
    server.pages |= {"/1/web.qcow2": Page(image), "/2/web.qcow2": Page(other)}
    first = cache.pull(f"{server.url}/1/web.qcow2").image
    second = cache.pull(f"{server.url}/2/web.qcow2").image
    assert first.digest != second.digest
    assert first.name == "web.qcow2"
    assert second.name.startswith("web.qcow2-")


@pytest.mark.parametrize("kind", ["gz", "xz", "zst", "7z"])
def test_an_archive_is_unpacked_after_its_checksum(
    server: ImageServer, cache: Cache, tmp_path: Path, kind: str
) -> None:
    raw = raw_disk(tmp_path / "web.raw")
    archive = packed(raw, kind).read_bytes()
    server.pages[f"/web.raw.{kind}"] = Page(archive)
    done = cache.pull(f"{server.url}/web.raw.{kind}", sha256=sha256(archive))
    assert (done.image.name, done.image.format) == ("web.raw", "raw")
    assert Path(done.image.path).read_bytes() == raw.read_bytes()
    assert cache.left("partial") == []


# Replies that are no image


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451, 501])
def test_a_refusal_is_no_image(
    server: ImageServer, cache: Cache, image: bytes, status: int
) -> None:
    server.pages["/web.qcow2"] = Page(image, status)
    with pytest.raises(HostError, match=f"web.qcow2.*the server says {status}"):
        cache.pull(f"{server.url}/web.qcow2")
    assert nothing_left(cache)
    assert len(server.asked) == 1


def test_a_web_page_is_no_image(server: ImageServer, cache: Cache) -> None:
    server.pages["/web.qcow2"] = Page(b"<!DOCTYPE html><title>Log in</title>")
    with pytest.raises(HostError, match=r"a web page \(HTML\)"):
        cache.pull(f"{server.url}/web.qcow2")
    assert nothing_left(cache)


def test_a_wrong_checksum_is_no_image(server: ImageServer, cache: Cache, image: bytes) -> None:
    server.pages["/web.qcow2"] = Page(image)
    with pytest.raises(HostError, match="its checksum is another: sha256 should be aaaaaaaaaaaa"):
        cache.pull(f"{server.url}/web.qcow2", sha256="a" * 64)
    assert nothing_left(cache)


def test_what_is_here_with_another_checksum_is_asked_for_again(
    server: ImageServer, cache: Cache, image: bytes
) -> None:
    server.pages["/web.qcow2"] = Page(image)
    cache.pull(f"{server.url}/web.qcow2")
    with pytest.raises(HostError, match="its checksum is another"):
        cache.pull(f"{server.url}/web.qcow2", sha256="a" * 64)
    assert cache.names == ["web.qcow2"]
    assert cache.pull(f"{server.url}/web.qcow2", sha256=sha256(image)).outcome == "already here"


def test_an_image_larger_than_allowed_is_not_downloaded(
    server: ImageServer, image: bytes, tmp_path: Path
) -> None:
    cache = Cache(tmp_path / "cache", largest=MIB // 2)
    server.pages["/web.qcow2"] = Page(image)
    with pytest.raises(HostError, match=r"is larger than 512K: .*images\.largest"):
        cache.pull(f"{server.url}/web.qcow2")
    assert server.asked[0].sent < len(image)
    assert nothing_left(cache)


def test_a_reply_without_end_is_left_at_the_limit(server: ImageServer, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", largest=MIB)
    much = 64 * MIB  # more than the sockets' buffers between the two hold, however slow we are
    server.pages["/web.img"] = Page(bytes(much), chunked=True)
    with pytest.raises(HostError, match="is larger than 1M"):
        cache.pull(f"{server.url}/web.img")
    assert server.asked[0].sent < much


def test_what_does_not_fit_on_the_disk_is_not_begun(server: ImageServer, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", largest=1 << 61)
    server.pages["/web.img"] = Page(bytes(1024), lie=(1 << 60) - 1024)
    with pytest.raises(RefusedError, match=r"has room for .*, and 1048576T would come"):
        cache.pull(f"{server.url}/web.img")
    assert nothing_left(cache)


# Checksums that are published


def test_a_published_checksum_counts(server: ImageServer, cache: Cache, image: bytes) -> None:
    server.pages["/web.qcow2"] = Page(image)
    good = f"{hashlib.sha512(image).hexdigest()}  web.qcow2\n"
    server.pages["/SHA512SUMS"] = Page(good.encode())
    source = Source(f"{server.url}/web.qcow2", "web", f"{server.url}/SHA512SUMS")
    assert pull_source(cache, source).name == "web"


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (Page(f"{'a' * 128}  web.qcow2".encode()), "its checksum is another: sha512"),
        (Page(f"{'a' * 128}  other.qcow2".encode()), "has no SHA-256 or SHA-512 of 'web.qcow2'"),
        (Page(b"", 404), "SHA512SUMS.*the server says 404"),
    ],
)
def test_without_its_published_checksum_nothing_is_an_image(
    server: ImageServer, cache: Cache, image: bytes, page: Page, said: str
) -> None:
    server.pages |= {"/web.qcow2": Page(image), "/SHA512SUMS": page}
    source = Source(f"{server.url}/web.qcow2", "web", f"{server.url}/SHA512SUMS")
    with pytest.raises(HostError, match=said):
        pull_source(cache, source)
    assert nothing_left(cache)


def pull_source(cache: Cache, source: Source):  # type: ignore[no-untyped-def]
    from raptorctl.drivers.image import Wanted

    return cache.images.pull(Wanted(source), cache.watcher).image


# Connections that break


def test_a_cut_download_goes_on_where_it_was_cut(
    server: ImageServer, cache: Cache, image: bytes
) -> None:
    server.pages["/web.qcow2"] = Page(image, cut_after=300_000, cuts=3)
    done = cache.pull(f"{server.url}/web.qcow2")
    assert done.image.digest == sha256(image)
    ranges = [request.headers.get("range") for request in server.asked]
    assert ranges[0] is None
    assert ranges[1] != ranges[2]
    assert all(request.headers["if-range"].startswith('"') for request in server.asked[1:])
    assert sum(request.sent for request in server.asked) == len(image)


def test_a_server_that_ignores_ranges_begins_anew(
    server: ImageServer, cache: Cache, image: bytes
) -> None:
    server.pages["/web.qcow2"] = Page(image, cut_after=300_000, cuts=2, ranges=False)
    assert cache.pull(f"{server.url}/web.qcow2").image.digest == sha256(image)


def test_a_server_that_goes_on_elsewhere_is_not_believed(
    server: ImageServer, cache: Cache, image: bytes
) -> None:
    server.pages["/web.qcow2"] = Page(image, cut_after=300_000, cuts=1, shift=7)
    assert cache.pull(f"{server.url}/web.qcow2").image.digest == sha256(image)
    assert server.asked[-1].headers.get("range") is None


def test_an_image_that_changes_between_two_halves_is_one_of_both(
    server: ImageServer, cache: Cache, image: bytes, tmp_path: Path
) -> None:
    newer = disk(tmp_path / "newer", seed=2).read_bytes()
    pages = iter([Page(image, cut_after=300_000, cuts=1), *[Page(newer)] * 9])
    server.page = lambda request: next(pages)  # type: ignore[method-assign]
    assert cache.pull(f"{server.url}/web.qcow2").image.digest == sha256(newer)


def test_a_server_that_always_cuts_at_the_same_place_is_given_up(
    server: ImageServer, cache: Cache, image: bytes
) -> None:
    server.pages["/web.qcow2"] = Page(image, cut_after=300_000, cuts=99, ranges=False)
    with pytest.raises(HostError, match=r"cannot be downloaded: .*it is kept: pull it again"):
        cache.pull(f"{server.url}/web.qcow2")
    assert cache.pauses == [0.5, 1.0, 2.0, 4.0]
    assert cache.names == []


def test_what_was_kept_of_a_download_is_gone_on_with_by_the_next(
    server: ImageServer, cache: Cache, image: bytes
) -> None:
    server.pages["/web.qcow2"] = Page(image, cut_after=300_000, cuts=1)
    cut = Cache(cache.directory)
    cut.watcher.tick = stop_after(250_000)  # type: ignore[method-assign]
    with pytest.raises(StoppedError):
        cut.pull(f"{server.url}/web.qcow2")
    assert cache.names == []
    assert cache.pull(f"{server.url}/web.qcow2").image.digest == sha256(image)
    assert server.asked[-1].headers["range"].startswith("bytes=")
    assert server.asked[-1].sent < len(image)


def stop_after(count: int):  # type: ignore[no-untyped-def]
    def tick(done: int, _total: int) -> None:
        if done > count:
            raise StoppedError(2)

    return tick


def test_a_download_that_was_whole_when_we_were_killed_is_not_repeated(
    server: ImageServer, cache: Cache, image: bytes
) -> None:
    server.pages["/web.qcow2"] = Page(image)
    cut = Cache(cache.directory)
    cut.watcher.tick = stop_after(len(image) - 1)  # type: ignore[method-assign]
    with pytest.raises(StoppedError):
        cut.pull(f"{server.url}/web.qcow2")
    assert cache.pull(f"{server.url}/web.qcow2").image.digest == sha256(image)
    assert sum(request.sent for request in server.asked) == len(image)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(
    server: ImageServer, cache: Cache, image: bytes, status: int
) -> None:
    pages = iter([Page(status=status), Page(status=status), Page(image)])
    server.page = lambda request: next(pages)  # type: ignore[method-assign]
    assert cache.pull(f"{server.url}/web.qcow2").image.digest == sha256(image)
    assert cache.pauses == [0.5, 1.0]


def test_nobody_listening_is_said_in_few_words(cache: Cache) -> None:
    with pytest.raises(HostError, match=r"cannot be downloaded: the connection is refused: try"):
        cache.pull("http://127.0.0.1:1/web.qcow2")
    assert nothing_left(cache)


# Lengths


@pytest.mark.parametrize("lie", [1, 100_000])
def test_a_server_that_promises_more_than_it_gives_is_given_up(
    server: ImageServer, cache: Cache, image: bytes, lie: int
) -> None:
    server.pages["/web.qcow2"] = Page(image, lie=lie)
    with pytest.raises(HostError, match="cannot be downloaded"):
        cache.pull(f"{server.url}/web.qcow2")
    assert cache.names == []


def test_a_server_that_promises_less_than_it_gives_gives_a_cut_image(
    server: ImageServer, cache: Cache, image: bytes
) -> None:
    server.pages["/web.qcow2"] = Page(image, lie=-300_000)
    with pytest.raises(HostError, match="it is a qcow2 that is damaged or cut off"):
        cache.pull(f"{server.url}/web.qcow2")
    assert nothing_left(cache)


def test_a_reply_of_unknown_length_needs_a_checksum(
    server: ImageServer, cache: Cache, image: bytes
) -> None:
    server.pages["/web.qcow2"] = Page(image, length=False)
    with pytest.raises(HostError, match=r"does not give its length.*--sha256"):
        cache.pull(f"{server.url}/web.qcow2")
    assert nothing_left(cache)
    assert cache.pull(f"{server.url}/web.qcow2", sha256=sha256(image)).outcome == "pulled"


def test_a_reply_in_chunks_says_where_it_ends(
    server: ImageServer, cache: Cache, image: bytes
) -> None:
    server.pages["/web.qcow2"] = Page(image, chunked=True)
    assert cache.pull(f"{server.url}/web.qcow2").image.digest == sha256(image)


def test_a_reply_in_chunks_that_is_cut_begins_anew(
    server: ImageServer, cache: Cache, image: bytes
) -> None:
    server.pages["/web.qcow2"] = Page(image, chunked=True, cut_after=300_000, cuts=1)
    assert cache.pull(f"{server.url}/web.qcow2").image.digest == sha256(image)


def test_what_the_server_calls_gzip_on_the_way_is_taken_as_it_is(
    server: ImageServer, cache: Cache, tmp_path: Path
) -> None:
    raw = raw_disk(tmp_path / "web.raw")
    page = Page(packed(raw, "gz").read_bytes(), headers={"Content-Encoding": "gzip"})
    server.pages["/web.raw.gz"] = page
    assert cache.pull(f"{server.url}/web.raw.gz").image.digest == sha256(raw.read_bytes())
    assert server.asked[0].headers["accept-encoding"] == "identity"


# Redirects


def test_a_redirect_is_followed_and_the_url_stays_the_source(
    server: ImageServer, cache: Cache, image: bytes
) -> None:
    server.pages["/web.qcow2"] = Page(status=302, location="/there/x")
    server.pages["/there/x"] = Page(image)
    done = cache.pull(f"{server.url}/web.qcow2")
    assert (done.image.source, done.image.name) == (f"{server.url}/web.qcow2", "web.qcow2")


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("/web.qcow2", "from one place to another, more than 8 times"),
        ("file:///etc/passwd", "which is not followed"),
        ("ftp://example.org/x", "which is not followed"),
    ],
)
def test_a_redirect_that_leads_nowhere_is_refused(
    server: ImageServer, cache: Cache, location: str, said: str
) -> None:
    server.pages["/web.qcow2"] = Page(status=302, location=location)
    with pytest.raises(HostError, match=said):
        cache.pull(f"{server.url}/web.qcow2")
    assert nothing_left(cache)
    assert len(server.asked) <= 9


@pytest.mark.parametrize("location", ["http://[", "/\x80\xff"])
def test_a_redirect_to_no_address_is_refused_and_its_body_is_not_read(
    server: ImageServer, cache: Cache, location: str
) -> None:
    server.pages["/web.qcow2"] = Page(bytes(256 * MIB), 302, location=location)
    with pytest.raises(HostError, match=r"leads to|the server says 404"):
        cache.pull(f"{server.url}/web.qcow2")
    assert server.asked[0].sent < 64 * MIB
    assert nothing_left(cache)


def test_nothing_at_all_is_no_image(server: ImageServer, cache: Cache) -> None:
    server.pages["/web.qcow2"] = Page(b"")
    with pytest.raises(HostError, match="it is not an image of a disk"):
        cache.pull(f"{server.url}/web.qcow2")
    assert nothing_left(cache)


def test_a_length_of_very_many_digits_is_none(server: ImageServer, cache: Cache) -> None:
    server.pages["/web.qcow2"] = Page(length=False, headers={"Content-Length": "9" * 5000})
    with pytest.raises(HostError, match="does not give its length"):
        cache.pull(f"{server.url}/web.qcow2")
    assert nothing_left(cache)


# Several at once


def test_of_two_pulls_with_one_name_the_second_to_end_is_refused(
    server: ImageServer, cache: Cache, image: bytes, tmp_path: Path
) -> None:
    other = disk(tmp_path / "other.qcow2", seed=2)
    really = server.page

    def page(request: Request) -> Page | None:
        cache.pull(str(other), name="web")  # somebody is faster
        return really(request)

    server.page = page  # type: ignore[method-assign]
    server.pages["/web.qcow2"] = Page(image)
    with pytest.raises(RefusedError, match=f"web is already an image, from {other}"):
        cache.pull(f"{server.url}/web.qcow2", name="web")
    assert [(i.name, i.source) for i in cache.images.list()] == [("web", str(other))]


def test_two_pulls_at_once_download_once(server: ImageServer, cache: Cache, image: bytes) -> None:
    server.pages["/web.qcow2"] = Page(image, pause=0.02)
    other = Cache(cache.directory)
    results = []
    threads = [
        threading.Thread(target=lambda c=c: results.append(c.pull(f"{server.url}/web.qcow2")))
        for c in (cache, other)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result.outcome for result in results) == ["already here", "pulled"]
    assert results[0].image == results[1].image
    assert len(server.asked) == 1


PULL = (
    "import sys; from tests.images import Cache; from pathlib import Path\n"
    "print(Cache(Path(sys.argv[1])).pull(sys.argv[2]).outcome)"
)


def test_two_processes_that_pull_at_once_download_once(
    server: ImageServer, cache: Cache, image: bytes
) -> None:
    server.pages["/web.qcow2"] = Page(image, pause=0.05)
    words = [sys.executable, "-c", PULL, str(cache.directory), f"{server.url}/web.qcow2"]
    both = [
        subprocess.Popen(words, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    said = sorted(process.communicate(timeout=120)[0].strip() for process in both)
    assert said == ["already here", "pulled"]
    assert len(server.asked) == 1


def test_a_killed_pull_leaves_no_image_and_the_next_goes_on(
    server: ImageServer, cache: Cache, image: bytes
) -> None:
    server.pages["/web.qcow2"] = Page(image, pause=0.1)
    words = [sys.executable, "-c", PULL, str(cache.directory), f"{server.url}/web.qcow2"]
    killed = subprocess.Popen(words, cwd=CHECKOUT)
    while not (server.asked and server.asked[0].sent > 600_000):
        assert killed.poll() is None
    killed.kill()
    killed.wait(60)
    assert cache.names == []
    server.pages["/web.qcow2"].pause = 0.0
    assert cache.pull(f"{server.url}/web.qcow2").image.digest == sha256(image)
    assert server.asked[-1].headers["range"].startswith("bytes=")


# What would come, before it comes


def foreseen(cache: Cache, url: str, checksum_url: str = "") -> Image:
    source = replace(parse_source(url, Catalogue(), "/"), checksum_url=checksum_url)
    return cache.images.foresee(Wanted(source))


def test_a_url_is_asked_before_it_is_pulled_and_nothing_is_made(
    server: ImageServer, cache: Cache, image: bytes
) -> None:
    server.pages["/web.qcow2"] = Page(image)
    seen = foreseen(cache, f"{server.url}/web.qcow2")
    assert (seen.name, seen.digest) == ("web.qcow2", "")
    assert not cache.directory.exists()


def test_what_a_server_does_not_have_or_is_too_large_is_foreseen(
    server: ImageServer, tmp_path: Path, image: bytes
) -> None:
    cache = Cache(tmp_path / "cache", largest=len(image) - 1)
    server.pages["/web.qcow2"] = Page(image)
    with pytest.raises(HostError, match="is larger than"):
        foreseen(cache, f"{server.url}/web.qcow2")
    with pytest.raises(HostError, match="the server says 404"):
        foreseen(cache, f"{server.url}/none.qcow2")
    with pytest.raises(HostError, match="cannot be downloaded: the connection is refused"):
        foreseen(cache, "http://127.0.0.1:1/web.qcow2")


def test_a_list_of_checksums_without_it_is_foreseen(
    server: ImageServer, cache: Cache, image: bytes
) -> None:
    server.pages["/web.qcow2"] = Page(image)
    server.pages["/SUMS"] = Page(b"0" * 64 + b"  other.qcow2\n")
    with pytest.raises(HostError, match=r"has no SHA-256 or SHA-512 of .web\.qcow2"):
        foreseen(cache, f"{server.url}/web.qcow2", checksum_url=f"{server.url}/SUMS")
