"""docs/files.md: every command is run on a host in memory, in its order, and prints what is shown.

What happened meanwhile, that the page tells of in words, is done before the command.
"""

import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.fakes import IMAGE, World
from tests.tutorial import Act, acts
from tests.unit.cli.session import CommandLine
from tests.unit.cli.test_export import own
from tests.unit.model.test_ssh_key import GOOD
from tests.unit.read.test_registry import WHOLE
from tests.unit.test_tutorial import assert_shown

__all__ = ["own"]

PAGE = Path(__file__).parents[2] / "docs/files.md"
ALL = tuple(acts(PAGE))
FILE = re.search(r"^```toml\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
ELSEWHERE = {"raptorctl import web-server --trust > raptor.toml": "unit/cli/test_import_profile.py"}
"""What needs bubblewrap."""
VMFILE = '// of vmctl\nvm "web" {\n    image-url "debian:13"\n}\n'

Meanwhile = Mapping[str, tuple[Callable[[CommandLine], object], ...]]
"""By what is typed; as often as it is typed, one after the other."""


def typed(*lines: str) -> Callable[[CommandLine], object]:
    def done(host: CommandLine) -> None:
        for line in lines:
            ended = host(*line.split())
            assert ended.code == 0, ended.err

    return done


def wrote(name: str, text: str) -> Callable[[CommandLine], object]:
    return lambda _host: Path(name).write_text(text)


def nothing(_host: CommandLine) -> None:
    return


SHARED: Meanwhile = {
    "up": (nothing, typed("down --destroy -y"), nothing),
    "up lab.toml alice-web": (
        lambda _host: Path("lab.toml").write_text(Path("raptor.toml").read_text()),
    ),
    "up --dry-run": (typed("deprovision alice web -y", "resize alice-db --memory 1G -y"),),
    "up --plan plan.json": (typed("stop alice-db --force"),),
    "reload lab.toml alice-web": (typed("up"),),
    "diff": (typed("up", "resize alice-db --memory 1G -y"), nothing),
    "import VMFile.kdl --tenant alice": (wrote("VMFile.kdl", VMFILE),),
}
SESSION: Meanwhile = {
    "up web.toml": (wrote("web.toml", VMFILE),),
    "import VMFile.kdl > raptor.toml": (wrote("VMFile.kdl", VMFILE),),
    "up registry.yaml vm1": (wrote("registry.yaml", WHOLE),),
    "up 'registry/**/*.yaml' vm1": (typed("down registry.yaml vm1 --destroy -y"),),
}


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    line = CommandLine(World(), tmp_path)
    line.world.images.all = (IMAGE,)
    answers(line.world)
    assert FILE is not None
    Path("raptor.toml").write_text(FILE[1])
    Path("alice.pub").write_text(GOOD)
    Path("large.toml").write_text('size = "40G"\nmemory = "4G"\n')
    Path("setup.sh").write_text("#!/bin/sh\n")
    Path("site.conf").write_text("server {}\n")
    return line


def answers(world: World) -> None:
    """Have guests answer, which have booted."""
    world.guests.banners = ["SSH-2.0-x"]
    world.guests.files["/run/cloud-init/result.json"] = '{"v1": {"errors": []}}'


def walked(host: CommandLine, words: str, meanwhile: Meanwhile) -> None:
    """Run those commands of the page that begin so."""
    left = {line: list(before) for line, before in meanwhile.items()}
    for act in ALL:
        line = act.line.removeprefix(words)
        if line == act.line or act.line in ELSEWHERE:
            continue
        if left.get(line):
            left[line].pop(0)(host)
        run(host, act, line)
    assert not any(left.values()), left


def run(host: CommandLine, act: Act, line: str) -> None:
    typed, _, file = line.partition(" > ")
    terminal = not file and not act.refused
    done = host(*shlex.split(typed), terminal=terminal, answer="y\n" if terminal else "")
    assert (done.code != 0) == act.refused, f"{act.line}: {done.err}"
    if file:
        Path(file).write_text(done.out)
    said = done.err if act.refused else done.out
    if line == "up":  # each is told as it ends, side by side
        said, shown = ("\n".join(sorted(text.splitlines())) for text in (said, act.shown))
        assert shown in {"", said}
    else:
        assert_shown(act, said)


def test_every_command_of_a_shared_host_prints_what_the_page_shows(shared: CommandLine) -> None:
    walked(shared, "sudo raptorctl ", SHARED)


def test_every_command_of_a_session_host_prints_what_the_page_shows(
    own: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(own.world)
    (image,) = own.world.images.all
    monkeypatch.setattr(own.world.images, "foresee", lambda _wanted: image)
    Path("registry/a").mkdir(parents=True)
    Path("registry/a/vms.yaml").write_text(WHOLE)
    walked(own, "raptorctl ", SESSION)


def test_no_command_is_left_out() -> None:
    for act in ALL:
        assert act.line.startswith(("sudo raptorctl ", "raptorctl "))
    for line, file in ELSEWHERE.items():
        assert line in [act.line for act in ALL]
        assert '"--trust"' in (PAGE.parents[1] / "tests" / file).read_text()
