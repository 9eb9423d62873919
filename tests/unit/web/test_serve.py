"""The server's place on the host, and its end."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from raptorctl.api.caller import Caller
from raptorctl.errors import RefusedError
from raptorctl.web.serve import LOOPBACK, bound, place
from tests.fakes import World
from tests.unit.api.session import InMemory

HERE = Path(__file__).parents[3]
SERVES = """
import signal
import sys
from pathlib import Path
from raptorctl.api.caller import Caller
from raptorctl.web import serve
from tests.fakes import World
from tests.unit.api.session import InMemory

folder = Path(sys.argv[1])
session = InMemory(caller=Caller("carol", root=True))
session.put(World(), folder)
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # as at a terminal, also if we run below nohup(1)
serve.place = lambda _: folder / "web.sock"
serve._log = lambda _: None
serve.serve(session, lambda _: session, serve.bound(0), lambda link: print(link, flush=True))
print("ended")
"""


def test_each_admin_has_a_server_of_their_own(tmp_path: Path) -> None:
    """It opens the files that are named to it as whoever began it: another admin gets no link."""
    session = InMemory(caller=Caller("carol", root=True))
    session.put(World(), tmp_path)
    theirs = InMemory(caller=Caller("dave", root=True))
    assert place(session) == Path("/run/raptorctl-web-carol.sock")
    assert place(theirs) == Path("/run/raptorctl-web-dave.sock")


def test_nobody_gets_in_between_taking_a_port_and_listening() -> None:
    ours = bound(0)
    with ours, socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with pytest.raises(OSError, match="in use"):
            other.bind((LOOPBACK, ours.getsockname()[1]))


def test_a_port_that_another_took_first_is_refused_in_words() -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((LOOPBACK, 0))
        other.listen()
        with pytest.raises(RefusedError, match="is not to be had"):
            bound(other.getsockname()[1])


@pytest.mark.parametrize("signum", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_it_ends_in_order_when_its_terminal_goes(tmp_path: Path, signum: int) -> None:
    server = subprocess.Popen(
        [sys.executable, "-c", SERVES, str(tmp_path)],
        cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "PYTHONPATH": str(HERE)},
    )  # fmt: skip
    with server:
        assert server.stdout
        assert server.stdout.readline().startswith("http://127.0.0.1:")
        assert (tmp_path / "web.sock").exists()
        server.send_signal(signum)
        try:
            server.wait(60)
        finally:
            server.kill()
    assert not (tmp_path / "web.sock").exists()
