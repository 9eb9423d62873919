"""The door: where tenants of a shared host ask for a link to their page.

Root's service serves one connection and ends. Who asks, the kernel says (unix(7), SO_PEERCRED). One
short line of JSON asks, and one is answered.
"""

import json
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from raptorctl.api import web as pages
from raptorctl.api.session import Session
from raptorctl.errors import HostError, InputError, RaptorError
from raptorctl.host.system.pace import Pace
from raptorctl.model.web import control_socket
from raptorctl.web.control import ask

LONGEST: Final = 200
"""Bytes of a question."""
AGENT_SECONDS: Final = 45.0
"""That an agent may take to answer, which has to begin first."""

PACES: Final = Path("/run/raptorctl-door")
"""Which systemd makes (RuntimeDirectory=): the door's process may write nowhere else."""
A_MINUTE: Final = 60
"""Questions that one account may ask in a minute."""


def serve(client: socket.socket, session: Session, paces: Path = PACES) -> None:
    """Answer one client.

    Args:
        client: connected.
        session: root's.
        paces: where it is counted how often each account asks.
    """
    with suppress(InputError, ValueError, OSError, RecursionError):
        uid, line = pages.heard(client, LONGEST)
        try:
            _count(paces, uid)  # before the host is looked at, which is most of the work
            answer = _answer(session, pages.person(session, uid), json.loads(line))
        except RaptorError as error:
            answer = {"error": error.brief}
        client.sendall(json.dumps(answer).encode() + b"\n")


def _count(paces: Path, uid: int) -> None:
    try:
        Pace(paces, "door", A_MINUTE, 60).take(uid)
    except OSError as error:
        raise HostError(f"the door cannot write in {paces}: {error.strerror}") from error


def _answer(session: Session, who: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    path = Path(control_socket(who))
    match asked:
        case {"do": "link"}:
            return _link(path, who)
        case {"do": "about"}:
            return {"about": pages.about(session, who)}
        case {"do": "sessions"}:
            return ask(path, {"do": "sessions"}) or {"sessions": []}
        case {"do": "logout", "which": str(which)} if which:
            return ask(path, {"do": "logout", "which": which}) or {"ended": 0}
        case {"do": "logout-all"}:
            return ask(path, {"do": "logout-all"}) or {"ended": 0}
    raise ValueError("no such question")


def _link(path: Path, who: str) -> Mapping[str, Any]:
    question = {"do": "link", "who": who}
    for _ in range(3):  # one that ends just now, as nobody was there, hangs up
        with suppress(HostError):
            if said := ask(path, question, AGENT_SECONDS):
                return said
        pages.begin_agent(who)
    raise HostError(f"the agent of {who}'s page does not answer")
