"""The command line on a host in memory."""

import io
import sys
from collections.abc import Iterable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raptorctl.cli.commands import COMMANDS, Commands, imported
from raptorctl.cli.edge import run
from raptorctl.cli.session import Typed
from tests.fakes import World
from tests.unit.api.session import InMemory


class FakeSession(InMemory, Typed):
    """What a command line runs in, on a host in memory."""

    is_root = True

    def __init__(self, typed: Iterable[str], world: World, directory: Path) -> None:
        super().__init__(typed)
        self.put(world, directory)


@dataclass
class Result:
    """How a command line ended."""

    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """Its only line on standard error."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        return lines[0]


class Terminal(io.StringIO):
    """What a person looks at, or types into."""

    encoding = "utf-8"
    name = "<terminal>"

    def isatty(self) -> bool:
        return True


class Pipe(io.StringIO):
    """What another program reads, or writes."""

    encoding = "utf-8"
    name = "<pipe>"

    @property
    def buffer(self) -> io.BytesIO:
        """What is in it, as bytes."""
        return io.BytesIO(self.getvalue().encode())


@dataclass
class CommandLine:
    """A shell on a host in memory."""

    world: World
    directory: Path
    root: bool = True

    def session(self, *typed: str) -> FakeSession:
        session = FakeSession(typed, self.world, self.directory)
        session.is_root = self.root
        return session

    def __call__(
        self, *typed: str, terminal: bool = False, answer: str = "", session: Typed | None = None
    ) -> Result:
        kind = Terminal if terminal else Pipe
        out, err, before = kind(), kind(), sys.stdin
        sys.stdin = kind(answer)
        try:
            with redirect_stdout(out), redirect_stderr(err):
                code = run(typed, session or self.session(*typed))
        finally:
            sys.stdin = before
        return Result(code, out.getvalue(), err.getvalue())


PROVISION = ("provision", "alice", "dev", "--size", "40G", "--cpus", "4-7")


def below(node: Any) -> dict[str, Any]:
    """The commands of a group by name, with those of the first row imported; a command has none."""
    if isinstance(node, Commands):
        return {name: imported(name) for name in COMMANDS}
    return dict(getattr(node, "commands", {}))
