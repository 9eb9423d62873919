"""Asking root's service for petitions, as a tenant, and hearing what it says."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from raptorctl.api.session import Session
from raptorctl.engine.report import Reporter, Silent
from raptorctl.errors import HostError, MissingError, RaptorError, RefusedError
from raptorctl.host.system import peer
from raptorctl.model.error_code import Code
from raptorctl.model.exit_code import FAILED
from raptorctl.model.job import StepState

SOCKET: Final = "/run/raptorctl/request.sock"
SILENT: Final = Silent()


class RequestError(RaptorError):
    """What the service says went wrong, with the code and the exit code that it has there."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        super().__init__(
            str(said.get("message", "")),
            details="\n".join(map(str, said.get("details", ()))),
            resolution=str(said.get("hint", "")),
            code=_known(Code, said.get("code"), Code.FAILED),
            subject=str(said.get("subject", "")),
        )
        self.exit_code = int(said.get("exit", FAILED))
        self.job = str(said.get("job", ""))
        self.cause = _known(Code, said.get("cause"), None)
        self.always_detailed = self.code is Code.LEFTOVERS


def refuse_others(session: Session) -> None:
    """Refuse who needs nobody to act for them.

    Raises:
        RefusedError: says what they type instead.
    """
    if session.on_session_host:
        raise RefusedError(
            "this host is your own, and there is nobody to ask",
            resolution="use raptorctl without `request`",
            code=Code.SESSION_HOST,
        )
    if session.is_root:
        raise RefusedError(
            "requests are for tenants",
            resolution="an admin uses raptorctl without `request`",
            code=Code.NOT_ALLOWED,
        )


def ask(said: Mapping[str, Any], reporter: Reporter = SILENT) -> Mapping[str, Any]:
    """Ask, and return the last of what is answered.

    Args:
        said: see `read/petition.py`.
        reporter: is told about each step of the job.

    Raises:
        MissingError: this host has no such service, or not for us.
        RequestError: what was asked was refused, or failed.
        HostError: the service broke off; its job goes on.
    """
    nobody = MissingError(
        "nothing can be requested on this host", resolution="ask an admin", code=Code.NOT_ALLOWED
    )
    for answer in peer.ask(SOCKET, said, nobody):
        key, value = next(iter(answer.items()), ("", None))
        if key in _EVENTS:
            _EVENTS[key](reporter, value)
        elif key == "error":
            raise RequestError(value if isinstance(value, Mapping) else {})
        else:
            return answer
    raise HostError(
        "the service ended without an answer",
        resolution="see `raptorctl request list`: what was begun goes on without you",
    )


def _ended(reporter: Reporter, said: Any) -> None:
    number, total, title, state, problem = said
    reporter.ended(number, total, title, StepState(state), problem)


_EVENTS: Final[Mapping[str, Callable[[Reporter, Any], None]]] = {
    "started": lambda reporter, said: reporter.started(*said),
    "progress": lambda reporter, said: reporter.progress(*said),
    "ended": _ended,
    "note": lambda reporter, said: reporter.note(said),
}


def _known(kind: type[Code], word: Any, otherwise: Any) -> Any:
    try:
        return kind(word)
    except ValueError:  # of a later version
        return otherwise
