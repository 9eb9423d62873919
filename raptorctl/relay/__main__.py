"""Starts the relay: `python3 -I /usr/local/lib/raptorctl-relay DIRECTORY WORD...`, by systemd.

DIRECTORY has libvirtd's own sockets, by the names of ours; each WORD is a group of admins, or
`--volumes` or `--node-devices`: what tenants may look at beside machines.
"""

import os
import sys

from raptorctl.relay.calls import allowed
from raptorctl.relay.daemon import Relay, listening


def main() -> None:
    """Serve until systemd ends us."""
    _, directory, *words = sys.argv
    readable = {word.removeprefix("--") for word in words if word.startswith("--")}
    admins = frozenset(word for word in words if not word.startswith("--"))
    Relay(listening(os.environ), directory, admins, allowed(readable)).run()


if __name__ == "__main__":
    main()
