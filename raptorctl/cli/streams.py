"""Standard streams, as every program takes them for granted and a caller may have left them."""

import io
import os
import sys
from typing import Any

from raptorctl.cli import output


def fill() -> None:
    """Give closed standard streams to /dev/null.

    Otherwise the next file opened, say the volume's device, would become standard output, and
    a child's messages would be written into it. Standard output can only be read from then: what
    is written to it fails as before (EBADF), and is told as lost, as coreutils do.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDONLY if number == 1 else os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
        if getattr(sys, name) is None:
            stream: Any = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115
            stream.buffer.raw.name = f"<{name}>"  # as Python calls its own
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)


def watch_output() -> None:
    """Have a loss on standard output remembered, whoever wrote: click prints its help itself."""
    stream = sys.stdout
    if not isinstance(stream, io.TextIOWrapper) or stream is not sys.__stdout__:
        return  # somebody collects what is written
    raw = _Watched(stream.fileno(), "w", closefd=False)
    raw.name = stream.name
    buffered = isinstance(stream.buffer, io.BufferedWriter)  # not with PYTHONUNBUFFERED
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(raw) if buffered else raw,
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
    vars(sys)["__stdout__"] = sys.stdout  # typeshed has it Final


class _Watched(io.FileIO):
    name: str

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError:
            output.lost.append(self.name)
            raise
