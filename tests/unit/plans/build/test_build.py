"""Builds planned: in which way, in which order, and what cannot be."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from raptorctl.model.build import (
    Build,
    BuildDisk,
    BuildFile,
    BuildOutput,
    BuildShare,
    BuildStep,
    DiskFormat,
    Empty,
    Filesystem,
    Fit,
    FromImage,
    Resize,
    Way,
)
from raptorctl.model.build_look import Area, DiskLook
from raptorctl.model.image_target import parse_target
from raptorctl.model.sizes import GIB, MIB, Size
from raptorctl.plans.build.build import plan_build
from raptorctl.plans.build.check import overlaps, problems
from raptorctl.plans.build.request import BuildRequest, Read
from raptorctl.plans.plan import Identity, decode_plan
from raptorctl.steps.build import RunInDisks
from raptorctl.steps.build_output import ExportDisk, Publish
from raptorctl.steps.step import decode_step
from tests.fake_build import LOOK
from tests.fakes import IMAGE, ISO, World

DATA = BuildDisk(Empty(Size(GIB), Filesystem.EXT4), "/srv", name="data")
END = ["record", "publish", "finish"]
NOW = Identity("j1", "a1b2c3d4-0000-4000-8000-000000000001", "carol", "2026-11-20T12:00:00Z")
ROOT = BuildDisk(FromImage("debian:13"), outputs=(BuildOutput(image="web"),))
MOTD = BuildFile("/etc/motd", content=b"welcome")
STEP = BuildStep(inline="apt-get install -y nginx")


def request(disk: BuildDisk = ROOT, look: DiskLook = LOOK, **said: Any) -> BuildRequest:
    more = {
        key: said.pop(key)
        for key in (
            "root",
            "sudo",
            "trust",
            "here",
            "obstacles",
            "built",
            "keep",
            "reads",
            "foreign",
            "places",
            "folders",
        )
        if key in said
    }
    disks = (disk, *said.pop("disks", ()))
    images = tuple(IMAGE if isinstance(one.source, FromImage) else None for one in disks)
    looks = tuple(look if image else None for image in images)
    return BuildRequest(Build("web", disks, **said), images, looks, "/b", "/r.json", "d1", **more)


def kinds(asked: BuildRequest) -> list[str]:
    assert [*problems(asked)] == []
    return [step.kind.removeprefix("build.") for step in plan_build(asked, NOW).steps]


def wrong(asked: BuildRequest) -> list[tuple[str, str]]:
    found = (*problems(asked), *(said for _, said in overlaps([asked])))
    return [(key, problem) for key, problem, _ in found]


def test_files_alone_are_put_there_without_mounting_anything() -> None:
    asked = request(files=(MOTD,))
    assert asked.way is Way.EDIT
    assert kinds(asked) == ["open", "copy", "put", "export", "add-image", *END]


def test_steps_boot_a_machine_and_root_that_trusts_the_image_has_systemd_nspawn() -> None:
    asked = request(files=(MOTD,), steps=(STEP,))
    assert asked.way is Way.BOOT
    assert kinds(asked) == ["open", "copy", "put", "run", "export", "add-image", *END]
    trusted = request(steps=(STEP,), root=True, trust=True)
    assert trusted.way is Way.NSPAWN
    assert kinds(trusted) == ["open", "copy", "run", "export", "add-image", *END]


def test_files_go_into_a_file_system_that_is_not_edited_by_way_of_a_machine() -> None:
    look = DiskLook(Size(3 * GIB), "gpt", (Area(MIB, Size(2 * GIB), "btrfs", 1),))
    asked = request(look=look, files=(MOTD,))
    assert asked.way is Way.BOOT
    assert "put" not in kinds(asked)
    run = plan_build(asked, NOW).steps[2]
    assert run.room.files == (MOTD,)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("resize", "order"),
    [
        (Resize(Fit.TO, Size(8 * GIB)), ["open", "copy", "fit", "run", "export"]),
        (Resize(Fit.TO, Size(2 * GIB)), ["open", "copy", "run", "fit", "export"]),
        (Resize(Fit.MINIMUM), ["open", "copy", "run", "fit", "export"]),
    ],
)
def test_a_disk_grows_before_its_steps_and_shrinks_after_them(
    resize: Resize, order: list[str]
) -> None:
    assert kinds(request(replace(ROOT, resize=resize), steps=(STEP,)))[:5] == order


def test_after_steps_see_disks_as_they_will_be_exported() -> None:
    disk = replace(ROOT, resize=Resize(Fit.MINIMUM))
    order = kinds(request(disk, steps=(STEP,), after=(STEP,)))
    assert order[2:6] == ["run", "fit", "after", "export"]


def test_a_disk_that_was_lent_to_after_steps_never_becomes_the_output_itself() -> None:
    """What they have started could write to it still."""
    for after, last in (((), [False, True]), ((STEP,), [False, False])):
        outputs = (BuildOutput(file="/a"), BuildOutput(image="web"))
        asked = request(replace(ROOT, outputs=outputs), after=after)
        exports = [s for s in plan_build(asked, NOW).steps if isinstance(s, ExportDisk)]
        assert [step.last for step in exports] == last


def test_everything_is_written_before_anything_is_in_its_place() -> None:
    outputs = (BuildOutput(file="/o/web.vmdk"), BuildOutput(image="web"))
    data = BuildDisk(Empty(Size(GIB), Filesystem.EXT4), "/srv", outputs=(
        BuildOutput(file="/o/data.raw"),), name="data")  # fmt: skip
    order = kinds(request(replace(ROOT, outputs=outputs), disks=(data,), files=(MOTD,)))
    assert order[-9:] == [
        "export", "export", "export", "publish", "add-image", "publish", *END,
    ]  # fmt: skip


def test_all_that_takes_a_place_by_a_rename_is_written_in_its_folder() -> None:
    asked = request(replace(ROOT, outputs=(BuildOutput(file="/o/web.vmdk"),)))
    moved = [s for s in plan_build(asked, NOW).steps if isinstance(s, Publish)]
    assert [s.target for s in moved] == ["/o/web.vmdk", "/r.json"]
    for step in moved:
        assert {Path(p).parent for p in (step.staged, step.before)} == {Path(step.target).parent}


def test_a_file_is_put_into_the_disk_that_is_mounted_over_it() -> None:
    asked = request(disks=(DATA,), files=(MOTD, BuildFile("/srv/site/a", content=b"")))
    puts = [s for s in plan_build(asked, NOW).steps if s.kind == "build.put"]
    assert [step.paths for step in puts] == [("/etc/motd",), ("/site/a",)]  # type: ignore[attr-defined]


def test_outer_disks_are_mounted_first() -> None:
    disks = [
        BuildDisk(Empty(Size(GIB), Filesystem.EXT4), mount, name=mount[1:].replace("/", "-"))
        for mount in ("/srv/data/deep", "/srv", "/srv/data")
    ]
    plan = plan_build(request(disks=tuple(disks), steps=(STEP,)), NOW)
    [ran] = [step for step in plan.steps if isinstance(step, RunInDisks)]
    assert ran.room
    assert [disk.mount for disk in ran.room.disks] == ["/", "/srv", "/srv/data", "/srv/data/deep"]


def test_what_is_in_files_is_not_in_the_journal() -> None:
    after = (BuildStep(inline="curl x\nsecret"), BuildStep(run="/x/secret/of.sh"))
    files = (BuildFile("/k", content=b"secret"),)
    plan = plan_build(request(files=files, steps=(STEP,), after=after), NOW)
    text = str(plan.encode())
    assert "secret" not in text
    assert b"secret".hex() not in text
    assert [step.kind for step in decode_plan(plan.encode()).steps] == [s.kind for s in plan.steps]


WRONG = {
    "a step that is edited": (
        request(way=Way.EDIT, steps=(STEP,)), [("way", "edit runs no step")]),
    "nspawn without root": (
        request(way=Way.NSPAWN, steps=(STEP,), trust=True), [("way", "nspawn needs root")]),
    "nspawn without trust": (
        request(way=Way.NSPAWN, steps=(STEP,), root=True),
        [("way", "nspawn has this host's kernel mount the images")]),
    "two disks at one place": (
        request(disks=(DATA, replace(DATA, name="more")), files=(MOTD,)),
        [("disks.more.at", "/srv would hide what is mounted at /srv")]),
    "a share over a disk": (
        request(disks=(replace(DATA, mount="/srv/data"),), steps=(STEP,),
                shares=(BuildShare("/mnt", "/x"), BuildShare("/srv", "/y"))),
        [("shares[1]", "/srv would hide what is mounted at /srv/data")]),
    "a share that nobody sees": (
        request(shares=(BuildShare("/mnt", "/x"),)), [("shares", "there is no step to see them")]),
    "partition 5 of 1": (
        request(replace(ROOT, source=FromImage("debian:13", 5))),
        [("from", "debian:13 has no partition 5 (there: 1)")]),
    "an output twice": (
        request(replace(ROOT, outputs=(BuildOutput(file="/a"), BuildOutput(folder="/a")))),
        [("output[1]", "only files go to a folder, and no disk"),
         ("output[1]", "/a is written twice, by web as well")]),
    "an output that is the source": (
        request(BuildDisk(FromImage("/a.qcow2"), outputs=(BuildOutput(file="/l/a.qcow2"),)),
                reads=(Read("/a.qcow2", "is what it begins as", ("/a.qcow2",)),),
                places={"/l/a.qcow2": "/a.qcow2"}),
        [("output[0]", "/l/a.qcow2 is what it begins as")]),
    "an output within what is copied": (
        request(replace(ROOT, outputs=(BuildOutput(file="/site/a"), BuildOutput(file="/site/b"),
                                       BuildOutput(file="/site.raw"))),
                reads=(Read("/site", "is copied into it", ("/site",)),),
                foreign=frozenset({"/site/a", "/site.raw"})),
        [("output[0]", "/site/a is in /site, which is copied into it")]),
    "an image that is the source": (
        request(replace(ROOT, outputs=(BuildOutput(image="debian:13"),))),
        [("output[0]", "debian:13 is what it begins as")]),
    "an output around what is run": (
        request(replace(ROOT, outputs=(BuildOutput(file="/bin"),)),
                reads=(Read("/bin/x", "is run by it", ("/bin/x",)),)),
        [("output[0]", "/bin holds /bin/x, which is run by it")]),
    "a name that is another image's": (
        request(here={"web": "d"}),
        [("output[0]", "web is already an image, that no build made")]),
    "a label that needs a size": (
        request(BuildDisk(Empty(filesystem=Filesystem.VFAT), outputs=(BuildOutput(file="/a"),))),
        [("from", "should say how large, or which files: there are none")]),
    "steps on nothing": (
        request(BuildDisk(Empty(Size(GIB), Filesystem.EXT4)), steps=(STEP,)),
        [("from", "nothing can be run on an empty disk")]),
    "a smaller xfs": (
        request(replace(ROOT, resize=Resize(Fit.TO, Size(GIB))),
                DiskLook(Size(3 * GIB), "", (Area(0, Size(3 * GIB), "xfs"),))),
        [("size", "1G is less than 3G, and only ext4 is made smaller")]),
    "the least of nothing": (
        request(BuildDisk(Empty(Size(GIB)), resize=Resize(Fit.MINIMUM))),
        [("size", "only ext4 is made smaller, and there is none")]),
    "a folder in a file's place": (
        request(replace(ROOT, outputs=(BuildOutput(file="/a"),)), obstacles={"/a": "is a folder"}),
        [("output[0]", "/a is a folder")]),
    "what sudo gives no right to": (
        request(replace(ROOT, outputs=(BuildOutput(file="/etc/cron.d/a"), BuildOutput(image="web"))),
                sudo=True, root=True, steps=(STEP,),
                shares=(BuildShare("/a", "/etc", writable=True), BuildShare("/b", "/srv"))),
        [("output[0]", "root would write /etc/cron.d/a for you"),
         ("shares[0]", "root would write to /etc for you")]),
    "files that are folders": (
        request(disks=(DATA,), folders=frozenset({"/f"}), files=(
            MOTD, BuildFile("/etc", copy="/x"), BuildFile("/srv", content=b""),
            BuildFile("/f", copy="/f"), BuildFile("/f", copy="/y"))),
        [("files[1].to", "/etc would be a file, and /etc/motd is in it"),
         ("files[2].to", "/srv would be a file, and a disk is in it"),
         ("files[4].to", "/f would be a file, and all of /f is in it")]),
    "a file on no disk": (
        request(BuildDisk(Empty(Size(GIB), Filesystem.EXT4), ""), files=(MOTD,)),
        [("files[0].to", "/etc/motd is on no disk of the build")]),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_is_told_with_its_key(case: str) -> None:
    asked, expected = WRONG[case]
    assert wrong(asked) == expected


def writing(name: str, *targets: str, **places: str) -> BuildRequest:
    """A build that writes files, and where links have some of them go."""
    asked = request(replace(ROOT, outputs=tuple(BuildOutput(file=one) for one in targets)))
    there = {target: places[key] for key, target in zip(places, targets, strict=False)}
    return replace(asked, build=replace(asked.build, name=name), places=there)


@pytest.mark.parametrize(
    ("targets", "problem"),
    [
        (("/out/z",), "/out/z is written twice, by one as well"),
        (("/out/z/x",), "/out/z/x would be in what one writes"),
        (("/out",), "/out would replace what one writes"),
        (("/out/zz", "/out/y"), ""),
    ],
)
def test_outputs_of_several_builds_are_not_over_or_within_each_other(
    targets: tuple[str, ...], problem: str
) -> None:
    asked = (writing("one", "/out/z"), writing("two", *targets))
    found = [(at.build.name, said[1]) for at, said in overlaps(asked)]
    assert found == ([("two", problem)] if problem else [])
    both = writing("one", "/out/z", *targets)
    assert [said[:2] for _, said in overlaps([both])] == (
        [("output[1]", problem)] if problem else []
    )


def test_outputs_are_compared_by_where_they_lead() -> None:
    asked = (writing("one", "/out/z"), writing("two", "/alias/z", one="/out/z"))
    [(_, said)] = overlaps(asked)
    assert said[:2] == ("output[0]", "/alias/z is written twice, by one as well")


def test_no_disk_begins_as_an_iso() -> None:
    asked = replace(request(), images=(ISO,))
    assert wrong(asked) == [("from", "rescue.iso is an ISO, which no disk begins as")]


def test_what_is_pushed_is_pushed_before_anything_is_in_its_place_and_says_what_it_is() -> None:
    text = "oci://registry.example/team/web:1"
    outputs = (BuildOutput(file="/o/a"), BuildOutput(push=text))
    targets = {text: parse_target(text, "web", "/")}
    asked = replace(request(replace(ROOT, outputs=outputs)), targets=targets)
    assert kinds(asked) == ["open", "copy", "export", "export", "push", "publish", *END]
    world, [push] = World(), [s for s in plan_build(asked, NOW).steps if s.kind == "build.push"]
    push.apply(world.host(), lambda _done, _total: None)
    said = world.images.pushed[text].statement
    assert (said.name, said.format, said.digest) == ("web:1", "qcow2", "d1" * 32)
    assert said.built and said.built.source_digest == IMAGE.digest


@pytest.mark.parametrize(
    ("form", "said"), [(None, "iso"), (DiskFormat.RAW, "iso"), (DiskFormat.QCOW2, "qcow2")]
)
def test_what_is_pushed_of_an_iso_is_called_one(form: DiskFormat | None, said: str) -> None:
    output = BuildOutput(push="./images", format=form)
    targets = {"./images": parse_target("./images", "seed", "/")}
    disk = BuildDisk(Empty(filesystem=Filesystem.ISO), outputs=(output,))
    asked = replace(request(disk, files=(MOTD,)), targets=targets)
    world, plan = World(), plan_build(asked, NOW)
    export, push = (s for s in plan.steps if s.kind in {"build.export", "build.push"})
    assert export.form == push.form == (form or DiskFormat.RAW)  # type: ignore[attr-defined]
    assert decode_step(push.encode()) == push
    push.apply(world.host(), lambda _done, _total: None)
    assert world.images.pushed["/images"].statement.format == said
