"""A build file's `Script`, as the one script of bash that B9 makes of it.

One, because what a `Run` sets, `export PATH=...`, holds for those after it.
"""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from raptorctl.model.b9 import Con

_REDIRECT: Final = {"OnlyStdErr": " > /dev/null", "Quiet": " &> /dev/null"}


@dataclass(frozen=True)
class _Around:
    """What encloses a `Run`; of each, the innermost counts."""

    folder: str = ""
    user: str = ""
    ignore: bool = False
    redirect: str = ""


def bash(script: Con) -> str:
    """Return the script, for a bash that ends at an error; "" where nothing is run.

    A `Run`'s words are bash's to read, with its quotes and variables, as in B9.

    Args:
        script: expanded.
    """
    lines = [line for block in _blocks(script, _Around()) for line in block]
    return "\n".join((*lines, "")) if lines else ""


def _blocks(con: Con, around: _Around) -> Iterator[list[str]]:
    match con.name, con.args:
        case "Run", (command, words):
            yield _run(command, words, around)
        case "Begin", (scripts,):
            for one in scripts:
                yield from _blocks(one, around)
        case name, (said, scripts):
            inner = _within(name, said, around)
            for one in scripts:
                yield from _blocks(one, inner)


def _within(name: str, said: "Con | str", around: _Around) -> _Around:
    if isinstance(said, Con):
        if name == "IgnoreErrors":
            return replace(around, ignore=said.name == "True")
        return replace(around, redirect=_REDIRECT.get(said.name, ""))
    return replace(around, folder=said) if name == "In" else replace(around, user=said)


def _run(command: str, words: tuple[str, ...], around: _Around) -> list[str]:
    line = " ".join((command, *words))
    if around.user not in {"", "root"}:
        line = f"runuser -p -u {shlex.quote(around.user)} -- {line}"
    lines = [line + around.redirect]
    if around.folder:
        quiet = around.redirect or " > /dev/null"
        lines = [f"pushd {shlex.quote(around.folder)}{quiet}", *lines, "popd > /dev/null"]
    return ["set +e", *lines, "set -e"] if around.ignore else lines
