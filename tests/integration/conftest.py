"""Fixtures of the integration tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.images import Cache
from tests.integration.dns_samples import Client
from tests.integration.named import Named, running_named
from tests.integration.registry import Registry, registry
from tests.integration.session_account import Person, somebody


@pytest.fixture(scope="module")
def person() -> Iterator[Person]:
    """Whose machines are on libvirt's session; one for all tests of a file."""
    if Path("/etc/raptorctl/settings.toml").exists():
        pytest.fail("this is a shared host: nobody's own")
    with somebody() as found:
        yield found


@pytest.fixture
def named(tmp_path: Path) -> Iterator[Named]:
    with running_named(tmp_path) as server:
        yield server


@pytest.fixture
def client(named: Named) -> Client:
    return Client(named)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def other(tmp_path: Path) -> Cache:
    """The cache of another host."""
    return Cache(tmp_path / "other")


@pytest.fixture
def blobs(tmp_path: Path) -> Path:
    """Where a registry keeps what it has."""
    folder = tmp_path / "registry"
    folder.mkdir()
    return folder


@pytest.fixture
def running(blobs: Path) -> Iterator[Registry]:
    """A registry that anybody may push to."""
    with registry(blobs) as one:
        yield one
