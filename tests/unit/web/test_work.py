"""What was asked for, and goes on."""

import threading

import pytest

from raptorctl.errors import StoppedError
from raptorctl.web.work import AT_ONCE, Work, Works


def test_what_waits_for_its_turn_is_not_begun_once_the_server_ends(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    works, begun = Works(lambda: None), threading.Barrier(AT_ONCE + 1)

    def until_stopped(work: Work) -> tuple[str, ...]:
        begun.wait(60)
        while True:
            work.stop.check()

    all_of_them = [
        works.begin("provision alice dev", "alice-dev", "carol", until_stopped)
        for _ in range(AT_ONCE + 1)
    ]
    begun.wait(60)
    works.close()
    assert all(work.over for work in all_of_them)
    assert all_of_them[-1].error == "not begun: the page was closed"
    assert all_of_them[0].error == str(StoppedError(15))
    assert (caplog.text, capsys.readouterr().err) == ("", "")
