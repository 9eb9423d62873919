"""The parts of the page for tenants, looked at for doctor; changes nothing."""

import grp
import ssl
import stat
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from raptorctl.errors import MissingError
from raptorctl.host.system import command, unit
from raptorctl.model.metric import OLD_SECONDS, TEXTFILE, TEXTFILES
from raptorctl.model.probe import WebSeen
from raptorctl.model.web import AGENTS, CONTROLS, FRONT, Web

MODULES: Final = ("starlette", "uvicorn", "websockets", "jinja2")
UNITS: Final = ("raptorctl-web-door.socket", "raptorctl-web.socket")
DIRECTORIES: Final = {AGENTS: 0o710, CONTROLS: 0o700}
SOON: Final = 14 * 86400
"""Seconds before its end in which a certificate is told of."""


def look(web: Web) -> WebSeen:
    """Look at everything once.

    Args:
        web: of the settings.
    """
    listening = unit.running(*UNITS)
    return WebSeen(
        lacking=tuple(_lacking()),
        silent=tuple(name for name in UNITS if name not in listening),
        exposed=tuple(path for path, kept in DIRECTORIES.items() if not _is_kept(path, kept)),
        certificate=_certificate(web) if web.certificate else "",
        metrics=_metrics(Path(TEXTFILES, TEXTFILE)) if web.scrapers else "",
    )


def _lacking() -> Iterator[str]:
    yield from (module for module in MODULES if find_spec(module) is None)
    try:
        command.find("nginx")
    except MissingError:
        yield "nginx"


def _is_kept(path: str, mode: int) -> bool:
    """Whether a directory of sockets is root's, of that mode, and its group the front end's."""
    try:
        status, front = Path(path).stat(), grp.getgrnam(FRONT).gr_gid
    except (OSError, KeyError):
        return False
    groups = {front} if mode & stat.S_IXGRP else {status.st_gid}
    return (status.st_uid, stat.S_IMODE(status.st_mode)) == (0, mode) and status.st_gid in groups


def _metrics(path: Path) -> str:
    """What is wrong with the file that scrapers get, or ""."""
    try:
        age = time.time() - path.stat().st_mtime
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return f"is {age / 3600:.0f} hours old" if age > OLD_SECONDS else ""


def _certificate(web: Web) -> str:
    """What is wrong with it, or ""."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(web.certificate, web.key)
    except (OSError, ssl.SSLError) as error:
        return f"cannot be used with its key: {error.strerror or error}"
    words = ("x509", "-noout", "-checkend", str(SOON), "-in", web.certificate)
    said = command.run("openssl", *words, ok=(0, 1))
    return "expires within two weeks" if "will expire" in said else ""
