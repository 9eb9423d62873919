"""Under sudo, every option that names a file reads it with the rights of who typed sudo.

All options and arguments there are, are walked: one that may name a file, and is not tried here,
fails, and so does one that root opens.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from raptorctl.cli.app import command
from raptorctl.cli.edge import run
from raptorctl.cli.session import Typed
from raptorctl.drivers.image import Wanted
from raptorctl.host.guest import login as guest_login
from raptorctl.host.image.cache import LocalImages
from raptorctl.model.image_source import Source
from tests.fakes import World
from tests.unit.cli.session import PROVISION, CommandLine, FakeSession, below
from tests.unit.cli.test_guest import BANNER
from tests.unit.model.test_first_boot import WHOLE
from tests.unit.model.test_guest import KEY, told

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root acts for somebody else")

NOBODY: Final = "65534"
NO_FILES: Final = frozenset(
    """
    N|SET MACHINE COMMAND ACCOUNT TIME TENANT NAME raw|qcow2 IMAGE [IMAGE]... URL HEX SET SIZE N|auto NET JOB
    SECONDS SPAN DATE|SPAN VOLUME DATE LIST KEY TARGET N|all NAME=VALUE N COMMANDS
    """.split()
) | {
    "[TENANT] [MACHINE]", "[NAME]...", "MACHINE...", "DIR", "PATH", "FOLDER",
    "TENANT MACHINE", "TENANT MACHINE OTHER", "TENANT MACHINE on|off", "TENANT MACHINE DATE|SPAN", "TENANT MACHINE NEW", "TENANT MACHINE [NAME]",
    "TENANT MACHINE [-- CMD...]", "TENANT MACHINE NAME", "TENANT MACHINE NAME SIZE", "KEY,...", "LOGIN",
    "KEY=VALUE,...", "[-]KEY", "ID", "TEXT", "[NAME]",
}  # fmt: skip
"""What stands for a word, a number or a name that is looked up; whatever else is a file.

