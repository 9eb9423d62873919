"""What is refused before any page is asked, and what browsers are told."""

import logging
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.routing import Route
from websockets.exceptions import InvalidStatus

from raptorctl.web.app import _routes
from raptorctl.web.edge import LARGEST_BODY
from raptorctl.web.paint import files
from raptorctl.web.serve import _log
from raptorctl.web.sockets import ABSENT
from tests.web import Browser, Served, closed, socket_of

FORMS = [
    route.path
    for route in _routes()
    if isinstance(route, Route) and "POST" in (route.methods or ())
]
PLACES = {
    "{name}": "alice-dev", "{verb}": "start", "{work}": "0", "{job}": "0",
}  # fmt: skip


def filled(path: str) -> str:
    for place, value in PLACES.items():
        path = path.replace(place, value)
    return path


def test_a_link_logs_in_once(server: Served) -> None:
    link, browser = server.link(), Browser(server.port)
    answer = browser.enter(link)
    assert answer.status == 200
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert 'http-equiv="refresh" content="0;url=/"' in answer.text
    assert browser.get("/").status == 200
    assert Browser(server.port).enter(link).status == 401


def test_a_cookie_from_before_the_login_is_not_taken_over(server: Served) -> None:
    fixed = f"raptorctl-{server.port}=chosen"
    browser = Browser(server.port, cookie=fixed)
    browser.enter(server.link())
    assert browser.cookie != fixed
    assert Browser(server.port, cookie=fixed).get("/").status == 401


def test_without_a_login_there_is_nothing_to_see(server: Served) -> None:
    for path in ("/", "/new", "/doctor", "/m/alice-dev", "/m/none-such", "/nothing/here"):
        answer = Browser(server.port).get(path)
        assert answer.status == 401, path
        assert "alice" not in answer.text


@pytest.mark.parametrize("path", FORMS)
def test_no_form_is_taken_from_another_page(server: Served, browser: Browser, path: str) -> None:
    there = filled(path)
    for origin in (None, "null", "http://evil.example", "http://127.0.0.1:1", "https://127.0.0.1"):
        assert browser.post(there, Origin=origin).status == 403, origin
    for secret in ("", "guessed", server.browser().csrf):
        assert browser.post(there, {"csrf": secret}).status == 403
    assert browser.get("/").status == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost.:80"])
def test_another_name_that_leads_here_is_refused(browser: Browser, host: str) -> None:
    assert browser.get("/", Host=host).status == 421


def test_the_end_of_a_forward_may_have_another_port(browser: Browser) -> None:
    assert browser.get("/", Host="localhost:9999").status == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "OPTIONS", "PATCH"])
def test_other_methods_are_refused(browser: Browser, method: str) -> None:
    assert browser.ask(method, "/").status == 405


def test_a_body_has_a_limit_told_or_not(browser: Browser, server: Served) -> None:
    assert browser.post("/new", {"machine": "a" * LARGEST_BODY}).status == 413
    chunk = f"{LARGEST_BODY:x}\r\n".encode() + b"a" * LARGEST_BODY + b"\r\n"
    head = (
        f"POST /new HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nCookie: {browser.cookie}\r\n"
        f"Origin: http://127.0.0.1:{server.port}\r\nTransfer-Encoding: chunked\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", server.port), 60) as line:
        line.sendall(head + chunk + chunk)
        assert line.recv(100).startswith(b"HTTP/1.1 413")


def test_a_head_has_a_limit(server: Served) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 60) as line:
        line.sendall(b"GET / HTTP/1.1\r\nX: " + b"a" * 20_000)
        assert line.recv(100).startswith(b"HTTP/1.1 400")


def _asked(server: Served, text: str, narrow: bool = False) -> socket.socket:
    line = socket.socket()
    if narrow:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    line.settimeout(60)
    line.connect(("127.0.0.1", server.port))
    line.sendall(text.replace("\n", "\r\n").encode())
    return line


def _is_hung_up_on(line: socket.socket) -> bool:
    """Read until the other end hangs up; a reset (RST) is as good as a goodbye."""
    with line, suppress(ConnectionError):
        while line.recv(1 << 20):
            pass
    return True


