"""`raptorctl console`: a machine's console, for its owner and for admins."""

import os
import select
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Final

import typer

from raptorctl.api import console as api
from raptorctl.api.power import refuse_off
from raptorctl.api.session import Session
from raptorctl.cli import options
from raptorctl.cli.options import example
from raptorctl.cli.output import Colour, painted, tell
from raptorctl.cli.session import session_of
from raptorctl.cli.terminal import key_within, raw, window, write_all
from raptorctl.drivers.domain import ConsoleStream
from raptorctl.errors import RaptorError
from raptorctl.model.error_code import Code
from raptorctl.model.names import MachineName

ESCAPE: Final = b"\x1d"
"""^], as telnet(1) and virsh(1) have it."""
PIECE: Final = 65536
BEAT: Final = 0.25  # seconds between two looks at whether somebody wants to stop
QUIET: Final = 2.0  # seconds of silence after the end of what is typed, from a file or a pipe
Force = Annotated[bool, typer.Option("--force", help="Disconnect whoever is attached.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=example("raptorctl console alice dev"))(console)


def console(context: typer.Context, words: options.Words, force: Force = False) -> None:
    """Attach to a machine's console, also across reboots; ^] detaches."""
    name = options.machine_name(words)
    session = session_of(context, root=False)
    refuse_off(session.machine(name))
    _hello(name)
    _attached(session, name, force=force)
    tell("")


def _hello(name: MachineName) -> None:
    said = f"console of {name.domain}; ^] leaves"
    if size := window(sys.stdin.fileno()):
        # libvirt's stream has no way to say so.
        said += f"; the guest does not know the window: stty rows {size[0]} cols {size[1]}"
    tell(painted(said, Colour.FAINT, sys.stderr))


def _attached(session: Session, name: MachineName, *, force: bool) -> None:
    from raptorctl.engine.stop import Stop

    source, said = sys.stdin.fileno(), ""
    with Stop() as stop, raw(source):
        while True:
            try:
                if _carried(session, name, source, stop.check, force=force and not said, said=said):
                    return
                _note(f"the console of {name.domain} ended; waiting for it, ^] leaves")
            except RaptorError as error:
                # A console ends a moment before its machine is off.
                if error.code is not Code.MACHINE_OFF or not said:
                    raise
            said = f"{name.domain} runs again"
            if not _runs_again(session, name, source, stop.check):
                return


def _runs_again(session: Session, name: MachineName, source: int, tick: Callable[[], None]) -> bool:
    """Wait until a machine runs; returns whether its owner waited for that."""
    while not api.runs(session, name):
        tick()
        if key_within(source, 1.0, ESCAPE):
            return False
    return True


def _carried(
    session: Session,
    name: MachineName,
    source: int,
    tick: Callable[[], None],
    *,
    force: bool,
    said: str,
) -> bool:
    """Connect the terminal with a console; returns whether its owner left.

    Args:
        session: this run.
        name: the machine's.
        source: a descriptor of what is typed.
        tick: is called in between, and may raise.
        force: disconnect whoever is attached.
        said: a note for when it is connected, if any.
    """
    with _picture(sys.stdout.fileno()) as picture:
        stream = api.opened(session, name, picture, force=force, tick=tick)
        if said:
            _note(said)
        try:
            return _left(stream, source, picture, tick)
        finally:
            stream.close()


class _Picture:
    """What a console says, on a descriptor; implements `raptorctl.drivers.domain.Ears`.

    Args:
        sink: where it is shown.
        over: an eventfd(2) that can be read once it has ended.
    """

    def __init__(self, sink: int, over: int) -> None:
        self._sink, self.over = sink, over
        self.error: OSError | None = None
        self.last = time.monotonic()

    def heard(self, data: bytes) -> None:
        """See `Ears`."""
        self.last = time.monotonic()
        try:
            write_all(self._sink, data)
        except OSError as error:
            self.error = error
            self.ended()

    def ended(self) -> None:
        """See `Ears`."""
        os.eventfd_write(self.over, 1)


@contextmanager
def _picture(sink: int) -> Iterator[_Picture]:
    over = os.eventfd(0)
    try:
        yield _Picture(sink, over)
    finally:
        os.close(over)


def _left(stream: ConsoleStream, source: int, picture: _Picture, tick: Callable[[], None]) -> bool:
    """Carry what is typed until the owner leaves, or the console ends.

    Raises:
        OSError: the descriptors cannot be read or written.
    """
    reads = [source, picture.over]
    while True:
        ready, _, _ = select.select(reads, [], [], BEAT)
        tick()
        if picture.error:
            raise picture.error
        if picture.over in ready:
            return False
        if source in ready:
            typed = os.read(source, PIECE)
            before, escape, _ = typed.partition(ESCAPE)
            stream.send(before)
            if escape:
                return True
            if not typed:
                reads.remove(source)
                picture.last = time.monotonic()
        if source not in reads and time.monotonic() - picture.last > QUIET:
            return True


def _note(text: str) -> None:
    # The terminal is raw: a line needs its carriage return.
    tell(painted(f"\r\n{text}\r", Colour.FAINT, sys.stderr))
