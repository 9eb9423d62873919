"""`up` on a session host: a machine that stands becomes what its file says, and stays it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.session_host import SessionWorld, without_qemu_img
from tests.unit.cli.session import CommandLine
from tests.unit.cli.test_export import SessionLine, nothing_differs
from tests.unit.cli.test_standing import OTHER
from tests.unit.cli.test_up import last
from tests.unit.model.test_ssh_key import GOOD

WEB = '[machine.web]\nimage = "debian:13"\nsize = "4G"\n'
BLOB, OTHER_BLOB = GOOD.split()[1], OTHER.split()[1]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SessionLine]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home").mkdir()
    (tmp_path / "k.pub").write_text(GOOD)
    (tmp_path / "other.pub").write_text(OTHER)
    with without_qemu_img(monkeypatch):
        world = SessionWorld(tmp_path / "home")
        world.images.all = (world.image,)
        yield SessionLine(world, tmp_path)


def up(own: CommandLine, text: str, *words: str) -> tuple[int, str, str]:
    Path("raptor.toml").write_text(text)
    done = own("up", "-y", *words)
    return done.code, done.out, done.err


def seed(own: CommandLine) -> str:
    return own("seed", "show", "web").out


def test_a_machine_that_is_reloaded_keeps_the_keys_of_its_file(own: CommandLine) -> None:
    text = WEB + 'keys = ["k.pub"]\n'
    assert up(own, text)[0] == 0
    assert BLOB in seed(own)
    done = own("reload", "-y")
    assert (done.code, "login-key" in done.err) == (0, False), done.err
    assert BLOB in seed(own)
    assert not any("login-key" in path for path in own.world.files.paths)
    nothing_differs(own)
    assert up(own, text)[1] == "alice-web is already so\n"


def test_a_key_that_is_new_in_the_file_needs_a_rebuild(own: CommandLine) -> None:
    assert up(own, WEB + 'keys = ["k.pub"]\n')[0] == 0
    text = WEB + 'keys = ["k.pub", "other.pub"]\n'
    code, _, said = up(own, text)
    assert (code, "keys without, not other@laptop: needs --rebuild" in said) == (3, True), said
    code, out, said = up(own, text, "--rebuild")
    assert (code, last(out)) == (0, "alice-web: rebuilt"), said
    assert BLOB in seed(own) and OTHER_BLOB in seed(own)
    nothing_differs(own)


def test_a_rebuild_by_hand_gives_the_keys_that_are_named(own: CommandLine) -> None:
    assert up(own, WEB + 'keys = ["k.pub"]\n')[0] == 0
    assert own("rebuild", "web", "--key", "k.pub", "-y").code == 0
    assert BLOB in seed(own)
    nothing_differs(own)
    assert own("rebuild", "web", "-y").code == 0
    assert BLOB not in seed(own)
    said = own("provision", "web", "--key", "k.pub").err
    assert "keys of the guest lack alice@laptop: by a rebuild" in said
    assert "raptorctl rebuild alice-web --key FILE; or ~/.ssh/authorized_keys in the guest" in said


def test_keys_of_all_machines_are_no_matter_to_one_that_has_no_guest(own: CommandLine) -> None:
    text = '[defaults]\nkeys = ["k.pub"]\n' + WEB + '[machine.installer]\nsize = "4G"\n'
    assert up(own, text)[0] == 0
    nothing_differs(own)
    assert up(own, text) == (0, "alice-web is already so\nalice-installer is already so\n", "")


@pytest.mark.parametrize("line", ["packages = []", "swap = 0", "sysctl = {}", "hosts = {}"])
def test_a_guest_that_is_told_nothing_is_told_none_of_it(own: CommandLine, line: str) -> None:
    text = f'[machine.web]\nsize = "4G"\n{line}\n'
    assert up(own, text)[0] == 0
    nothing_differs(own)
    assert up(own, text)[1] == "alice-web is already so\n"


def test_a_guest_that_shall_be_told_after_all_lacks_its_keys(own: CommandLine) -> None:
    assert up(own, WEB + "seed = false\n")[0] == 0
    code, _, said = up(own, WEB + 'keys = ["k.pub"]\n')
    assert (code, "keys without, not alice@laptop: needs --rebuild" in said) == (3, True), said
