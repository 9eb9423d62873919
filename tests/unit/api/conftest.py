from pathlib import Path

import pytest

from raptorctl.api.caller import Caller
from tests.fakes import World
from tests.unit.api.session import InMemory

ROOT = Caller("carol", root=True)


@pytest.fixture
def world() -> World:
    return World().with_tenants("alice", "bob")


@pytest.fixture
def session(world: World, tmp_path: Path) -> InMemory:
    found = InMemory(caller=ROOT)
    found.put(world, tmp_path)
    return found
