"""Files that go to the disk while they are written."""

import errno
import os
from contextlib import closing
from threading import Event

import pytest

from raptorctl.host.system.writeback import WORTH, Writeback


class Disk:
    """What fdatasync(2) and fsync(2) say, and when."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.error = 0
        self.may = Event()

    def fdatasync(self, _descriptor: int) -> None:
        self.calls.append("begun")
        self.may.wait(60)
        if self.error:
            raise OSError(self.error, os.strerror(self.error))

    def fsync(self, _descriptor: int) -> None:
        self.calls.append("settled")


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    found = Disk()
    monkeypatch.setattr(os, "fdatasync", found.fdatasync)
    monkeypatch.setattr(os, "fsync", found.fsync)
    return found


def test_what_comes_goes_to_the_disk_once_it_is_worth_it_one_turn_at_a_time(disk: Disk) -> None:
    with closing(Writeback(0)) as file:
        file.grown(WORTH - 1)
        assert disk.calls == []
        for part in range(1, 4):
            file.grown(part * WORTH)
        disk.may.set()
        file.settle()
    assert disk.calls == ["begun", "settled"]


def test_an_error_of_a_turn_is_told_for_the_system_tells_it_once(disk: Disk) -> None:
    disk.error = errno.EIO
    disk.may.set()
    with closing(Writeback(0)) as file:
        file.grown(WORTH)
        with pytest.raises(OSError, match="Input/output error"):
            file.settle()
    assert disk.calls == ["begun"]
