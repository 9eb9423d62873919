"""The process that polkit is asked about: it is its account's, and holds nothing of ours."""

import os
import time
from contextlib import suppress
from pathlib import Path

import pytest

from raptorctl.errors import HostError
from raptorctl.host.access import polkit
from raptorctl.model.tenant import Account

NOBODY = Account("nobody", 65534, 65534)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")


def test_it_has_none_of_our_files_open() -> None:
    with polkit._process(NOBODY) as subject:
        # Those that go at exec(2) go one after the other, and we are told at the first.
        for _ in range(100):
            if (left := open_files(subject["pid"][1])) == {"/dev/null"}:
                break
            time.sleep(0.05)
        assert left == {"/dev/null"}


def open_files(process: int) -> set[str]:
    found = set()
    for file in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):  # it went meanwhile
            found.add(str(file.readlink()))
    return found


def test_one_that_somebody_ends_is_no_answer() -> None:
    ended = pytest.raises(HostError, match="the process that polkit was asked about has ended")
    with ended, polkit._process(NOBODY) as subject:
        os.kill(subject["pid"][1], 9)
        os.waitid(os.P_PID, subject["pid"][1], os.WEXITED | os.WNOWAIT)
