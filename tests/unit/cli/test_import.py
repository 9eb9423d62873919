"""`import`: a VMFile as a file of ours, and `up` of either is the same."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.session import CommandLine
from tests.unit.cli.test_export import own

__all__ = ["own"]

FILE = """
vm "web" {
    image-url "debian:13"
    memory 2048
    vcpus 2
    cloud-init { hostname "web"; }
    ssh { user "debian"; }
    provision "shell" { inline "echo $HOME"; }
}
"""
IMPORTED = """#:schema /usr/share/raptorctl/raptor.schema.json

[machine.web]
cpus = 2
memory = "2048M"
seed = true
image = "debian:13"
hostname = "web"
account = "debian"
steps = [{ inline = "echo $$HOME" }]
"""


@pytest.fixture
def home(own: CommandLine) -> CommandLine:
    Path("VMFile.kdl").write_text(FILE)
    return own


def plan(host: CommandLine, *words: str) -> Any:
    done = host("up", *words, "--dry-run", "-o", "json")
    assert done.code == 0, done.err
    said = json.loads(done.out)["plan"]
    return said["rows"], said["guest_steps"]


def test_it_prints_the_same_machines_and_up_of_either_is_the_same(home: CommandLine) -> None:
    first = plan(home)
    assert first == plan(home, "VMFile.kdl", "web")
    assert first[1] == ["alice-web: run echo $HOME"]
    assert home("import", "VMFile.kdl").out == IMPORTED
    Path("raptor.toml").write_text(IMPORTED)
    assert plan(home) == first


def test_up_says_what_raptorctl_has_nothing_for_and_import_makes_it_a_comment(
    home: CommandLine,
) -> None:
    Path("VMFile.kdl").write_text(FILE.replace("vcpus 2", 'vcpus 2\nnetwork "tap" bridge="br0"'))
    refused = home("up")
    assert refused.code == 2
    assert "VMFile.kdl:6:1: network: tap is not supported" in refused.err
    said = home("import", "VMFile.kdl").out
    assert "[machine.web]\n# not imported:6:1: network: tap is not supported by" in said


def test_on_a_shared_host_it_says_whose_they_are(raptorctl: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "VMFile.kdl"
    file.write_text(FILE)
    assert "[machine.alice-web]" in raptorctl("import", str(file), "--tenant", "alice").out
    unsaid = raptorctl("import", str(file))
    assert (unsaid.code, "--tenant" in unsaid.complaint) == (2, True)


def test_a_file_of_no_such_format_is_refused(home: CommandLine) -> None:
    Path("x.yaml").write_text("images: []")
    refused = home("import", "x.yaml")
    assert (refused.code, "is no file that can be imported" in refused.complaint) == (
        2,
        True,
    )


def test_without_the_library_it_says_what_to_install(
    home: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("kdlquery", "kdlquery.parser", "kdlquery.types"):
        monkeypatch.setitem(sys.modules, name, None)
    for words in (("import", "VMFile.kdl"), ("up",)):
        refused = home(*words)
        assert (refused.code, "pip install 'raptorctl[kdl]'" in refused.complaint) == (3, True)
