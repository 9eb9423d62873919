import json
import re
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from raptorctl.errors import HostError, StoppedError
from raptorctl.host.system.files import templates
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.names import MachineName
from raptorctl.model.sizes import GIB, Size
from raptorctl.model.spec import MachineSpec
from raptorctl.plans.doctor.fault import NOBODY
from raptorctl.plans.machine.choice import ProvisionRequest
from raptorctl.plans.machine.provision import plan_provision
from raptorctl.steps.image import WriteImage
from tests.fakes import IMAGE, Killed, World, settings
from tests.unit.cli.session import PROVISION, CommandLine


def test_provision_makes_the_machine_and_says_what_to_type_next(
    raptorctl: CommandLine, world: World
) -> None:
    done = raptorctl(*PROVISION)
    assert done.code == 0
    assert world.domains.states() == {"alice-dev": world.domains.list()[0].state}
    assert "virsh console alice-dev" in done.out
    assert "1/8 done: create volume guest-alice-dev, 40G" in done.err


def test_both_ways_to_write_a_name_mean_the_same(raptorctl: CommandLine) -> None:
    assert raptorctl(*PROVISION).code == 0
    again = raptorctl("provision", "alice-dev", *PROVISION[3:])
    assert (again.code, "already so" in again.out) == (0, True)


def test_dry_run_prints_the_plan_and_touches_nothing(raptorctl: CommandLine, world: World) -> None:
    before = world.picture()
    shown = raptorctl(*PROVISION, "--dry-run")
    assert shown.code == 0
    assert "  1 create volume guest-alice-dev, 40G" in shown.out
    assert world.picture() == before
    assert not (raptorctl.directory / "lock").exists()


def test_dry_run_as_json_is_the_plan(raptorctl: CommandLine) -> None:
    plan = json.loads(raptorctl(*PROVISION, "--dry-run", "-o", "json").out)["plan"]
    assert plan["verb"] == "provision"
    assert plan["identity"]["by"] == "carol"
    assert re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{4}", plan["identity"]["job"])
    assert [step["kind"] for step in plan["steps"]][:2] == ["volume.create", "volume.zero"]


def test_json_result_names_the_job(raptorctl: CommandLine) -> None:
    done = json.loads(raptorctl(*PROVISION, "-o", "json").out)
    assert done["job"]["outcome"] == "done"
    assert done["job"]["machine"] == "alice-dev"
    again = json.loads(raptorctl(*PROVISION, "-o", "json").out)
    assert again["job"] is None


@pytest.mark.parametrize("answer", ["n\n", "\n", "", "maybe\n"])
def test_on_a_terminal_everything_but_yes_leaves_the_host_alone(
    raptorctl: CommandLine, world: World, answer: str
) -> None:
    done = raptorctl(*PROVISION, terminal=True, answer=answer)
    assert done.code == 2
    assert "nothing was touched" in done.err
    assert not world.volumes.list()


def test_on_a_terminal_yes_goes_on(raptorctl: CommandLine, world: World) -> None:
    done = raptorctl(*PROVISION, terminal=True, answer="y\n")
    assert done.code == 0
    assert "[y/N]" in done.err
    assert world.volumes.list()


def test_yes_option_does_not_ask(raptorctl: CommandLine) -> None:
    done = raptorctl(*PROVISION, "-y", terminal=True)
    assert done.code == 0
    assert "[y/N]" not in done.err


def test_a_host_that_changed_while_the_plan_was_read_is_refused(
    raptorctl: CommandLine, world: World
) -> None:
    session = raptorctl.session(*PROVISION)
    surveys: list[None] = []

    def take_a_slot() -> None:
        surveys.append(None)
        if len(surveys) == 2:
            world.volumes.create("guest-bob-x", 1 << 30, _BOB)

    session.before_survey = take_a_slot
    done = raptorctl(*PROVISION, terminal=True, answer="y\n", session=session)
    assert done.code == 3
    assert "changed while the plan was being read" in done.err
    assert not world.domains.list()


_BOB = ("raptor", "raptor.tenant=bob", "raptor.job=20261120-101010-aaaa", "raptor.slot=1")


