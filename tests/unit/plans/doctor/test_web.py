"""Doctor on the page for tenants: each thing that is wrong with it is told."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from raptorctl.host.access import web_parts as seen_by
from raptorctl.host.system import unit
from raptorctl.model.part import Part
from raptorctl.model.probe import Probe, Trouble, Verdict, WebSeen
from raptorctl.model.web import Web
from raptorctl.plans.doctor.web import web
from tests.fakes import settings

SETTINGS = replace(settings(), web=Web("https://vm.example.org", 8443, "/a.pem", "/a.key"))


def findings(seen: WebSeen | None, trouble: Trouble | None = None) -> list[tuple[Verdict, str]]:
    troubles = {Part.WEB: trouble} if trouble else {}
    probe = Probe("/etc/raptorctl/settings.toml", web=seen, troubles=troubles)  # type: ignore[arg-type]
    return [(found.verdict, found.what) for found in web(probe, SETTINGS)]


def test_a_page_that_is_whole_is_one_line_and_none_is_no_line() -> None:
    assert findings(WebSeen()) == [(Verdict.OK, "tenants' pages are at https://vm.example.org")]
    assert findings(None) == []


WRONG: dict[str, tuple[WebSeen, Verdict, str]] = {
    "parts": (WebSeen(lacking=("nginx", "jinja2")), Verdict.WARN, "not installed: nginx, jinja2"),
    "units": (
        WebSeen(silent=("raptorctl-web.socket",)),
        Verdict.WARN,
        "web.socket does not listen",
    ),
    "sockets": (WebSeen(exposed=("/run/x",)), Verdict.FAIL, "/run/x is not for the front end"),
    "certificate": (WebSeen(certificate="expires"), Verdict.WARN, "/a.pem expires"),
    "metrics": (WebSeen(metrics="is 2 hours old"), Verdict.WARN, "raptorctl.prom is 2 hours old"),
}


@pytest.mark.parametrize(("seen", "verdict", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told(seen: WebSeen, verdict: Verdict, words: str) -> None:
    ((found, what),) = findings(seen)
    assert (found, words in what) == (verdict, True), what


def test_what_could_not_be_looked_at_is_trouble_and_no_ok() -> None:
    told = findings(None, Trouble("systemd does not answer"))
    assert told == [(Verdict.FAIL, "systemd does not answer")]


def test_directories_that_are_not_there_or_not_kept_are_seen(tmp_path: Path) -> None:
    assert not seen_by._is_kept(str(tmp_path / "none"), 0o700)
    tmp_path.chmod(0o755)
    assert not seen_by._is_kept(str(tmp_path), 0o700)


def test_a_certificate_without_its_key_is_seen(tmp_path: Path) -> None:
    (tmp_path / "a.pem").write_text("nothing")
    pair = Web("https://a", 8443, str(tmp_path / "a.pem"), str(tmp_path / "a.key"))
    assert "cannot be used with its key" in seen_by._certificate(pair)


def test_metrics_that_are_missing_or_old_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "raptorctl.prom"
    assert seen_by._metrics(path) == "cannot be read: No such file or directory"
    path.write_text("")
    assert seen_by._metrics(path) == ""
    os.utime(path, (0, time.time() - 7300))
    assert seen_by._metrics(path) == "is 2 hours old"


@pytest.mark.parametrize(("scrapers", "said"), [((), ""), (("192.0.2.5",), "cannot be read")])
def test_metrics_are_looked_at_where_somebody_may_read_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scrapers: tuple[str, ...], said: str
) -> None:
    monkeypatch.setattr(seen_by, "TEXTFILES", str(tmp_path))
    monkeypatch.setattr(unit, "running", lambda *names: names)
    assert seen_by.look(Web("https://a", scrapers=scrapers)).metrics.partition(":")[0] == said
