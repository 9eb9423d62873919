"""Root's service for requests over a real socket, asked by real accounts: the kernel says who."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from raptorctl.api.petition_service import PACES, serve
from raptorctl.model.tenant import GROUP, Account, TenantRecord, record_path, record_text
from tests.fakes import World
from tests.integration.session_account import Person, somebody
from tests.unit.api.petitions import Service

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="two accounts besides ours: root makes them"
)

CLIENT = """
import sys
from raptorctl.api import petition_client
from raptorctl.cli.edge import run
petition_client.SOCKET, *typed = sys.argv[1:]
sys.exit(run(["--settings", "/etc/raptorctl-of-a-shared-host.toml", *typed]))
"""
SPEAK = """
import socket, sys
said = bytes.fromhex(sys.argv[2]) * int(sys.argv[3])
with socket.socket(socket.AF_UNIX) as asked:
    asked.connect(sys.argv[1])
    try:
        asked.sendall(said)
        asked.shutdown(socket.SHUT_WR)
    except BrokenPipeError:
        pass
    sys.stdout.buffer.write(asked.makefile("rb").read())
"""
NEW = ("request", "provision", "dev", "--cpus", "2", "--memory", "4G", "--image", "debian:13", "-y")


@dataclass
class Host:
    """A host in memory with a real socket."""

    service: Service
    path: str

    def request(self, who: Person, *typed: str) -> subprocess.CompletedProcess[str]:
        return who.run(who.python, "-c", CLIENT, self.path, *typed, check=False)

    def speak(self, who: Person, said: bytes, times: int) -> list[str]:
        done = who.run(who.python, "-c", SPEAK, self.path, said.hex(), str(times))
        return done.stdout.splitlines()

    def machines(self) -> list[str]:
        return [domain.name for domain in self.service.world.domains.list()]


@pytest.fixture(scope="module")
def people() -> Iterator[tuple[Person, Person]]:
    with somebody() as alice, somebody() as bob:
        yield alice, bob


@pytest.fixture
def host(people: tuple[Person, Person], tmp_path: Path) -> Iterator[Host]:
    world = World()
    for person in people:
        uid = int(person.run("id", "-u").stdout)
        world.accounts.create(Account(person.login, uid, uid, groups=frozenset({GROUP})))
        record = TenantRecord(person.login, uid, False, "j0", "2026-11-19T08:00:00Z", "carol")
        world.files.write(record_path(person.login), record_text(record), 0o644)
    service = Service(world, tmp_path)
    with TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as server:
        Path(folder).chmod(0o755)
        server.bind(path := f"{folder}/request.sock")
        Path(path).chmod(0o666)
        server.listen()
        thread = threading.Thread(target=take, args=(server, service))
        thread.start()
        yield Host(service, path)
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def take(server: socket.socket, service: Service) -> None:
    """Serve one after the other, until the socket is shut."""
    with suppress(OSError):
        while True:
            client, _ = server.accept()
            with client:
                serve(client, service._session, service.folder / "paces")


def test_a_tenant_gets_a_machine_and_another_cannot_reach_it(
    host: Host, people: tuple[Person, Person]
) -> None:
    alice, bob = people
    done = host.request(alice, *NEW, "--size", "20G")
    assert (done.returncode, host.machines()) == (0, [f"{alice.login}-dev"])
    assert done.stdout.startswith(f"machine {alice.login}-dev: 20G")
    assert "1/10 done: create volume" in done.stderr
    (job,) = host.service.admin.journals.jobs()
    assert job.by == alice.login
    for machine in ("dev", f"{alice.login}-dev"):
        host.request(bob, "request", "deprovision", machine, "--force", "-y")
    assert host.machines() == [f"{alice.login}-dev"]


def test_what_waits_is_seen_by_its_tenant_alone(host: Host, people: tuple[Person, Person]) -> None:
    alice, bob = people
    asked = host.request(alice, *NEW, "--size", "80G")
    one = asked.stdout.split()[1]
    assert "waits for an admin: 80G of disk is more than 40G" in asked.stdout
    assert host.machines() == []
    assert one in host.request(alice, "request", "list").stdout
    assert host.request(bob, "request", "list").stdout == "there are no requests\n"
    foreign = host.request(bob, "request", "show", one)
    assert (foreign.returncode, foreign.stderr) == (
        3,
        f"raptorctl: there is no request {one}: see `raptorctl request list`\n",
    )
    assert host.request(bob, "request", "approve", one, "-y").returncode == 3
    assert host.request(alice, "request", "approve", one, "-y").returncode == 3
    assert host.request(alice, "request", "withdraw", one).returncode == 0


def test_files_are_read_as_the_tenant(host: Host, people: tuple[Person, Person]) -> None:
    alice, _ = people
    done = host.request(alice, *NEW, "--size", "20G", "--user-data", "/etc/shadow")
    assert done.returncode == 2
    assert "Permission denied" in done.stderr
    assert host.machines() == []


FOREIGN = json.dumps({"verb": "deprovision", "machine": "dev", "tenant": "bob"}).encode()


@pytest.mark.parametrize(
    ("said", "times"),
    [
        (b"", 1),
        (b"\0", 1000),
        (b"junk\n", 1),
        (b"{}\n", 2),
        (b"[", 100_000),
        (b"x", 600_000),
        (FOREIGN + b"\n", 1),
    ],
)
def test_junk_is_one_line_and_the_next_is_served(
    host: Host, people: tuple[Person, Person], said: bytes, times: int
) -> None:
    alice, bob = people
    (line,) = host.speak(alice, said, times)
    assert json.loads(line)["error"]["exit"] == 2
    assert host.request(bob, "request", "list").returncode == 0


def test_an_account_that_is_no_tenant_gets_nothing(
    host: Host, people: tuple[Person, Person]
) -> None:
    alice, _ = people
    host.service.world.accounts.by_name.pop(alice.login)
    done = host.request(alice, *NEW, "--size", "20G")
    assert (done.returncode, host.machines()) == (3, [])
    assert "is no tenant of raptorctl's on this host" in done.stderr


def test_the_program_of_the_unit_answers_who_connected(people: tuple[Person, Person]) -> None:
    """As systemd starts it: the connection is its standard input, and nothing is its arguments."""
    alice, _ = people
    with TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as server:
        Path(folder).chmod(0o755)
        server.bind(path := f"{folder}/request.sock")
        Path(path).chmod(0o666)
        server.listen()
        for who, complaint in ((alice.who, "cannot be asked for"), ({}, "are for tenants")):
            words = [alice.python, "-c", SPEAK, path, b"{}\n".hex(), "1"]
            asking = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, **who)
            client, _ = server.accept()
            with client:
                argv = [sys.executable, "-I", "-m", "raptorctl.cli.request_service"]
                done = subprocess.run(
                    argv, stdin=client.fileno(), capture_output=True, check=False, timeout=60
                )
            said, _ = asking.communicate()
            assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
            assert complaint in json.loads(said)["error"]["message"]
    (PACES / f"asked-{alice.run('id', '-u').stdout.strip()}").unlink()
