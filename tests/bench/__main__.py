"""`python -m tests.bench [PART ...]`: measure, write results.json and the table of the page.

Parts are machine, plan, listing, access, wipe, made, answers, says, loop, images, built, shared, cache, planning,
start_up, web; without any, all of them. What is not measured this time is kept from the last time.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench import (
    access,
    build,
    cache,
    image,
    late,
    listing,
    local,
    page,
    share,
    site,
    storage,
    web,
)
from tests.bench.figures import Row, decode
from tests.lab.errors import LabError
from tests.lab.host import Lab

RESULTS = Path(__file__).with_name("results.json")
PAGE = Path(__file__).parents[2] / "docs/performance.md"

HERE = {"says", "loop", "images", "built", "shared", "cache", "planning", "start_up", "web"}
"""Parts that need no lab."""

PARTS: dict[str, Callable[[Lab], list[Row]]] = {
    "machine": storage.machine,
    "plan": storage.plan,
    "listing": listing.rows,
    "access": access.rows,
    "wipe": storage.wipe,
    "made": image.made,
    "answers": late.answers,
    "says": lambda _: late.says(),
    "loop": lambda _: local.loop(),
    "images": lambda _: image.written(),
    "built": lambda _: build.rows(),
    "shared": lambda _: share.rows(),
    "cache": lambda _: [cache.hit()],
    "planning": lambda _: [local.planning()],
    "start_up": lambda _: local.start_up(),
    "web": lambda _: web.rows(),
}
"""In the order of the table."""


def main(wanted: list[str]) -> int:
    """Measure the parts asked for and write everything down; returns the exit code."""
    if unknown := set(wanted) - set(PARTS):
        print(f"bench: no such part: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    results = _read()
    lab = Lab()
    try:
        for name in [part for part in PARTS if not wanted or part in wanted]:
            print(f"bench: measuring {name} ...", file=sys.stderr, flush=True)
            results["parts"][name] = _measured(lab, name)
            _write(results)
    except LabError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(page.table(_rows(results)))
    return 0


def _measured(lab: Lab, name: str) -> dict[str, Any]:
    """Measure one part on a pristine lab, and note on what it was measured."""
    in_lab = name not in HERE
    if in_lab:
        lab.reset()
    rows = [row.encode() for row in PARTS[name](lab)]
    sites = {"measured": site.measured(), "this machine": site.here()}
    if in_lab:
        sites["lab"] = site.in_lab(lab)
    return {"rows": rows, **sites}


def _read() -> dict[str, Any]:
    if not RESULTS.exists():
        return {"parts": {}}
    found: dict[str, Any] = json.loads(RESULTS.read_text())
    return found


def _rows(results: dict[str, Any]) -> list[Row]:
    parts = results["parts"]
    return [decode(row) for name in PARTS if name in parts for row in parts[name]["rows"]]


def _write(results: dict[str, Any]) -> None:
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    latest: dict[str, dict[str, str]] = {}
    for part in results["parts"].values():
        latest |= {name: value for name, value in part.items() if name != "rows"}
    text = page.generated(_rows(results), latest)
    PAGE.write_text(page.fill(PAGE.read_text(), text))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
