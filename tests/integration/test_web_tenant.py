"""A tenant's page in a browser: nginx before the tenants' agents, on a host in memory."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from raptorctl.api import change, machine
from raptorctl.api.caller import Caller
from raptorctl.api.web import About
from raptorctl.model.names import MachineName
from raptorctl.model.tenant import Quota
from tests.chromium import chromium, complaints, looks, text, until
from tests.integration.tenant_page import MACHINES, Page, tenant_page
from tests.unit.api.session import InMemory

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="other accounts' sockets are root's")

LONG = MachineName("alice", "as-long-a-name-as-any-machine-has-of-all")
KEY = "SHA256:" + "k" * 43


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    made = Path(tempfile.mkdtemp(prefix="page", dir="/tmp"))  # short, as sockets lie there
    made.chmod(0o711)
    machines = {**MACHINES, LONG: "4-4"}
    with tenant_page(made, machines, About(Quota(machines=3, cpus=2))) as running:
        yield running
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture
def alice(chrome: Chrome, page: Page) -> Chrome:
    """A browser in which alice alone is logged in, by a link."""
    return entered(chrome, page, "alice")


def entered(chrome: Chrome, page: Page, who: str) -> Chrome:
    looks(chrome, 1280, dark=False)
    chrome.get("about:blank")
    chrome.execute_cdp_cmd("Network.clearBrowserCookies", {})
    complaints(chrome)
    chrome.get(page.agents[who].link(who))
    until(chrome, lambda b: "Machines" in text(b))
    assert chrome.current_url == f"http://127.0.0.1:{page.port}/"
    return chrome


def rows(driver: Chrome) -> str:
    """What the terminal shows."""
    return str(driver.execute_script("return document.querySelector('.xterm-rows').innerText"))


LINKS = """
const found = [...document.querySelectorAll('a[href], form[action]')];
return found.map(one => one.getAttribute('href') || one.getAttribute('action'));
"""


def links(driver: Chrome) -> set[str]:
    """Where the page leads, on this host; at one moment, as pages change by themselves."""
    return set(driver.execute_script(LINKS))


def test_what_is_theirs_is_there_and_nothing_of_others(alice: Chrome, page: Page) -> None:
    until(alice, lambda b: "2 of 3" in text(b))  # htmx fetched the quota
    assert {path for path in links(alice) if path.startswith("/m/")} == {
        "/m/alice-dev", f"/m/{LONG.domain}",
    }  # fmt: skip
    assert not {"/new", "/jobs", "/doctor", "/audit", "/room"} & links(alice)
    assert "bob" not in alice.page_source
    heads = [one.text for one in alice.find_elements(By.CSS_SELECTOR, "#machines th")]
    assert heads == ["Tenant", "Machine", "State", "Slot"]  # volumes are root's to see
    bob = entered(alice, page, "bob")
    assert {path for path in links(bob) if path.startswith("/m/")} == {"/m/bob-web"}
    assert "alice" not in bob.page_source


def test_of_a_machine_of_others_a_page_says_as_much_as_of_none(alice: Chrome, page: Page) -> None:
    told = []
    for name in ("bob-web", "bob-none"):
        alice.get(f"http://127.0.0.1:{page.port}/m/{name}")
        told.append(text(alice).replace(name, "NAME"))
    assert told[0] == told[1]
    assert "no such machine" in told[0]


def test_a_machine_is_driven_and_its_console_typed_at(alice: Chrome) -> None:
    alice.find_element(By.LINK_TEXT, "dev").click()
    until(alice, lambda b: "running" in text(b))
    assert not [path for path in links(alice) if "/change/" in path]  # an admin's
    alice.find_element(By.LINK_TEXT, "Console").click()
    until(alice, lambda b: "login:" in rows(b))
    alice.find_element(By.CSS_SELECTOR, "#terminal textarea").send_keys("alice")
    until(alice, lambda b: "login: alice" in rows(b).replace("\xa0", " "))
    assert complaints(alice) == []


def test_what_becomes_of_a_machine_is_seen_at_once(alice: Chrome, page: Page) -> None:
    alice.find_element(By.LINK_TEXT, "dev").click()
    until(alice, lambda b: "running" in text(b))
    (uuid,) = [one.uuid for one in page.world.domains.list() if one.name == "alice-dev"]
    page.world.domains.went_off(uuid)
    until(alice, lambda b: b.find_element(By.ID, "button-start")).click()
    until(alice, lambda b: b.find_element(By.ID, "to-console"))
    assert complaints(alice) == []


PLACES = {
    "/": "Quota", "/me": "Quota", "/m/{}": "no DHCP request", "/m/{}/boot": "no DHCP request",
    "/m/{}/log": "cannot read console logs", "/m/{}/console": "login:", "/m/bob-web": "no such machine",
}  # fmt: skip
"""What the last part to come of each of them says."""


WIDE = """
const parts = [document.documentElement, ...document.querySelectorAll('section')];
return parts.filter(one => one.scrollWidth > one.clientWidth).map(one => one.id || one.tagName);
"""
"""What holds more than it is wide."""


@pytest.mark.parametrize("width", [320, 360, 1280])
@pytest.mark.parametrize("place", PLACES)
def test_nothing_is_wider_than_the_screen(
    alice: Chrome, page: Page, place: str, width: int
) -> None:
    looks(alice, width, dark=width < 1280)
    alice.get(f"http://127.0.0.1:{page.port}{place.format(LONG.domain)}")
    until(alice, lambda b: b.execute_script("return document.readyState") == "complete")
    until(alice, lambda b: PLACES[place] in text(b))
    assert alice.execute_script(WIDE) == []


def lost(driver: Chrome) -> str:
    """What a page says of its connection."""
    return str(driver.find_element(By.ID, "lost").text)


def login(driver: Chrome) -> str:
    """Whose a page is, also on a small screen."""
    return str(driver.find_element(By.CSS_SELECTOR, "nav button").get_attribute("textContent"))


def tab(driver: Chrome, address: str) -> str:
    """Open another one, and wait until it is connected."""
    driver.switch_to.new_window("tab")
    driver.get(address)
    until(driver, lambda b: b.find_elements(By.ID, "state") or "login:" in rows(b))
    return str(driver.current_window_handle)


def test_tabs_say_what_became_of_them_while_the_host_was_away(
    chrome: Chrome,
) -> None:
    """A machine has gone, then another login has come, then that goes with the agent that knew it."""
    folder = Path(tempfile.mkdtemp(prefix="away", dir="/tmp"))  # short, as sockets lie there
    folder.chmod(0o711)
    try:
        with tenant_page(folder, {**MACHINES, LONG: "4-4"}) as page:
            told_what_became_of_them(chrome, page, folder)
    finally:
        shutil.rmtree(folder)


def told_what_became_of_them(chrome: Chrome, page: Page, folder: Path) -> None:
    entered(chrome, page, "alice")
    here = f"http://127.0.0.1:{page.port}/m/"
    host = chrome.current_window_handle
    console = tab(chrome, f"{here}alice-dev/console")
    tab(chrome, f"{here}{LONG.domain}")
    with page.away():
        until(chrome, lambda b: "Trying again" in lost(b))
        admin = InMemory(caller=Caller("carol", root=True))
        admin.put(page.world, folder)
        change.carry_out(admin, machine.deprovision(LONG, 0.0))
    until(chrome, lambda b: lost(b) == "What this page shows is not there any more.")
    chrome.switch_to.window(console)
    until(chrome, lambda b: "Connected" in text(b))
    chrome.switch_to.new_window("tab")
    chrome.get(page.agents["bob"].link("bob"))
    until(chrome, lambda b: login(b) == "Log out bob")
    with page.away():
        chrome.switch_to.window(host)
        until(chrome, lambda b: "Trying again" in lost(b))
        assert login(chrome) == "Log out alice"
    until(chrome, lambda b: login(b) == "Log out bob")  # and not bob's machines as of alice
    assert {path for path in links(chrome) if path.startswith("/m/")} == {"/m/bob-web"}
    chrome.switch_to.window(console)
    until(chrome, lambda b: "no such machine" in text(b))
    chrome.get(f"{here}bob-web/console")
    until(chrome, lambda b: "login:" in rows(b))
    with page.away():
        page.agents["bob"].end()
    for each in (console, host):
        chrome.switch_to.window(each)
        until(chrome, lambda b: "You are not logged in" in text(b))
