import socket
import subprocess
from pathlib import Path

import pytest

from raptorctl.engine import audit
from raptorctl.engine.audit import AuditLog
from raptorctl.errors import HostError
from raptorctl.host.system import journald
from raptorctl.host.system.durable import append_line
from raptorctl.model.audit import AuditEntry

ENTRY = AuditEntry("2026-11-20T20:40:01Z", "j", "deprovision", "alice-dev", "carol", "done",
                   ({"size": 4096},))  # fmt: skip


def test_what_is_appended_is_read_and_damage_is_numbered(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl")
    assert log.read() == ((), ())
    log.append(ENTRY)
    append_line(log.path, "{torn")
    log.append(ENTRY)
    assert log.read() == ((ENTRY, ENTRY), (2,))


def appendable_only(path: Path) -> bool:
    told = subprocess.run(["lsattr", path], capture_output=True, text=True, check=False).stdout
    return "a" in told.partition(" ")[0]


def test_the_kernel_keeps_a_sealed_log_from_being_changed(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    append_line(path, "first", keep=True)
    try:
        if not appendable_only(path):
            pytest.skip("this filesystem, or this account, cannot")
        with pytest.raises(PermissionError):
            path.write_text("nothing happened")
        with pytest.raises(PermissionError):
            path.unlink()
        append_line(path, "second", keep=True)
        assert path.read_text() == "first\nsecond\n"
    finally:
        subprocess.run(["chattr", "-a", path], check=False)


def test_journald_hears_of_every_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address, send = str(tmp_path / "socket"), journald.send
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        monkeypatch.setattr(journald, "send", lambda what, fields: send(what, fields, address))
        monkeypatch.setattr(audit, "append_line", lambda path, line, keep: None)
        AuditLog(tmp_path / "audit.jsonl", official=True).append(ENTRY)
        said = listener.recv(65536).decode().splitlines()
    assert "MESSAGE=deprovision alice-dev: done" in said
    assert {"RAPTOR_JOB=j", "RAPTOR_MACHINE=alice-dev", "RAPTOR_BY=carol", "RAPTOR_WIPED=4096"} <= {
        *said
    }


def test_journald_hears_of_a_line_that_the_log_cannot_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    monkeypatch.setattr(journald, "send", lambda what, _fields: heard.append(what))
    with pytest.raises(HostError, match=r"job j is done, but .* does not say so"):
        AuditLog(tmp_path, official=True).append(ENTRY)
    assert heard == ["deprovision alice-dev: done"]


def test_a_value_of_several_lines_cannot_pretend_to_be_a_field(tmp_path: Path) -> None:
    address = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        journald.send("x", {"RAPTOR_BY": "a\nMESSAGE=forged"}, address)
        datagram = listener.recv(65536)
    assert b"RAPTOR_BY\n" + (16).to_bytes(8, "little") + b"a\nMESSAGE=forged\n" in datagram


def test_a_host_without_a_journal_is_no_trouble(tmp_path: Path) -> None:
    journald.send("x", {}, str(tmp_path / "none"))