FOLDER is `--cloud-init`'s, which has a test of its own. DIR is `registry gen`'s, which refuses to act for somebody else before it looks there, and
`render makefile`'s; PATH is `import`'s, where it writes what it never has as root. TARGET is
`image push`'s: what is written there is, as whoever typed sudo (`test_image_push`).
"""

ALICE: Final = ("alice", "dev")
NEW: Final = ("provision", "alice", "web", "--size", "4G", "--cpus", "3-3", "-y")
XML: Final = ("render", "xml", *NEW[1:-1])
STEP: Final = ("--run", "{open}", "--identity", "{open}")
FILES: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("", "--settings"): ("--settings", "{}", "image", "list"),
    ("provision", "--key"): (*NEW, "--key", "{}"),
    ("provision", "--image"): (*NEW, "--image", "{}"),
    ("provision", "--iso"): (*NEW, "--iso", "{}"),
    ("render xml", "--iso"): (*XML, "--iso", "{}"),
    ("cdrom insert", "words"): ("cdrom", "insert", *ALICE, "{}"),
    ("provision", "--disk"): (*NEW, "--disk", "data=8G,image={}"),
    ("provision", "--user-data"): (*NEW, "--image", "web.img", "--user-data", "{}"),
    ("provision", "--vendor-data"): (*NEW, "--image", "web.img", "--vendor-data", "{}"),
    ("provision", "--network-config"): (*NEW, "--image", "web.img", "--network-config", "{}"),
    ("provision", "--meta-data"): (*NEW, "--image", "web.img", "--meta-data", "{}"),
    ("render xml", "--meta-data"): (*XML, "--image", "web.img", "--meta-data", "{}"),
    ("rebuild", "--meta-data"): ("rebuild", *ALICE, "-y", "--image", "web.img", "--meta-data", "{}"),
    ("render xml", "--vendor-data"): (*XML, "--image", "web.img", "--vendor-data", "{}"),
    ("render xml", "--network-config"): (*XML, "--image", "web.img", "--network-config", "{}"),
    ("rebuild", "--vendor-data"): ("rebuild", *ALICE, "-y", "--image", "web.img", "--vendor-data", "{}"),
    ("rebuild", "--network-config"): ("rebuild", *ALICE, "-y", "--image", "web.img", "--network-config", "{}"),
    ("provision", "--profile"): (*NEW, "--profile", "{}"),
    ("provision", "--identity"): (*NEW, "--image", "web.img", "--run", "{open}", "--identity", "{}"),
    ("provision", "--run"): (*NEW, "--image", "web.img", "--identity", "{open}", "--run", "{}"),
    ("provision", "--copy"): (*NEW, "--image", "web.img", "--identity", "{open}", "--copy", "{}:/etc/a"),
    ("disk add", "words"): ("disk", "add", *ALICE, "data=8G,image={}", "-y"),
    ("render xml", "--key"): (*XML, "--image", "web.img", "--key", "{}"),
    ("render xml", "--image"): (*XML, "--image", "{}"),
    ("render xml", "--disk"): (*XML, "--disk", "data=8G,image={}"),
    ("render xml", "--user-data"): (*XML, "--image", "web.img", "--user-data", "{}"),
    ("render xml", "--profile"): (*XML, "--profile", "{}"),
    ("up", "words"): ("up", "{}"),
    ("up", "--plan"): ("up", "--plan", "{}"),
    ("up", "--identity"): ("up", "{open}", "--identity", "{}"),
    ("reload", "words"): ("reload", "{}"),
    ("reload", "--identity"): ("reload", "{open}", "--identity", "{}"),
    ("down", "words"): ("down", "{}"),
    ("diff", "words"): ("diff", "{}"),
    ("import", "file"): ("import", "{}", "--tenant", "alice"),
    ("rebuild", "--key"): ("rebuild", *ALICE, "-y", "--image", "web.img", "--key", "{}"),
    ("rebuild", "--run"): ("rebuild", *ALICE, "-y", "--identity", "{open}", "--run", "{}"),
    ("rebuild", "--copy"): ("rebuild", *ALICE, "-y", "--identity", "{open}", "--copy", "{}:/etc/a"),
    ("rebuild", "--identity"): ("rebuild", *ALICE, "-y", "--run", "{open}", "--identity", "{}"),
    ("rebuild", "--profile"): ("rebuild", *ALICE, "-y", "--image", "web.img", "--profile", "{}"),
    ("rebuild", "--image"): ("rebuild", *ALICE, "-y", "--image", "{}"),
    ("rebuild", "--user-data"): ("rebuild", *ALICE, "-y", "--image", "web.img", "--user-data", "{}"),
    ("run", "--run"): ("run", *ALICE, "--identity", "{open}", "--run", "{}"),
    ("run", "--copy"): ("run", *ALICE, "--identity", "{open}", "--copy", "{}:/etc/app"),
    ("run", "--identity"): ("run", *ALICE, "--run", "{open}", "--identity", "{}"),
    ("ssh", "--identity"): ("ssh", *ALICE, "--identity", "{}"),
    ("tenant add", "--key"): ("tenant", "add", "carla", "--key", "{}"),
    ("tenant key add", "file"): ("tenant", "key", "add", "alice", "{}"),
    ("registry list", "--registry"): ("registry", "list", "--registry", "{}"),
    ("registry config", "--registry"): ("registry", "config", "--registry", "{}"),
    ("registry gen", "--registry"): ("registry", "gen", "--registry", "{}"),
    ("registry image-url", "--registry"): ("registry", "image-url", "x", "--registry", "{}"),
    ("reformat", "files"): ("reformat", "{}"),
    ("build", "words"): ("build", "{}"),
    ("build", "-f"): ("build", "{open}", "-f", "{}"),
    ("image pull", "source"): ("image", "pull", "{}"),
    ("image push", "--password-file"): ("image", "push", "web.img", "oci://127.0.0.1:1/a:1", "--password-file", "{}"),
    ("image sign", "--key"): ("image", "sign", "web.img", "--key", "{}"),
    ("request provision", "--user-data"): ("request", "provision", "web", "--user-data", "{}"),
    ("request provision", "--key"): ("request", "provision", "web", "--key", "{}"),
    ("request rebuild", "--user-data"): ("request", "rebuild", "web", "--user-data", "{}"),
    ("request rebuild", "--key"): ("request", "rebuild", "web", "--key", "{}"),
    ("image pull", "--password-file"): ("image", "pull", "oci://127.0.0.1:1/a:1", "--password-file", "{}"),
}  # fmt: skip
"""How each is typed; {} is the file in question, {open} one that everybody may read."""


def parameters(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for parameter in node.params:
        yield " ".join(path), parameter
    for name, child in below(node).items():
        yield from parameters(child, (*path, name))


def may_be_a_file(parameter: Any) -> bool:
    """By what stands for it in the help; what has nothing there is a flag, a number or a choice."""
    if parameter.metavar is None:
        described = getattr(parameter, "type_descriptor", None) or parameter.type
        return "str'" in repr(described) or "STRING" in repr(described) or "Path" in repr(described)
    return parameter.metavar not in NO_FILES


def test_every_option_and_argument_that_may_name_a_file_is_tried_here() -> None:
    found = {(path, p.opts[0]) for path, p in parameters(command()) if may_be_a_file(p)}
    assert found == set(FILES)


OPENED: list[tuple[int, str]] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
        OPENED.append((os.getpid(), os.fsdecode(arguments[0])))


@dataclass
class Admin:
    """Somebody who may type `sudo raptorctl` and is nobody otherwise."""

    line: CommandLine
    folder: Path

    def file(self, mode: int) -> str:
        path = self.folder / f"file-{mode:o}"
        path.write_text("precious\n")
        path.chmod(mode)
        return str(path)

    def types(self, words: tuple[str, ...], file: str) -> tuple[int, str]:
        typed = [w.replace("{open}", self.file(0o644)).replace("{}", file) for w in words]
        OPENED.clear()
        if typed[0] == "--settings":
            done = self.line(*typed, session=Typed(typed))
        else:
            done = self.line(*typed)
        return done.code, done.err

    def opened_as_root(self, file: str) -> bool:
        return (os.getpid(), file) in OPENED


@pytest.fixture(scope="module", autouse=True)
def _hook() -> None:
    sys.addaudithook(_watch)  # for good: there is no taking it away


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with an image in it, for each test to copy."""
    folder = tmp_path_factory.mktemp("cache")
    _an_image(LocalImages(str(folder)), tmp_path_factory.mktemp("source"))
    return folder


