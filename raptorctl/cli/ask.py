"""Questions to a person at a terminal."""

import sys
from collections.abc import Callable

from raptorctl.cli.output import is_terminal, tell
from raptorctl.errors import InputError
from raptorctl.model.error_code import Code

Question = Callable[[], bool] | None
"""Asks a person, below the plan; None goes on without."""


def somebody_there() -> bool:
    """Whether a question would be seen and could be answered."""
    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


def agree(question: str) -> bool:
    """Ask y/N; anything but yes is no."""
    return _answer(f"{question} [y/N] ").lower() in {"y", "yes"}


def type_name(name: str) -> bool:
    """Have the name of a machine or a tenant typed before it goes for good."""
    typed = _answer(f"Everything of {name} will be gone. Type that name to go on: ")
    return typed in {name, name.replace("-", " ", 1)}


def before_it_comes(*, asks: bool) -> Question:
    """What confirms a change that destroys nothing: asked only where somebody could answer."""
    return (lambda: agree("Go on?")) if asks and somebody_there() else None


def before_it_goes(name: str, *, asks: bool) -> Question:
    """What confirms that something goes for good.

    Raises:
        InputError: somebody is to be asked, and nobody is there.
    """
    if asks:
        refuse_unseen(f"on that {name} goes", name)
    return (lambda: type_name(name)) if asks else None


def before(
    what: str, question: str, *, asks: bool, about: str = "", otherwise: str = ""
) -> Question:
    """What confirms something that nobody should do unseen.

    Args:
        what: would be confirmed, after "to confirm".
        question: which is asked.
        asks: whether anybody is.
        about: see `RaptorError.subject`.
        otherwise: what else can be done than to go without asking.

    Raises:
        InputError: somebody is to be asked, and nobody is there.
    """
    if asks:
        refuse_unseen(what, about, otherwise)
    return (lambda: agree(question)) if asks else None


def refuse_unseen(what: str, subject: str = "", otherwise: str = "") -> None:
    """Refuse where somebody is to be asked, and nobody would see the question.

    Args:
        what: would be confirmed, after "to confirm".
        subject: see `RaptorError`.
        otherwise: what else can be done than to go without asking.

    Raises:
        InputError: says how to go without.
    """
    if not somebody_there():
        raise InputError(
            f"there is no terminal to confirm {what}",
            resolution=f"add -y to go without asking{otherwise}",
            code=Code.CONFIRMATION_NEEDED,
            subject=subject,
        )


def _answer(prompt: str) -> str:
    sys.stderr.write(prompt)
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line.endswith("\n"):
        tell("")  # end of input leaves the cursor behind the question
    return line.strip()
