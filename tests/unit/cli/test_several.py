"""Commands that are about several machines: what they end with when more than one fails."""

import signal
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from raptorctl.api.brought import Brought
from raptorctl.cli.onlooker import Alone
from raptorctl.cli.output import Format
from raptorctl.cli.raptor_file import told
from raptorctl.errors import (
    JournalError,
    LeftoversError,
    RaptorError,
    RefusedError,
    StoppedError,
    WipeError,
)
from raptorctl.host.system import clock
from raptorctl.model.file_plan import FilePlan
from raptorctl.model.look import ClockReading
from raptorctl.model.several import decisive
from tests.fakes import World
from tests.unit.cli.session import PROVISION, CommandLine

LEFT = LeftoversError("half wiped", "j1", ["a volume"])
REFUSED = RefusedError("j1 is unfinished")


@pytest.mark.parametrize(
    ("errors", "ends"),
    [
        ([REFUSED], 0),
        ([WipeError("no"), REFUSED], 1),
        ([REFUSED, LEFT, LeftoversError("later", "j2", [])], 1),
        ([JournalError("damaged"), REFUSED], 0),
        ([LEFT, StoppedError(signal.SIGINT)], 0),
        ([REFUSED, StoppedError(signal.SIGINT)], 1),
    ],
)
def test_what_leaves_something_decides_and_else_the_last(
    errors: list[RaptorError], ends: int
) -> None:
    assert decisive(errors) is errors[ends]


def test_a_file_of_machines_ends_with_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    results = (Brought("alice-web", error=LEFT), Brought("alice-db", error=REFUSED))
    with pytest.raises(LeftoversError):
        told(iter(results), FilePlan(()), Format.TEXT, Alone())
    assert "raptorctl: j1 is unfinished\n" in capsys.readouterr().err


def test_a_signal_hides_no_machine_that_failed_before_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def results(error: RaptorError) -> Iterator[Brought]:
        yield Brought("alice-web", error=error)
        raise StoppedError(signal.SIGTERM)

    with pytest.raises(StoppedError):
        told(results(REFUSED), FilePlan(()), Format.TEXT, Alone())
    assert "raptorctl: j1 is unfinished\n" in capsys.readouterr().err
    with pytest.raises(LeftoversError):
        told(results(LEFT), FilePlan(()), Format.TEXT, Alone())
    assert "raptorctl: stopped by SIGTERM\n" in capsys.readouterr().err


@pytest.fixture
def due(raptorctl: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """A command line on a host that has two machines' disks to wipe."""
    assert raptorctl(*PROVISION).code == 0
    assert raptorctl("provision", "bob", "web", "--size", "5G", "--cpus", "2").code == 0
    for words in (("alice", "dev"), ("bob", "web")):
        assert raptorctl("deprovision", *words, "--keep", "1h", "-y").code == 0
    for days in (2, 4):
        day = date.today() + timedelta(days=days)
        reading = ClockReading(f"{day}T12:00:00Z", "0123abcd", (days + 100) * 24 * 3600)
        monkeypatch.setattr(clock, "look", lambda reading=reading: reading)
        if days == 2:
            assert raptorctl("expire").code == 0
    return raptorctl


def test_a_wipe_that_fails_and_another_that_is_refused(
    due: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise WipeError("zeroing /dev/dm-3 failed at 0: Input/output error")

    monkeypatch.setattr(due.world.wiper, "wipe", fails)
    done = due("expire")
    assert done.code == 4
    assert "bob-web: job" in done.err
    assert "raptorctl: zeroing /dev/dm-3 failed" in done.err


@pytest.mark.parametrize(("call", "code"), [("wiper.wipe", 4), ("volumes.rename", 130)])
def test_a_signal_begins_no_further_job_of_what_is_due(
    due: CommandLine, world: World, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    def stopped(*_: object, **_more: object) -> None:
        raise StoppedError(signal.SIGINT)

    driver, act = call.split(".")
    monkeypatch.setattr(getattr(world, driver), act, stopped)
    done = due("expire")
    assert (done.code, "bob-web" in done.err) == (code, False), done.err
    assert "disk-bob-web.old" in [volume.name for volume in world.volumes.list()]