def test_a_failing_step_is_rolled_back_with_exit_code_1(
    raptorctl: CommandLine, world: World
) -> None:
    before = world.picture()
    session = raptorctl.session(*PROVISION)
    session.wire.at, session.wire.error = 6, lambda: HostError("the disk is on fire")
    done = raptorctl(*PROVISION, session=session)
    assert done.code == 1
    assert "the disk is on fire" in done.err.splitlines()[-1]
    assert world.picture() == before


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_rolls_back_and_ends_with_its_number(
    raptorctl: CommandLine, world: World, signum: signal.Signals, code: int
) -> None:
    before = world.picture()
    session = raptorctl.session(*PROVISION)
    session.wire.at, session.wire.error = 5, lambda: StoppedError(signum)
    assert raptorctl(*PROVISION, session=session).code == code
    assert world.picture() == before


def test_leftovers_are_named_with_the_way_out(raptorctl: CommandLine, world: World) -> None:
    session = raptorctl.session(*PROVISION)
    session.wire.error = lambda: HostError("no")
    guard = session.wire.guard

    def fail_from_six(name, act):  # type: ignore[no-untyped-def]
        session.wire.at = max(6, len(session.wire.calls) + 1)
        return guard(name, act)

    session.wire.guard = fail_from_six  # type: ignore[method-assign]
    done = raptorctl(*PROVISION, session=session)
    assert done.code == 4
    assert "run `raptorctl recover 20" in done.err
    assert "left: volume guest-alice-dev" in done.err
    refused = raptorctl("provision", "bob", "ci", *PROVISION[3:])
    assert refused.code == 3
    assert "is unfinished: run `raptorctl recover 20" in refused.complaint
    recovered = raptorctl("recover")
    assert (recovered.code, "rolled back" in recovered.out) == (0, True)
    assert raptorctl("recover").out == "there is nothing to recover\n"


def test_without_root_it_says_what_to_type(raptorctl: CommandLine) -> None:
    raptorctl.root = False
    done = raptorctl(*PROVISION)
    assert done.code == 3
    assert done.complaint == (
        "raptorctl: this needs root: sudo raptorctl provision alice dev --size 40G --cpus 4-7"
    )


def test_who_is_the_admin_behind_sudo(
    raptorctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", 'x"/><evil/>\n')
    raptorctl(*PROVISION)
    (job,) = raptorctl.session().journals.jobs()
    assert "evil" not in job.by


def test_no_start_tells_how_to_start_it(raptorctl: CommandLine) -> None:
    assert "virsh start alice-dev" in raptorctl(*PROVISION, "--no-start").out


def test_a_machine_that_was_there_already_is_not_told_to_start(raptorctl: CommandLine) -> None:
    raptorctl(*PROVISION)
    assert raptorctl(*PROVISION, "--no-start").out == "machine alice-dev is already so\n"


def test_five_slots_are_five_machines_and_the_sixth_is_told_who_has_them(
    raptorctl: CommandLine,
) -> None:
    small = ("--size", "64M", "--memory", "64M", "--no-start")
    for number in range(1, 6):
        assert (
            raptorctl(
                "provision", "bob", f"m{number}", "--cpus", f"{number + 1}-{number + 1}", *small
            ).code
            == 0
        )
    done = raptorctl("provision", "bob", "m6", "--cpus", "7-7", *small)
    assert done.code == 3
    for number in range(1, 6):
        assert f"bob-m{number}" in done.complaint
    slots = json.loads(raptorctl("slot", "list", "-o", "json").out)["slots"]
    assert [slot["holders"] for slot in slots] == [[f"bob-m{number}"] for number in range(1, 6)]


# What a dry run shows is what is done


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        (("--image", "nope:1"), 2, "nope:1' is in no catalogue"),
        (("--image", "debian:99"), 2, "debian:99' is in no catalogue"),
        (("--template", "mine"), 2, "there is no template mine"),
        (("--slot", "99"), 2, "99"),
        (("--cpus", "4-300"), 3, "absent or offline"),
        (("--size", "8192T"), 3, "has 200G free"),
        (("--memory", "8192T"), 3, "the host has 16G"),
        (("--run", "/nowhere/x.sh", "--image", "debian:13"), 2, "/nowhere/x.sh"),
    ],
)
def test_a_plan_that_could_never_work_is_refused_by_a_dry_run_in_the_same_words(
    raptorctl: CommandLine, world: World, asked: tuple[str, ...], code: int, said: str
) -> None:
    before = world.picture()
    shown = raptorctl(*PROVISION, *asked, "--dry-run")
    assert (shown.code, said in shown.complaint) == (code, True)
    assert not shown.out
    if "--image" not in asked:
        assert raptorctl(*PROVISION, *asked).complaint == shown.complaint
    assert world.picture() == before


