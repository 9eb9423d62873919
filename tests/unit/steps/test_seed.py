"""A seed's file: written with its secrets, known without them."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest

from raptorctl.errors import ConflictError, HostError
from raptorctl.host.system.files import LocalFiles
from raptorctl.model.seed import Seed
from raptorctl.render.seed_iso import render_iso
from raptorctl.steps.seed import RemoveSeed, WriteSeed
from raptorctl.steps.step import Step, decode_step
from tests.fakes import World

PATH = "/var/lib/libvirt/raptorctl/alice-dev-seed.iso"
SEED = Seed("instance-id: x\n", "#cloud-config\nssh_keys: hush\n")
STEP = WriteSeed("why", "j1", PATH, SEED.digest, SEED)


def tick(*_: int) -> None:
    pass


def from_journal(step: Step) -> Step:
    return decode_step(json.loads(json.dumps(step.encode())))


def test_it_is_written_for_root_alone_and_read_back() -> None:
    world = World()
    assert not STEP.is_done(world.host())
    STEP.apply(world.host(), tick)
    assert STEP.is_done(world.host())
    assert world.files.texts[PATH][1] == 0o600


def test_the_journal_has_none_of_its_secrets() -> None:
    assert "hush" not in json.dumps(STEP.encode())
    assert "hush" not in repr(STEP)


def test_without_its_texts_it_still_takes_back_its_own_file() -> None:
    world = World()
    STEP.apply(world.host(), tick)
    again = from_journal(STEP)
    assert again.is_done(world.host())
    again.undo(world.host(), tick)
    assert PATH not in world.files.texts
    again.undo(world.host(), tick)


def test_what_a_cut_left_half_written_is_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "alice-dev-seed.iso"
    step = replace(STEP, path=str(path))
    host = replace(World().host(), files=LocalFiles())
    assert dies(lambda: step.apply(host, tick))
    assert [file.stat().st_mode & 0o777 for file in tmp_path.iterdir()] == [0o600]
    again = from_journal(step)
    assert not again.is_done(host)
    again.undo(host, tick)
    assert list(tmp_path.iterdir()) == []


def dies(do: Callable[[], object]) -> bool:
    """Do it in a process that dies when its data are about to be durable; whether it came to it."""
    child = os.fork()
    if not child:
        with patch.object(os, "fsync", side_effect=lambda _file: os._exit(9)):
            do()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def test_without_its_texts_it_cannot_be_written() -> None:
    with pytest.raises(HostError, match="is kept in no journal"):
        from_journal(STEP).apply(World().host(), tick)


@pytest.mark.parametrize("data", [b"somebody's", render_iso(Seed("other", "other"))])
def test_another_file_is_left_alone(data: bytes) -> None:
    world = World()
    world.files.write_bytes(PATH, data, 0o600)
    with pytest.raises(ConflictError, match="is there already"):
        STEP.is_done(world.host())
    STEP.undo(world.host(), tick)
    assert PATH in world.files.texts


def test_what_was_not_written_whole_is_noticed() -> None:
    world = World()
    world.files.write_bytes = lambda *_: None  # type: ignore[method-assign]
    with pytest.raises(HostError, match="does not say what was written"):
        STEP.apply(world.host(), tick)


def test_removing_it_cannot_be_undone() -> None:
    world = World()
    STEP.apply(world.host(), tick)
    removal = RemoveSeed("why", PATH)
    assert not removal.is_done(world.host())
    removal.apply(world.host(), tick)
    assert removal.is_done(world.host())
    assert not RemoveSeed.reversible
