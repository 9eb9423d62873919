"""The ways to install agree: the wheel's dependencies, the README's packages, the role's, the lock.

And so do the ways to check: the hooks of git run what `make check` runs.
"""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

CHECKOUT = Path(__file__).parents[2]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
README = (CHECKOUT / "README.md").read_text()
ROLE = yaml.safe_load((CHECKOUT / "ansible/roles/raptor_host/defaults/main.yml").read_text())
NEEDED = [Requirement(text) for text in PROJECT["project"]["dependencies"]]

DEBIAN_13 = {
    "asyncssh": ("python3-asyncssh", "2.20.0"),
    "dnspython": ("python3-dnspython", "2.7.0"),
    "hatchling": ("python3-hatchling", "1.27.0"),
    "jeepney": ("python3-jeepney", "0.9.0"),
    "libvirt-python": ("python3-libvirt", "11.3.0"),
    "lxml": ("python3-lxml", "5.4.0"),
    "pycdlib": ("python3-pycdlib", "1.12.0"),
    "pyudev": ("python3-pyudev", "0.24.3"),
    "pyyaml": ("python3-yaml", "6.0.2"),
    "requests": ("python3-requests", "2.32.3"),
    "sh": ("python3-sh", "2.2.1"),
    "typer": ("python3-typer", "0.15.2"),
}
"""Its package of each, and the version that this package tells pip (its dist-info)."""


@pytest.mark.parametrize(
    "needed", [*NEEDED, *map(Requirement, PROJECT["build-system"]["requires"])]
)
def test_debian_13_has_a_version_that_is_new_enough(needed: Requirement) -> None:
    assert needed.specifier.contains(DEBIAN_13[needed.name][1])


@pytest.mark.parametrize("needed", NEEDED, ids=lambda needed: needed.name)
def test_readme_and_role_install_the_package_of_each_dependency(needed: Requirement) -> None:
    package = DEBIAN_13[needed.name][0]
    assert package in ROLE["raptor_packages"]
    by_hand = re.search(r"^\$ sudo apt install (lvm2 .*?)^```", README, re.MULTILINE | re.DOTALL)
    assert by_hand
    assert package in by_hand[1].split()


# What development needs

LOCK = (CHECKOUT / "requirements-dev.lock").read_text()
LOCKED = [
    Requirement(line.partition("  #")[0]) for line in re.findall(r"^[^#\s].*", LOCK, re.MULTILINE)
]
PYTHONS = ("3.11", "3.12", "3.13")


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize(
    "needed", [*NEEDED, *map(Requirement, PROJECT["project"]["optional-dependencies"]["dev"])]
)
def test_the_lock_has_one_version_that_will_do(needed: Requirement, python: str) -> None:
    (pin,) = (
        one
        for one in LOCKED
        if one.name == needed.name
        and (one.marker is None or one.marker.evaluate({"python_full_version": f"{python}.0"}))
    )
    (version,) = pin.specifier
    assert version.operator == "=="
    assert needed.specifier.contains(version.version)


def test_the_lock_names_no_place_that_packages_come_from() -> None:
    assert not re.search(r"://|^-| @ ", LOCK, re.MULTILINE)


def test_the_hooks_of_git_run_what_make_check_runs() -> None:
    make = ["make", "--dry-run", "--no-print-directory", "check"]
    said = subprocess.run(make, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    (config,) = yaml.safe_load((CHECKOUT / ".pre-commit-config.yaml").read_text())["repos"]
    entries = [hook["entry"] for hook in config["hooks"]]
    assert [entry for entry in entries if entry not in said] == []
    ran = re.findall(r"\.venv/bin/python -m (?!pip )", said)
    assert len(ran) == len(entries)
