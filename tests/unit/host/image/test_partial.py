"""Files that come in pieces: hashed while they do, and what is hashed is the file."""

import hashlib
import io
import os
from pathlib import Path

import pytest

from raptorctl.host.image.ahead import LAG
from raptorctl.host.image.partial import Partial
from raptorctl.model.sizes import MIB

PIECE = 3 * MIB + 5


def silent(_done: int, _total: int) -> None:
    """Tell nobody."""


def digest_of(partial: Partial) -> str:
    with partial.path.open("rb", buffering=0) as stream:
        found = partial.sha256(stream, silent)
        assert stream.tell() == 0
    return found


def come(partial: Partial, size: int) -> None:
    while size > 0:
        partial.write(os.urandom(min(size, PIECE)))
        size -= PIECE


@pytest.fixture
def partial(tmp_path: Path) -> Partial:
    found = Partial(tmp_path / "key")
    found.begin("u", "v", 5 * LAG)
    return found


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("size", [0, 1, LAG - 1, LAG, 3 * LAG + 1])
def test_its_digest_is_that_of_all_that_came(partial: Partial, size: int) -> None:
    with partial:
        come(partial, size)
        assert digest_of(partial) == sha256(partial.path)


class Counting(io.FileIO):
    """Counts what is read of a file."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.count += len(data)
        return data


def test_what_was_hashed_while_it_came_is_not_read_again(partial: Partial) -> None:
    with partial, Counting(partial.path) as stream:
        come(partial, 2 * LAG)
        assert partial.sha256(stream, silent) == sha256(partial.path)
        assert stream.count <= LAG


def test_what_came_another_time_is_hashed_as_well(partial: Partial) -> None:
    with partial:
        come(partial, LAG + 7)
    with Partial(partial.path.with_suffix("")) as later:
        come(later, LAG)
        assert digest_of(later) == sha256(partial.path)


def test_one_that_begins_anew_is_hashed_anew(partial: Partial) -> None:
    with partial:
        come(partial, 2 * LAG)
        partial.begin("u", "w", 2 * LAG)
        come(partial, 2 * LAG)
        assert digest_of(partial) == sha256(partial.path)


@pytest.mark.parametrize("size", [2 * LAG, MIB])
def test_a_file_in_its_place_is_read_from_its_beginning(partial: Partial, size: int) -> None:
    with partial:
        come(partial, 2 * LAG)
        partial.path.unlink()
        partial.path.write_bytes(os.urandom(size))
        assert digest_of(partial) == sha256(partial.path)


def test_one_that_was_cut_is_read_from_its_beginning(partial: Partial) -> None:
    with partial:
        come(partial, 2 * LAG)
        os.truncate(partial.path, 5)
        assert digest_of(partial) == sha256(partial.path)
