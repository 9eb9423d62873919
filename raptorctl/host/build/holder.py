"""A process that keeps something as long as we do: it says `ready`, and ends with its input.

Its input is our end of a pipe, so it ends as well when we are killed.
"""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Never

from raptorctl.host.system.command import ENVIRONMENT

Refuse = Callable[[bytes], Never]
"""Told what it said as it failed; raises."""


@contextmanager
def held(argv: Sequence[str], begun: Refuse, ended: Refuse | None = None) -> Iterator[int]:
    """Have it run for as long as the block lasts; yields its process identifier.

    Args:
        argv: the program and its arguments.
        begun: where it cannot begin.
        ended: where it ends badly; None where that is no matter.
    """
    holder = subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=ENVIRONMENT, cwd="/", start_new_session=True,
    )  # fmt: skip
    try:
        said = holder.stdout.readline() if holder.stdout else b""
        if said != b"ready\n":
            begun(holder.communicate()[1])
        yield holder.pid
    except BaseException:
        if holder.returncode is None:
            holder.communicate()
        raise
    _, errors = holder.communicate()
    if holder.returncode and ended:
        ended(errors)
