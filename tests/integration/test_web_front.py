"""The front end of tenants' pages: real nginx before agents, attacked as a stranger and a tenant."""

import http.client
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from raptorctl.model.metric import TEXTFILE
from raptorctl.model.web import Web
from raptorctl.web.front import BUSY, EXPOSITION
from raptorctl.web.sockets import ABSENT
from tests.integration.front_end import ACCOUNT, front_end, listening
from tests.integration.tenant_page import Page, tenant_page
from tests.web import Browser, closed, socket_of

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="other accounts' sockets are root's")

CONSOLE = "/m/{}/console/socket"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A short path, as sockets lie there (unix(7): 108 bytes)."""
    made = Path(tempfile.mkdtemp(prefix="page", dir="/tmp"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def page(folder: Path) -> Iterator[Page]:
    with tenant_page(folder) as made:
        yield made


def test_each_tenant_reaches_their_own_page(page: Page) -> None:
    alice, bob = page.browser("alice"), page.browser("bob")
    assert "alice-dev" in alice.get("/").text
    assert "bob" not in alice.get("/").text
    assert "bob-web" in bob.get("/").text
    assert alice.get("/m/bob-web").status == 404
    assert alice.post("/m/bob-web/power/destroy").status == 404
    assert alice.post("/m/alice-dev/power/reboot").status == 303
    assert bob.get("/m/bob-web").status == 200


def test_a_link_works_once_and_a_guess_does_not(page: Page) -> None:
    link = page.agents["alice"].link()
    assert Browser(page.port).enter(link).status == 200
    assert Browser(page.port).enter(link).status == 401
    token = link.rpartition("/")[2]
    assert Browser(page.port).get(f"/enter/bob.{token.partition('.')[2]}").status == 401


def test_a_cookie_is_good_for_its_owner_alone(page: Page) -> None:
    alice = page.browser("alice")
    secret = alice.cookie.partition("=")[2].partition(".")[2]
    for cookie in (
        f"raptorctl=bob.{secret}", f"raptorctl=carol.{secret}", "raptorctl=alice.", "raptorctl=",
        f"raptorctl=../control/alice.{secret}", f"raptorctl=alice%2f.{secret}", f"x={secret}",
        f"raptorctl=alice.{secret}x", f"raptorctl={secret}", f"raptorctl=ALICE.{secret}",
    ):  # fmt: skip
        assert Browser(page.port, cookie=cookie).get("/").status == 401, cookie
    assert alice.get("/").status == 200


def test_who_is_not_logged_in_is_told_what_to_type(page: Page) -> None:
    answer = Browser(page.port).get("/m/alice-dev")
    assert (answer.status, "ssh YOU@HOST raptorctl web" in answer.text) == (401, True)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-frame-options"] == "DENY"
    assert "nginx/" not in answer.headers.get("server", "")
    gone = Browser(page.port, cookie=f"raptorctl=carol.{'x' * 43}").get("/")
    assert (gone.status, gone.text) == (401, answer.text)


def test_an_agent_that_is_there_but_full_does_not_log_out(page: Page, folder: Path) -> None:
    """What it has no room for is refused, with its logins as they are."""
    path = folder / "agents" / "carol.sock"
    secret = "x" * 43
    with socket.socket(socket.AF_UNIX) as full, socket.socket(socket.AF_UNIX) as first:
        full.bind(str(path))
        os.chown(path, pwd.getpwnam(ACCOUNT).pw_uid, -1)
        path.chmod(0o770)  # as the unit has it
        full.listen(0)
        first.connect(str(path))
        for asked in (
            Browser(page.port, cookie=f"raptorctl=carol.{secret}").get("/"),
            Browser(page.port, cookie=f"raptorctl=bob.{secret}").get(f"/enter/carol.{secret}"),
        ):
            assert (asked.status, asked.text) == (503, f"{BUSY}\n")
            assert asked.headers["x-content-type-options"] == "nosniff"
    path.unlink()
    assert Browser(page.port, cookie=f"raptorctl=carol.{secret}").get("/").status == 401


def test_strangers_hold_no_socket_of_a_tenants(page: Page) -> None:
    """Not even for the time that they take to close it, for want of which bob was locked out."""
    bob = page.browser("bob")
    forged = Browser(page.port, cookie=f"raptorctl=bob.{'A' * 43}")
    for path in ("/live", CONSOLE.format("bob-web")):
        with pytest.raises(InvalidStatus) as refused:
            socket_of(forged, path)
        assert refused.value.response.status_code == 403
    assert bob.get("/").status == 200


def test_consoles_pass_and_those_of_others_do_not(page: Page) -> None:
    alice = page.browser("alice")
    with socket_of(alice, CONSOLE.format("alice-dev")) as line:
        assert line.recv(timeout=60) == b"login: "
        line.send(b"root\r")
        assert line.recv(timeout=60) == b"root\r"
    assert closed(socket_of(alice, CONSOLE.format("bob-web"))) == ABSENT
    with pytest.raises(InvalidStatus) as refused:
        socket_of(alice, CONSOLE.format("alice-dev"), origin="http://evil.example")
    assert refused.value.response.status_code == 403
    with pytest.raises(InvalidStatus) as outside:
        socket_of(Browser(page.port), CONSOLE.format("alice-dev"))
    assert outside.value.response.status_code == 401


@pytest.mark.parametrize(
    "path",
    ["/static/../nginx.conf", "/static/..%2fnginx.conf", "/static../nginx.conf", "/static//etc/passwd",
     "/static/%2e%2e/key.pem", "/static/..\\nginx.conf", "/static/", "/static/nginx.conf", "/outside.html"],
)  # fmt: skip
def test_files_are_ours_alone(page: Page, path: str) -> None:
    answer = Browser(page.port).get(path)
    assert answer.status in {400, 401, 403, 404}, answer
    assert "proxy_pass" not in answer.text


def test_static_files_come_without_a_login(page: Page) -> None:
    answer = Browser(page.port).get("/static/page.css")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/css")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_another_accounts_program_opens_no_agents_socket(page: Page) -> None:
    nobody = pwd.getpwnam("nobody")
    program = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    for found in page.agents.values():
        for path in (found.page, found.control):
            done = subprocess.run(
                ["/usr/bin/python3", "-c", program, path],
                user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert "PermissionError" in done.stderr


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 5000 + b"\r\n", 400),
        (b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"POST /leave HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", 413),
        (b"POST /leave HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
         b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01", 400),
    ],
)  # fmt: skip
def test_what_is_no_request_reaches_no_agent(page: Page, said: bytes, status: int) -> None:
    with socket.create_connection(("127.0.0.1", page.port), timeout=60) as line:
        line.sendall(said)
        answer = http.client.HTTPResponse(line)
        answer.begin()
        assert answer.status == status


def test_silent_connections_keep_nobody_out(page: Page) -> None:
    """Nginx does not count them; there is room for more, and they end by themselves."""
    held = []
    try:
        for number in range(1000):
            line = socket.socket()
            line.bind((f"127.0.1.{1 + number // 250}", 0))
            line.connect(("127.0.0.1", page.port))
            line.sendall(b"GET / HTTP/1.1\r\n")
            held.append(line)
        assert page.browser("alice").get("/").status == 200
    finally:
        for line in held:
            line.close()


def test_links_are_not_guessed_without_end(page: Page) -> None:
    """From one address; whoever comes from another is let in meanwhile."""
    guesses = {
        Browser(page.port, headers={"X-Forwarded-For": "192.0.2.1"})
        .get(f"/enter/carol.{number:043d}")
        .status
        for number in range(60)
    }
    assert 429 in guesses
    assert page.browser("alice").get("/").status == 200


@pytest.mark.parametrize(
    ("source", "other"),
    [
        ("2001:db8:0:1:{0:x}:{0:x}:0:{0:x}", "2001:db8:0:2::1"),
        ("::ffff:192.0.2.2", "::ffff:192.0.2.3"),  # as an IPv4 one reads at a socket of IPv6
        ("192.0.2.4", "192.0.2.5"),
    ],
)
def test_who_has_a_net_of_ipv6_is_one_who_guesses(page: Page, source: str, other: str) -> None:
    """RFC 6177: each subscriber has at least a /64."""

    def guessed(source: str) -> int:
        browser = Browser(page.port, headers={"X-Forwarded-For": source})
        return browser.get(f"/enter/carol.{'x' * 43}").status

    assert 429 in {guessed(source.format(number)) for number in range(1, 61)}
    assert guessed(other) == 401


def measured(folder: Path, slots: int = 3) -> Path:
    """Where the timer has written metrics; whole, in place of the last."""
    made = folder / "texts"
    made.mkdir(exist_ok=True)
    (made / "new").write_text(f"raptorctl_slots {slots}\n")
    return (made / "new").replace(made / TEXTFILE).parent


def scraped(line: http.client.HTTPConnection, forwarded: str = "") -> tuple[int, str, str]:
    """What Prometheus gets: status, type and text."""
    line.request("GET", "/metrics", headers={"X-Forwarded-For": forwarded} if forwarded else {})
    answer = line.getresponse()
    text = answer.read().decode()
    line.close()
    return answer.status, answer.headers["content-type"], text


def test_metrics_are_for_the_scrapers_that_the_settings_name(folder: Path) -> None:
    """Behind a proxy, which adds whom it hears to what they say of themselves."""
    with listening() as port:
        number = port.getsockname()[1]
        web = Web(f"http://127.0.0.1:{number}", number, scrapers=("192.0.2.7", "2001:db8:5::/64"))
        with front_end(web, port, folder / "agents", measured(folder)):
            line = http.client.HTTPConnection("127.0.0.1", number)
            for allowed in ("192.0.2.7", "2001:db8:5::9"):
                assert scraped(line, allowed) == (200, EXPOSITION, "raptorctl_slots 3\n")
            for other in ("", "192.0.2.8", "192.0.2.7, 192.0.2.8", "2001:db8:6::9", "x"):
                status, _, text = scraped(line, other)
                assert (status, "raptorctl_slots" in text) == (403, False), other
            measured(folder, 2)
            assert scraped(line, "192.0.2.7")[2] == "raptorctl_slots 2\n"
            afar = http.client.HTTPConnection("127.0.0.1", number, source_address=("127.0.1.9", 0))
            assert scraped(afar, "192.0.2.7")[0] == 403  # no proxy of ours


def test_metrics_are_nobodys_where_the_settings_name_none(page: Page) -> None:
    answer = scraped(http.client.HTTPConnection("127.0.0.1", page.port))
    assert (answer[0], "raptorctl_slots" in answer[2]) == (401, False)
    assert page.browser("alice").get("/metrics").status == 404


def test_tls_ends_there(folder: Path, page: Page) -> None:
    pair = {"cert": folder / "a.pem", "key": folder / "a.key"}
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", pair["key"], "-out", pair["cert"], "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-days", "2"],
        check=True, capture_output=True,
    )  # fmt: skip
    with socket.socket(socket.AF_INET6) as port:
        port.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        port.bind(("::", 0))
        port.listen()
        number = port.getsockname()[1]
        pem = (str(pair["cert"]), str(pair["key"]))
        web = Web(f"https://localhost:{number}", number, *pem, scrapers=("127.0.1.0/24",))
        with front_end(web, port, folder / "agents", measured(folder)):
            trusted = ssl.create_default_context(cafile=str(pair["cert"]))

            def from_(source: str) -> http.client.HTTPSConnection:
                return http.client.HTTPSConnection(
                    "localhost", number, context=trusted, source_address=(source, 0)
                )

            def guessed(source: str) -> int:
                line = from_(source)
                line.request("GET", f"/enter/carol.{'x' * 43}")
                return line.getresponse().status

            assert 429 in {guessed("127.0.1.7") for _ in range(60)}
            assert guessed("127.0.1.8") == 401  # IPv4 at a socket of IPv6: each is one
            with pytest.raises(urllib.error.HTTPError) as answered:
                urllib.request.urlopen(f"https://localhost:{number}/", context=trusted)
            assert answered.value.status == 401
            for source, told, status in (
                ("127.0.1.9", "", 200), ("127.0.0.1", "", 403), ("127.0.0.1", "127.0.1.9", 403),
                ("127.0.1.9", "192.0.2.8", 200),  # nobody says for others who they are
            ):  # fmt: skip
                assert scraped(from_(source), told)[0] == status, (source, told)
