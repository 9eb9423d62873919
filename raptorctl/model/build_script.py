"""Steps of a build as commands of a shell."""

import shlex
from pathlib import PurePosixPath

from raptorctl.model.build import BuildStep, Verbosity

SHOWN = 50
"""Letters of a step that name it."""


def title(step: BuildStep) -> str:
    """A step as a person calls it."""
    said = step.inline.strip() or shlex.join(step.command)
    if step.run:
        return PurePosixPath(step.run).name
    first, _, more = said.partition("\n")
    short = first if len(first) <= SHOWN else f"{first[: SHOWN - 1]}…"
    return f"{short} …" if more.strip() else short


def argv(step: BuildStep, script: str) -> tuple[str, ...]:
    """The command of a step that is run where its files are, without `dir` and `user`.

    Args:
        step: the step.
        script: a file with the lines of `inline`.
    """
    if step.command:
        return step.command
    trace = ("-x",) if step.verbosity is Verbosity.TRACE else ()
    if step.run:
        return (step.run,) if not trace else ("sh", *trace, step.run)
    return ("sh", "-e", *trace, script)
