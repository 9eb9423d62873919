"""Machines side by side: one begins where the one before stands aside; jobs never overlap."""

import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from threading import Barrier, Event, Thread

import pytest

from raptorctl.api import raptor_file
from raptorctl.api.brought import Show
from raptorctl.api.caller import Caller
from raptorctl.api.side_by_side import side_by_side
from raptorctl.api.steps import Nobody
from raptorctl.api.up import Up
from raptorctl.engine.lock import Turn, hold_lock
from raptorctl.engine.stop import Stop
from raptorctl.errors import StoppedError
from raptorctl.model.file_plan import Allowed
from tests.fakes import IMAGE, World
from tests.unit.api.session import InMemory

PATIENCE = 30.0
"""Seconds after which a thread that waits in vain gives up."""
FILE = """
[defaults]
size = "4G"
cpus = 1
image = "debian:13"
steps = [{ inline = "true" }]
[machine.alice-web]
[machine.alice-db]
"""


def never(_came: object) -> bool:
    return False


def test_the_next_begins_where_one_stands_aside_and_results_come_as_they_end() -> None:
    order, second_is_done = [], Event()

    def first(aside: Callable[[], None]) -> str:
        order.append("first begins")
        aside()
        aside()  # a second time says nothing new
        assert second_is_done.wait(PATIENCE)
        return "first"

    def second(_aside: Callable[[], None]) -> str:
        order.append("second begins")
        return "second"

    def third(_aside: Callable[[], None]) -> str:
        order.append("third begins")
        second_is_done.set()
        return "third"

    came = list(side_by_side([first, second, third], Stop(), never))
    assert order == ["first begins", "second begins", "third begins"]
    assert came[0] == "second"
    assert sorted(came) == ["first", "second", "third"]


def test_after_a_failure_none_is_begun_and_who_is_at_work_ends() -> None:
    failed = Event()

    def slow(aside: Callable[[], None]) -> str:
        aside()
        assert failed.wait(PATIENCE)
        return "ended"

    def failing(_aside: Callable[[], None]) -> str:
        failed.set()
        return "failed"

    def works() -> Iterator[Callable[[Callable[[], None]], str]]:
        yield from (slow, failing)
        pytest.fail("one more was begun")

    assert sorted(side_by_side(works(), Stop(), "failed".__eq__)) == ["ended", "failed"]


def test_what_one_raises_is_raised_once_the_others_have_ended() -> None:
    ended = []

    def slow(aside: Callable[[], None]) -> str:
        aside()
        ended.append("slow")
        return "slow"

    def broken(_aside: Callable[[], None]) -> str:
        raise OSError("no more memory")

    with pytest.raises(OSError, match="no more memory"):
        list(side_by_side([slow, broken], Stop(), never))
    assert ended == ["slow"]


def test_a_signal_is_heard_by_the_stops_of_all_threads() -> None:
    both, asked = Barrier(3), Event()

    def waits(aside: Callable[[], None]) -> None:
        with Stop() as below:
            below.check()
            aside()
            both.wait(PATIENCE)
            assert asked.wait(PATIENCE)
            with pytest.raises(StoppedError):
                below.check()
            below.accept()  # and rolls back
            below.check()
            with Stop() as further:
                further.check()

    def asks(stop: Stop, aside: Callable[[], None]) -> None:
        aside()
        both.wait(PATIENCE)
        stop.ask(signal.SIGTERM)
        asked.set()

    stop = Stop()
    with pytest.raises(StoppedError) as caught:
        list(side_by_side([waits, waits, partial(asks, stop)], stop, never))
    assert caught.value.signum == signal.SIGTERM


def test_threads_wait_for_each_other_where_processes_lose_patience(tmp_path: Path) -> None:
    turn, stop, order = Turn(), Stop(), []

    def hold() -> None:
        with turn.taken(stop) as give_back, hold_lock(tmp_path / "lock", "a", "b", stop, 0) as lock:
            order.append("first")
            lock.release()
            give_back()
            give_back()

    other = Thread(target=hold)
    with turn.taken(stop), hold_lock(tmp_path / "lock", "c", "d", stop, 0):
        other.start()
        order.append("second")
    other.join(PATIENCE)
    assert order == ["second", "first"]
    with turn.taken(stop):
        asked = Stop()
        asked.ask(signal.SIGINT)
        with pytest.raises(StoppedError), turn.taken(asked):
            pass


class Meeting(Nobody):
    """Waits in each step until as many are at theirs."""

    def __init__(self, barrier: Barrier) -> None:
        self.barrier = barrier

    def began(self, title: str) -> None:
        self.barrier.wait(PATIENCE)


@pytest.fixture
def session(tmp_path: Path) -> InMemory:
    found = InMemory(caller=Caller("carol", root=True))
    world = World().with_tenants("alice")
    world.images.all = (IMAGE,)
    world.guests.banners = ["SSH-2.0-x"]
    found.put(world, tmp_path)
    return found


def up(session: InMemory, shows: Callable[[str], Show]) -> Up:
    file = raptor_file.read(session, "raptor.toml", FILE)
    wish = raptor_file.wish_of(session, file)
    return Up(session, wish, raptor_file.plan_of(session, wish, Allowed()), shows=shows)


def test_steps_of_two_machines_run_at_the_same_time(session: InMemory) -> None:
    meeting = Meeting(Barrier(2))
    done = list(up(session, lambda _subject: Show(audience=meeting)).run())
    assert sorted((one.subject, one.did, one.error) for one in done) == [
        ("alice-db", ("made", "1 step"), None),
        ("alice-web", ("made", "1 step"), None),
    ]


def test_an_error_in_one_does_not_keep_another_at_work_from_its_end(session: InMemory) -> None:
    def show(subject: str) -> Show:
        if subject == "alice-db":
            raise RuntimeError("a defect of ours")
        return Show()

    with pytest.raises(RuntimeError, match="a defect"):
        list(up(session, show).run())
    (web,) = session.world.domains.list()
    assert web.mark
    assert web.mark.steps
