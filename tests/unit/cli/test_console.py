"""A console on a real terminal (a pty), with what libvirt does played by the fake."""

import os
import pty
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from raptorctl.cli.terminal import key_within, raw, window
from raptorctl.drivers.domain import Ears
from raptorctl.errors import HostError, RefusedError
from raptorctl.model.domain import State
from raptorctl.model.error_code import Code
from tests.fakes import FakeStream, World
from tests.unit.cli.session import PROVISION, CommandLine


@contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    keyboard, screen = pty.openpty()
    try:
        yield keyboard, screen
    finally:
        os.close(keyboard)
        os.close(screen)


def cooked(descriptor: int) -> bool:
    return bool(termios.tcgetattr(descriptor)[3] & termios.ICANON)


@pytest.mark.parametrize("error", [None, HostError("no"), KeyboardInterrupt(), SystemExit(1)])
def test_the_terminal_is_as_before_however_it_ends(error: BaseException | None) -> None:
    with terminal() as (_, screen), suppress(HostError, KeyboardInterrupt, SystemExit):
        with raw(screen):
            assert not cooked(screen)
            if error:
                raise error
        assert cooked(screen)
    with terminal() as (_, screen):
        before = termios.tcgetattr(screen)
        with suppress(BaseException), raw(screen):
            raise error or HostError("no")
        assert termios.tcgetattr(screen) == before


def test_a_pipe_is_no_terminal_and_needs_nothing(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file, raw(file.fileno()):
        assert window(file.fileno()) is None


def test_a_key_is_waited_for_and_others_are_nobodys() -> None:
    with terminal() as (keyboard, screen), raw(screen):
        assert not key_within(screen, 0, b"\x1d")
        os.write(keyboard, b"abc")
        assert not key_within(screen, 5, b"\x1d")
        os.write(keyboard, b"\x1d")
        assert key_within(screen, 5, b"\x1d")


@pytest.fixture
def attached(
    raptorctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[CommandLine, int]]:
    """A command line whose descriptors are a terminal's; and its keyboard."""
    raptorctl(*PROVISION)
    raptorctl.root = False
    with terminal() as (keyboard, screen):
        for stream in ("Pipe", "Terminal"):
            monkeypatch.setattr(f"tests.unit.cli.session.{stream}.fileno", lambda _self: screen)
        yield raptorctl, keyboard


def test_a_console_is_attached_until_its_owner_leaves(
    attached: tuple[CommandLine, int], world: World
) -> None:
    raptorctl, keyboard = attached
    type_when_attached(world, 1, keyboard, b"root\n\x1dnobody types this")
    done = raptorctl("console", "alice", "dev", "--force")
    assert done.code == 0
    assert "^] leaves" in done.err
    assert world.consoles.attached == [(world.domains.list()[0].uuid, True)]
    (stream,) = world.consoles.streams
    assert (stream.typed.strip(), stream.closed) == (b"root", True)
    assert os.read(keyboard, 7) + os.read(keyboard, 4) == b"login: root"


def test_it_is_attached_again_when_the_machine_comes_back(
    attached: tuple[CommandLine, int], world: World
) -> None:
    raptorctl, keyboard = attached
    world.consoles.cut = 1
    type_when_attached(world, 2, keyboard)
    done = raptorctl("console", "alice", "dev")
    assert done.code == 0
    assert "waiting for it" in done.err
    assert "runs again" in done.err
    assert [stream.closed for stream in world.consoles.streams] == [True, True]


def test_a_console_that_ends_before_its_machine_is_off_is_waited_for(
    attached: tuple[CommandLine, int], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    raptorctl, keyboard = attached
    world.consoles.cut = 1
    opened, said = world.consoles.open, iter((None, "off", None))

    def open_then_off(*args: Any, **how: Any) -> Any:
        if next(said):
            raise RefusedError("that machine is off", code=Code.MACHINE_OFF)
        return opened(*args, **how)

    monkeypatch.setattr(world.consoles, "open", open_then_off)
    type_when_attached(world, 2, keyboard)
    done = raptorctl("console", "alice", "dev")
    assert (done.code, done.err.count("waiting for it"), done.err.count("runs again")) == (0, 1, 1)


def test_who_took_it_over_is_not_thrown_out_in_turn(
    attached: tuple[CommandLine, int], world: World
) -> None:
    raptorctl, keyboard = attached
    world.consoles.cut = 1
    type_when_attached(world, 2, keyboard)
    raptorctl("console", "alice", "dev", "--force")
    assert [force for _uuid, force in world.consoles.attached] == [True, False]


def type_when_attached(world: World, times: int, keyboard: int, keys: bytes = b"\x1d") -> None:
    """Have something typed as soon as the console was opened that often: it is raw by then."""
    opened = world.consoles.open

    def opens(uuid: str, ears: Ears, *, force: bool, tick: Callable[[], None]) -> FakeStream:
        stream = opened(uuid, ears, force=force, tick=tick)
        if len(world.consoles.streams) == times:
            os.write(keyboard, keys)
        return stream

    world.consoles.open = opens  # type: ignore[method-assign]


def test_the_end_of_a_pipe_leaves_when_the_machine_has_answered(
    attached: tuple[CommandLine, int], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    raptorctl, keyboard = attached
    monkeypatch.setattr("raptorctl.cli.command.console.QUIET", 0)
    reader, writer = os.pipe()
    os.write(writer, b"uptime\n")
    os.close(writer)
    monkeypatch.setattr(
        "raptorctl.cli.command.console.os.read", lambda fd, size: READ(reader, size)
    )
    type_when_attached(world, 1, keyboard, b"any key: it can be read")
    assert raptorctl("console", "alice", "dev").code == 0
    os.close(reader)
    assert world.consoles.streams[0].typed == b"uptime\n"


READ = os.read


def test_a_screen_that_cannot_be_written_ends_it(
    attached: tuple[CommandLine, int], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    raptorctl, _ = attached
    monkeypatch.setattr("raptorctl.cli.command.console.write_all", full)
    done = raptorctl("console", "alice", "dev")
    assert done.code == 1
    assert "No space left" in done.err
    assert world.consoles.streams[0].closed


def test_waiting_for_a_machine_that_is_off_can_be_left(
    attached: tuple[CommandLine, int], world: World
) -> None:
    raptorctl, keyboard = attached
    (domain,) = world.domains.list()
    world.consoles.cut = 1
    opened = world.consoles.open

    def goes_off(*words: Any, **more: Any) -> FakeStream:
        world.domains.by_uuid[domain.uuid] = type(domain)(**{**vars(domain), "state": State.OFF})
        threading.Timer(0.3, os.write, (keyboard, b"\x1d")).start()
        return opened(*words, **more)

    world.consoles.open = goes_off  # type: ignore[method-assign]
    done = raptorctl("console", "alice", "dev")
    assert (done.code, "waiting for it" in done.err) == (0, True)


def test_a_machine_that_is_removed_meanwhile_ends_it(
    attached: tuple[CommandLine, int], world: World
) -> None:
    raptorctl, _ = attached
    world.consoles.cut = 1
    opened = world.consoles.open

    def vanishes(*words: Any, **more: Any) -> FakeStream:
        world.domains.by_uuid.clear()
        return opened(*words, **more)

    world.consoles.open = vanishes  # type: ignore[method-assign]
    done = raptorctl("console", "alice", "dev")
    assert (done.code, "alice-dev is gone" in done.err) == (3, True)
    assert sys.stdin is not None
