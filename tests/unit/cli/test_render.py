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
NOT_OF_THE_XML = {
    "scripts",
    "inlines",
    "copies",
    "acting_as",
    "dir",
    "ignore_errors",
    "identity",
    "dry_run",
    "yes",
}


@pytest.fixture
def host(tmp_path: Path) -> CommandLine:
    return CommandLine(World().with_tenants("alice"), tmp_path)


def test_every_option_of_provision_that_the_xml_depends_on_is_taken() -> None:
    options = inspect.signature(provision.provision).parameters
    assert options.keys() - NOT_OF_THE_XML == inspect.signature(render.xml).parameters.keys()


@pytest.mark.parametrize(
    "words",
    [
        ("--size", "1G", "--cpus", "2-2"),
        ("--profile", "workstation"),
        ("--profile", "web-server", "--graphics", "none", "--memory", "1G", "--no-seed"),
        ("--size", "8G", "--cpus", "2-2", "--image", "debian:13", "--graphics", "vnc-socket"),
        ("--size", "8G", "--cpus", "2-2", "--network", "static"),
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
    words = ("--size", "1G", "--cpus", "2-2", "--user-data", str(tmp_path / "user-data"))
    assert host("render", "xml", "alice", "dev", *words).code == 2


def test_tpm_boot_order_and_huge_pages_are_in_the_xml_and_shown(raptorctl: CommandLine) -> None:
    words = ("alice", "dev", "--size", "40G", "--cpus", "4-7", "--tpm", "--boot", "network,disk",
             "--hugepages", "1G")  # fmt: skip
    xml = raptorctl("render", "xml", *words).out
    assert '<boot dev="network"/>\n    <boot dev="hd"/>' in xml
    assert '<tpm model="tpm-crb">' in xml
    assert '<page size="1048576" unit="KiB"/>' in xml
    assert raptorctl("provision", *words, "-y").code == 0
    shown = raptorctl("show", "alice", "dev").out
    assert "memory     4G, in huge pages of 1G\ntpm        2.0, emulated\n" in shown
    assert "tries      network, disk\n" in shown
    assert "tpm on, not off" in raptorctl("provision", *words[:6], "--no-tpm").err


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ("disk,floppy", "--boot: 'floppy' is no boot device: use disk, cdrom, network"),
        ("disk,disk", "--boot: a boot order names each device once"),
        ("", "--boot: '' is no boot device"),
    ],
)
def test_a_boot_order_that_is_none_is_refused(
    raptorctl: CommandLine, order: str, says: str
) -> None:
    done = raptorctl("render", "xml", "alice", "dev", "--boot", order)
    assert (done.code, says in done.complaint) == (2, True)
