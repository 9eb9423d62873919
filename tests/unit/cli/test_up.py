"""`up`: what is not there is made, what is off is started, what differs is told with its way."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from raptorctl.drivers.image import Wanted
from raptorctl.errors import UnreachableError
from raptorctl.model.domain import Domain
from raptorctl.model.image import Image
from raptorctl.model.sizes import GIB
from tests.fakes import IMAGE, Killed, Tripwire
from tests.unit.cli.session import CommandLine
from tests.unit.model.test_ssh_key import GOOD

FILE = """
[defaults]
size = "10G"
memory = "1G"
[machine.alice-web]
cpus = 2
[machine.alice-db]
cpus = "6,7"
size = "20G"
"""


@pytest.fixture
def host(raptorctl: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    write(FILE)
    return raptorctl


def write(text: str) -> None:
    Path("raptor.toml").write_text(text)


def last(text: str) -> str:
    return text.splitlines()[-1]


def machine(host: CommandLine, name: str) -> Domain:
    found = host.world.domains.named(name)
    assert found
    return found


def rows(host: CommandLine, *words: str) -> list[list[str]]:
    done = host("up", *words, "--dry-run", "-o", "json")
    said = json.loads(done.out)["plan"]["rows"]
    return [[row["machine"], row["key"], row["is"], row["shall_be"], row["when"]] for row in said]


def test_what_is_absent_is_made_and_then_all_is_already_so(host: CommandLine) -> None:
    assert rows(host) == [
        ["alice-web", "machine", "absent", "10G, 2 CPUs, 1G", "now"],
        ["alice-db", "machine", "absent", "20G, CPUs 6,7, 1G", "now"],
    ]
    done = host("up")
    assert (done.code, done.out) == (0, "alice-web: made\nalice-db: made\n"), done.err
    assert [d.name for d in host.world.domains.list()] == ["alice-web", "alice-db"]
    assert all(d.state.runs for d in host.world.domains.list())
    before = host.world.picture()
    again = host("up")
    assert again.out == "alice-web is already so\nalice-db is already so\n"
    assert host.world.picture() == before
    assert rows(host) == []
    assert host("up", "--dry-run").out == "all of it is already so\n"


def test_a_narrow_table_says_how_large_first_and_an_image_by_its_last_part(
    host: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    url = "https://cloud-images.ubuntu.example/releases/noble/release"
    more = f"""
