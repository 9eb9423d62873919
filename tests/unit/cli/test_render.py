"""What would be written, without writing it."""

import inspect
import json
import re
from pathlib import Path

import pytest

from raptorctl.cli.command import provision, render
from tests.fakes import World
from tests.unit.cli.session import CommandLine

NEW = re.compile(r"<(uuid|raptor:job|raptor:created|raptor:host-key|nvram)\b[^>]*>[^<]*")
"""What is made anew for each machine."""
NOT_OF_THE_XML = {"scripts", "copies", "identity", "dry_run", "yes"}


@pytest.fixture
def host(tmp_path: Path) -> CommandLine:
    return CommandLine(World().with_tenants("alice"), tmp_path)


def test_every_option_of_provision_that_the_xml_depends_on_is_taken() -> None:
    options = inspect.signature(provision.provision).parameters
    assert options.keys() - NOT_OF_THE_XML == inspect.signature(render.xml).parameters.keys()


@pytest.mark.parametrize(
    "words",
    [
        ("--size", "1G", "--cpus", "2"),
        ("--profile", "workstation"),
        ("--profile", "web-server", "--graphics", "none", "--memory", "1G", "--no-seed"),
        ("--size", "8G", "--cpus", "2", "--image", "debian:13", "--graphics", "vnc-socket"),
        ("--size", "8G", "--cpus", "2", "--network", "static"),
    ],
)
def test_what_is_rendered_is_what_provision_would_define(
    host: CommandLine, words: tuple[str, ...]
) -> None:
    plan = host("provision", "alice", "dev", *words, "--dry-run", "-o", "json")
    steps = json.loads(plan.out)["plan"]["steps"]
    (defined,) = (step["xml"] for step in steps if step["kind"] == "domain.define")
    rendered = host("render", "xml", "alice", "dev", *words)
    assert rendered.code == 0, rendered.err
    assert NEW.sub("", rendered.out.strip()) == NEW.sub("", defined.strip())
    assert host.world.domains.list() == ()


def test_user_data_is_read_as_strictly(host: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "user-data").write_text("packages: [vim]\n")
    words = ("--size", "1G", "--cpus", "2", "--user-data", str(tmp_path / "user-data"))
    assert host("render", "xml", "alice", "dev", *words).code == 2
