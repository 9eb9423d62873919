"""The lab as fixtures."""

from collections.abc import Iterator

import pytest

from tests.lab.host import Lab


@pytest.fixture(scope="session")
def lab() -> Lab:
    """Give the running host, brought up once; it is left running for a look after a failure."""
    host = Lab()
    host.up()
    return host


@pytest.fixture
def pristine(lab: Lab) -> Iterator[Lab]:
    """Give the host as it was right after the role and the install."""
    lab.reset()
    yield lab
