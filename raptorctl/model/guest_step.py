"""Steps in a guest: what `--run`, `--inline` and `--copy` ask for, in the order it was typed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from raptorctl.errors import InputError
from raptorctl.model.names import shown

LOGS: Final = "/var/log/raptorctl/steps"
"""Where what steps said is kept, one file per machine; root's."""
SHOWN: Final = 50
"""Letters of an inline script that name it."""
ENTRY: Final = 300.0
"""Seconds until a guest can be entered, unless somebody says otherwise."""
TIMEOUT: Final = 600.0
"""Seconds for one step, unless somebody says otherwise."""
LONGEST: Final = 86400.0
"""Seconds that a step may be given."""
ACCOUNT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}", re.ASCII)
"""An account of a guest's (useradd(8)); never an option of sudo's."""
_SPAN: Final = re.compile(r"([0-9]{1,5})(s|m|h)", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True)
class GuestStep:
    """One step in a guest.

    Args:
        source: a file on this side.
        target: where it goes to in the guest; "" for a script, which goes to a temporary place
            and is run there.
        text: a script that is in no file, whose `source` is what it is called.
        user: the account that does it, by sudo; "" for the one that has logged in.
        timeout: seconds that it may take; None for what all steps may.
        dir: where a script is run; "" for the home of the account.
        ignore_errors: whether the next step follows where a script ends with an error.
    """

    source: Path
    target: str = ""
    text: str = ""
    user: str = ""
    timeout: float | None = None
    dir: str = ""
    ignore_errors: bool = False

    @property
    def title(self) -> str:
        """As a person calls it."""
        by = (f" in {self.dir}" if self.dir else "") + (f" as {self.user}" if self.user else "")
        if self.text:
            return f"run {_first_line(self.text)}{by}"
        if self.target:
            return f"copy {self.source.name} to {self.target}{by}"
        return f"run {self.source.name}{by}"


def inline(command: str) -> GuestStep:
    """Return a step that is written where it is asked for.

    Args:
        command: lines of a shell, or a script with its own `#!`.
    """
    head = "" if command.startswith("#!") else "#!/bin/sh\n"
    return GuestStep(Path("inline"), text=f"{head}{command}\n")


def parse_span(text: str) -> float:
    """Return the seconds of `90s`, `5m` or `2h`.

    Raises:
        ValueError: it is none of these, nothing, or more than a day.
    """
    found = _SPAN.fullmatch(text)
    seconds = float(int(found[1]) * _SECONDS[found[2]]) if found else 0.0
    if not 0 < seconds <= LONGEST:
        raise ValueError(f"{shown(text)} is not a time up to a day, such as 90s, 5m or 2h")
    return seconds


def is_guest_dir(text: str) -> bool:
    """Whether a script can be run there: a path in the guest, from `/`."""
    return text.startswith("/") and text.isprintable()


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if not line.startswith("#!")]
    said = [line for line in lines if line] or ["inline"]
    short = said[0] if len(said[0]) <= SHOWN else f"{said[0][: SHOWN - 1]}…"
    return f"{short} …" if len(said) > 1 else short


def in_order(typed: Sequence[str], asked: Mapping[str, Sequence[str]]) -> tuple[GuestStep, ...]:
    """Put steps into the order in which they were typed.

    The command line's parser hands over the values of each option in their own order, and forgets
    how they stood among those of others; what was typed still tells.

    Args:
        typed: the whole command line.
        asked: values of `--run`, `--inline` and `--copy`, in order.

    Raises:
        InputError: a step that cannot be.
    """
    left = {option: [*map(_MAKERS[option], values)] for option, values in asked.items()}
    ordered = []
    for word in typed:
        waiting = left.get(word.partition("=")[0])
        if word == "--":
            break
        if waiting:
            ordered.append(waiting.pop(0))
    if any(left.values()):
        options = ", ".join(_MAKERS)
        raise InputError(f"the order of {options} is not clear", resolution="spell them out")
    return tuple(ordered)


def _script(text: str) -> GuestStep:
    if not text:
        raise InputError("--run: needs a script's file")
    return GuestStep(Path(text))


def _copied(text: str) -> GuestStep:
    source, colon, target = text.rpartition(":")
    if not (source and colon and target) or "\0" in target or "\n" in target:
        raise InputError(f"--copy: {shown(text)} is not SRC:DST", resolution="./app.conf:/etc/app")
    return GuestStep(Path(source), target)


def _inline(text: str) -> GuestStep:
    if not text.strip() or "\0" in text:
        raise InputError("--inline: needs lines of a shell")
    return inline(text)


_MAKERS: Final = {"--run": _script, "--inline": _inline, "--copy": _copied}
