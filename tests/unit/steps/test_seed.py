"""A seed's file: written with its secrets, known without them."""

import json

import pytest

from raptorctl.errors import ConflictError, HostError
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
