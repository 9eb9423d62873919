"""CD drives: `--iso`, `cdrom insert`, `cdrom eject`, and what keeps an ISO where it is needed."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from raptorctl.model.domain import State
from raptorctl.model.spec import BootDevice
from tests.fakes import IMAGE, ISO, World
from tests.unit.cli.session import PROVISION, CommandLine

OTHER = replace(ISO, name="other.iso", digest="16" * 32)
COPY = f"/var/lib/libvirt/raptorctl/alice-dev-cd-{ISO.digest}.iso"
OTHERS = COPY.replace(ISO.digest, OTHER.digest)
WITH = (*PROVISION, "--iso", "rescue.iso")


@pytest.fixture(autouse=True)
def images(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    world.images.all = (IMAGE, ISO, OTHER)


def copies(world: World) -> list[str]:
    return sorted(path for path in world.files.paths if "-cd-" in path)


def in_drive(world: World) -> tuple[tuple[str, ...], set[str]]:
    """What is defined, and what the guest finds."""
    (domain,) = world.domains.list()
    return domain.cdroms, {path for path in world.domains.plugs[domain.uuid] if "-cd-" in path}


def stop(world: World) -> None:
    (domain,) = world.domains.list()
    world.domains.shut_down(domain.uuid, 0, lambda *_: None)


def test_a_machine_installs_from_its_own_copy_until_its_disk_boots(
    raptorctl: CommandLine, world: World
) -> None:
    planned = raptorctl(*WITH, "--dry-run").out
    assert "copy image rescue.iso, 600M, for alice-dev (its CD drive reads it)\n" in planned
    assert raptorctl(*WITH).code == 0
    (domain,) = world.domains.list()
    assert in_drive(world) == ((COPY,), {COPY})
    assert domain.boot == (BootDevice.DISK.libvirt, BootDevice.CDROM.libvirt)
    assert world.files.size(COPY) == ISO.size
    assert "cdrom      rescue.iso\n" in raptorctl("show", "alice", "dev").out
    assert json.loads(raptorctl("show", "alice", "dev", "-o", "json").out)["iso"] == "rescue.iso"
    assert raptorctl(*WITH).out.startswith("machine alice-dev is already so")
    differs = raptorctl(*PROVISION, "--iso", "other.iso").err
    assert f"ISO {ISO.digest[:12]}, not other.iso: now" in differs
    assert "raptorctl cdrom insert alice-dev other.iso" in differs


def test_a_boot_order_that_is_asked_for_stays(raptorctl: CommandLine, world: World) -> None:
    assert raptorctl(*WITH, "--boot", "cdrom,disk").code == 0
    assert world.domains.list()[0].boot == ("cdrom", "hd")


@pytest.mark.parametrize("words", [("--image", "rescue.iso"), ("--disk", "d=9G,image=rescue.iso")])
def test_an_iso_is_never_written_to_a_disk(
    raptorctl: CommandLine, world: World, words: tuple[str, str]
) -> None:
    refused = raptorctl(*PROVISION, *words)
    assert "image rescue.iso is an ISO, which is for a CD drive: use --iso" in refused.complaint
    assert (refused.code, world.volumes.list()) == (3, ())


def test_a_disk_is_never_put_into_a_drive(raptorctl: CommandLine, world: World) -> None:
    refused = raptorctl(*PROVISION, "--iso", "debian:13")
    assert "image debian:13 is a disk (qcow2), and no ISO" in refused.complaint
    assert (refused.code, world.volumes.list()) == (3, ())


@pytest.mark.parametrize("runs", [True, False])
def test_an_iso_is_changed_and_ejected_whether_the_machine_runs_or_not(
    raptorctl: CommandLine, world: World, runs: bool
) -> None:
    raptorctl(*WITH)
    if not runs:
        stop(world)
    changed = raptorctl("cdrom", "insert", "alice", "dev", "other.iso")
    assert (changed.code, changed.out) == (0, "alice-dev has other.iso in its CD drive\n")
    assert (in_drive(world)[0], copies(world)) == ((OTHERS,), [OTHERS])
    assert not runs or in_drive(world)[1] == {OTHERS}
    again = raptorctl("cdrom", "insert", "alice-dev", "other.iso")
    assert (again.code, again.out) == (0, "alice-dev has other.iso in its drive already\n")

    ejected = raptorctl("cdrom", "eject", "alice", "dev")
    assert (ejected.code, ejected.out) == (0, "nothing is in the CD drive of alice-dev\n")
    assert (in_drive(world)[0], copies(world)) == (("",), [])
    assert not runs or in_drive(world)[1] == set()
    again = raptorctl("cdrom", "eject", "alice", "dev")
    assert (again.code, again.out) == (0, "nothing is in a CD drive of alice-dev\n")


def test_a_machine_without_a_drive_gets_one_at_its_next_start(
    raptorctl: CommandLine, world: World
) -> None:
    raptorctl(*PROVISION)
    done = raptorctl("cdrom", "insert", "alice", "dev", "rescue.iso")
    assert done.code == 0
    assert "it runs without a CD drive, and gets one at its next start" in done.err
    assert "it boots from its disk alone" in done.err
    assert in_drive(world) == ((COPY,), set())
    assert raptorctl("cdrom", "eject", "alice", "dev").code == 0
    assert (in_drive(world)[0], copies(world)) == (("",), [])


def test_a_drive_that_its_guest_has_locked_keeps_what_is_in_it(
    raptorctl: CommandLine, world: World
) -> None:
    raptorctl(*WITH)
    before = world.picture()
    world.domains.deaf = True
    refused = raptorctl("cdrom", "eject", "alice", "dev")
    assert (refused.code, "is locked" in refused.err) == (1, True)
    world.domains.deaf = False
    assert world.picture() == before


def test_a_saved_machine_would_resume_with_what_it_had(
    raptorctl: CommandLine, world: World
) -> None:
    raptorctl(*WITH)
    (domain,) = world.domains.list()
    world.domains.save(domain.uuid)
    for words in (("insert", "alice", "dev", "other.iso"), ("eject", "alice", "dev")):
        refused = raptorctl("cdrom", *words)
        assert (refused.code, "alice-dev is saved" in refused.complaint) == (3, True)


def test_a_word_that_is_missing_is_told(raptorctl: CommandLine) -> None:
    missing = raptorctl("cdrom", "insert", "alice-dev")
    assert (missing.code, "a machine or an ISO is missing" in missing.complaint) == (2, True)


def test_tenants_change_no_drive(raptorctl: CommandLine, world: World) -> None:
    raptorctl(*WITH)
    raptorctl.root = False
    for words in (("insert", "alice", "dev", "other.iso"), ("eject", "alice", "dev")):
        assert raptorctl("cdrom", *words).code == 3
    assert in_drive(world)[0] == (COPY,)


def test_what_a_drive_holds_is_in_use_and_goes_with_its_machine(
    raptorctl: CommandLine, world: World
) -> None:
    raptorctl(*WITH)
    refused = raptorctl("image", "remove", "rescue.iso")
    assert "rescue.iso is in the CD drive of alice-dev: eject it first" in refused.complaint
    gone = raptorctl("deprovision", "alice", "dev", "-y")
    assert (gone.code, copies(world)) == (0, [])
    assert "is attached too" not in gone.err


@pytest.mark.parametrize("cut", [True, False])
def test_a_file_that_is_gone_or_cut_is_told_and_keeps_its_machine_from_starting(
    raptorctl: CommandLine, world: World, cut: bool
) -> None:
    raptorctl(*WITH)
    stop(world)
    if cut:
        world.files.sizes[COPY] = 2048
    else:
        world.files.paths.discard(COPY)
    how = f"has 2048 bytes, and had {int(ISO.size)}" if cut else "is gone"
    problem = f"ISO {ISO.digest[:12]} {how}"
    for words in (("start", "alice", "dev"), WITH):
        refused = raptorctl(*words)
        assert f"the CD drive of alice-dev cannot be read: {problem}" in refused.complaint
        assert world.domains.list()[0].state is State.OFF
    assert f"the CD drive of alice-dev cannot be read: {problem}" in told(raptorctl)

    assert raptorctl("cdrom", "insert", "alice", "dev", "rescue.iso").code == 0
    assert world.files.size(COPY) == ISO.size
    assert raptorctl("start", "alice", "dev").code == 0


def test_a_copy_that_no_drive_holds_is_found_and_removed(
    raptorctl: CommandLine, world: World
) -> None:
    world.files.paths.add(COPY)
    assert f"{COPY} is in no CD drive" in told(raptorctl)
    assert raptorctl("doctor", "--fix", "-y").code in {0, 1}
    assert copies(world) == []


def told(raptorctl: CommandLine) -> str:
    return " ".join(raptorctl("doctor").out.split())


def test_an_iso_that_is_not_in_the_cache_yet_is_pulled_and_inserted(
    raptorctl: CommandLine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    raptorctl(*WITH)
    new = replace(ISO, name="new.iso", source="https://a.example/new.iso", digest="")
    monkeypatch.setattr(world.images, "foresee", lambda _: new)
    Path("raptor.toml").write_text(FILE.format(iso=new.source))
    assert raptorctl("diff").out.splitlines()[1].split() == [
        "alice-dev", "iso", ISO.digest[:12], new.source, "now",
    ]  # fmt: skip
    assert raptorctl("up", "-y").code == 0
    assert in_drive(world)[0] == (COPY.replace(ISO.digest, "ab" * 32),)


def test_an_iso_is_a_file_beside_the_file_of_machines(
    raptorctl: CommandLine, world: World, tmp_path: Path
) -> None:
    (tmp_path / "other.iso").write_bytes(b"")
    world.images.all = (IMAGE, ISO, replace(OTHER, source=str(tmp_path / "other.iso")))
    Path("raptor.toml").write_text(FILE.format(iso="./other.iso"))
    assert raptorctl("up", "-y").code == 0
    assert in_drive(world)[0] == (OTHERS,)
    assert raptorctl("diff").out == "nothing differs\n"
    Path("raptor.toml").write_text(FILE.format(iso="debian:13"))
    refused = raptorctl("up", "-y")
    assert refused.code == 3
    assert "image debian:13 is a disk (qcow2), and no ISO" in " ".join(refused.err.split())


FILE = '[defaults]\nsize = "40G"\n[machine.alice-dev]\ncpus = 4\niso = "{iso}"\n'


def test_a_file_names_an_iso_and_changes_it(raptorctl: CommandLine, world: World) -> None:
    for image in (ISO, OTHER):
        Path("raptor.toml").write_text(FILE.format(iso=image.name))
        assert raptorctl("up", "-y").code == 0
        assert in_drive(world)[0] == (COPY.replace(ISO.digest, image.digest),)
        assert raptorctl("diff").out == "nothing differs\n"
    exported = raptorctl("export").out
    assert 'iso = "other.iso"' in exported
    assert 'boot = ["disk", "cdrom"]' in exported
    Path("raptor.toml").write_text(exported)
    assert raptorctl("diff").out == "nothing differs\n"