def test_who_does_not_ask_holds_no_place(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("raptorctl.web.serve.PATIENCE_SECONDS", 0.2)
    half = "GET / HTTP/1.1\nHost: 127.0"
    slow = [_asked(server, half[: number % 20]) for number in range(50)]
    assert Browser(server.port).get("/").status == 401
    assert all(_is_hung_up_on(line) for line in slow)


def test_who_asks_twice_is_waited_for_no_longer(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second head, and a body after its answer, that come byte by byte without end."""
    monkeypatch.setattr("raptorctl.web.serve.PATIENCE_SECONDS", 0.5)
    host = f"Host: 127.0.0.1:{server.port}\n"
    post = f"POST /leave HTTP/1.1\n{host}Origin: http://127.0.0.1:{server.port}\n"
    head = _asked(server, f"GET /static/page.css HTTP/1.1\n{host}\n")
    body = _asked(server, f"{post}Content-Length: 60000\n\n")
    for line in (head, body):
        line.recv(1)
        with pytest.raises(ConnectionError):
            for _ in range(60_000):
                line.sendall(b"G")
                line.settimeout(0.02)
                with suppress(TimeoutError):
                    if not line.recv(1 << 20):
                        raise ConnectionError
        line.close()


def test_who_takes_no_answer_holds_no_place(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("raptorctl.web.serve.PATIENCE_SECONDS", 0.3)
    ask = f"GET /static/xterm.js HTTP/1.1\nHost: 127.0.0.1:{server.port}\n\n"
    line = _asked(server, ask * 40, narrow=True)
    connections = server.server.server_state.connections
    while not connections:
        pass
    while connections:
        assert Browser(server.port).get("/").status == 401
    line.close()


def test_no_more_connections_are_kept_than_jobs_can_bear(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("raptorctl.web.serve.MOST_CONNECTIONS", 5)
    kept = [_asked(server, "G") for _ in range(5)]
    while len(server.server.server_state.connections) < 5:
        pass
    assert all(_is_hung_up_on(_asked(server, "")) for _ in range(20))
    for line in kept:
        line.settimeout(0)
        with pytest.raises(BlockingIOError):
            line.recv(1)
        line.close()


def test_other_accounts_cannot_hold_all_connections(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("raptorctl.web.serve.MOST_OF_OTHERS", 3)
    others = True
    monkeypatch.setattr("raptorctl.web.serve.owner", lambda _: 65533 if others else 0)
    kept = [_asked(server, "G") for _ in range(3)]
    while len(server.server.server_state.connections) < 3:
        pass
    assert all(_is_hung_up_on(_asked(server, "")) for _ in range(20))
    others = False
    assert Browser(server.port).get("/").status == 401
    for line in kept:
        line.close()


def test_who_looks_ahead_uses_no_link_up(server: Served) -> None:
    link, browser = server.link(), Browser(server.port)
    assert browser.ask("HEAD", urlsplit(link).path).status == 405
    assert browser.get(urlsplit(link).path, Sec_Purpose="prefetch;prerender").status == 405
    assert browser.enter(link).status == 200


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    _log(tmp_path)
    yield tmp_path / "web.log"
    for name in ("uvicorn", "uvicorn.error", "asyncio"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True


def test_what_a_stranger_gets_wrong_fills_no_log(server: Served, log: Path) -> None:
    assert _is_hung_up_on(_asked(server, "nonsense\n\n"))
    for path in ("/m/%3C/live", "/m/-/console/socket"):
        with pytest.raises(InvalidStatus):
            socket_of(Browser(server.port), path)
        assert closed(socket_of(server.browser(), path)) == ABSENT
    assert log.read_text() == ""


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/door.py", "/static/vendor/htmx.js",
        "/static//etc/passwd", "/static/page.css%00", "/static/LICENSES.txt", "/static/",
    ],
)  # fmt: skip
def test_only_files_of_pages_are_served(browser: Browser, path: str) -> None:
    assert browser.get(path).status == 404


def test_files_are_what_they_say_and_may_be_kept(browser: Browser) -> None:
    for name in files():
        answer = browser.get(f"/static/{name}")
        assert answer.status == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_pages_run_no_script_but_ours_and_ask_nobody_else(browser: Browser) -> None:
    for path in ("/", "/m/alice-dev", "/m/alice-dev/console", "/nothing", "/new"):
        answer = browser.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert ("'unsafe-inline'" in policy) is path.endswith("/console")
        assert answer.headers["cache-control"] == "no-store"
        assert " onclick" not in answer.text
        assert " style=" not in answer.text
        assert "<script>" not in answer.text
        assert "//" not in answer.text.replace("http://www.w3.org", "")


def test_no_line_of_a_head_is_chosen_by_who_asks(server: Served, browser: Browser) -> None:
    link = urlsplit(server.link()).path
    for path in (f"{link}%0d%0aSet-Cookie:x=y", "/m/a-b%0d%0aX:y", "/jobs/%0d%0aSet-Cookie:x=y"):
        answer = browser.get(path)
        assert answer.status in {401, 404, 400}
        assert "x=y" not in answer.headers.get("set-cookie", "")
