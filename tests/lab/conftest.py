"""The lab as fixtures."""

from collections.abc import Iterator

import pytest

from tests.lab.firmware import halting, unconfined
from tests.lab.host import Lab
from tests.latest import skip_if_late


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    skip_if_late()


@pytest.fixture(scope="session")
def lab() -> Lab:
    """Give the running host, brought up once; it is left running for a look after a failure."""
    host = Lab()
    host.up()
    return host


@pytest.fixture(scope="module", autouse=True)
def _each_file_begins_on_a_pristine_host(lab: Lab) -> None:
    lab.reset()


@pytest.fixture
def pristine(lab: Lab) -> Iterator[Lab]:
    """Give the host as it was right after the role and the install."""
    lab.reset()
    yield lab


@pytest.fixture(scope="module")
def confined(lab: Lab) -> Lab:
    """Give a host whose machines halt in their first instruction."""
    halting(lab)
    return lab


@pytest.fixture(scope="module")
def quiet(confined: Lab) -> Lab:
    """Give one that does not confine them by AppArmor either."""
    unconfined(confined)
    return confined
