from pathlib import Path

import pytest

from tests.fakes import World
from tests.unit.cli.session import CommandLine


@pytest.fixture
def world() -> World:
    return World().with_tenants("alice", "bob")


@pytest.fixture
def raptorctl(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.setenv("SUDO_USER", "carol")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return CommandLine(world, tmp_path)
