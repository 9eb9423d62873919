"""`request` in the shell of tenants without a shell: words of a table; no file can be named."""

import re
from typing import Final

VERBS: Final = frozenset(
    "provision resize rebuild deprovision snapshot share unshare shares list show withdraw".split()
)
TAKEN: Final = frozenset("create restore delete".split())
"""What follows `snapshot`."""
VALUES: Final = frozenset("--size --cpus --memory --image --profile --expires --until".split())
"""Options with a value. Those that read a file are not among them."""
FLAGS: Final = frozenset("-y --dry-run --no-start --force --console --operate".split())
WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}", re.ASCII)
MOST_NAMES: Final = 2
"""A machine and a snapshot, or another tenant; or a request."""


def request_words(line: str) -> list[str] | None:
    """The words of `request dev ...`, also with `raptorctl` before it; None for anything else."""
    words = line.removeprefix("raptorctl ").split(" ")
    if words[0] != "request" or len(words) < 2 or words[1] not in VERBS:
        return None
    rest = words[2:]
    if words[1] == "snapshot" and (not rest or rest.pop(0) not in TAKEN):
        return None
    return words if _fits(rest) else None


def _fits(words: list[str]) -> bool:
    """Whether these are names, options of the table with a value each, and flags."""
    names, left = 0, iter(words)
    for word in left:
        if word in VALUES:
            if not WORD.fullmatch(next(left, "")):
                return False
        elif word not in FLAGS:
            names += 1
            if names > MOST_NAMES or not WORD.fullmatch(word):
                return False
    return True
