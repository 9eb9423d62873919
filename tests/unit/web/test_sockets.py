"""What is pushed to pages, and consoles: who may have them, and that nobody waits for a slow one."""

import asyncio
import itertools
import re
import socket
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from unittest.mock import create_autospec

import pytest
from uvicorn import Config
from websockets.exceptions import InvalidStatus

from raptorctl.api import change, machine
from raptorctl.api import screen as screens
from raptorctl.api.caller import Caller
from raptorctl.errors import HostError
from raptorctl.model.names import MachineName
from raptorctl.web import serve, sockets
from raptorctl.web.control import ask
from raptorctl.web.door import IDLE_SECONDS
from raptorctl.web.edge import App
from raptorctl.web.serve import LARGEST_FRAME
from raptorctl.web.sockets import ABSENT, ENDED, MOST_UNSENT, OFF, OUTSIDE
from tests.fakes import World
from tests.fakes.console import FakeStream
from tests.unit.api.session import InMemory
from tests.web import Browser, Served, closed, served, socket_of

CONSOLE = "/m/alice-dev/console/socket"
WAYS = "uvicorn.protocols.websockets."
SOCKETS = ("/live", "/m/alice-dev/live", CONSOLE, "/m/alice-dev/screen/socket")


@pytest.mark.parametrize("path", SOCKETS)
def test_each_socket_asks_who_is_there(server: Served, world: World, path: str) -> None:
    for cookie in ("", "raptorctl=chosen", f"raptorctl-{server.port}=chosen"):
        with pytest.raises(InvalidStatus) as caught:
            socket_of(Browser(server.port, cookie=cookie), path)
        assert caught.value.response.status_code == 403
    assert world.consoles.streams == []
    assert world.consoles.screens == []


@pytest.mark.parametrize("path", SOCKETS)
def test_a_page_of_another_login_is_told_nothing(
    server: Served, browser: Browser, world: World, path: str
) -> None:
    """A browser has one cookie for all of its tabs, and who follows a link changes it."""
    (visit,) = server.server._control._door.visits
    other = server.browser("dave")
    assert closed(socket_of(other, f"{path}?login={visit.id}")) == OUTSIDE
    assert world.consoles.streams == []
    with socket_of(browser, f"/live?login={visit.id}") as line:
        assert "alice-dev" in str(line.recv(timeout=60))


@pytest.mark.parametrize("page", ["/", "/m/alice-dev", "/m/alice-dev/console"])
def test_each_page_names_its_login(server: Served, browser: Browser, page: str) -> None:
    (visit,) = server.server._control._door.visits
    (path,) = re.findall(r'(?:ws-connect|data-socket)="([^"]*)"', browser.get(page).text)
    assert path.endswith(f"?login={visit.id}")


