"""Fixtures of the integration tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.dns_samples import Client
from tests.integration.named import Named, running_named


@pytest.fixture
def named(tmp_path: Path) -> Iterator[Named]:
    with running_named(tmp_path) as server:
        yield server


@pytest.fixture
def client(named: Named) -> Client:
    return Client(named)
