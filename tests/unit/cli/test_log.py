"""`raptorctl log`, and where the log comes from and goes to."""

from dataclasses import replace
from pathlib import Path

import pytest

from raptorctl.errors import HostError
from tests.fakes import World
from tests.unit.cli.session import PROVISION, CommandLine, FakeSession


@pytest.fixture
def logged(
    raptorctl: CommandLine, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> CommandLine:
    """A host with a directory for consoles' logs."""
    folder = tmp_path / "console"
    folder.mkdir()
    world.files.paths.add(str(folder))
    before = FakeSession.__init__

    def begin(self: FakeSession, *args: object) -> None:
        before(self, *args)  # type: ignore[arg-type]
        libvirt = replace(self.settings.libvirt, console_log_dir=str(folder))
        self.settings = replace(self.settings, libvirt=libvirt)

    monkeypatch.setattr(FakeSession, "__init__", begin)
    return raptorctl


def log_file(tmp_path: Path) -> str:
    return str(tmp_path / "console" / "alice-dev.log")


def test_a_machines_console_is_logged_and_the_log_goes_with_it(
    logged: CommandLine, world: World, tmp_path: Path
) -> None:
    assert logged(*PROVISION).code == 0
    assert world.domains.list()[0].logs == (log_file(tmp_path),)
    world.files.paths.add(log_file(tmp_path) + ".0")
    done = logged("deprovision", "alice", "dev", "-y")
    assert (done.code, f"remove {log_file(tmp_path)}" in done.err) == (0, True)
    assert not [path for path in world.files.paths if "alice" in path]


def test_a_rolled_back_machine_leaves_no_log(logged: CommandLine, world: World) -> None:
    before = world.picture()
    session = logged.session()
    session.wire.error = lambda: HostError("no")
    names = session.wire.calls
    guard = session.wire.guard

    def fail_at_autostart(name, act):  # type: ignore[no-untyped-def]
        if name == "FakeDomains.set_autostart" and name not in names:
            session.wire.at = len(names) + 1
        return guard(name, act)

    session.wire.guard = fail_at_autostart  # type: ignore[method-assign]
    assert logged(*PROVISION, session=session).code == 1
    assert world.picture() == before


def test_anothers_log_is_not_the_new_machines(
    logged: CommandLine, world: World, tmp_path: Path
) -> None:
    world.files.paths.add(log_file(tmp_path))
    refused = logged(*PROVISION)
    assert (refused.code, "is there already" in refused.complaint) == (3, True)


def test_without_the_directory_nothing_is_logged(raptorctl: CommandLine, world: World) -> None:
    assert raptorctl(*PROVISION).code == 0
    assert world.domains.list()[0].logs == ()


def test_the_log_is_shown_without_what_drives_a_terminal(
    logged: CommandLine, tmp_path: Path
) -> None:
    logged(*PROVISION)
    Path(log_file(tmp_path)).write_bytes(b"one\n\x1b[2Jtwo\n")
    assert logged("log", "alice", "dev", "-n", "1").out == "two\n"
    assert logged("log", "alice", "dev", "-n", "1", "--raw").out == "\x1b[2Jtwo\n"
    missing = logged("log", "bob", "dev")
    assert (missing.code, "no such machine" in missing.complaint) == (3, True)
