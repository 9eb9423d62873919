"""`up`, key by key: what it changes while a machine stands, and what it refuses with a reason."""

import os
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from raptorctl.api import raptor_file
from raptorctl.api.brought import Show
from raptorctl.api.up import Up
from raptorctl.engine.stop import Stop
from raptorctl.errors import StoppedError
from raptorctl.model.file_plan import Allowed
from raptorctl.model.tenant import keys_path
from raptorctl.model.volume import CLEAN, DIRTY
from tests.fakes import IMAGE, World
from tests.unit.cli.session import CommandLine
from tests.unit.cli.test_standing import OTHER
from tests.unit.cli.test_up import last, machine, rows
from tests.unit.model.test_ssh_key import GOOD

WEB = '[machine.alice-web]\nsize = "10G"\ncpus = 2\nimage = "debian:13"\n'


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    line = CommandLine(World(), tmp_path)
    line.world.images.all = (IMAGE,)
    (tmp_path / "alice.pub").write_text(GOOD)
    (tmp_path / "other key.pub").write_text(OTHER)
    assert line("tenant", "add", "alice", "--key", "alice.pub").code == 0
    return line


def up(host: CommandLine, text: str, *words: str) -> tuple[int, str, str]:
    Path("raptor.toml").write_text(text)
    done = host("up", "-y", *words)
    return done.code, done.out, done.err


def test_a_key_is_the_tenants_at_once_and_the_guests_by_a_rebuild(host: CommandLine) -> None:
    assert up(host, WEB)[0] == 0
    text = WEB + 'keys = ["other key.pub"]\n'
    code, _, said = up(host, text)
    assert (code, "keys without, not other@laptop: needs --rebuild" in said) == (3, True)
    assert [row[1:] for row in rows(host, "--rebuild")] == [
        ["keys", "without", "other@laptop", "now"],
        ["keys", "without", "other@laptop", "rebuild"],
    ]
    assert last(up(host, text, "--rebuild")[1]) == "alice-web: keys, rebuilt"
    assert rows(host) == []
    assert OTHER.split()[1] in str(host.world.files.read(keys_path("alice")))


def test_what_boots_from_a_new_disk_has_its_new_cpus_at_once(host: CommandLine) -> None:
    assert up(host, WEB)[0] == 0
    text = WEB.replace("cpus = 2", "cpus = 3") + 'network = "static"\n'
    code, said, told = up(host, text, "--rebuild")
    assert (code, last(said)) == (0, "alice-web: cpus, rebuilt")
    assert "next start" not in told


def test_a_machine_that_cannot_be_made_is_told_by_its_reason(host: CommandLine) -> None:
    code, _, said = up(host, WEB.replace("10G", "900G"))
    assert code == 3
    assert said.startswith("raptorctl: raptor.toml:2:1: machine.alice-web.size: 900G asked; ")


def test_a_seed_is_taken_away_while_the_machine_runs(host: CommandLine) -> None:
    assert up(host, WEB)[0] == 0
    assert up(host, WEB + "seed = false\n")[1] == "alice-web: seed\n"
    assert rows(host) == []
    code, _, said = up(host, WEB + "seed = true\n")
    assert (code, "seed none, not one: needs --rebuild" in said) == (3, True)


def test_cpus_that_are_counted_are_taken_and_given_back(host: CommandLine) -> None:
    assert up(host, WEB)[0] == 0
    pins = machine(host, "alice-web").pins
    assert up(host, WEB.replace("cpus = 2", "cpus = 4"))[1] == "alice-web: cpus\n"
    assert machine(host, "alice-web").pins.cpus[:2] == pins.cpus
    assert up(host, WEB.replace("cpus = 2", "cpus = 1"))[1] == "alice-web: cpus\n"
    assert machine(host, "alice-web").pins.cpus == pins.cpus[:1]


