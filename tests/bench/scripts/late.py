"""How late `raptorctl wait` sees what is so: $1 for what; $2 how often; prints the seconds, in JSON.

alice-dev's port is taken off its bridge, `wait` is begun, and the port comes back: from before the
command that puts it back, to the end of `wait`.
"""

import json
import random
import subprocess
import sys
import time

BRIDGE = "br-vm1"


def main() -> None:
    """Measure and print."""
    what, rounds = sys.argv[1], int(sys.argv[2])
    print(json.dumps([late(what) for _ in range(rounds)]))


def late(what: str) -> float:
    """Take it off, wait, put it back; return the seconds from then on."""
    port = command("virsh", "-q", "domiflist", "alice-dev").split()[0]
    command("ip", "link", "set", port, "nomaster")
    command("ip", "neigh", "flush", "dev", BRIDGE)
    words = ("raptorctl", "wait", "alice", "dev", "--for", what, "--timeout", "120")
    with subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as waiting:
        assert waiting.stderr
        waiting.stderr.readline()  # it has looked once, and says that it waits
        time.sleep(random.uniform(1, 2))
        began = time.monotonic()
        command("ip", "link", "set", port, "master", BRIDGE)
        waiting.stderr.read()
    if waiting.returncode:
        raise SystemExit(f"{words} ended with {waiting.returncode}")
    return round(time.monotonic() - began, 3)


def command(*argv: str) -> str:
    """Run a program; return what it said."""
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main()
