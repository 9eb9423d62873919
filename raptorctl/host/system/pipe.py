"""Programs whose output is read while it comes, under limits.

`raptorctl.host.system.command` keeps a program's whole output, which of an unpacked image is too
much.
"""

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, Final, cast

from raptorctl.errors import CommandError
from raptorctl.host.system.command import ENVIRONMENT, find
from raptorctl.model.sizes import GIB

MEMORY: Final = 2 * GIB
"""Bytes of address space; `xz -9` needs 65 MiB to unpack (xz(1)), qemu-img some hundred."""


def limited(argv: Sequence[str], seconds: int, memory: int = MEMORY) -> tuple[str, ...]:
    """Return a command line that runs a program in bounds (prlimit(1), setrlimit(2)).

    Args:
        argv: the program and its arguments.
        seconds: of CPU time.
        memory: bytes of address space.
    """
    # At the soft limit comes SIGXCPU; at the hard one SIGKILL, which would tell nothing.
    cpu = f"--cpu={seconds}:{seconds + 60}"
    return ("prlimit", f"--as={memory}", cpu, "--core=0", find(argv[0]), *argv[1:])


@contextmanager
def piped(argv: Sequence[str], source: BinaryIO | None = None) -> Iterator[BinaryIO]:
    """Run a program, and read what it writes; leaving early ends it.

    Args:
        argv: the program and its arguments.
        source: what it reads; None for nothing.

    Raises:
        CommandError: it ended badly, once all it wrote has been read.
        MissingError: there is no such program.
    """
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            (find(argv[0]), *argv[1:]),
            stdin=source or subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=ENVIRONMENT,
            cwd="/",
            start_new_session=True,  # ^C is for us to act upon
        )
        stream = cast("BinaryIO", process.stdout)  # there is one: it was asked for
        with process:
            try:
                yield stream
            except BaseException:
                process.kill()
                raise
            stream.close()  # who has not read all of it does not want the rest
            status = process.wait()
        if status:
            errors.seek(0)
            raise CommandError(argv, status, errors.read(1 << 16).decode(errors="replace"))
