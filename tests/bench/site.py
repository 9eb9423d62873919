"""What it was measured on: the machine's description that goes with the figures."""

import platform
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from raptorctl import __version__
from tests.lab import cache, qemu
from tests.lab.host import Lab

VERSIONS = """
echo "kernel=$(uname -r)"
echo "cores=$(nproc)"
echo "cpu=$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)"
echo "memory=$(awk '/MemTotal/ { printf "%.1f GiB", $2 / 1048576 }' /proc/meminfo)"
. /etc/os-release; echo "system=$PRETTY_NAME"
echo "python=$(/opt/raptorctl/bin/python3 -V | cut -d ' ' -f 2)"
for package in libvirt-daemon qemu-system-x86 lvm2 virtinst bind9; do
    echo "$package=$(dpkg-query -W -f '${Version}' "$package")"
done
"""

Site = dict[str, str]


def here() -> Site:
    """Describe this machine."""
    return {
        "cpu": _model(Path("/proc/cpuinfo").read_text()),
        "cores": str(len(_cpus())),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load": " ".join(Path("/proc/loadavg").read_text().split()[:3]),
    }


def in_lab(lab: Lab) -> Site:
    """Describe the lab."""
    lines = lab.sh(VERSIONS).stdout.splitlines()
    found = dict(line.split("=", 1) for line in lines)
    return {**found, "accelerator": qemu.accelerator()[-1].split(",")[0]}


def measured() -> Site:
    """Say what was measured, and when."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=cache.CHECKOUT, capture_output=True, text=True, check=False,
    ).stdout.strip()  # fmt: skip
    return {"date": f"{datetime.now(UTC):%Y-%m-%d}", "version": __version__, "commit": commit}


def _cpus() -> list[str]:
    return re.findall(r"^processor", Path("/proc/cpuinfo").read_text(), re.MULTILINE)


def _model(cpuinfo: str) -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    return found[1] if found else platform.machine()
