"""Times contenders turn by turn (A B, then B A, then A B), so that a busy machine is busy for both.

A program of its own, on the standard library alone, as it also runs inside the lab: it reads
`{"rounds": 5, "contenders": [{"name", "argv", "before", "after", "ok"}]}` from standard input and
writes `{"<name>": [{"seconds", "peak", "said"}, ...]}`. `before` and `after` are shell scripts
that are not timed. A first round warms up and does not count.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Any

Lap = dict[str, Any]
"""`seconds` of wall clock; `peak` bytes of the largest process; `said`, its standard output."""


def main() -> None:
    """Read the wish, run it, write the laps."""
    wish = json.load(sys.stdin)
    contenders = wish["contenders"]
    laps: dict[str, list[Lap]] = {each["name"]: [] for each in contenders}
    for number in range(wish["rounds"] + 1):
        for each in contenders if number % 2 else reversed(contenders):
            taken = lap(each)
            if number:
                laps[each["name"]].append(taken)
    json.dump(laps, sys.stdout)


def lap(contender: dict[str, Any]) -> Lap:
    """Run one contender once, with what goes before and after it."""
    script(contender.get("before", ""))
    taken = timed(contender["argv"], contender.get("ok", [0]))
    script(contender.get("after", ""))
    return taken


def timed(argv: list[str], ok: list[int]) -> Lap:
    """Time a program from its start to its end; output goes to files, as a pipe could hold it up."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.perf_counter()
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in ok:
            raise SystemExit(f"{argv} ended with {process.returncode}: {_text(err)}{_text(out)}")
        # ru_maxrss is in KiB, of the process or the largest of its ended children (getrusage(2)).
        return {"seconds": seconds, "peak": usage.ru_maxrss << 10, "said": _text(out)}


def script(text: str) -> None:
    """Run a shell script that is not timed."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{text}\nended with {done.returncode}: {done.stderr}{done.stdout}")


def _text(stream: Any) -> str:
    stream.seek(0)
    return str(stream.read()[-(1 << 20) :].decode(errors="replace"))


if __name__ == "__main__":
    main()
