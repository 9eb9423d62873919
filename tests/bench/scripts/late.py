"""How late `raptorctl wait` sees what is so: $1 for what, $2 how often; prints the seconds, in JSON.

`ip`: alice-dev's port is off its bridge, and comes back. `ssh`: a rule of nftables refuses her port 22
in the server's stead, and goes. The clock runs from before the command by which it becomes so, to the
end of `wait`.
"""

import json
import random
import subprocess
import sys
import time

BRIDGE = "br-vm1"
REFUSAL = f"""table inet bench {{
  chain out {{
    type filter hook output priority 0
    oifname "{BRIDGE}" tcp dport 22 reject with tcp reset
  }}
}}"""


def main() -> None:
    """Measure and print."""
    what, rounds = sys.argv[1], int(sys.argv[2])
    print(json.dumps([late(what) for _ in range(rounds)]))


def late(what: str) -> float:
    """End what is so, wait for it, let it be so again; return the seconds from then on."""
    again = {"ip": leave, "ssh": refuse}[what]()
    words = ("raptorctl", "wait", "alice", "dev", "--for", what, "--timeout", "120")
    with subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as waiting:
        assert waiting.stderr
        waiting.stderr.readline()  # it has looked once, and says that it waits
        time.sleep(random.uniform(1, 2))
        if waiting.poll() is not None:
            raise SystemExit(f"{words} did not wait")
        began = time.monotonic()
        command(*again)
        waiting.stderr.read()
    if waiting.returncode:
        raise SystemExit(f"{words} ended with {waiting.returncode}")
    return round(time.monotonic() - began, 3)


def leave() -> tuple[str, ...]:
    """Take her port off the bridge; return the command that puts it back."""
    port = command("virsh", "-q", "domiflist", "alice-dev").split()[0]
    command("ip", "link", "set", port, "nomaster")
    return "ip", "link", "set", port, "master", BRIDGE


def refuse() -> tuple[str, ...]:
    """Refuse calls of her ssh; return the command that lets them through."""
    command("nft", REFUSAL)
    return "nft", "delete", "table", "inet", "bench"


def command(*argv: str) -> str:
    """Run a program; return what it said."""
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main()
