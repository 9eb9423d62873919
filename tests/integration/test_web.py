"""The page in a browser, on a session host: real libvirt, real QEMU, its firmware's shell."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from tests.chromium import chromium, complaints, text, until
from tests.integration.session_account import Person, somebody

NEEDED = ("starlette", "uvicorn", "websockets", "jinja2")


@pytest.fixture(scope="module")
def person() -> Iterator[Person]:
    if Path("/etc/raptorctl/settings.toml").exists():
        pytest.fail("this is a shared host: nobody's own")
    with somebody(NEEDED) as found:
        try:
            yield found
        finally:
            for name in ("dev", "made", "seen"):
                found.raptorctl("stop", name, "--timeout", "0", "--force", check=False)
                found.raptorctl("deprovision", name, "-y", check=False)


@pytest.fixture(scope="module")
def machine(person: Person) -> str:
    person.raptorctl("provision", "dev", "--memory", "256M", "--cpus", "1", "-y")
    return f"{person.login}-dev"


@contextmanager
def opened(person: Person, *more: str) -> Iterator[str]:
    """Open the page; gives the link that it prints."""
    argv = [person.python, "-m", "raptorctl", "web", *more]
    server = subprocess.Popen(
        argv, cwd=person.home, env=person.environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **person.who,
    )  # fmt: skip
    assert server.stdout
    try:
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        _, told = server.communicate(timeout=60)
    assert "Traceback" not in told


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture
def browser(chrome: Chrome) -> Chrome:
    """A browser without logins and complaints of the test before."""
    chrome.get("about:blank")
    chrome.execute_cdp_cmd("Network.clearBrowserCookies", {})
    complaints(chrome)
    return chrome


def rows(driver: Chrome) -> str:
    """What the terminal shows."""
    return str(driver.execute_script("return document.querySelector('.xterm-rows').innerText"))


def test_a_person_logs_in_by_a_link_and_types_at_a_console(
    person: Person, machine: str, browser: Chrome, tmp_path: Path
) -> None:
    with opened(person, "--port", "18440") as link:
        browser.get(link)
        until(browser, lambda b: "Machines" in text(b))
        assert browser.current_url == "http://127.0.0.1:18440/"
        (cookie,) = browser.get_cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")

        browser.find_element(By.LINK_TEXT, "dev").click()
        until(browser, lambda b: "running" in text(b))
        until(browser, lambda b: "running for" in text(b))  # htmx fetched it
        browser.find_element(By.LINK_TEXT, "Console").click()
        until(browser, lambda b: "Shell>" in rows(b))
        terminal = browser.find_element(By.CSS_SELECTOR, "#terminal textarea")
        terminal.send_keys("echo o-n-e t-w-o\n")
        until(browser, lambda b: rows(b).replace("\xa0", " ").count("o-n-e t-w-o") == 2)
        assert complaints(browser) == []
        assert_second_browser_is_told_and_takes_over(person, machine, browser, tmp_path)

    # The server has ended under the open console: it says so, and another one knows no login.
    until(browser, lambda b: "trying again" in text(b))
    with opened(person, "--port", "18440"):
        until(browser, lambda b: "You are not logged in" in text(b))


def assert_second_browser_is_told_and_takes_over(
    person: Person, machine: str, browser: Chrome, profile: Path
) -> None:
    link = person.raptorctl("web").stdout.strip()
    with chromium(profile) as other:
        other.get(link)
        until(other, lambda b: "Machines" in text(b))
        assert person.raptorctl("web", "sessions").stdout.count("Mozilla") == 2
        other.get(f"http://127.0.0.1:18440/m/{machine}/console")
        until(other, lambda b: "Somebody else has this console" in text(b))
        other.find_element(By.ID, "take").click()
        until(other, lambda b: "Connected" in text(b))
        until(browser, lambda b: "Somebody else has this console" in text(b))
        other.get(f"http://127.0.0.1:18440/m/{machine}")
        browser.find_element(By.ID, "again").click()
        until(browser, lambda b: "Connected" in text(b))


PAINTED = """
const canvas = document.querySelector('#screen canvas');
if (!canvas || !canvas.width) { return false; }
const seen = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
return seen.some((part, at) => at % 4 < 3 && part > 100);
"""
"""Whether anything on a screen is brighter than its ground."""


def test_a_machines_screen_is_seen(person: Person, browser: Chrome) -> None:
    words = ("--memory", "256M", "--cpus", "1", "--graphics", "vnc-socket", "-y")
    person.raptorctl("provision", "seen", *words)
    with opened(person) as link:
        browser.get(link)
        until(browser, lambda b: "Machines" in text(b))
        browser.find_element(By.LINK_TEXT, "seen").click()
        until(browser, lambda b: b.find_element(By.LINK_TEXT, "Screen")).click()
        until(browser, lambda b: "Connected" in text(b))
        until(browser, lambda b: b.execute_script(PAINTED))
        assert [one for one in complaints(browser) if "getImageData" not in one] == []  # is ours
        person.raptorctl("stop", "seen", "--timeout", "0", "--force")
        until(browser, lambda b: "The machine is off" in text(b))


def test_a_machine_is_made_and_goes_with_its_plan_shown_without_javascript(
    person: Person, tmp_path: Path
) -> None:
    with opened(person) as link, chromium(tmp_path, javascript=False) as browser:
        browser.get(link)
        until(browser, lambda b: "New machine" in b.page_source)
        browser.find_element(By.LINK_TEXT, "New machine").click()
        fill(browser, machine="made", size="1G", cpus="1", memory="256M")
        browser.find_element(By.NAME, "start").click()
        press(browser, "Show the plan")
        until(browser, lambda b: f"define domain {person.login}-made" in b.page_source)
        assert f"{person.login}-made" not in person.raptorctl("list").stdout
        press(browser, "Do it")
        until(browser, lambda b: "/work/" in b.current_url)
        until(browser, lambda b: "state ok" in again(b))
        assert "made" in person.raptorctl("list").stdout
        browser.find_element(By.LINK_TEXT, f"{person.login}-made").click()
        browser.find_element(By.LINK_TEXT, "Deprovision").click()
        press(browser, "Show the plan")
        until(browser, lambda b: "Type that name to go on" in b.page_source)
        fill(browser, name=f"{person.login}-made")
        press(browser, "Do it")
        until(browser, lambda b: "/work/" in b.current_url)
        until(browser, lambda b: "is left" in again(b))
        assert "made" not in person.raptorctl("list").stdout


def again(browser: Chrome) -> str:
    """Load a page again, as who has no JavaScript does."""
    browser.refresh()
    return browser.page_source


def fill(browser: Chrome, **fields: str) -> None:
    for name, value in fields.items():
        browser.find_element(By.NAME, name).send_keys(value)


def press(browser: Chrome, label: str) -> Any:
    return browser.find_element(By.XPATH, f"//button[normalize-space()='{label}']").click()


def test_the_command_line_sees_and_ends_logins(person: Person) -> None:
    nothing = person.raptorctl("web", "sessions", check=False)
    assert (nothing.returncode, nothing.stderr) == (
        3, "raptorctl: the page is not open: `raptorctl web` opens it\n",
    )  # fmt: skip
    with opened(person) as link:
        assert link.startswith("http://127.0.0.1:")
        assert person.raptorctl("web", "sessions").stdout == "nobody is logged in\n"
        assert person.raptorctl("web", "logout", "--all").stdout == "0 logged out\n"
        taken = person.raptorctl("web", "logout", "12345678", check=False)
        assert taken.stderr == (
            "raptorctl: there is no login 12345678: see `raptorctl web sessions`\n"
        )
