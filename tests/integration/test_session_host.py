"""A host of one's own, for real: an account without rights, libvirt's session, QEMU, its firmware.

Emulated where there is no KVM, so the machine is small and gets no further than its firmware.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.session_account import PLACES, Person, end

SPEAKS = 120.0
"""Seconds for emulated firmware to say something: a bound, not an expectation."""


@pytest.fixture(autouse=True)
def nothing_is_left(person: Person) -> Iterator[None]:
    yield
    for machine in json.loads(person.raptorctl("list", "-o", "json").stdout)["machines"]:
        person.raptorctl("stop", machine["machine"], "--timeout", "0", "--force", check=False)
        person.raptorctl("deprovision", machine["machine"], "-y")
    assert person.files() == set()
    assert person.run("virsh", "-c", "qemu:///session", "list", "--all", "--name").stdout == "\n"


def provision(person: Person, *more: str) -> None:
    person.raptorctl("provision", "web", "--memory", "256M", "--cpus", "1", *more, "-y")


def shown(person: Person) -> dict[str, object]:
    details: dict[str, object] = json.loads(person.raptorctl("show", "web", "-o", "json").stdout)
    return details


def test_a_machine_of_ones_own_from_its_first_to_its_last_word(person: Person) -> None:
    provision(person)
    (listed,) = json.loads(person.raptorctl("list", "-o", "json").stdout)["machines"]
    assert (listed["machine"], listed["state"], listed["slot"]) == ("web", "running", None)
    name = listed["name"]

    details = shown(person)
    assert (details["vcpus"], details["cpus"], details["fqdn"]) == (1, [], "")
    assert details["autostart"] is False
    host, _, port = str(details["ssh"]).partition(":")
    with socket.create_connection((host, int(port)), timeout=10):
        pass  # QEMU answers for it
    assert host == "127.0.0.1"

    assert "UEFI" in speech(person)
    would = person.raptorctl("deprovision", name, "--dry-run").stderr
    assert "which hear no power button: it goes off after 60 s, with --force at once" in would
    assert person.raptorctl("stop", name, "--timeout", "0", "--force").stdout.endswith(
        "is off (switched off)\n"
    )
    assert shown(person)["state"] == "shut off"
    person.raptorctl("deprovision", "web", "-y")
    assert person.files() == set()


def speech(person: Person) -> str:
    end = time.monotonic() + SPEAKS
    while time.monotonic() < end:
        if said := person.raptorctl("log", "web").stdout:
            return said
        time.sleep(1)
    pytest.fail("the firmware says nothing")


def test_only_loopback_reaches_it(person: Person) -> None:
    provision(person)
    port = int(str(shown(person)["ssh"]).rpartition(":")[2])
    # proc(5): addresses in hexadecimal, little-endian; 0A is LISTEN.
    table = Path("/proc/net/tcp").read_text().splitlines()[1:]
    heard = [line.split()[1] for line in table if line.split()[3] == "0A"]
    assert [one.partition(":")[0] for one in heard if one.endswith(f":{port:04X}")] == ["0100007F"]


def test_a_port_that_somebody_took_meanwhile_is_changed_and_said(person: Person) -> None:
    provision(person, "--no-start")
    before = str(shown(person)["ssh"])
    with socket.create_server(("127.0.0.1", int(before.rpartition(":")[2]))):
        said = person.raptorctl("start", "web").stdout
        after = str(shown(person)["ssh"])
    assert after != before
    assert f"{before} was taken, its ssh is at {after} now" in said
    with socket.create_connection(("127.0.0.1", int(after.rpartition(":")[2])), timeout=10):
        pass


def new_login(person: Person) -> None:
    """End libvirt's session, and all that a login's end takes away."""
    end(person.home)
    shutil.rmtree(person.home / PLACES["XDG_RUNTIME_DIR"] / "libvirt")


def test_it_starts_with_libvirts_session_if_it_is_to(person: Person) -> None:
    provision(person, "--no-start")
    said = person.raptorctl("autostart", "web", "on")
    assert "it starts when libvirt's session begins" in said.stderr
    assert "autostart  with libvirt's session\n" in person.raptorctl("show", "web").stdout
    assert shown(person)["state"] == "shut off"
    new_login(person)
    assert shown(person)["state"] == "running"
    # What the user unit of docs/own-host.md begins and ends with.
    listed = person.raptorctl("list", "-o", "name", "--filter", "state=running").stdout
    assert listed == f"{shown(person)['name']}\n"
    person.raptorctl("autostart", "web", "off")
    new_login(person)
    assert (shown(person)["state"], shown(person)["autostart"]) == ("shut off", False)


def test_the_user_unit_of_the_documents_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "own-host.md").read_text()
    (unit,) = re.findall(r"^```ini\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "raptorctl.service").write_text(
        unit.replace("%h/.local/bin/raptorctl", "/bin/true")
    )
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(tmp_path / "raptorctl.service")],
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_it_grows_while_it_runs_and_while_it_is_off(person: Person) -> None:
    provision(person, "--size", "1G")
    person.raptorctl("resize", "web", "--size", "2G", "-y")
    person.raptorctl("stop", "web", "--timeout", "0", "--force")
    person.raptorctl("resize", "web", "--size", "3G", "--cpus", "2", "-y")
    assert (shown(person)["size"], shown(person)["vcpus"]) == (3 << 30, 2)
    refused = person.raptorctl("resize", "web", "--size", "1G", "-y", check=False)
    assert refused.returncode == 3
    assert "only grows" in refused.stderr


def test_a_start_that_fails_leaves_nothing(person: Person) -> None:
    # The plan cannot know: only QEMU looks for the source of random numbers.
    template = person.code / "code/domain_templates/serial-console.xml"
    text = template.read_text()
    try:
        template.write_text(text.replace("/dev/urandom", "/dev/none-such"))
        failed = person.raptorctl("provision", "web", "--memory", "256M", "-y", check=False)
    finally:
        template.write_text(text)
    assert failed.returncode == 1, failed.stderr
    assert person.files() == set()


def test_emulation_is_used_and_said_where_there_is_no_kvm(person: Person) -> None:
    said = person.raptorctl("provision", "web", "--dry-run").stdout
    cpu = re.search(r"^flags.*\b(vmx|svm)\b", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    if cpu is None:
        assert "note: no KVM (the CPU has neither vmx nor svm" in said
    xml = person.raptorctl("render", "xml", "web").stdout
    assert xml.startswith("<domain type=" + ('"qemu"' if "no KVM" in said else '"kvm"'))


def test_doctor_is_content(person: Person) -> None:
    told = person.raptorctl("doctor", "-o", "json").stdout
    verdicts = {one["check"]: one["verdict"] for one in json.loads(told)["findings"]}
    assert "fail" not in verdicts.values()
    assert {"libvirt", "qemu", "firmware", "qemu-img"} <= verdicts.keys()


@pytest.mark.parametrize("typed", [("tenant", "list"), ("slot", "map"), ("cpu", "map")])
def test_what_only_a_shared_host_has_is_refused_in_a_line(
    person: Person, typed: tuple[str, ...]
) -> None:
    refused = person.raptorctl(*typed, check=False)
    assert refused.returncode == 3
    assert refused.stderr.count("\n") == 1
    assert "this host is your own" in refused.stderr


def test_a_file_over_an_image_is_there_at_once_and_begins_anew(person: Person) -> None:
    image = person.home / "tiny.qcow2"
    person.run("qemu-img", "create", "-q", "-f", "qcow2", str(image), "64M")
    provision(person, "--image", str(image), "--size", "1G", "--no-seed")
    try:
        first = shown(person)
        assert (first["size"], first["state"]) == (1 << 30, "running")
        (over,) = person.data.glob("volumes/*.qcow2")
        told = person.run("qemu-img", "info", "-U", "--output", "json", str(over)).stdout
        kept = json.loads(told)["full-backing-filename"]
        assert Path(kept).is_relative_to(person.data / "images")
        assert (first["backing"], first["seed"]) == (kept, "")

        in_use = person.raptorctl("image", "remove", "tiny", check=False)
        assert (in_use.returncode, Path(kept).exists()) == (3, True)
        person.raptorctl("image", "gc")
        assert Path(kept).exists()

        person.raptorctl("stop", "web", "--timeout", "0", "--force")
        length = Path(kept).stat().st_size
        os.truncate(kept, length - 1)
        for typed in (("start", "web"), ("provision", "web", "-y")):
            refused = person.raptorctl(*typed, check=False)
            assert (refused.returncode, shown(person)["state"]) == (3, "shut off"), refused.stderr
            assert "web is damaged: tiny.qcow2: its file is cut off" in refused.stderr
        os.truncate(kept, length)
        person.raptorctl("rebuild", "web", "-y")
        again = shown(person)
        assert (again["uuid"], again["ssh"], again["state"]) == (
            first["uuid"], first["ssh"], "running",
        )  # fmt: skip
        assert again["volume"] != first["volume"]
    finally:
        person.raptorctl("stop", "web", "--timeout", "0", "--force", check=False)
        person.raptorctl("deprovision", "web", "-y")
        for one in json.loads(person.raptorctl("image", "list", "-o", "json").stdout)["images"]:
            person.raptorctl("image", "remove", one["name"])


def test_it_is_reached_by_its_port_alone(person: Person) -> None:
    provision(person)
    where = str(shown(person)["ssh"])
    told = json.loads(person.raptorctl("ip", "web", "-o", "json").stdout)
    assert told["addresses"][0] == {"address": where, "from": ["forward"]}
    silent = person.raptorctl("wait", "web", "--for", "ssh", "--timeout", "1", check=False)
    assert silent.returncode == 5
    assert where in silent.stderr
    refused = person.raptorctl("wait", "web", "--for", "ip", "--timeout", "1", check=False)
    assert (refused.returncode, "wait for ssh" in refused.stderr) == (3, True)
    assert "FIRMWARE" in person.raptorctl("why", "web").stdout.upper()


def test_the_most_cpus_that_a_plan_takes_libvirt_defines_and_one_more_it_would_not(
    person: Person,
) -> None:
    asked = ("provision", "web", "--memory", "256M", "--no-start")
    refused = person.raptorctl(*asked, "--cpus", "999", "--dry-run", check=False)
    assert refused.returncode == 3
    found = re.search(r"a machine has (\d+) at most", refused.stderr)
    assert found
    person.raptorctl(*asked, "--cpus", found[1], "-y")
    assert shown(person)["vcpus"] == int(found[1])
    xml = person.run("virsh", "-c", "qemu:///session", "dumpxml", f"{shown(person)['name']}").stdout
    (person.home / "more.xml").write_text(
        re.sub(r"(<vcpu[^>]*>)\d+<", rf"\g<1>{int(found[1]) + 1}<", xml)
    )
    more = ("virsh", "-c", "qemu:///session", "define", str(person.home / "more.xml"))
    assert person.run(*more, check=False).returncode != 0


def test_a_home_that_may_not_be_entered_is_told_in_a_line(person: Person) -> None:
    closed = person.home / "closed"
    closed.mkdir(mode=0)
    given = [f"{name}={value}" for name, value in person.environment.items() if name[:4] != "XDG_"]
    given += [f"HOME={closed}"]
    for typed in (["doctor"], ["list"], ["image", "list"], ["provision", "web", "--dry-run"]):
        argv = ("env", "-i", *given, person.python, "-m", "raptorctl", *typed)
        refused = person.run(*argv, check=False)
        (line,) = refused.stderr.splitlines()
        assert (refused.returncode, refused.stdout) == (3, ""), line
        assert f"{closed}/.config/raptorctl cannot be reached: Permission denied" in line
        assert "set HOME to a directory of yours" in line
    closed.rmdir()


def test_keys_that_may_not_be_looked_at_are_told_once(person: Person) -> None:
    folder = person.home / ".ssh"
    folder.mkdir(mode=0)
    try:
        image = person.home / "blank.qcow2"
        person.run("qemu-img", "create", "-q", "-f", "qcow2", str(image), "64M")
        done = person.raptorctl("provision", "web", "--image", str(image), "--dry-run", check=False)
        said = done.stdout + done.stderr
        assert said.count("~/.ssh") == 1, said
        assert "no key of ~/.ssh is taken: it cannot be entered" in said
    finally:
        folder.rmdir()


def test_who_has_no_key_gets_one_for_the_machine_and_it_goes_with_it(person: Person) -> None:
    image = person.home / "blank.qcow2"
    person.run("qemu-img", "create", "-q", "-f", "qcow2", str(image), "64M")
    provision(person, "--image", str(image), "--no-start")
    (key,) = person.data.glob("seeds/*-login-key")
    try:
        assert (key.stat().st_mode & 0o777, key.stat().st_uid) == (0o600, person.data.stat().st_uid)
        public = person.run("ssh-keygen", "-y", "-f", str(key)).stdout.split()[1]
        assert public in person.raptorctl("seed", "show", "web").stdout
        person.raptorctl("rebuild", "web", "--no-start", "-y")
        assert public in person.run("ssh-keygen", "-y", "-f", str(key)).stdout
    finally:
        person.raptorctl("deprovision", "web", "-y")
        for one in json.loads(person.raptorctl("image", "list", "-o", "json").stdout)["images"]:
            person.raptorctl("image", "remove", one["name"])
    assert not key.exists()


def test_its_ports_are_forwarded_and_none_is_taken_twice(person: Person) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = ("provision", "web", "--net", f"user:{port}-80", "--cpus", "1", "-y")
        said = person.raptorctl(*words, check=False)
        assert (said.returncode, f"127.0.0.1:{port} is taken" in said.stderr) == (3, True)
    provision(person, "--net", f"user:{port}-80")
    assert shown(person)["net"] == [f"user:{port}-80"]
    socket.create_connection(("127.0.0.1", port), 5).close()
    again = person.raptorctl("provision", "db", "--net", f"user:{port}-81", check=False)
    assert "-web has it" in again.stderr
    person.raptorctl("stop", "web", "--timeout", "0", "--force")
    with socket.create_server(("127.0.0.1", port)):
        said = person.raptorctl("start", "web", check=False)
    assert (said.returncode, f"forwards 127.0.0.1:{port}, which is taken" in said.stderr) == (
        3,
        True,
    )
    person.raptorctl("start", "web")


def test_a_machine_without_network_runs(person: Person) -> None:
    provision(person, "--net", "none")
    assert (shown(person)["net"], shown(person)["mac"]) == (["none"], None)
    said = person.raptorctl("ssh", "web", check=False)
    assert (said.returncode, "has no network" in said.stderr) == (3, True)


@pytest.fixture
def swtpm(person: Person) -> Iterator[dict[str, str]]:
    """An environment in which libvirt finds a swtpm, as far as it asks before a machine starts."""
    folder = person.home / "bin"
    folder.mkdir(mode=0o755)
    for name in ("swtpm", "swtpm_setup", "swtpm_ioctl"):
        (folder / name).write_text(f"#!/bin/sh\necho '{json.dumps(SWTPM | {'type': name})}'\n")
        (folder / name).chmod(0o755)
    daemons = person.home / "tpm"  # of its own, which know this PATH
    person.run("mkdir", "-p", "-m", "700", f"{daemons}/run")
    path = f"{folder}:{person.environment['PATH']}"
    yield {"PATH": path, "XDG_RUNTIME_DIR": f"{daemons}/run"}
    end(daemons)
    shutil.rmtree(folder)


SWTPM = {"features": ["tpm-1.2", "tpm-2.0"], "version": "0.7.1"}


def test_a_tpm_is_refused_without_swtpm_and_what_one_kept_is_removed_by_libvirt(
    person: Person, swtpm: dict[str, str]
) -> None:
    said = person.raptorctl("provision", "web", "--tpm", "--dry-run", check=False)
    if not shutil.which("swtpm"):
        assert (said.returncode, "finds no swtpm here" in said.stderr) == (3, True)
    kept = person.home / PLACES["XDG_CONFIG_HOME"] / f"libvirt/qemu/swtpm/{UUID}/tpm2"
    person.run("mkdir", "-p", str(kept))
    person.run("touch", str(kept / "tpm2-00.permall"))
    found = person.run("env", *(f"{k}={v}" for k, v in swtpm.items()), person.python, "-c", FORGET)
    assert found.stdout == "True\n"
    assert not kept.exists()
    assert person.run("virsh", "-c", "qemu:///session", "list", "--all", "--name").stdout == "\n"


UUID = "6c7d1a30-1f4e-4c3a-9a51-2f1d6e0c8b77"
FORGET = f"""
from raptorctl.host.domain.session_domains import SessionDomains
domains = SessionDomains("qemu:///session")
domains.forget_tpm("{UUID}")
domains.forget_tpm("{UUID}")
print(domains.emulates_tpm("q35"))
"""
