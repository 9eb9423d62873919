"""Questions to a person at a terminal."""

import sys

from raptorctl.cli.output import is_terminal, tell
from raptorctl.errors import InputError
from raptorctl.model.names import MachineName


def somebody_there() -> bool:
    """Whether a question would be seen and could be answered."""
    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


def agree(question: str) -> None:
    """Ask y/N.

    Raises:
        InputError: anything but yes.
    """
    if _answer(f"{question} [y/N] ").lower() not in {"y", "yes"}:
        raise InputError("not confirmed, nothing was touched")


def type_name(name: MachineName) -> None:
    """Have the machine's name typed before it goes for good.

    Raises:
        InputError: something else was typed.
    """
    typed = _answer(f"Everything on {name} will be gone. Type its name to go on: ")
    if typed not in {name.domain, f"{name.tenant} {name.machine}"}:
        raise InputError("not confirmed, nothing was touched")


def _answer(prompt: str) -> str:
    sys.stderr.write(prompt)
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line.endswith("\n"):
        tell("")  # end of input leaves the cursor behind the question
    return line.strip()
