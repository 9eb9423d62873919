"""The terminal that shows a console: raw meanwhile, and as it was afterwards, however it ends."""

import os
import select
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def raw(descriptor: int) -> Iterator[None]:
    """Pass every key on as it is typed, ^C too (termios(3), raw mode), if it is a terminal."""
    if not os.isatty(descriptor):
        yield
        return
    before = termios.tcgetattr(descriptor)
    tty.setraw(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def key_within(descriptor: int, seconds: float, key: bytes) -> bool:
    """Wait for a key; what else is typed meanwhile is for nobody. The end of input is that key.

    Args:
        descriptor: what is typed.
        seconds: how long to wait.
        key: one byte.
    """
    ready, _, _ = select.select([descriptor], [], [], seconds)
    if not ready:
        return False
    typed = os.read(descriptor, 1024)
    return not typed or key in typed


def window(descriptor: int) -> tuple[int, int] | None:
    """Rows and columns; None where there is no terminal."""
    try:
        columns, rows = os.get_terminal_size(descriptor)
    except OSError:
        return None
    return rows, columns


def write_all(sink: int, data: bytes) -> None:
    """Write all of it, also where the descriptor does not block (an ssh terminal's may not)."""
    while data:
        try:
            data = data[os.write(sink, data) :]
        except BlockingIOError:
            select.select([], [sink], [])
