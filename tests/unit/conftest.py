"""Settings of the unit tests."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

# No test is bound to a machine's speed.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(scope="session", autouse=True)
def _no_waiting_for_the_disk() -> Iterator[None]:
    """A job waits for the disk before each act, and whoever dies here leaves the kernel alive."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fdatasync", os.fstat)  # which refuses what is no open file as they do
        patch.setattr(os, "fsync", os.fstat)
        yield
