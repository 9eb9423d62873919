"""Reads consoles' logs for tenants; systemd starts it for each connection (systemd.socket(5))."""

import socket
import sys
from contextlib import suppress
from pathlib import Path

from raptorctl.api.log import operated
from raptorctl.cli.output import tell
from raptorctl.errors import RaptorError
from raptorctl.host.connect import drivers
from raptorctl.host.guest.console_log import serve
from raptorctl.host.system.files import read_settings


def main() -> None:
    """Answer whoever is at the other end of standard input."""
    with socket.socket(fileno=sys.stdin.fileno()) as client, suppress(OSError):  # they hung up
        try:
            settings = read_settings()
            serve(client, Path(settings.libvirt.console_log_dir), operated(drivers(settings)))
        except RaptorError as error:
            tell(f"raptorctl: {error}")  # into the journal
            sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
