"""How much is tried: a seeded part of it in `make long`, all night long in `make fuzz`.

`RAPTOR_EXAMPLES` is how many inputs each test tries; without it, the same few each time.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

from tests.memory import folder_in_memory

ASKED: Final = int(os.environ.get("RAPTOR_EXAMPLES", "0"))

settings.register_profile(
    "raptor",
    max_examples=ASKED or 200,
    derandomize=not ASKED,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=bool(ASKED),
)
settings.load_profile("raptor")


HERE: Final = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.long)


@pytest.fixture(autouse=True, scope="module")
def _surroundings() -> Iterator[None]:
    """No waiting for the disk, and a terminal like any other."""
    patch = pytest.MonkeyPatch()
    patch.setattr(os, "fdatasync", lambda _: None)
    patch.setattr(os, "fsync", lambda _: None)
    patch.setenv("SUDO_USER", "carol")
    patch.setenv("TERM", "xterm")
    patch.setenv("COLUMNS", "80")
    patch.delenv("NO_COLOR", raising=False)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with folder_in_memory() as path:
        yield path
