"""The Debian package agrees with the checkout, the README and the role, before anything is built."""

import email
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from raptorctl import __version__
from raptorctl.model.settings_text import parse_settings
from tests.unit.test_install import DEBIAN_13, README

CHECKOUT = Path(__file__).parents[2]
DEBIAN = CHECKOUT / "debian"
ROLE = CHECKOUT / "ansible/roles/raptor_host"


def test_the_changelog_begins_with_the_version() -> None:
    assert (DEBIAN / "changelog").read_text().startswith(f"raptorctl ({__version__}) ")


def test_the_example_can_be_read() -> None:
    assert parse_settings((DEBIAN / "settings.toml").read_text(), "settings.toml").slot


def test_its_directories_are_the_roles() -> None:
    rows = re.findall(r"^d (\S+) (\d+) root root -$", (DEBIAN / "raptorctl.tmpfiles").read_text(), re.MULTILINE)  # fmt: skip
    made = dict(laid())
    assert len(rows) >= 8
    assert [row for row in rows if made.get(row[0]) != row[1]] == []


def laid() -> Iterator[tuple[str, str]]:
    """Directories that the role makes, each with its mode."""
    for name in ("raptorctl", "console", "tenants"):
        for task in yaml.safe_load((ROLE / f"tasks/{name}.yml").read_text()):
            given = task.get("ansible.builtin.file", {})
            for item in task.get("loop", [{}]) if given.get("state") == "directory" else []:
                one = given | (item if isinstance(item, dict) else {"path": item})
                yield one["path"], one["mode"]


def test_its_groups_are_the_roles() -> None:
    made = set(re.findall(r"^g (\S+)", (DEBIAN / "raptorctl.sysusers").read_text(), re.MULTILINE))
    (task,) = [
        task
        for task in yaml.safe_load((ROLE / "tasks/tenants.yml").read_text())
        if "ansible.builtin.group" in task
    ]
    defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
    named = {"{{ raptor_admin_group }}": defaults["raptor_admin_group"]}
    assert made == {named.get(group, group) for group in task["loop"]}


def related() -> str:
    """The packages that ours depends on, recommends and suggests."""
    package = email.message_from_string((DEBIAN / "control").read_text().partition("\n\n")[2])
    return " ".join(package[field] for field in ("Depends", "Recommends", "Suggests"))


def test_it_names_the_packages_that_the_page_needs() -> None:
    defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
    wanted = {*defaults["raptor_web_packages"], "openssl"}
    assert wanted - {*re.findall(r"[a-z0-9.+-]+", related())} == set()


def test_it_names_the_packages_that_are_installed_by_hand() -> None:
    named = related()
    by_hand = re.search(r"^\$ sudo apt install (lvm2 .*?)^```", README, re.MULTILINE | re.DOTALL)
    assert by_hand
    wanted = set(by_hand[1].replace("\\", "").split())
    brought = {name for name, _ in DEBIAN_13.values()} | {"python3-venv"}
    assert wanted - brought - {*re.findall(r"[a-z0-9.+-]+", named)} == set()
