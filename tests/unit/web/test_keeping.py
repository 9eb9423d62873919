"""What is kept: snapshots, machines that were removed, days on which one expires, steps' logs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from raptorctl.model.stamp import stamp
from tests.fakes import World
from tests.unit.web.test_pages import HOSTILE, ended
from tests.web import Browser


def agreed(text: str) -> dict[str, str]:
    """All that a plan's form sends back, but for what a person types."""
    form, fields = text.rpartition('class="fields"')[2], {}
    for piece in form.split('<input type="hidden" name="')[1:]:
        name, _, rest = piece.partition('" value="')
        fields[name] = rest.partition('"')[0]
    assert "agreed" in fields, text
    return fields


def done(browser: Browser, path: str, form: dict[str, str], typed: str = "") -> str:
    """Have a plan shown, agree to it, and wait for its end."""
    fields = {**agreed(browser.post(path, form).text), **({"name": typed} if typed else {})}
    answer = browser.post(path, fields)
    assert answer.status == 303, answer.text
    return ended(browser, answer.headers["location"])


def snapshots(world: World) -> list[str]:
    return [v.name for v in world.volumes.list() if v.name.startswith("snap-")]


def test_a_snapshot_is_taken_put_back_and_deleted(browser: Browser, world: World) -> None:
    change = "/m/alice-dev/change"
    assert "state ok" in done(browser, f"{change}/snapshot-create", {"snapshot": "before"})
    assert snapshots(world) == ["snap-alice-dev.before"]
    page = browser.get("/m/alice-dev").text
    assert 'aria-label="Restore before"' in page
    on = browser.post(f"{change}/snapshot-restore", {"snapshot": "before"})
    assert (on.status, "its disk cannot change under it" in on.text) == (409, True)
    browser.post("/m/alice-dev/power/destroy")
    shown = browser.post(f"{change}/snapshot-restore", {"snapshot": "before"})
    assert "Lost for good" in shown.text
    assert "state ok" in done(browser, f"{change}/snapshot-restore", {"snapshot": "before"})
    form = {"snapshot": "before"}
    for typed in ("", "alice-dev", "after"):
        fields = agreed(browser.post(f"{change}/snapshot-delete", form).text)
        answer = browser.post(f"{change}/snapshot-delete", {**fields, "name": typed})
        assert answer.status == 400
        assert snapshots(world)
    assert "nothing of snapshot before" in done(
        browser, f"{change}/snapshot-delete", form, typed="before"
    )
    assert not snapshots(world)


def test_a_snapshot_without_a_name_is_called_as_its_plan_said(
    browser: Browser, world: World
) -> None:
    """The plan is made anew when it is agreed to, maybe an hour later."""
    path = "/m/alice-dev/change/snapshot-create"
    fields = agreed(browser.post(path).text)
    earlier = datetime.now(UTC) - timedelta(hours=1)
    name = f"at-{earlier:%Y%m%d-%H%M%S}"
    fields["at"] = stamp(earlier)
    fields["agreed"] = agreed(browser.post(path, {"snapshot": name}).text)["agreed"]
    assert "state ok" in ended(browser, browser.post(path, fields).headers["location"])
    assert snapshots(world) == [f"snap-alice-dev.{name}"]


@pytest.mark.parametrize("at", ["", "nonsense", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00",
                                "9999-12-31T00:00:00Z"])  # fmt: skip
def test_a_plan_of_another_day_is_not_carried_out(browser: Browser, world: World, at: str) -> None:
    path = "/m/alice-dev/change/snapshot-create"
    fields = {**agreed(browser.post(path).text), "at": at}
    text = ended(browser, browser.post(path, fields).headers["location"])
    assert "the plan is of another day" in text
    assert not snapshots(world)


def test_a_machine_that_is_kept_can_come_back(browser: Browser, world: World) -> None:
    text = done(browser, "/m/alice-dev/change/deprovision", {"force": "on", "keep": "7d"})
    assert "its disks are kept until" in text
    assert [domain.name for domain in world.domains.list()] == ["bob-web"]
    assert 'aria-label="Undelete alice-dev"' in browser.get("/room").text
    assert "is back on slot" in done(browser, "/m/alice-dev/change/undelete", {})
    assert {domain.name for domain in world.domains.list()} == {"alice-dev", "bob-web"}


def test_a_machine_expires_on_another_day(browser: Browser) -> None:
    path = "/m/alice-dev/change/extend"
    assert "expires on 2999-01-31" in done(browser, path, {"day": "2999-01-31"})
    assert "2999-01-31" in browser.get("/m/alice-dev").text
    assert "is not a day" in browser.post(path, {"day": "soon"}).text


@pytest.mark.parametrize(
    ("verb", "form", "said"),
    [
        ("snapshot-create", {"snapshot": HOSTILE}, "a snapshot&#39;s name"),
        ("snapshot-create", {"room": "2 pounds"}, "is not a size"),
        ("snapshot-restore", {"snapshot": "none"}, "has no snapshot none"),
        ("snapshot-delete", {}, "a snapshot&#39;s name"),
        ("deprovision", {"keep": "for ever"}, "is not a time span"),
        ("undelete", {}, "That did not work"),
        ("extend", {}, "is not a day"),
    ],
)
def test_nonsense_is_refused_in_words(
    browser: Browser, verb: str, form: dict[str, str], said: str
) -> None:
    answer = browser.post(f"/m/alice-dev/change/{verb}", form)
    assert answer.status in {400, 404, 409}
    assert said in answer.text
    assert "<script>" not in answer.text


def test_what_needs_no_form_has_none(browser: Browser) -> None:
    for verb in ("undelete", "snapshot-restore", "snapshot-delete"):
        assert browser.get(f"/m/alice-dev/change/{verb}").status == 404


def test_steps_of_a_guest_are_told_and_act_on_nothing(browser: Browser, tmp_path: Path) -> None:
    assert "What steps in its guest said" not in browser.get("/m/alice-dev").text
    assert browser.get("/m/alice-dev/steps").status == 404
    folder = tmp_path / "log/steps"
    folder.mkdir()
    (folder / "alice-dev.log").write_text(f"1/1 run setup.sh\n{HOSTILE}\n")
    assert 'href="/m/alice-dev/steps"' in browser.get("/m/alice-dev").text
    text = browser.get("/m/alice-dev/steps").text
    assert "1/1 run setup.sh" in text
    assert "<script>alert" not in text
    assert "\x1b" not in text
