"""A browser's part against the page for tenants, on the host itself.

Takes a JSON list of acts, each a list of words, and prints the list of their answers:

get PATH [COOKIE [ADDRESS]]   status, cookie and text
socket PATH COOKIE            the code that a WebSocket is closed or refused with
trace PID                     what a process lets this account do with it
"""

import ctypes
import http.client
import json
import os
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from socket import create_connection

HOST = "raptor.example:8443"
AGAIN = 2
TLS = ssl.create_default_context()
TLS.check_hostname, TLS.verify_mode = False, ssl.CERT_NONE  # the lab's certificate is its own


def get(path: str, cookie: str = "", address: str = HOST) -> dict[str, object]:
    """Ask for a page."""
    line = http.client.HTTPSConnection("127.0.0.1", 8443, context=TLS, timeout=120)
    headers = {"Host": address, **({"Cookie": cookie} if cookie else {})}
    line.request("GET", path, headers=headers)
    answer = line.getresponse()
    given = (answer.getheader("set-cookie") or "").partition(";")[0]
    return {"status": answer.status, "cookie": given, "text": answer.read().decode()}


def socket(path: str, cookie: str) -> dict[str, object]:
    """Open a WebSocket, and read it to its end."""
    from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
    from websockets.sync.client import connect
    from websockets.typing import Origin

    try:
        with connect(
            f"wss://{HOST}{path}", sock=create_connection(("127.0.0.1", 8443)), ssl=TLS,
            open_timeout=120, origin=Origin(f"https://{HOST}"),
            additional_headers={"Cookie": cookie}, compression=None,
        ) as line:  # fmt: skip
            line.recv(timeout=60)
            return {"code": 0}
    except InvalidMessage as silence:
        raise ConnectionResetError(str(silence)) from silence
    except InvalidStatus as refused:
        return {"code": refused.response.status_code}
    except ConnectionClosed as end:
        return {"code": end.rcvd.code if end.rcvd else 1006}


def trace(number: str) -> dict[str, object]:
    """Try to take a process over."""
    libc, pid = ctypes.CDLL(None, use_errno=True), int(number)
    pidfd = os.pidfd_open(pid)
    tried = {
        "attach": libc.ptrace(16, pid, 0, 0),
        "seize": libc.ptrace(0x4206, pid, 0, 0),
        "pidfd_getfd": libc.syscall(438, pidfd, 3, 0),
    }
    for name in ("mem", "maps", "environ"):
        try:
            with Path(f"/proc/{pid}/{name}").open("rb") as file:
                file.read(1)
            tried[name] = 0
        except OSError:
            tried[name] = -1
    return tried


ACTS: dict[str, Callable[..., dict[str, object]]] = {"get": get, "socket": socket, "trace": trace}


def done(act: str, *words: str) -> dict[str, object]:
    """Do one act, once more where nobody answered it.

    Where an emulated host's clock jumps, or a processor of it sleeps on, nginx hangs up on who has
    just come, as on somebody who said nothing for too long. Browsers ask again, too.
    """
    for _ in range(AGAIN):
        try:
            return ACTS[act](*words)
        except OSError as error:
            print(f"{act} {words[0]}: {error!r}", file=sys.stderr)
    return ACTS[act](*words)


print(json.dumps([done(*act) for act in json.loads(sys.argv[1])]))
