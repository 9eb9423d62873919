"""A tenant's agent; systemd starts it as them, with its sockets (sd_listen_fds(3))."""

import logging
import os
import pwd
import socket
import sys
from pathlib import Path

from raptorctl.api.caller import Caller
from raptorctl.api.session import Session
from raptorctl.cli.output import tell
from raptorctl.errors import RaptorError
from raptorctl.model.names import TENANT
from raptorctl.model.settings_file import DEFAULT_FILE
from raptorctl.web.agent import Sockets, agent

FIRST = 3
"""The first socket that systemd hands over: the page's, and after it the control's."""


def main(settings: str = DEFAULT_FILE) -> None:
    """Serve the page of the account that runs this."""
    logging.basicConfig(format="%(message)s")
    page, control = (socket.socket(fileno=FIRST + number) for number in range(2))
    name = pwd.getpwuid(os.getuid()).pw_name
    try:
        if not TENANT.fullmatch(name):
            tell("raptorctl: this is no tenant")
            sys.exit(3)
        session = Session(Path(settings), Caller(name, tenant=name))
        agent(session, Sockets(page, control)).serve_all()
    except RaptorError as error:
        tell(f"raptorctl: {error}")  # into the journal
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main(*sys.argv[1:])