def test_a_dry_run_is_refused_while_a_job_hangs_in_the_air(raptorctl: CommandLine) -> None:
    session = raptorctl.session(*PROVISION)
    session.wire.at, session.wire.after = 6, True
    with pytest.raises(Killed):
        raptorctl(*PROVISION, session=session)
    shown = raptorctl("provision", "alice", "web", "--size", "1G", "--cpus", "2-2", "--dry-run")
    assert (shown.code, "is unfinished" in shown.complaint) == (3, True)


def test_steps_in_the_guest_are_part_of_the_plan(
    raptorctl: CommandLine, world: World, tmp_path: Path
) -> None:
    world.images.all = (IMAGE,)
    (tmp_path / "a.sh").write_text("#!/bin/sh\n")
    steps = ("--copy", f"{tmp_path}/a.sh:/srv/a", "--run", f"{tmp_path}/a.sh")
    asked = (*PROVISION, "--image", IMAGE.name, *steps, "--dry-run")
    lines = raptorctl(*asked).out.splitlines()
    place = lines.index("then, in the guest:")
    assert lines[place + 1 :] == ["  1 copy a.sh to /srv/a", "  2 run a.sh"]
    plan = json.loads(raptorctl(*asked, "-o", "json").out)["plan"]
    assert plan["guest_steps"] == ["copy a.sh to /srv/a", "run a.sh"]
    assert (
        json.loads(raptorctl(*PROVISION, "--dry-run", "-o", "json").out)["plan"]["guest_steps"]
        == []
    )


def test_the_plan_names_the_image_as_the_job_does_where_two_have_one_content(
    world: World,
) -> None:
    other = replace(IMAGE, name="another", source="/srv/another.qcow2")
    world.images.all = (IMAGE, other)
    for image in world.images.all:
        asked = ProvisionRequest(
            MachineName("alice", "dev"), MachineSpec(Size(40 * GIB), CpuSet((4, 5))), found=image
        )
        plan = plan_provision(asked, settings(), world.facts(templates()), NOBODY)
        (step,) = (step for step in plan.steps if isinstance(step, WriteImage))
        assert step.image.name == image.name


def test_a_rebuild_from_an_image_that_nobody_has_is_refused_by_a_dry_run(
    raptorctl: CommandLine,
) -> None:
    assert raptorctl(*PROVISION).code == 0
    shown = raptorctl("rebuild", "alice", "dev", "--image", "nope:1", "--dry-run")
    assert (shown.code, "is in no catalogue" in shown.complaint) == (2, True)


def test_cpus_that_are_shared_on_purpose_are_told_by_the_map_and_not_by_doctor(
    raptorctl: CommandLine,
) -> None:
    assert raptorctl(*PROVISION).code == 0
    words = ("provision", "bob", "web", "--size", "1G", "--cpus", "6,7", "-y")
    assert "CPU 6,7 belongs to machine alice-dev" in raptorctl(*words).complaint
    assert raptorctl(*words, "--share").code == 0
    assert "note: CPU 6 has alice-dev and bob-web, shared on purpose" in raptorctl("cpu", "map").out
    shared = json.loads(raptorctl("cpu", "map", "-o", "json").out)["cpus"][6]
    assert (shared["cpu"], shared["sharing"]) == (6, ["bob-web"])
    assert "share CPU" not in raptorctl("doctor").out
    assert "share off, not on" in raptorctl(*PROVISION, "--share").err


def test_a_number_of_cpus_is_chosen_and_one_cpu_is_written_as_a_range(
    raptorctl: CommandLine,
) -> None:
    words = ("provision", "bob", "web", "--size", "1G", "--memory", "64M", "-y")
    assert "CPUs 4-7" in raptorctl(*words, "--cpus", "4").out
    assert raptorctl("resize", "bob", "web", "--cpus", "3", "-y").code == 0
    assert "cpus       4-6 (emulator 5,6)" in raptorctl("show", "bob", "web").out
    assert "resize bob-web --cpus 7-7" in raptorctl(*words, "--cpus", "7-7").err
