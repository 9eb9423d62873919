"""Uploads to registries that do what the specification lets them, and docker's does not."""

import hashlib
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from raptorctl.drivers.image import RegistryLogin
from raptorctl.errors import UploadError
from raptorctl.host.image import upload
from raptorctl.host.image.download import Http
from raptorctl.host.image.registry import RegistryClient
from raptorctl.host.image.upload import Upload

DATA = bytes(range(256)) * 1024
DIGEST = f"sha256:{hashlib.sha256(DATA).hexdigest()}"
PIECE = 64 << 10


class Uneven(ThreadingHTTPServer):
    """A registry with one upload.

    What it does wrong is in `wrong`: `once` answers 503 to one piece, `busy` also
    when it is asked then how far it came, `cut` hangs up within one and
    keeps half of it, `lost` forgets the upload then, `whole` takes no second piece, `always` hangs
    up whatever comes, `expired` wants a new token half way.
    """

    daemon_threads = True

    def __init__(self, wrong: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.wrong, self.data, self.stored = wrong, b"", b""
        self.patches: list[str] = []
        self.tokens, self.looks = 0, 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Uneven

    def log_message(self, *_args: object) -> None:
        pass

    def _answer(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_HEAD(self) -> None:
        self._answer(404)

    def do_POST(self) -> None:
        self.server.data = b""
        self._answer(202, Location="/v2/web/blobs/uploads/1?state=a")

    def do_GET(self) -> None:
        if self.path.startswith("/token"):
            self.server.tokens += 1
            body = b'{"token": "new"}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        elif self.server.wrong == "lost":
            self._answer(404)
        elif self.server.wrong == "busy" and not self.server.looks:
            self.server.looks += 1
            self._answer(503)
        else:
            last = len(self.server.data) - 1
            self._answer(204, Range=f"0-{last}", Location="/v2/web/blobs/uploads/1?state=b")

    def do_PATCH(self) -> None:
        one = self.server
        span = self.headers["Content-Range"]
        start, end = map(int, re.fullmatch(r"(\d+)-(\d+)", span).groups())  # type: ignore[union-attr]
        first = span not in one.patches
        one.patches.append(span)
        second = start > 0
        if one.wrong == "cut" and second and first and start == PIECE:
            one.data += self.rfile.read(PIECE // 2)
            self.connection.close()
            return
        if one.wrong == "always" or (one.wrong == "lost" and second and len(one.patches) == 2):
            self.connection.close()
            return
        body = self.rfile.read(end - start + 1)
        if one.wrong == "expired" and second and self.headers["Authorization"] != "Bearer new":
            asks = f'Bearer realm="http://{one.address}/token",service="s"'
            self._answer(401, WWW_Authenticate=asks)
        elif one.wrong in {"once", "busy"} and second and first and start == PIECE:
            self._answer(503)
        elif one.wrong == "whole" and second:
            self._answer(405)
        elif start != len(one.data):
            self._answer(416)
        else:
            one.data += body
            self._answer(202, Location="/v2/web/blobs/uploads/1?state=b")

    def do_PUT(self) -> None:
        self.server.stored = self.server.data
        self._answer(201)


@pytest.fixture
def uneven(request: pytest.FixtureRequest) -> Iterator[Uneven]:
    with Uneven(request.param) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    monkeypatch.setattr(upload, "PIECE", PIECE)
    return []


def send(server: Uneven, tmp_path: Path, pauses: list[float]) -> None:
    (tmp_path / "data").write_bytes(DATA)
    http, login = Http(pauses.append), RegistryLogin("", "secret")
    client = RegistryClient(http, f"oci://{server.address}/web:1", login, "pull,push")
    notes = tmp_path / "notes"
    Upload(client, DIGEST, len(DATA), notes).send(str(tmp_path / "data"), lambda *_: None)
    assert not notes.exists()


@pytest.mark.parametrize(
    "uneven", ["", "once", "busy", "cut", "lost", "whole", "expired"], indirect=True
)
def test_all_of_it_is_there_whatever_happens_on_the_way(
    uneven: Uneven, tmp_path: Path, pauses: list[float]
) -> None:
    send(uneven, tmp_path, pauses)
    assert uneven.stored == DATA


@pytest.mark.parametrize("uneven", ["cut"], indirect=True)
def test_it_goes_on_within_a_piece_where_the_registry_kept_a_part_of_it(
    uneven: Uneven, tmp_path: Path, pauses: list[float]
) -> None:
    send(uneven, tmp_path, pauses)
    assert f"{PIECE + PIECE // 2}-{2 * PIECE + PIECE // 2 - 1}" in uneven.patches


@pytest.mark.parametrize("uneven", ["once", "busy"], indirect=True)
def test_a_registry_that_is_busy_for_a_moment_is_sent_that_piece_again_and_no_other(
    uneven: Uneven, tmp_path: Path, pauses: list[float]
) -> None:
    send(uneven, tmp_path, pauses)
    pieces = [f"{at}-{at + PIECE - 1}" for at in range(0, len(DATA), PIECE)]
    assert uneven.patches == [pieces[0], pieces[1], *pieces[1:]]


@pytest.mark.parametrize("uneven", ["whole"], indirect=True)
def test_where_no_second_piece_is_taken_it_is_sent_in_one(
    uneven: Uneven, tmp_path: Path, pauses: list[float]
) -> None:
    send(uneven, tmp_path, pauses)
    assert uneven.patches[-1] == f"0-{len(DATA) - 1}"


@pytest.mark.parametrize("uneven", ["expired"], indirect=True)
def test_a_token_that_expires_half_way_is_asked_for_anew(
    uneven: Uneven, tmp_path: Path, pauses: list[float]
) -> None:
    send(uneven, tmp_path, pauses)
    assert uneven.tokens == 1


@pytest.mark.parametrize("uneven", ["always"], indirect=True)
def test_it_gives_up_when_nothing_ever_arrives(
    uneven: Uneven, tmp_path: Path, pauses: list[float]
) -> None:
    with pytest.raises(UploadError, match="the upload broke off: the connection was cut"):
        send(uneven, tmp_path, pauses)
    assert pauses == [0.5, 1.0, 2.0, 4.0]
