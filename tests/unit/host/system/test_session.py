"""What a host of one's own looks like from below."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from raptorctl.api.image import source_of
from raptorctl.api.session import Session
from raptorctl.errors import HostError
from raptorctl.host.survey.survey import survey
from raptorctl.host.system import session as own
from raptorctl.model.domain import Domain, Mark
from raptorctl.model.net import Forward
from raptorctl.model.session_host import places, session_settings
from raptorctl.model.settings_file import DEFAULT_FILE
from tests.fakes import World
from tests.unit.model.test_catalogue import WEB
from tests.unit.model.test_ssh_key import GOOD, rsa


def cpuinfo(folder: Path, flags: str) -> Path:
    path = folder / "cpuinfo"
    path.write_text(f"processor\t: 0\nflags\t\t: fpu {flags}\n")
    return path


def test_a_device_without_a_cpu_that_can_do_it_is_no_kvm(tmp_path: Path) -> None:
    device = tmp_path / "kvm"
    device.touch()
    assert "neither vmx nor svm" in own.kvm_obstacle(cpuinfo(tmp_path, "sse"), device)
    assert own.kvm_obstacle(cpuinfo(tmp_path, "vmx"), device) == ""


def test_the_keys_that_ssh_tries_are_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert own.owner_keys() == ()
    folder = tmp_path / ".ssh"
    folder.mkdir()
    (folder / "id_rsa.pub").write_text("what is no key")
    (folder / "deploy.pub").write_text(GOOD.replace("laptop", "elsewhere"))
    (folder / "id_ed25519.pub").write_text(f"{GOOD}\n")
    assert own.owner_keys() == (GOOD,)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"what is no key\n", "line 1 is not a public key"),
        (GOOD.replace("laptop", "Zo\xeb").encode("latin-1"), "it is not UTF-8 text"),
        (f"{rsa(2048)} me\n".encode(), "line 1 is an RSA key of 2048 bits; 3072 are needed"),
        (GOOD.encode("utf-16"), "it is UTF-16, as Windows writes it: iconv -f UTF-16 "),
        (b"", "there is no key in it"),
    ],
)
def test_a_key_of_ones_own_that_is_not_taken_is_told_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, why: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert own.refused_keys() == ()
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/id_ed25519.pub").write_text(f"{GOOD}\n")
    (tmp_path / ".ssh/id_rsa.pub").write_bytes(content)
    (told,) = own.refused_keys()
    assert told.startswith(f"~/.ssh/id_rsa.pub is not taken: {why}")
    assert own.owner_keys() == (GOOD,)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (os.mkfifo, "it is no file"),
        (Path.mkdir, "it is no file"),
        (lambda path: path.symlink_to("nowhere"), "it is a link to nothing"),
    ],
)
def test_what_is_no_file_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None], why: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    make(tmp_path / ".ssh/id_rsa.pub")
    assert own.refused_keys() == (f"~/.ssh/id_rsa.pub is not taken: {why}",)
    assert own.owner_keys() == ()


def test_a_missing_device_is_named(tmp_path: Path) -> None:
    assert "there is no" in own.kvm_obstacle(cpuinfo(tmp_path, "svm"), tmp_path / "kvm")


def test_a_device_that_is_not_ours_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = tmp_path / "kvm"
    device.touch()
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "join its group" in own.kvm_obstacle(cpuinfo(tmp_path, "svm"), device)


def test_a_port_that_somebody_listens_at_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(own, "PORTS", range(port, port + 1))
        assert own.free_ports(()) == ()
    assert own.free_ports(()) == (port,)


def test_a_port_of_a_machine_that_is_off_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    mark = Mark("alice", "web", 0, "j", "c", "b", "t", ssh=f"127.0.0.1:{port}")
    monkeypatch.setattr(own, "PORTS", range(port, port + 1))
    assert own.free_ports([Domain("u", "alice-web", mark=mark)]) == ()


def test_every_port_that_is_taken_is_told_with_who_has_it() -> None:
    mark = Mark("alice", "web", 0, "j", "c", "b", "t", ssh="127.0.0.1:2201")
    off = Domain("u", "alice-web", mark=mark, forwards=(Forward(8080, 80),))
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("", 0)) as wide:
        used = own.used_ports([off])
        listening = {one.getsockname()[1] for one in (taken, wide)}
    assert (used[2201], used[8080]) == ("alice-web has it", "alice-web has it")
    assert {used[port] for port in listening} == {"a program listens there"}
    assert not listening & own.used_ports([]).keys()


def test_a_port_that_a_machine_forwards_is_given_to_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(own, "PORTS", range(2201, 2202))
    monkeypatch.setattr(own, "is_free", lambda _port: True)
    assert own.free_ports([Domain("u", "alice-web", forwards=(Forward(2201, 80),))]) == ()


@pytest.mark.parametrize(
    ("uid", "file", "there", "answer"),
    [
        (1000, DEFAULT_FILE, FileNotFoundError, True),
        (0, DEFAULT_FILE, FileNotFoundError, False),
        (1000, "/srv/other.toml", FileNotFoundError, False),
        (1000, DEFAULT_FILE, None, False),
        (1000, DEFAULT_FILE, PermissionError, False),
    ],
)
def test_a_host_is_ones_own_without_root_and_without_settings(
    monkeypatch: pytest.MonkeyPatch,
    uid: int,
    file: str,
    there: type[OSError] | None,
    answer: bool,
) -> None:
    def look(_: Path) -> None:
        if there:
            raise there

    monkeypatch.setattr(os, "geteuid", lambda: uid)
    monkeypatch.setattr(Path, "lstat", look)
    assert own.is_session_host(Path(file)) is answer


def test_directories_are_made_for_their_owner_alone(tmp_path: Path) -> None:
    found = places({}, str(tmp_path))
    settings = session_settings(found, "alice", ("/code", "/vars"))
    own.make_directories(settings)
    own.make_directories(settings)
    assert {Path(path).stat().st_mode & 0o777 for path in found.directories} == {0o700}


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / ".local").write_text("a file")
    settings = session_settings(places({}, str(tmp_path)), "alice", ("/code", "/vars"))
    with pytest.raises(HostError, match=r"cannot make .*/volumes"):
        own.make_directories(settings)


def test_what_a_person_set_lies_over_what_follows_from_their_home(tmp_path: Path) -> None:
    found = places({}, str(tmp_path))
    assert own.read_session_settings(found).libvirt.shutdown_timeout == 60
    Path(found.config).mkdir(parents=True)
    Path(found.settings).write_text("libvirt.shutdown_timeout = 5\n")
    settings = own.read_session_settings(found)
    assert (settings.libvirt.shutdown_timeout, settings.libvirt.uri) == (5, "qemu:///session")


def test_a_session_hosts_templates_catalogue_and_profiles_are_its_persons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    session, folder = Session(), tmp_path / "raptorctl"
    monkeypatch.setattr(Session, "on_session_host", True)
    assert session.config == folder
    (folder / "domain_templates").mkdir(parents=True)
    (folder / "domain_templates/mine.xml").write_text("<mine/>")
    (folder / "catalogue.toml").write_text(WEB)
    assert survey(World().host(), session.settings).templates["mine"] == "<mine/>"
    assert source_of(session, "web:13").text.startswith("https://example.org/")