@pytest.fixture
def admin(
    raptorctl: CommandLine,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    cache: Path,
) -> Iterator[Admin]:
    greeting = WHOLE + told(f"{KEY.type} {KEY.blob} root@alice-dev")
    monkeypatch.setattr(FakeSession, "console_text", lambda *_words: greeting)
    world.guests.banners = [BANNER]
    assert raptorctl(*PROVISION).code == 0
    images: Any = LocalImages(str(shutil.copytree(cache, tmp_path / "cache", symlinks=True)))
    monkeypatch.setattr(FakeSession, "images", images)
    monkeypatch.setenv("SUDO_UID", NOBODY)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        monkeypatch.chdir(folder)
        yield Admin(raptorctl, folder)


class Quiet:
    def begin(self, title: str) -> None: ...
    def tick(self, done: int, whole: int) -> None: ...
    def note(self, text: str) -> None: ...


def _an_image(images: LocalImages, folder: Path, content: bytes = b"") -> str:
    """Put one into the cache, of a file that everybody may read; returns where it lies there."""
    path = folder / "web.img"
    path.write_bytes((content or b"\0" * 510 + b"\x55\xaa").ljust(1 << 16, b"\n"))
    path.chmod(0o644)
    return images.pull(Wanted(Source(str(path), "web.img")), Quiet()).image.path


