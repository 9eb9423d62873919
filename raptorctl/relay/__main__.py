"""Starts the relay: `python3 -I /usr/local/lib/raptorctl-relay DIRECTORY GROUP...`, by systemd.

DIRECTORY has libvirtd's own sockets, by the names of ours; each GROUP is one of admins.
"""

import os
import sys

from raptorctl.relay.daemon import Relay, listening


def main() -> None:
    """Serve until systemd ends us."""
    _, directory, *admin_groups = sys.argv
    Relay(listening(os.environ), directory, frozenset(admin_groups)).run()


if __name__ == "__main__":
    main()
