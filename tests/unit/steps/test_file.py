import pytest

from raptorctl.errors import ConflictError
from raptorctl.steps.file import WriteFile
from tests.fakes import World

PATH = "/etc/raptorctl/keys/alice"


def step(before: str | None, text: str | None) -> WriteFile:
    return WriteFile("why", "alice's keys", PATH, before, text, 0o600)


def no_tick(_done: int, _total: int) -> None:
    pass


@pytest.mark.parametrize(("before", "text"), [(None, "new"), ("old", "new"), ("old", None)])
def test_it_writes_reads_back_and_can_be_taken_back(before: str | None, text: str | None) -> None:
    world = World()
    if before is not None:
        world.files.write(PATH, before, 0o600)
    asked, host = step(before, text), world.host()
    was = world.picture()

    assert not asked.is_done(host)
    asked.apply(host, no_tick)
    assert asked.is_done(host)
    assert world.files.read(PATH) == text

    asked.undo(host, no_tick)
    assert world.picture() == was
    asked.undo(host, no_tick)
    assert world.picture() == was


def test_what_somebody_else_wrote_meanwhile_is_left_to_him() -> None:
    world = World()
    world.files.write(PATH, "his", 0o600)
    for act in (lambda: step("old", "new").is_done(world.host()),
                lambda: step("old", "new").undo(world.host(), no_tick)):  # fmt: skip
        with pytest.raises(ConflictError, match="changed meanwhile"):
            act()
    assert world.files.read(PATH) == "his"
