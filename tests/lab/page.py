"""The lab's page in a browser of this machine: its loopback, forwarded to ours."""

import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pexpect

from tests.lab import qemu
from tests.lab.errors import LabError
from tests.lab.host import Lab

LINK = r"http://127\.0\.0\.1:[0-9]+/enter/[A-Za-z0-9_-]+"
PATIENCE = 120
"""Seconds until the link is there: a login and Python's start, emulated."""


PYTHON = "/opt/raptorctl/bin/python3"
NEEDED = "import jinja2, starlette, uvicorn, websockets"


def is_there(lab: Lab) -> bool:
    """Whether the host has what the page needs, an extra."""
    return lab.run(PYTHON, "-c", NEEDED, check=False).returncode == 0


def show(lab: Lab) -> None:
    """Print a link to the page and keep it open until ^C; without a terminal, only try it.

    Raises:
        LabError: it does not open.
    """
    with opened(lab) as (link, server):
        print(f"\n# All of it in a browser; the link is good once, for 60 seconds.\n{link}")
        if sys.stdin.isatty() and sys.stdout.isatty():
            print("\n^C closes the page; the host stays.", flush=True)
            try:
                server.expect(pexpect.EOF, timeout=None)
            except KeyboardInterrupt:
                print()
        elif (status := _asked(link.partition("/enter/")[0])) != 401:  # nobody is logged in
            raise LabError(f"the page answers with {status}")


@contextmanager
def opened(lab: Lab) -> Iterator[tuple[str, "pexpect.spawn[str]"]]:
    """Open the page on a port of this machine's loopback; gives a link, and what serves it.

    Raises:
        LabError: says what `raptorctl web` said.
    """
    port = str(qemu.free_port())
    ssh, *argv = lab.ssh.argv("raptorctl", "web", "--port", port, tty=True)
    # A connection of its own, which ends with the page: a shared one would keep the forward.
    own = ("-oControlPath=none", "-oExitOnForwardFailure=yes")
    forward = f"-L127.0.0.1:{port}:127.0.0.1:{port}"
    with pexpect.spawn(ssh, [*own, forward, *argv], timeout=PATIENCE, encoding="utf-8") as server:
        if server.expect([LINK, pexpect.EOF, pexpect.TIMEOUT]):
            raise LabError(f"`raptorctl web` opens no page: {str(server.before).strip()}")
        yield str(server.match[0]), server
        server.sendintr()
        server.expect(pexpect.EOF)


def _asked(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:  # noqa: S310 - ours
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError as error:
        raise LabError(f"the page does not answer: {error}") from error
