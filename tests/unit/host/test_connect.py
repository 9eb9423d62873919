"""The real drivers: which of them a process imports, and when."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import current_thread, main_thread
from typing import Any

import pytest

from raptorctl.host.connect import late
from raptorctl.host.survey.survey import Scope, survey
from tests.fakes import World, settings
from tests.fresh_python import said

CHECKOUT = Path(__file__).parents[3]
HEAVY = {"asyncio", "asyncssh", "dns", "email", "idna", "importlib.metadata", "jeepney", "libvirt",
         "lxml", "pycdlib", "pyudev", "requests", "rich", "sh", "ssl", "yaml"}  # fmt: skip
"""Packages that take milliseconds to import: each is there only for who asks for what it does."""

FLOORS = {"raptorctl.engine", "raptorctl.plans", "raptorctl.steps"}

CONNECT = """
from raptorctl.host.connect import connect
from raptorctl.model.settings_text import parse_settings
host = connect(parse_settings('[dns]\\nzone = "raptor.example"\\n[[slot]]\\nnumber = 1\\nipv4 = "198.51.100.1"'))
"""


def loaded(program: str) -> set[str]:
    """Which of the heavy packages and of our upper floors a program has imported at its end."""
    modules = said(f"{program}\nimport sys; print(*sys.modules)")
    return (HEAVY | FLOORS) & set(modules.split())


@pytest.mark.parametrize(
    ("asked", "brings"),
    [
        ("", set()),
        ("host.domains.states", {"libvirt"}),
        ("host.volumes.list", {"sh"}),
        ("host.zones.lookup", {"dns", "ssl"}),  # Debian 13's dnspython reads no answer without ssl
        ("host.consoles.open", {"libvirt"}),
        ("host.authority.actions", {"jeepney"}),
        ("host.images.list", set()),
        ("host.guests.started", {"libvirt"}),
        ("host.image_writer.write", set()),
        ("host.wiper.wipe", set()),
        ("host.accounts.names", set()),
    ],
)
def test_a_driver_brings_its_package_when_it_is_asked(asked: str, brings: set[str]) -> None:
    assert loaded(f"{CONNECT}\n{asked}") == brings


def test_list_brings_libvirt_and_sh_and_no_plan() -> None:
    command = "from raptorctl.cli.commands import imported; imported('list')"
    looks = "import raptorctl.host.survey.inventory; host.domains.states, host.volumes.list"
    assert loaded(f"{command}\n{CONNECT}\n{looks}") == {"libvirt", "sh"}


@pytest.mark.parametrize(
    ("name", "brings"), [("deprovision", set()), ("show", set()), ("provision", {"lxml"})]
)
def test_a_command_itself_brings_no_package_of_a_driver(name: str, brings: set[str]) -> None:
    program = f"from raptorctl.cli.commands import imported; imported({name!r})"
    assert loaded(program) & HEAVY == brings


def test_a_late_driver_is_made_once() -> None:
    made: list[int] = []

    def make() -> list[int]:
        made.append(1)
        return made

    driver = late(make)
    assert made == []
    assert (driver.count(1), driver.count(1)) == (1, 1)


def test_what_the_threads_of_the_survey_ask_is_imported_before_them() -> None:
    """Side by side they would wait for each other's imports."""
    host, threads = World().host(), []

    def noted(driver: Any) -> Callable[[], Any]:
        def make() -> Any:
            threads.append(current_thread())
            return driver

        return make

    drivers = {name: late(noted(getattr(host, name))) for name in ("domains", "volumes", "zones")}
    survey(replace(host, **drivers), settings(), Scope((("alice-dev.raptor.example.", "A"),)))
    assert threads == [main_thread()] * 3