@pytest.mark.parametrize("path", SOCKETS)
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_no_socket_is_opened_by_another_page(browser: Browser, path: str, origin: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        socket_of(browser, path, origin)
    assert caught.value.response.status_code == 403


def test_a_console_types_and_reads(browser: Browser, world: World) -> None:
    with socket_of(browser, CONSOLE) as line:
        assert line.recv(timeout=60) == b"login: "
        line.send(b"root\r")
        assert line.recv(timeout=60) == b"root\r"  # as a terminal's driver says it again
        line.send("\u00fc")
        assert line.recv(timeout=60) == "\u00fc".encode()
        (stream,) = world.consoles.streams
        stream.ears.heard(b"\xff\x00raw")
        assert line.recv(timeout=60) == b"\xff\x00raw"
        stream.ears.ended()
        assert closed(line) == ENDED
    assert stream.typed == b"root\r\xc3\xbc"
    assert stream.closed


def test_who_types_at_a_console_is_there(server: Served, browser: Browser, world: World) -> None:
    """A login ends when nobody uses it, and a console asks for no page."""
    (visit,) = server.server._control._door.visits
    with socket_of(browser, CONSOLE) as line:
        line.recv(timeout=60)
        visit.used -= IDLE_SECONDS - 60
        before = visit.used
        line.send(b"x")
        (stream,) = world.consoles.streams
        while not stream.typed:
            pass
    assert visit.used > before


def test_a_console_is_given_back_when_its_reader_goes(browser: Browser, world: World) -> None:
    with socket_of(browser, CONSOLE) as line:
        line.recv(timeout=60)
    (stream,) = world.consoles.streams
    while not stream.closed:
        browser.get("/new")


def test_a_machine_that_is_off_has_no_console(browser: Browser) -> None:
    browser.post("/m/alice-dev/power/destroy")
    assert closed(socket_of(browser, CONSOLE)) == OFF


def test_another_tenants_machine_is_not_there(world: World, tmp_path: Path) -> None:
    with served(world, tmp_path, Caller("alice", root=True, tenant="alice")) as running:
        alice = running.browser("alice")
        for path in (
            "/m/bob-web/console/socket",
            "/m/bob-none/console/socket",
            "/m/bob-web/live",
            "/m/bob-web/screen/socket",
        ):
            assert closed(socket_of(alice, path)) == ABSENT
        assert world.consoles.streams == []
        with socket_of(alice, "/live") as line:
            assert "bob" not in str(line.recv(timeout=60))


def test_a_page_of_a_machine_that_has_just_gone_is_told_so(
    browser: Browser, world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What all tabs see is as old as the last look; the host is asked for this one."""
    with socket_of(browser, "/live") as line:
        assert "alice-dev" in str(line.recv(timeout=60))
    session = InMemory(caller=Caller("carol", root=True))
    session.put(world, tmp_path)
    change.carry_out(session, machine.deprovision(MachineName("alice", "dev"), 0.0))
    assert closed(socket_of(browser, "/m/alice-dev/live")) == ABSENT
    assert "Traceback" not in caplog.text


def test_a_page_whose_host_does_not_answer_is_told_why(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*_: object) -> bool:
        raise HostError("libvirt is away")

    monkeypatch.setattr(screens, "is_shown", silent)
    line = socket_of(browser, "/m/alice-dev/live")
    assert closed(line) == sockets.REFUSED
    assert line.close_reason == "libvirt is away"


def test_logging_out_ends_consoles_at_once(server: Served, browser: Browser, world: World) -> None:
    line, other = socket_of(browser, CONSOLE), socket_of(browser, "/live")
    line.recv(timeout=60)
    assert ask(server.socket, {"do": "logout", "which": "carol"}) == {"ended": 1}
    assert closed(line) == OUTSIDE
    assert closed(other) == OUTSIDE
    assert world.consoles.streams[0].closed
    assert browser.get("/").status == 401


def test_a_frame_has_a_limit(browser: Browser, world: World) -> None:
    with socket_of(browser, CONSOLE) as line:
        line.recv(timeout=60)
        line.send(b"a" * (LARGEST_FRAME + 1))
        assert closed(line) == 1009
    assert world.consoles.streams[0].typed == b""


def test_a_slow_reader_keeps_nobody_waiting(browser: Browser, world: World) -> None:
    """It reads nothing while its console says more than anybody would keep."""
    slow, quick = socket_of(browser, CONSOLE, max_queue=1), socket_of(browser, CONSOLE)
    quick.recv(timeout=60)
    first, second = world.consoles.streams
    for number in range(64):
        first.ears.heard(f"{number:06}".encode() * (MOST_UNSENT // 24))
    second.ears.heard(b"still here")
    assert quick.recv(timeout=60) == b"still here"
    assert browser.get("/").status == 200
    first.ears.heard(b"the end")
    heard = b""
    while not heard.endswith(b"the end"):
        piece = slow.recv(timeout=60)
        assert isinstance(piece, bytes)
        heard += piece
    assert len(heard) < 64 * MOST_UNSENT // 4
    slow.close()
    quick.close()


def protocols() -> tuple[str, ...]:
    """Those of uvicorn that there are; it takes one or the other by its version."""
    names = ("websockets_impl.WebSocketProtocol", "websockets_sansio_impl.WebSocketsSansIOProtocol")
    found = [name for name in names if find_spec(WAYS + name.partition(".")[0])]
    return tuple(found)


def taking_by(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have WebSockets served by a protocol of uvicorn's; none is asked whether it is there."""
    module, _, kind = name.partition(".")
    base = getattr(import_module(WAYS + module), kind)
    made = type("Chosen", (serve.Unheld, base), {})
    monkeypatch.setattr(serve, "ImpatientSocket", made)
    configured = serve.configured

    def without_pings(app: App) -> Config:
        config = configured(app)
        config.ws_ping_interval = None
        return config

    monkeypatch.setattr(serve, "configured", without_pings)


def deaf(browser: Browser) -> socket.socket:
    """Open a console as a reader does who takes little, and only when told to."""
    line = socket.socket()
    line.settimeout(60)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.connect(("127.0.0.1", browser.port))
    line.sendall(
        f"GET {CONSOLE} HTTP/1.1\r\nHost: 127.0.0.1:{browser.port}\r\n"
        f"Origin: http://127.0.0.1:{browser.port}\r\nCookie: {browser.cookie}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    assert line.recv(12) == b"HTTP/1.1 101"
    return line


def flooded(world: World) -> FakeStream:
    """The console of that reader, which has said more than the kernel keeps for them."""
    until(lambda: world.consoles.streams)
    (stream,) = world.consoles.streams
    for _ in range(128):
        stream.ears.heard(b"x" * (MOST_UNSENT // 16))
        time.sleep(0.005)
    return stream


def until(seen: Callable[[], object]) -> None:
    """Wait until something is so."""
    late = time.monotonic() + 60
    while not seen():
        assert time.monotonic() < late
        time.sleep(0.01)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("protocol", protocols())
def test_who_takes_nothing_holds_no_console_and_no_connection(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: str
) -> None:
    monkeypatch.setattr(serve, "PATIENCE_SECONDS", 0.5)
    taking_by(protocol, monkeypatch)
    with served(world, tmp_path) as running, deaf(running.browser()):
        stream = flooded(world)
        until(lambda: stream.closed)
        until(lambda: not running.server.server_state.connections)


@pytest.mark.parametrize(("takes", "ends"), [(1, False), (0, True)])
def test_who_is_slow_but_takes_something_is_kept(
    monkeypatch: pytest.MonkeyPatch, takes: int, *, ends: bool
) -> None:
    monkeypatch.setattr(serve, "PATIENCE_SECONDS", 0.01)

    async def scene() -> bool:
        way = create_autospec(asyncio.Transport)
        way.get_write_buffer_size.side_effect = itertools.count(1000, -takes)
        taken = serve.Unheld()
        taken.connection_made(way)  # something waits already, of the answers before it
        await asyncio.sleep(0.2)
        ended = bool(way.abort.called)
        taken.connection_lost(None)
        return ended

    assert asyncio.run(scene()) is ends


def test_a_listener_keeps_the_newest() -> None:
    async def scene() -> bytes:
        listener = sockets.Listener(asyncio.get_running_loop())
        listener.heard(b"a" * MOST_UNSENT)
        listener.heard(b"b" * 10)
        await asyncio.sleep(0)
        return await listener.take()

    taken = asyncio.run(scene())
    assert taken == b"a" * (MOST_UNSENT // 2 - 10) + b"b" * 10


def test_200_tabs_cost_one_look(server: Served, browser: Browser, world: World) -> None:
    asked: list[int] = []
    states = world.domains.states

    def counted() -> object:
        asked.append(1)
        return states()

    world.domains.states = counted  # type: ignore[method-assign, assignment]
    tabs = [socket_of(browser, "/live") for _ in range(200)]
    try:
        for tab in tabs:
            assert "alice" in str(tab.recv(timeout=60))
        looks = len(asked)
        for domain in world.domains.list():
            if domain.name == "alice-dev":
                world.domains.suspend(domain.uuid)
        for tab in tabs:
            assert "paused" in str(tab.recv(timeout=60))
        assert len(asked) <= looks + 2
    finally:
        for tab in tabs:
            tab.close()


def test_a_visit_has_a_bounded_number_of_sockets(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "MOST_SOCKETS", 2)
    first, second = socket_of(browser, "/live"), socket_of(browser, "/live")
    first.recv(timeout=60)
    second.recv(timeout=60)
    assert closed(socket_of(browser, "/live")) == sockets.REFUSED
    first.close()
    second.close()


def test_what_was_asked_for_is_told_as_it_goes(browser: Browser) -> None:
    form = {"machine": "alice db", "size": "2G", "cpus": "1"}
    agreed = browser.post("/new", form).text.partition('name="agreed" value="')[2].partition('"')[0]
    path = browser.post("/new", {**form, "agreed": agreed}).headers["location"]
    with socket_of(browser, f"{path}/live") as line:
        while "machine alice-db: 2G" not in (said := str(line.recv(timeout=60))):
            assert "did not work" not in said
    assert closed(socket_of(browser, "/work/none/live")) == ABSENT