@pytest.mark.parametrize(("path", "option"), FILES, ids=str)
def test_roots_file_is_refused_unopened_whichever_option_names_it(
    admin: Admin, path: str, option: str
) -> None:
    secret = admin.file(0o600)
    code, said = admin.types(FILES[path, option], secret)
    assert not admin.opened_as_root(secret)
    if option == "--settings":
        assert (code, "under sudo, settings are a file below /etc/raptorctl" in said) == (3, True)
    else:
        assert (code, "cannot be read: Permission denied" in said) == (2, True)


@pytest.mark.parametrize(("path", "option"), FILES, ids=str)
def test_a_file_that_they_may_read_is_not_refused_for_that(
    admin: Admin, path: str, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guest_login, "log_in", lambda *_words: 0)
    readable = admin.file(0o644)
    _, said = admin.types(FILES[path, option], readable)
    assert not admin.opened_as_root(readable)
    assert "Permission denied" not in said


def test_a_folder_is_listed_and_read_as_whoever_named_it(admin: Admin) -> None:
    seed = admin.folder / "seed"
    seed.mkdir(mode=0o755)
    secret = Path(admin.file(0o600)).rename(seed / "user-data")
    for path, mode in ((secret, 0o755), (seed, 0o700)):
        seed.chmod(mode)
        code, said = admin.types((*NEW, "--image", "web.img", "--cloud-init", "{}"), str(seed))
        assert (code, "cannot be read: Permission denied" in said) == (2, True), path
        assert not admin.opened_as_root(str(path))


def test_what_a_profile_by_path_names_is_read_as_whoever_named_it(admin: Admin) -> None:
    secret, profile = Path(admin.file(0o600)), admin.folder / "mine.toml"
    profile.write_text(f'user_data = "{secret.name}"\n')
    code, said = admin.types((*NEW, "--profile", "{}"), str(profile))
    assert (code, "cannot be read: Permission denied" in said) == (2, True)
    assert not admin.opened_as_root(str(secret))


@pytest.mark.parametrize(
    "line",
    [
        'profile = "{}"', 'image = "{}"', 'iso = "{}"', 'user_data = "{}"', 'keys = ["{}"]',
        'disks = { data = { size = "1G", image = "{}" } }', 'steps = [{ run = "{}" }]', 'steps = [{ copy = "{}", to = "/etc/a" }]',
    ],
)  # fmt: skip
def test_what_a_file_of_machines_names_is_read_as_whoever_named_it(admin: Admin, line: str) -> None:
    secret = admin.file(0o600)
    text = '[machine.alice-x]\nsize = "1G"\ncpus = 1\n' + line.replace(
        "{}", f"./{Path(secret).name}"
    )
    (admin.folder / "lab.toml").write_text(text)
    (admin.folder / "lab.toml").chmod(0o644)
    code, said = admin.types(("up", "./lab.toml", "-y"), secret)
    assert (code, "cannot be read: Permission denied" in said) == (2, True)
    assert not admin.opened_as_root(secret)


def test_without_sudo_root_reads_what_it_likes(
    admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SUDO_UID")
    _, said = admin.types(FILES["tenant add", "--key"], admin.file(0o600))
    assert "Permission denied" not in said
    assert "--key" in said  # it was read, and is no key


def test_settings_in_an_image_that_raptorctl_cached_run_no_program(
    admin: Admin, capfd: pytest.CaptureFixture[str]
) -> None:
    program, ran = admin.folder / "program", admin.folder / "ran"
    program.write_text(f"#!/bin/sh\nid -u >{ran}\n")
    program.chmod(0o755)
    # TOML that passes as a raw image: bytes 1080 and 1081 are those of an ext2 (53 EF).
    text = "# ".ljust(1080, "x") + "S\uf000\n" + (
        f'[libvirt]\nuri = "qemu+ext:///system?command={program}"\n'
        '[dns]\nzone = "a.example"\n[[slot]]\nnumber = 1\nipv4 = "198.51.100.1"\n'
    )  # fmt: skip
    cached = _an_image(LocalImages(str(admin.folder / "cache")), admin.folder, text.encode())
    assert Path(cached).stat().st_uid == 0
    assert run(["--settings", cached, "list"]) == 3
    assert "settings are a file below /etc/raptorctl" in capfd.readouterr().err
    assert not ran.exists()
