"""CD drives: what libvirt or the cache did not do is no success."""

import pytest

from raptorctl.errors import HostError
from raptorctl.model.domain import Domain, State
from raptorctl.steps.medium import ChangeMedium, CopyMedium
from tests.fakes import ISO, World

COPY = f"/srv/alice-dev-cd-{ISO.digest}.iso"
DRIVE = f'<disk device="cdrom"><source file="{COPY}"/></disk>'
INSERT = ChangeMedium("r", "alice-dev", "u1", ("", COPY), ("<disk/>", DRIVE))


def silently(done: int, total: int) -> None:
    """Nobody watches."""


def test_a_drive_that_did_not_change_is_told() -> None:
    world = World()
    world.domains.by_uuid["u1"] = Domain("u1", "alice-dev", State.RUNNING)
    world.domains.plugs["u1"] = set()
    world.domains.change_medium = lambda *_: None  # type: ignore[method-assign]
    with pytest.raises(HostError, match="did not change what is in the CD drive of alice-dev"):
        INSERT.apply(world.host(), silently)


def test_what_does_not_run_has_nothing_to_change() -> None:
    world = World()
    assert INSERT.is_done(world.host())
    world.domains.by_uuid["u1"] = Domain("u1", "alice-dev")
    assert INSERT.is_done(world.host())
    INSERT.undo(world.host(), silently)


def test_a_copy_that_is_shorter_than_its_image_is_told() -> None:
    world, step = World(), CopyMedium("r", COPY, ISO)
    world.images.copy = lambda *_: world.files.paths.add(COPY)  # type: ignore[method-assign]
    with pytest.raises(HostError, match="is not as long as image rescue"):
        step.apply(world.host(), silently)
