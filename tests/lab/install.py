"""Put the checkout's raptorctl into the lab, as its wheel would be installed.

Not by pip: under emulation it takes longer than all the rest, and there is nothing to resolve, as
the dependencies are Debian's packages. Unpacking the wheel gives the same files.
"""

import configparser
import sys
import tomllib
import zipfile
from pathlib import Path

from tests.lab import cache
from tests.lab.process import tool

SOURCES = ("raptorctl", "pyproject.toml", "README.md", "LICENSE")
"""Beside what is shipped."""

PREPARE = "python3 -m venv --without-pip --system-site-packages /opt/raptorctl"
"""Run once on the converged host: libvirt, lxml and the others come from Debian (design.md 10)."""

UNPACK = r"""
set -eu
site=$(echo /opt/raptorctl/lib/python3.*/site-packages)
rm -rf "$site"/raptorctl "$site"/raptorctl-*.dist-info
cat > /run/raptorctl.whl
python3 -m zipfile -e /run/raptorctl.whl "$site"
rm /run/raptorctl.whl
cp -r "$site"/raptorctl-*.data/data/. /opt/raptorctl
rm -r "$site"/raptorctl-*.data
/opt/raptorctl/bin/python3 -m compileall -q "$site"
printf '%s' "$1" > /opt/raptorctl/bin/raptorctl
chmod 755 /opt/raptorctl/bin/raptorctl
ln -sfn /opt/raptorctl/bin/raptorctl /usr/local/bin/raptorctl
echo "$2" > /opt/raptorctl/digest
"""

LAUNCHER = """#!/opt/raptorctl/bin/python3
import sys
from {module} import {function}
if __name__ == "__main__":
    sys.exit({function}())
"""
"""What pip writes for an entry point (packaging.python.org, entry points specification)."""


def digest() -> str:
    """Return the digest of the checkout's raptorctl."""
    roots = [cache.CHECKOUT / name for name in (*SOURCES, *shipped(), "tests/lab/warm.py")]
    return cache.tree_digest(*(root for root in roots if root.exists()))


def shipped() -> list[str]:
    """Return the folders that pyproject.toml puts into the wheel beside the package."""
    project = tomllib.loads((cache.CHECKOUT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    return [*wheel["force-include"], *wheel["shared-data"]]


def wheel() -> Path:
    """Return the wheel of the checkout, built if this state of it was not built yet."""
    made = cache.made("wheel", digest(), "building raptorctl's wheel", 0, _build)
    return next(made.glob("*.whl"))


def _build(scratch: Path) -> None:
    pip = (sys.executable, "-m", "pip", "wheel", "-q", "--no-deps")
    tool(*pip, "-w", scratch, cache.CHECKOUT, timeout=300)


def digest_of(path: Path) -> str:
    """Return the digest a wheel was built for: the checkout may have moved on meanwhile."""
    return path.parent.name.removeprefix("wheel-")


def launcher(path: Path) -> str:
    """Return the command's script, from the entry point that the wheel declares."""
    with zipfile.ZipFile(path) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/entry_points.txt"))
        declared = archive.read(name).decode()
    points = configparser.ConfigParser()
    points.read_string(declared)
    module, function = points["console_scripts"]["raptorctl"].split(":")
    return LAUNCHER.format(module=module, function=function)
