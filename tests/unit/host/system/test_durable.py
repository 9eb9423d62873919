"""Lines that are appended, on a disk that is full."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from raptorctl.host.system.durable import append_line


@contextmanager
def room(size: int) -> Iterator[None]:
    """As on a full disk, write(2) takes a part and says so (setrlimit(2), RLIMIT_FSIZE)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_half_a_line_is_an_error_and_spoils_no_other(tmp_path: Path) -> None:
    log = tmp_path / "log"
    append_line(log, "one")
    with room(10), pytest.raises(OSError, match="No space left"):
        append_line(log, "two, which is longer")
    append_line(log, "three")
    assert log.read_text().splitlines() == ["one", "two, w", "three"]