image = "{url}/ubuntu-24.04-server.img"
disks = {{ data = {{ size = "1G" }} }}
"""
    write(f'{FILE}{more}[machine.alice-cd]\ncpus = 1\niso = "{url}/live.iso"\n')
    _, web, db, disc = host("up", "--dry-run", terminal=True).out.splitlines()
    assert "10G, 2 CPUs, 1G " in web
    assert "20G, CPUs 6,7, 1G, +1 disk, ubuntu-24.04-" in db
    assert "10G, 1 CPU, 1G, iso live.iso " in disc
    assert rows(host)[1][3] == f"{url}/ubuntu-24.04-server.img, 20G, CPUs 6,7, 1G"


def test_each_machine_is_a_job_of_its_own(host: CommandLine) -> None:
    said = json.loads(host("up", "-o", "json").out)["machines"]
    jobs = json.loads(host("job", "list", "-o", "json").out)["jobs"]
    assert sorted(job["id"] for job in jobs) == sorted(one["jobs"][0] for one in said)


def test_a_machine_that_is_off_is_started(host: CommandLine) -> None:
    host("up")
    host("stop", "alice-db", "--timeout", "0", "--force")
    assert rows(host) == [["alice-db", "state", "shut off", "running", "now"]]
    assert host("up").out == "alice-web is already so\nalice-db: started\n"


def test_only_what_is_named_is_looked_at(host: CommandLine) -> None:
    assert host("up", "alice-db").out == "alice-db: made\n"
    assert host("up", "raptor.toml", "alice-db").out == "alice-db is already so\n"
    typo = host("up", "alice-dc")
    assert (typo.code, "did you mean alice-db?" in typo.complaint) == (2, True)


def test_numbers_change_now_or_at_the_next_start(host: CommandLine) -> None:
    host("up")
    write(FILE.replace("20G", "30G").replace("1G", "2G").replace("cpus = 2", "cpus = 3"))
    assert rows(host) == [
        ["alice-web", "cpus", "2", "3", "next start"],
        ["alice-web", "memory", "1G", "2G", "next start"],
        ["alice-db", "size", "20G", "30G", "now"],
        ["alice-db", "memory", "1G", "2G", "next start"],
    ]
    done = host("up")
    assert done.out == "alice-web: cpus, memory\nalice-db: size, memory\n", done.err
    assert "note: alice-db: memory 1G, not 2G: next start\n" in done.err
    assert len(machine(host, "alice-web").pins) == 3
    assert machine(host, "alice-db").memory == 2 * GIB
    assert rows(host) == []


def test_restart_switches_off_and_on_what_needs_that(host: CommandLine) -> None:
    host("up")
    write(FILE.replace('memory = "1G"', 'memory = "2G"'))
    assert {row[-1] for row in rows(host, "--restart")} == {"restart"}
    assert host("up", "--restart").out == (
        "alice-web: memory, restarted\nalice-db: memory, restarted\n"
    )
    assert all(d.state.runs for d in host.world.domains.list())


def test_what_never_changes_is_refused_before_anything_is_touched(host: CommandLine) -> None:
    host("up", "alice-db")
    write(FILE.replace('"20G"', '"15G"'))
    before = host.world.picture()
    for words in ((), ("--dry-run",)):
        done = host("up", *words)
        assert done.code == 3
        assert "alice-db: size 20G, not 15G: refused\n    a disk only grows" in done.err
    assert host.world.picture() == before
    going = host("up", "--keep-going")
    assert (going.code, going.out) == (3, "alice-web: made\nalice-db: failed\n")


def test_an_image_differs_and_a_rebuild_needs_to_be_said(host: CommandLine) -> None:
    host.world.images.all = (IMAGE, replace(IMAGE, name="arch", digest="ab" * 32))
    text = '[machine.alice-web]\nsize = "10G"\ncpus = 2\nimage = "' + "5eed" * 16 + '"\n'
    write(text)
    assert host("up").code == 0
    write(text.replace("5eed" * 16, "ab" * 32))
    refused = host("up")
    assert (refused.code, "--rebuild gives it a new disk" in refused.err) == (3, True)
    unasked = host("up", "--rebuild")
    assert (unasked.code, "no terminal" in unasked.complaint) == (2, True)
    asked = host("up", "--rebuild", terminal=True, answer="y\n")
    assert (asked.code, "alice-web: rebuilt\n" in asked.out) == (0, True), asked.err
    assert "Everything on the disks of alice-web will be gone. Go on?" in asked.err
    mark = machine(host, "alice-web").mark
    assert mark
    assert mark.image_digest == "ab" * 32


def test_a_no_touches_nothing(host: CommandLine) -> None:
    done = host("up", terminal=True, answer="n\n")
    assert (done.code, host.world.domains.list()) == (2, ())
    assert "MACHINE" in done.err


def test_machines_carry_the_files_mark_and_prune_removes_only_those(
    host: CommandLine, tmp_path: Path
) -> None:
    host("provision", "alice", "own", "--size", "1G", "--cpus", "2-2", "-y")
    Path("other.toml").write_text('[machine.bob-x]\nsize = "1G"\ncpus = 1\n')
    assert host("up", "other.toml").code == 0
    assert host("up", "alice-db").code == 0
    mark = machine(host, "alice-db").mark
    assert mark
    assert mark.file == str(tmp_path / "raptor.toml")
    write("")
    assert rows(host) == [["alice-db", "machine", "running", "absent", "needs --prune"]]
    told = host("up")
    assert (told.code, "alice-db: machine running, not absent: needs --prune" in told.err) == (0, 1)
    assert host("up", "--prune").code == 2  # nobody is there to be asked
    pruned = host("up", "--prune", "-y").out
    assert pruned.startswith("wiped 20G of volume ")
    assert pruned.endswith("(full): nothing but zeroes\nalice-db: removed\n")
    assert {d.name for d in host.world.domains.list()} == {"alice-own", "bob-x"}
    assert host("up", "--prune", "alice-db").code == 2


def test_more_than_was_allowed_is_refused(host: CommandLine) -> None:
    host("up")
    write("")
    refused = host("up", "--prune", "-y")
    assert (refused.code, "--allow 2 if that is meant" in refused.complaint) == (3, True)
    assert host("up", "--prune", "-y", "--allow", "2").code == 0
    assert host.world.domains.list() == ()


def test_a_file_that_says_its_name_may_be_moved(host: CommandLine) -> None:
    write('name = "lab"\n' + FILE)
    host("up")
    Path("raptor.toml").rename("moved.toml")
    Path("moved.toml").write_text('name = "lab"\n')
    assert len(rows(host, "./moved.toml")) == 2


def test_a_path_that_no_mark_can_keep_needs_a_name(host: CommandLine) -> None:
    Path("a\nb.toml").write_text(FILE)
    refused = host("up", "a\nb.toml")
    assert (refused.code, 'give the file a name of its own: name = "lab"' in refused.complaint) == (
        2,
        1,
    )
    Path("a\nb.toml").write_text('name = "lab"\n' + FILE)
    assert host("up", "a\nb.toml").code == 0


def test_a_plan_is_carried_out_if_nothing_has_changed(host: CommandLine) -> None:
    Path("plan.json").write_text(host("up", "--dry-run", "-o", "json").out)
    write(FILE.replace("10G", "11G"))
    assert "has changed: file" in host("up", "--plan", "plan.json").complaint
    write(FILE)
    host("up", "alice-db")
    refused = host("up", "--plan", "plan.json")
    host.world.images.all = (IMAGE,)
    assert refused.code == 3
    assert "has changed: alice-db domain, alice-db state, alice-db volume" in refused.complaint
    Path("plan.json").write_text(host("up", "--dry-run", "-o", "json").out)
    assert host("up", "--plan", "plan.json").out == "alice-web: made\nalice-db is already so\n"
    assert host("up", "--plan", "plan.json", "--prune").code == 2
    assert "is not a plan" in host("up", "--plan", "raptor.toml").complaint


def test_a_plan_rests_on_its_images_and_on_every_row(host: CommandLine) -> None:
    host.world.images.all = (IMAGE,)
    write('[machine.alice-web]\nsize = "10G"\ncpus = 2\nimage = "debian:13"\n')
    saved = host("up", "--dry-run", "-o", "json").out
    Path("plan.json").write_text(saved)
    host.world.images.all = (replace(IMAGE, digest="ab" * 32),)
    assert "has changed: image debian:13" in host("up", "--plan", "plan.json").complaint
    host.world.images.all = (IMAGE,)
    Path("plan.json").write_text(saved.replace("10G", "11G"))
    assert "has changed: alice-web machine" in host("up", "--plan", "plan.json").complaint
    assert host("up", "--plan", "plan.json", "--dry-run").code == 3


def test_a_guest_that_does_not_shut_down_is_told_with_a_way(host: CommandLine) -> None:
    host("up")
    write(FILE.replace('memory = "1G"', 'memory = "2G"'))
    host.world.domains.deaf = True
    done = host("up", "alice-web", "--restart")
    assert (done.code, done.out) == (5, "alice-web: failed\n")
    assert "`raptorctl stop alice-web --force`, and the same command again" in done.err


def test_tenants_come_first_with_keys_and_quota(host: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "carol.pub").write_text(GOOD)
    write(
        '[tenant.carol]\nkeys = ["carol.pub"]\nquota = { machines = 1 }\n'
        '[machine.carol-web]\nsize = "1G"\ncpus = 1\n'
    )
    done = host("up")
    assert done.out == "carol: made\ncarol-web: made\n", done.err
    assert rows(host) == []
    text = Path("raptor.toml").read_text().replace("machines = 1", "machines = 2")
    write(text.replace('["carol.pub"]', f'["carol.pub", "{_other()}"]'))
    assert [row[:2] for row in rows(host)] == [["carol", "keys"], ["carol", "quota"]]
    assert host("up").out == "carol: keys, quota\ncarol-web is already so\n"
    assert rows(host) == []


def _other() -> str:
    from tests.unit.cli.test_standing import OTHER

    return OTHER.strip()


def test_what_two_machines_together_cannot_have_is_told_before_the_first_is_made(
    host: CommandLine,
) -> None:
    write(FILE.replace("cpus = 2", 'cpus = "7"'))
    done = host("up")
    assert (done.code, host.world.domains.list()) == (3, ())
    assert "CPU 7 belongs to job" in done.err


def test_all_that_the_file_names_wrongly_is_told_at_once(host: CommandLine) -> None:
    write(
        '[defaults]\nsize = "1G"\n[machine.alice-a]\nprofile = "nope"\nuser_data = "no.yaml"\n'
        '[machine.alice-b]\ncpus = 1\nkeys = ["none.pub"]\nsteps = [{ run = "x.sh" }]\n'
    )
    done = host("up")
    assert done.code == 2
    told = [line.strip().split(": ")[:2] for line in done.err.splitlines()[1:]]
    assert told == [
        ["raptor.toml:3:1", "machine.alice-a.cpus"],
        ["raptor.toml:4:1", "machine.alice-a.profile"],
        ["raptor.toml:5:1", "machine.alice-a.user_data"],
        ["raptor.toml:8:1", "machine.alice-b.keys"],
        ["raptor.toml:9:10", "machine.alice-b.steps.0"],
    ]


def test_standard_input_is_a_file_without_a_mark(
    host: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"-": FILE}
    monkeypatch.setattr("raptorctl.cli.raptor_file.given_text", lambda path, _most: given[path])
    done = host("up", "-")
    assert done.code == 0, done.err
    assert {domain.mark and domain.mark.file for domain in host.world.domains.list()} == {""}


STEPS = """
[vars]
to = "/etc/motd"
[machine.alice-web]
size = "10G"
cpus = 1
image = "debian:13"
wait = "ssh"
steps = [{ run = "a.sh" }, { copy = "b.txt", to = "${to}" }]
"""
DONE = ["run a.sh", "copy b.txt /etc/motd"]


@pytest.fixture
def stepped(host: CommandLine) -> CommandLine:
    Path("a.sh").write_text("#!/bin/sh\n")
    Path("b.txt").write_text("hello\n")
    write(STEPS)
    host.world.images.all = (IMAGE,)
    host.world.guests.banners = ["SSH-2.0-OpenSSH_10.0p2"]
    return host


def test_steps_are_done_once_the_machine_is_made(stepped: CommandLine) -> None:
    shown = stepped("up", "--dry-run")
    assert shown.out.endswith(
        "then, in the guests:\n  alice-web: run a.sh\n  alice-web: copy b.txt to /etc/motd\n"
    )
    done = stepped("up")
    assert (done.code, done.out) == (0, "alice-web: made, 2 steps\n"), done.err
    assert stepped.world.guests.done == [*DONE, "forget raptorctl-job"]
    assert rows(stepped) == []
    assert stepped("up").out == "alice-web is already so\n"
    assert stepped("up", "--var", "to=/x", "--dry-run").out.count("next rebuild") == 1


def test_a_file_that_needs_a_variable_goes_down_with_it(stepped: CommandLine) -> None:
    write(STEPS.replace('to = "/etc/motd"\n', ""))
    assert stepped("up", "--var", "to=/x").code == 0
    assert "to" in stepped("down", "--destroy", "-y").err
    assert stepped("down", "--var", "to=/x", "--destroy", "-y").code == 0
    assert not stepped.world.domains.list()


def test_lines_of_a_shell_are_a_step(stepped: CommandLine) -> None:
    write(STEPS.replace('{ run = "a.sh" }', '{ inline = "echo one\\nexit 0" }'))
    assert stepped("up").code == 0
    assert stepped.world.guests.done[0] == "run echo one …"
    write(STEPS.replace('{ run = "a.sh" }', '{ run = "a.sh", inline = "true" }'))
    assert "[0] should say one of run, inline and copy" in stepped("up").err


def test_steps_without_a_network_to_reach_the_guest_by_are_told_with_their_place(
    stepped: CommandLine,
) -> None:
    file = Path("raptor.toml")
    file.write_text(file.read_text().replace("steps =", 'net = ["none"]\nsteps =', 1))
    done = stepped("up")
    assert (done.code, "alice-web.steps: there is no network to reach" in done.err) == (2, True)
    assert stepped.world.domains.list() == ()


def test_steps_that_failed_are_done_the_next_time(
    stepped: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    guests = stepped.world.guests
    guests.outcomes = {"a.sh": 1}
    failed = stepped("up")
    assert (failed.code, failed.out) == (1, "alice-web: failed\n")
    assert "ended with status 1" in failed.err
    guests.outcomes = {}
    assert rows(stepped) == [["alice-web", "steps", "not done", "2 steps", "now"]]
    keyless = stepped("up")
    assert (keyless.code, "--identity FILE" in keyless.err) == (2, True)
    monkeypatch.setenv("SSH_AUTH_SOCK", "/nowhere")
    assert stepped("up").out == "alice-web: 2 steps\n"
    assert rows(stepped) == []


def test_other_steps_are_told_and_done_by_a_reload(stepped: CommandLine) -> None:
    assert stepped("up").code == 0
    before = machine(stepped, "alice-web")
    stepped.world.guests.done.clear()
    Path("a.sh").write_text("#!/bin/sh\necho other\n")
    told = stepped("up")
    assert told.code == 0
    assert "alice-web: steps others done, not 2 steps: next rebuild" in told.err
    assert stepped.world.guests.done == []
    assert stepped("reload").code == 2  # nobody is there to be asked
    done = stepped("reload", "-y")
    assert (done.code, last(done.out)) == (0, "alice-web: rebuilt, 2 steps"), done.err
    assert stepped.world.guests.done == [*DONE, "forget raptorctl-job"]
    after = machine(stepped, "alice-web")
    assert (after.uuid, after.macs) == (before.uuid, before.macs)
    assert rows(stepped) == []


def test_steps_that_nobody_could_log_in_for_are_refused_before_anything_is_touched(
    stepped: CommandLine,
) -> None:
    write(
        STEPS.replace("[machine", "[machine.alice-new]\nsize = '1G'\ncpus = 1\n[machine")
        + "seed = false\n"
    )
    done = stepped("up")
    assert (done.code, "no key to log in with" in done.complaint) == (2, True)
    assert stepped.world.domains.list() == ()


def test_a_reload_that_is_only_shown_is_no_plan_of_ups(stepped: CommandLine) -> None:
    stepped("up")
    shown = stepped("reload", "--dry-run", "-o", "json").out
    assert [row["key"] for row in json.loads(shown)["plan"]["rows"]] == ["disk", "steps"]
    Path("plan.json").write_text(shown)
    assert "is not a plan" in stepped("up", "--plan", "plan.json").complaint
    assert machine(stepped, "alice-web").state.runs


def test_an_unfinished_job_comes_first(host: CommandLine) -> None:
    session = host.session()
    session.wire = Tripwire(at=20)
    with pytest.raises(Killed):
        host("up", session=session)
    refused = host("up", "--dry-run")
    assert (refused.code, "is unfinished" in refused.complaint) == (3, True)


def test_what_is_not_there_is_not_reloaded(stepped: CommandLine) -> None:
    done = stepped("reload", "-y")
    assert (done.code, "alice-web: machine absent, not there: refused" in done.err) == (3, True)


def test_two_hundred_machines_are_planned_with_the_calls_of_one(host: CommandLine) -> None:
    def calls(count: int) -> int:
        machines = (f"[machine.alice-m{n}]\ncpus = 1\n" for n in range(count))
        write('[defaults]\nimage = "debian:13"\nsize = "4G"\n' + "".join(machines))
        host.world.images.all = (IMAGE,)
        session = host.session()
        host("up", "--dry-run", session=session)
        return len(session.wire.calls)

    assert calls(200) <= 3 * calls(1)


DISKS = """
[machine.alice-web]
size = "10G"
cpus = 2
[machine.alice-web.disks.data]
size = "2G"
keep = true
"""


def test_disks_are_made_and_grown_and_one_too_many_is_left_to_a_person(host: CommandLine) -> None:
    write(DISKS.replace("2G", "1G").replace("keep = true", ""))
    assert host("up").out == "alice-web: made\n"
    write(DISKS + '[machine.alice-web.disks.more]\nsize = "1G"\n')
    assert [row[1:] for row in rows(host)] == [
        ["disk data", "1G", "2G", "now"],
        ["disk data", "keep off", "keep on", "now"],
        ["disk more", "none", "1G", "now"],
    ]
    done = host("up")
    assert done.out == "alice-web: disk data, disk more\n", done.err
    assert rows(host) == []
    write(DISKS)
    assert [row[1:] for row in rows(host)] == [["disk more", "1G", "none", "refused"]]
    refused = host("up")
    assert (refused.code, "raptorctl disk remove alice-web more" in refused.err) == (3, True)
    write(DISKS.partition("[machine.alice-web.disks")[0])
    assert [row[1:] for row in rows(host)] == [
        ["disk data", "2G", "none", "refused"],
        ["disk more", "1G", "none", "refused"],
    ]
    refused = host("up")
    assert (refused.code, "raptorctl disk remove alice-web data" in refused.err) == (3, True)


def test_a_kept_disk_of_a_machine_that_is_gone_is_no_matter_to_the_next(host: CommandLine) -> None:
    write(DISKS)
    assert host("up").code == 0
    assert host("down", "--destroy", "-y").code == 0
    write(DISKS.partition("[machine.alice-web.disks")[0])
    assert host("up").out == "alice-web: made\n"
    assert [volume.name for volume in host.world.volumes.list() if volume.kept]
    assert rows(host) == []
    exported = host("export").out
    write(exported)
    assert rows(host) == []


def test_down_keeps_disks_that_say_so_unless_data_is_meant(host: CommandLine) -> None:
    write(DISKS + '[machine.alice-db]\nsize = "1G"\ncpus = 1\n')
    assert host("up").code == 0
    assert host("down", "--with-data").code == 2
    plain = json.loads(host("down", "--destroy", "--dry-run", "-o", "json").out)["plan"]["rows"]
    assert [(row["machine"], row["key"]) for row in plain] == [
        ("alice-db", "machine"),
        ("alice-web", "machine"),
    ]
    assert host("down", "alice-web", "--destroy", "-y").code == 0
    assert {v.name for v in host.world.volumes.list() if v.kept} == {"disk-alice-web.data"}
    asked = host("down", "--destroy", "--with-data", terminal=True, answer="n\n")
    assert asked.code == 2
    assert "Everything of alice-db, alice-web, and alice-web's disk data will be gone" in asked.err
    gone = host("down", "--destroy", "--with-data", "-y")
    assert gone.code == 0, gone.err
    assert "wiped 2G of volume" in gone.out
    assert host.world.volumes.list() == ()
    assert host.world.volumes.leaked == []


def test_data_goes_along_with_a_machine_that_stands(host: CommandLine) -> None:
    write(DISKS)
    assert host("up").code == 0
    assert host("down", "--destroy", "--with-data", "-y").code == 0
    assert (host.world.volumes.list(), host.world.domains.list()) == ((), ())


@pytest.mark.parametrize("verb", [("up", "--dry-run"), ("diff",)])
def test_what_is_only_shown_needs_no_server_of_images(
    host: CommandLine, monkeypatch: pytest.MonkeyPatch, verb: tuple[str, ...]
) -> None:
    def foresee(wanted: Wanted) -> Image:
        raise UnreachableError(f"{wanted.source.text}: there is no host of that name")

    monkeypatch.setattr(host.world.images, "foresee", foresee)
    url = "https://images.example/x.qcow2"
    write(f'[machine.alice-web]\nsize = "10G"\ncpus = 2\nimage = "{url}"\n')
    shown = host(*verb)
    assert (shown.code, "x.qcow2" in shown.out) == (0, True), shown.err
    said = f"note: {url}: there is no host of that name; planned as if it could be had\n"
    assert shown.err == said
    done = host("up")
    assert (done.code, "machine.alice-web.image" in done.complaint) == (2, True)
    assert host.world.domains.named("alice-web") is None


def test_of_a_file_without_machines_nothing_is_said_to_be_so(host: CommandLine) -> None:
    write("")
    for words in (("up", "--dry-run"), ("up",)):
        assert host(*words).out == "the file names no machine\n"
