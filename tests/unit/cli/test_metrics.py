"""`raptorctl metrics`: what Prometheus is told, by its own reader, and under which names."""

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from raptorctl.api.metrics import write_textfile
from raptorctl.errors import HostError
from raptorctl.model.image import Image
from raptorctl.model.metric import Metric, Sample
from raptorctl.model.part import Part
from raptorctl.model.probe import Finding, Probe, Trouble, Verdict, WebSeen
from raptorctl.model.sizes import GIB, Size
from raptorctl.model.tenant import Quota, parse_record, record_path, record_text
from raptorctl.model.volume import Volume
from raptorctl.plans.doctor.metrics import Seen, measured
from raptorctl.plans.past import Past
from raptorctl.render.metrics import metrics_text
from tests.fakes import World
from tests.unit.cli.session import PROVISION, CommandLine, FakeSession

CHECKOUT = Path(__file__).parents[3]
TAGS = ("raptor", "raptor.tenant=bob", "raptor.job=20261120-101010-aaaa")
Values = dict[tuple[str, ...], float]


@pytest.fixture
def lived_in(raptorctl: CommandLine, world: World) -> CommandLine:
    """A host with a machine, half a machine, a kept disk, a pending wipe and somebody's volume."""
    path = record_path("alice")
    record = parse_record(world.files.read(path) or "", path)
    quota = Quota(machines=3, memory=Size(16 * GIB))
    world.files.write(path, record_text(replace(record, quota=quota)), 0o644)
    assert raptorctl(*PROVISION, "--expires", "2098-12-31").code == 0
    for name, size, tags in (
        ("guest-bob-ci", 2, (*TAGS, "raptor.slot=2", "raptor.clean")),
        ("disk-bob-ci.data", 5, (*TAGS, "raptor.disk=data", "raptor.keep", "raptor.clean")),
        ("wipe-of-bob", 1, (*TAGS, "raptor.dirty")),
        ("root", 20, ()),
    ):
        world.volumes.by_uuid[name] = Volume(name, name, "lvm-data", Size(size * GIB), tags)
    image = Image("debian:13", "x", "d" * 64, "raw", Size(GIB), Size(700), "/i", "2026-11-20")
    world.images.all = (image, replace(image, name="again"))
    return raptorctl


def values(text: str) -> dict[str, Values]:
    """Every sample, by its name and its labels' values."""
    found: dict[str, Values] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def seen(raptorctl: CommandLine) -> Seen:
    session = raptorctl.session()
    jobs = tuple((replace(job, seconds=2.5), plan) for job, plan in session.past().jobs)
    findings = (
        Finding("isolation", Verdict.OK, "well"),
        Finding("records", Verdict.WARN, "one"),
        Finding("records", Verdict.WARN, "two"),
    )
    known = (session.settings, session.facts(), Past(jobs))
    return Seen(*known, session.journals.unfinished(), findings, frozenset(), "0.1.0", 1795700000.5)


def test_all_of_a_host(lived_in: CommandLine, golden: Callable[[str, str], None]) -> None:
    golden("metrics.prom", metrics_text(measured(seen(lived_in))))


def test_it_is_what_is_there(lived_in: CommandLine) -> None:
    found = values(lived_in("metrics").out)
    assert found["raptorctl_slots"][("used",)] == 2
    assert found["raptorctl_cpus"][("used",)] == 4
    assert found["raptorctl_machine_state"][("alice-dev", "running")] == 1
    assert found["raptorctl_machine_state"][("bob-ci", "no domain")] == 1
    assert sum(found["raptorctl_machine_state"].values()) == 2
    assert found["raptorctl_quota_limit"] == {
        ("alice", "machines"): 3,
        ("alice", "memory"): 16 * GIB,
    }
    assert found["raptorctl_quota_used"][("alice", "size")] == 40 * GIB
    room = found["raptorctl_volume_group_bytes"]
    assert (room[("kept",)], room[("wipe_pending",)]) == (5 * GIB, GIB)
    assert found["raptorctl_wipe_pending"] == {(): 1}
    assert found["raptorctl_jobs_unfinished"] == {(): 0}
    assert found["raptorctl_job_duration_seconds_count"] == {("provision",): 1}
    assert found["raptorctl_image_cache_bytes"] == {(): 700}


