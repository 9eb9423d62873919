"""Debian's Chromium without a window, driven by its own driver."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

PROGRAM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
FLAGS: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage",
)  # fmt: skip
PATIENCE: Final = 120.0
"""Seconds for a page to show something: a bound, not an expectation."""


@contextmanager
def chromium(profile: Path, *, javascript: bool = True) -> Iterator[Chrome]:
    """Run one, with a profile of its own.

    Args:
        profile: a folder for it.
        javascript: whether pages may run any.
    """
    options = Options()
    options.binary_location = str(PROGRAM)
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    if not javascript:
        options.add_experimental_option(
            "prefs", {"profile.managed_default_content_settings.javascript": 2}
        )
    os.environ.setdefault("SE_AVOID_STATS", "true")
    driver = Chrome(options=options, service=Service(str(DRIVER)))
    try:
        yield driver
    finally:
        driver.quit()


def looks(driver: Chrome, width: int, *, dark: bool) -> None:
    """Have pages be so wide, in a scheme of colours."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


def until(driver: Chrome, seen: Callable[[Chrome], Any]) -> Any:
    """Wait until a page shows something."""
    return WebDriverWait(driver, PATIENCE, ignored_exceptions=(Exception,)).until(seen)


def text(driver: Chrome) -> str:
    """All that a page says."""
    return str(driver.execute_script("return document.body.innerText"))


def complaints(driver: Chrome) -> list[str]:
    """What the browser found wrong: scripts that failed, files that are not there, what CSP kept."""
    return [
        entry["message"]
        for entry in driver.get_log("browser")  # type: ignore[no-untyped-call]
        if entry["level"] in {"SEVERE", "WARNING"}
    ]
