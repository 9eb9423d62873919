"""What is laid for nginx; tests/integration/test_web_front.py has it served."""

import os
import re
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from raptorctl.errors import HostError
from raptorctl.model.web import Web
from raptorctl.web.front import conf, lay
from raptorctl.web.paint import files

TLS = Web("https://vm.example.org:8443", certificate="/none.pem", key="/none.key")


def test_all_that_pages_ask_for_is_laid_and_nobody_elses_to_read(tmp_path: Path) -> None:
    for _ in range(2):  # a start after the first
        lay(Web("http://127.0.0.1:8443"), tmp_path, os.getgid(), Path("/tmp"))
    static = tmp_path / "static"
    laid = {str(path.relative_to(static)) for path in static.rglob("*") if path.is_file()}
    assert laid == set(files())
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert stat.S_IMODE(path.stat().st_mode) == 0o640
    page = (tmp_path / "outside.html").read_text()
    assert "ssh YOU@HOST raptorctl web" in page
    assert "sudo" not in page


def test_a_certificate_is_copied_with_its_key(tmp_path: Path) -> None:
    (tmp_path / "a.pem").write_text("certificate")
    (tmp_path / "a.key").write_text("secret")
    folder = tmp_path / "laid"
    folder.mkdir()
    web = Web("https://a", certificate=f"{tmp_path}/a.pem", key=f"{tmp_path}/a.key")
    lay(web, folder, os.getgid(), Path("/tmp"))
    assert (folder / "key.pem").read_text() == "secret"
    assert stat.S_IMODE((folder / "key.pem").stat().st_mode) == 0o640


def test_a_certificate_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"cannot have /none\.pem: No such file"):
        lay(TLS, tmp_path, os.getgid(), Path("/tmp"))


def test_without_a_certificate_it_is_on_loopback_alone() -> None:
    text = conf(Web("https://vm.example.org"), Path("/run/x"), Path("/tmp"))
    assert "listen 127.0.0.1:8443;" in text
    assert text.count("listen ") == 1
    assert "ssl" not in text
    with_tls = conf(TLS, Path("/run/x"), Path("/tmp"))
    assert "listen [::]:8443 ipv6only=off ssl;" in with_tls
    assert "set_real_ip_from" not in with_tls  # nobody says for others who they are


def test_metrics_are_for_those_that_are_named_and_for_nobody_by_default() -> None:
    def lines(web: Web) -> list[str]:
        text = conf(web, Path("/run/x"), Path("/tmp"))
        return [line.strip() for line in text.splitlines() if re.search("metrics|allow|deny", line)]

    assert lines(TLS) == []
    named = replace(TLS, scrapers=("192.0.2.5", "2001:DB8:5::/64"))
    allowed = ["allow 192.0.2.5/32;", "allow 2001:db8:5::/64;", "deny all;"]
    assert lines(named) == ["location = /metrics {", *allowed]
