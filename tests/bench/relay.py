"""What the relay costs: `virsh list` with and without it, in turns (`python -m tests.bench.relay`).

As root and as a tenant, on a libvirtd of its own without polkit: with polkit, a list takes longer,
and the relay the same.
"""

import time
from statistics import median

from tests.integration.relayed import Relayed, relayed

ROUNDS = 60


def seconds(host: Relayed, user: str, *, front: bool) -> float:
    """Return how long one list takes."""
    start = time.perf_counter()
    host.virsh("list", "--all", user=user, front=front)
    return time.perf_counter() - start


def main() -> None:
    """Measure."""
    with relayed(closed=False) as host:
        for user in ("root", "nobody"):
            both = [
                (seconds(host, user, front=False), seconds(host, user, front=True))
                for _ in range(ROUNDS)
            ]
            direct, front = (median(times) * 1000 for times in zip(*both, strict=True))
            print(f"{user}: {direct:.1f} ms direct, {front:.1f} ms relayed, {front / direct:.2f}x")


if __name__ == "__main__":
    main()