def test_what_no_job_of_ups_changes_is_refused(host: CommandLine) -> None:
    assert up(host, WEB)[0] == 0
    for line, said in (
        ('graphics = "spice-socket"', "graphics none, not spice-socket: refused"),
        ("slot = 5", "slot 1, not 5: refused"),
        ("tpm = true", "tpm off, not on: refused"),
    ):
        code, _, told = up(host, f"{WEB}{line}\n")
        assert (code, said in told) == (3, True), told


def test_a_disk_that_is_not_clean_is_refused(host: CommandLine) -> None:
    assert up(host, WEB)[0] == 0
    (volume,) = host.world.volumes.list()
    dirty = tuple(DIRTY if tag == CLEAN else tag for tag in volume.tags)
    host.world.volumes.by_uuid[volume.uuid] = replace(volume, tags=dirty)
    assert "volume not clean, not clean: refused" in up(host, WEB)[2]


def test_half_a_machine_is_refused_and_exported_as_a_comment(host: CommandLine) -> None:
    assert up(host, WEB)[0] == 0
    host.world.volumes.by_uuid.clear()
    code, _, said = up(host, WEB)
    assert (code, "exists without the rest of the machine" in said) == (3, True)
    assert "# it is not whole: domain alice-web exists" in host("export").out


def test_keys_that_somebody_edited_are_refused_and_not_exported(host: CommandLine) -> None:
    text = '[tenant.alice]\nkeys = ["alice.pub"]\n'
    assert up(host, text + WEB)[1] == "alice is already so\nalice-web: made\n"
    host.world.files.texts[keys_path("alice")] = ("somebody's\n", 0o644)
    code, _, said = up(host, text)
    assert (code, "alice: keys edited, not ours: refused" in said) == (3, True)
    assert "# keys: /etc/raptorctl/keys/alice was edited" in host("export", "alice").out


def test_a_signal_between_two_machines_begins_no_more(
    host: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard, hears = threading.Event(), Stop._heard

    def hear(self: Stop, *signal_and_frame: Any) -> None:
        hears(self, *signal_and_frame)
        heard.set()

    monkeypatch.setattr(Stop, "_heard", hear)
    session = host.session()
    text = WEB + WEB.replace("alice-web", "alice-db")
    wish = raptor_file.wish_of(session, raptor_file.read(session, "raptor.toml", text))
    plan = raptor_file.plan_of(session, wish, Allowed())

    def show(subject: str) -> Show:
        if subject == "alice-db":
            os.kill(os.getpid(), signal.SIGTERM)
            assert heard.wait(60)  # another thread takes signals, whenever it gets to that
        return Show()

    run = Up(session, wish, plan, shows=show).run()
    assert next(run).did == ("made",)
    with pytest.raises(StoppedError):
        next(run)
    assert [domain.name for domain in host.world.domains.list()] == ["alice-web"]


def test_an_image_beside_the_file_and_one_that_is_not_there(host: CommandLine) -> None:
    code, _, said = up(host, WEB.replace("debian:13", "nope:1"))
    assert (code, "raptor.toml:4:1: machine.alice-web.image: 'nope:1' is in no" in said) == (
        2,
        True,
    )
    shown = host("up", "--dry-run", "-o", "json")
    assert shown.code == 2
    Path("raptor.toml").write_text(WEB.replace("debian:13", "./disk.qcow2"))
    assert str(host.directory / "disk.qcow2") in host("up", "--dry-run", "-o", "json").out


def test_a_further_disk_may_begin_as_an_image_beside_the_file(host: CommandLine) -> None:
    disk = '[machine.alice-web.disks.data]\nsize = "4G"\nimage = "./data.qcow2"\n'
    code, said, told = up(host, WEB + disk)
    assert (code, said) == (0, "alice-web: made\n"), told
    assert str(host.directory / "data.qcow2") in {one.source for one in host.world.images.all}


def test_keys_may_stand_in_the_file_itself(host: CommandLine) -> None:
    text = f'[tenant.carla]\nkeys = ["{GOOD.strip()}"]\n'
    assert up(host, text)[1] == "carla: made\n"
    assert GOOD.split()[1] in str(host.world.files.read(keys_path("carla")))
