import io

from raptorctl.cli.progress import Live, Meter, Plain
from raptorctl.model.job import StepState
from raptorctl.model.sizes import GIB
from tests.unit.cli.session import Terminal

TITLE = "zero guest-alice-dev, read it back, mark it clean"


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def lines(shown: str) -> list[str]:
    """What stays on the screen: everything before an erasure is gone."""
    return [line.rpartition("\r\x1b[K")[2] for line in shown.splitlines()]


def wipe(reporter: Live | Plain, clock: Clock, seconds: int) -> None:
    reporter.started(2, 8, TITLE)
    for second in range(1, seconds + 1):
        clock.now += 1
        reporter.progress(second * GIB, 80 * GIB)


def test_a_pipe_gets_whole_lines_now_and_then(capsys) -> None:  # type: ignore[no-untyped-def]
    clock = Clock()
    reporter = Plain(clock)
    wipe(reporter, clock, 25)
    reporter.ended(2, 8, TITLE, StepState.DONE, "")
    told = capsys.readouterr().err.splitlines()
    assert told == [
        f"2/8 {TITLE}: 12%  10G/80G  1G/s  ETA 1:10",
        f"2/8 {TITLE}: 25%  20G/80G  1G/s  ETA 1:00",
        f"2/8 done: {TITLE} [25.0 s]",
    ]


def test_a_terminal_sees_bytes_speed_and_time_left_in_one_line(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("COLUMNS", "80")
    clock, screen = Clock(), Terminal()
    reporter = Live(screen, clock)
    wipe(reporter, clock, 20)
    drawn = screen.getvalue().split("\r\x1b[K")
    assert drawn[-1].endswith("████░░░░░░░░░░░░  25%  20G/80G  1G/s  ETA 1:00")
    assert max(map(len, drawn)) < 80


def test_what_was_before_the_first_bytes_is_no_speed() -> None:
    meter = Meter(0.0)
    meter.feed(60.0, 1 * GIB, 80 * GIB)
    assert str(meter).endswith("ETA -:--")
    meter.feed(61.0, 2 * GIB, 80 * GIB)
    assert meter.speed == GIB


def test_progress_is_not_drawn_more_often_than_one_can_see() -> None:
    clock, screen = Clock(), Terminal()
    reporter = Live(screen, clock)
    reporter.started(1, 1, "x")
    for done in range(10_000):
        clock.now += 0.001
        reporter.progress(done * GIB, 10_000 * GIB)
    assert screen.getvalue().count("\r") < 110


def test_a_wait_counts_seconds_and_not_bytes() -> None:
    clock, screen = Clock(), Terminal()
    reporter = Live(screen, clock)
    reporter.started(1, 1, "stop alice-dev")
    clock.now += 1
    reporter.progress(12_000, 60_000)
    assert screen.getvalue().endswith("waiting, at most 0:48")


def test_ascii_where_the_terminal_knows_no_more(monkeypatch, capsys) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("NO_COLOR", "1")
    screen = Terminal()
    screen.encoding = "iso8859-1"
    clock = Clock()
    reporter = Live(screen, clock)
    wipe(reporter, clock, 20)
    reporter.ended(2, 8, TITLE, StepState.MAYBE, "no")
    assert screen.getvalue().isascii()
    assert "####------------" in screen.getvalue()
    assert capsys.readouterr().err == f"!! 2/8 {TITLE} (maybe) [20.0 s]: no\n"


def test_every_state_has_a_sign(capsys) -> None:  # type: ignore[no-untyped-def]
    for state in StepState:
        Live(Terminal()).ended(1, 1, "x", state, "")
    assert len(capsys.readouterr().err.splitlines()) == len(StepState)


def test_a_terminal_that_hung_up_ends_no_job() -> None:
    class Gone(Terminal):
        def write(self, text: str) -> int:
            raise OSError(5, "Input/output error")

        def fileno(self) -> int:
            raise io.UnsupportedOperation

    clock = Clock()
    wipe(Live(Gone(), clock), clock, 3)


def test_a_step_may_have_begun_before_it_is_told_of(capsys) -> None:  # type: ignore[no-untyped-def]
    clock = Clock()
    for reporter in (Plain(clock), Live(Terminal(), clock)):
        reporter.started(1, 1, "wait for ssh", clock.now - 0.4)
        clock.now += 1.6
        reporter.ended(1, 1, "wait for ssh", StepState.WAITING, "")
    assert capsys.readouterr().err.count("[2.0 s]") == 2