def test_what_cannot_be_read_is_absent_and_not_nothing(lived_in: CommandLine) -> None:
    session = lived_in.session()
    probe = replace(session.probe(), troubles={Part.LVM: Trouble("gone")})
    session.probe = lambda: probe  # type: ignore[method-assign]
    found = values(lived_in("metrics", session=session).out)
    assert "raptorctl_wipe_pending" not in found
    assert "raptorctl_volume_group_bytes" not in found
    assert found["raptorctl_doctor_findings"][("fail", "volume group")] == 1
    assert "raptorctl_cpus" in found


def test_a_file_that_is_being_written_is_not_told_to_be_old(lived_in: CommandLine) -> None:
    session = lived_in.session()
    probe = replace(session.probe(), web=WebSeen(metrics="is not there"))
    session.probe = lambda: probe  # type: ignore[method-assign]
    found = values(lived_in("metrics", session=session).out)
    assert found["raptorctl_doctor_findings"][("warn", "page")] == 0
    assert "web.scrapers" in lived_in("doctor", session=session).out


def test_no_label_ends_its_line_or_its_quotes() -> None:
    nasty = 'a"b\\c\nraptorctl_up 1'
    text = metrics_text([Metric("raptorctl_x", "One\nline.", (Sample(1, {"a": nasty}),))])
    assert values(text) == {"raptorctl_x": {(nasty,): 1}}


@pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool")
def test_promtool_finds_nothing_to_say(lived_in: CommandLine) -> None:
    text = metrics_text(measured(seen(lived_in)))
    judge = ("promtool", "check", "metrics")
    done = subprocess.run(judge, input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_textfile_is_put_whole_in_place_of_the_last(
    lived_in: CommandLine, tmp_path: Path
) -> None:
    for _ in range(2):
        done = lived_in("metrics", "--textfile", str(tmp_path))
        assert (done.code, done.out, done.err) == (0, "", "")
    path = tmp_path / "raptorctl.prom"
    assert values(path.read_text()).keys() == values(lived_in("metrics").out).keys()
    assert path.stat().st_mode & 0o777 == 0o644
    assert [one.name for one in tmp_path.iterdir() if "prom" in one.name] == [path.name]


def test_a_directory_that_is_not_there_is_said_and_not_made(
    lived_in: CommandLine, tmp_path: Path
) -> None:
    done = lived_in("metrics", "--textfile", str(tmp_path / "nowhere"))
    assert done.code == HostError.exit_code
    assert "there is no such directory" in done.complaint
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("directory", ["", ".", "there"])
def test_a_path_that_depends_on_where_one_is_is_refused(
    lived_in: CommandLine, tmp_path: Path, directory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    done = lived_in("metrics", "--textfile", directory)
    assert (done.code, "is no absolute path" in done.complaint) == (2, True)
    assert not list(tmp_path.glob("**/*.prom"))


def test_a_host_that_cannot_be_measured_leaves_the_last_file(
    lived_in: CommandLine, tmp_path: Path
) -> None:
    session: FakeSession = lived_in.session()
    write_textfile(session, tmp_path)

    def fails() -> Probe:
        raise HostError("libvirt hangs")

    session.probe = fails  # type: ignore[method-assign]
    with pytest.raises(HostError):
        write_textfile(session, tmp_path)
    assert (tmp_path / "raptorctl.prom").read_text().startswith("# HELP")


def test_tenants_are_not_told(lived_in: CommandLine) -> None:
    lived_in.root = False
    assert lived_in("metrics").code == 3


def test_every_name_is_told_and_no_other(lived_in: CommandLine) -> None:
    told = (CHECKOUT / "docs/metrics.md").read_text()
    names = {metric.name for metric in measured(seen(lived_in))}
    assert set(re.findall(r"^\| `(raptorctl_\w+)", told, re.MULTILINE)) == names


@pytest.mark.parametrize("name", ["alerts.yml", "dashboard.json"])
def test_the_examples_use_names_that_there_are(lived_in: CommandLine, name: str) -> None:
    text = (CHECKOUT / "examples/monitoring" / name).read_text()
    names = {metric.name for metric in measured(seen(lived_in))}
    used = {re.sub("_(sum|count)$", "", one) for one in re.findall(r"raptorctl_\w+", text)}
    assert used
    assert used <= names


@pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool")
def test_promtool_takes_the_alerts() -> None:
    alerts = CHECKOUT / "examples/monitoring/alerts.yml"
    done = subprocess.run(["promtool", "check", "rules", alerts], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout
