"""The package on Debian 13: what it brings, what it says, and what it leaves."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from raptorctl import __version__
from tests.deb import chroot
from tests.deb.conftest import install
from tests.lab.cache import CHECKOUT
from tests.lab.process import as_root, tool

EXAMPLE = "/usr/share/doc/raptorctl/examples/settings.toml"
DIRECTORIES = {
    "/etc/raptorctl/keys": "711",
    "/etc/raptorctl/tenants": "750",
    "/var/lib/libvirt/raptorctl": "711",
    "/var/lib/raptorctl": "755",
    "/var/lib/raptorctl/images": "700",
    "/var/lib/raptorctl/journal": "700",
    "/var/log/raptorctl": "750",
    "/var/log/raptorctl/console": "700",
}
STATE = {
    "/etc/raptorctl/settings.toml": "[dns]\n",
    "/etc/raptorctl/tenants/alice.json": "{}\n",
    "/etc/raptorctl/keys/alice": "ssh-ed25519 AAAA\n",
    "/var/lib/raptorctl/journal/20261129-0001.jsonl": "{}\n",
    "/var/lib/libvirt/raptorctl/alice-dev.iso": "seed\n",
    "/var/log/raptorctl/audit.jsonl": "{}\n",
}
"""What describes tenants and machines: no part of the package, whoever wrote it."""


def said(root: Path, *words: str) -> str:
    return chroot.run(root, *words).stdout


def test_the_program_is_the_checkouts(installed: Path) -> None:
    assert said(installed, "raptorctl", "--version") == f"raptorctl {__version__}\n"
    assert "virtio-console" in said(installed, "raptorctl", "template", "list")


@pytest.mark.parametrize("program", ["/usr/bin/raptorctl", "/usr/lib/raptorctl/tenant-shell"])
def test_nothing_from_the_environment_becomes_part_of_a_program(
    installed: Path, program: str
) -> None:
    first = said(installed, "head", "-n1", program)
    assert re.fullmatch(r"#! ?/usr/bin/python3 -I\n", first)


def test_the_shell_of_tenants_is_a_login_shell_and_answers(installed: Path) -> None:
    assert "/usr/lib/raptorctl/tenant-shell\n" in said(installed, "cat", "/etc/shells")
    shell = ("/usr/lib/raptorctl/tenant-shell", "-c", "help")
    done = chroot.run(installed, "setpriv", "--reuid=backup", "--clear-groups", *shell)
    assert done.stdout.startswith("list  ")


def test_groups_and_directories_are_made(installed: Path) -> None:
    said(installed, "getent", "group", "vm-users", "vm-console", "vm-admins")
    rows = said(installed, "stat", "--format=%n %a %U:%G", *DIRECTORIES).splitlines()
    assert rows == [f"{path} {mode} root:root" for path, mode in DIRECTORIES.items()]


def test_units_are_enabled_and_start_what_is_there(installed: Path) -> None:
    units = ("raptorctl-recover.service", "raptorctl-log.socket", "raptorctl-expire.timer")
    assert said(installed, "systemctl", "is-enabled", *units) == "enabled\n" * len(units)
    said(installed, "sh", "-c", "systemd-analyze verify /usr/lib/systemd/system/raptorctl*")
    texts = said(installed, "sh", "-c", "cat /usr/lib/systemd/system/raptorctl*")
    assert "/usr/bin/raptorctl recover\n" in texts
    assert not re.findall(r"/opt/|/usr/local/", texts)
    module = re.search(r"^ExecStart=(/usr/bin/python3 -I) -m (\S+)$", texts, re.MULTILINE)
    assert module
    said(installed, *module[1].split(), "-c", f"import {module[2]}")


def test_man_pages_and_completion_lie_where_debian_looks(installed: Path) -> None:
    there = said(installed, "dpkg", "--listfiles", "raptorctl").splitlines()
    shipped = {place(path) for path in (CHECKOUT / "share").rglob("*") if path.is_file()}
    assert "/usr/share/man/man1/raptorctl.1.gz" in shipped
    assert shipped - {*there} == set()


def place(path: Path) -> str:
    """Where a file of `share/` lies on Debian, whose zsh has a directory for packages."""
    name = f"/usr/{path.relative_to(CHECKOUT)}".replace("site-functions", "vendor-completions")
    return f"{name}.gz" if "/man/" in name else name


def test_polkit_finds_the_rules_in_its_vendors_directory(installed: Path) -> None:
    rules = CHECKOUT / "polkit/10-raptorctl.rules"
    assert said(installed, "cat", f"/usr/share/polkit-1/rules.d/{rules.name}") == rules.read_text()


def test_debian_13_has_what_pyproject_asks_for(installed: Path) -> None:
    wanted = map(Requirement, tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["dependencies"])  # fmt: skip
    script = (
        "import json; from importlib.metadata import distributions as d;"
        "print(json.dumps({one.name.lower(): one.version for one in d()}))"
    )
    there = json.loads(said(installed, "python3", "-c", script))
    assert [str(one) for one in wanted if not one.specifier.contains(there[one.name])] == []


def test_doctor_says_that_a_host_without_settings_has_none(installed: Path) -> None:
    done = doctor(installed)
    assert done.returncode == 3
    assert "/etc/raptorctl/settings.toml: is not there" in done.stdout


def test_doctor_reads_the_example_and_tells_what_a_bare_host_lacks(installed: Path) -> None:
    done = doctor(installed, "--settings", EXAMPLE)
    assert done.returncode == 3
    assert f"settings       {EXAMPLE} reads well" in done.stdout
    assert "-> apt install lvm2" in done.stdout
    assert "10-raptorctl.rules" not in done.stdout


def doctor(root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    done = chroot.run(root, "raptorctl", *options, "doctor", check=False)
    assert done.stderr == ""
    return done


def test_an_upgrade_changes_the_program_and_purging_leaves_what_is_not_the_packages(
    bare: Path, package: Path, tmp_path: Path
) -> None:
    before = files(bare)
    install(bare, package)
    write_state(bare)
    said(bare, "systemctl", "disable", "raptorctl-log.socket")

    install(bare, newer(package, tmp_path))
    assert said(bare, "raptorctl", "--version") == f"raptorctl {__version__}.1\n"
    assert state(bare) == STATE
    done = chroot.run(bare, "systemctl", "is-enabled", "raptorctl-log.socket", check=False)
    assert done.stdout == "disabled\n"

    said(bare, "dpkg", "--purge", "raptorctl")
    assert state(bare) == STATE
    folders = {str(folder) for path in STATE for folder in Path(path).parents}
    groups = {"/etc/group-", "/etc/gshadow-"}  # systemd-sysusers(8) keeps what was before
    assert files(bare) - before - folders - {*STATE} - groups == set()
    assert "tenant-shell" not in said(bare, "cat", "/etc/shells")


def files(root: Path) -> set[str]:
    """Everything that is not the package manager's own, nor gone at the next boot."""
    own = (
        f"-path {path} -prune -o"
        for path in ("/proc", "/run", "/var/lib/dpkg", "/var/log/dpkg.log")
    )
    return set(said(root, "sh", "-c", f"find / {' '.join(own)} -print").splitlines())


def write_state(root: Path) -> None:
    for path, text in STATE.items():
        chroot.run(root, "sh", "-c", f"printf '{text}' > {path}")


def state(root: Path) -> dict[str, str]:
    return {path: said(root, "cat", path) for path in STATE}


def newer(package: Path, folder: Path) -> Path:
    """The same package with a higher version."""
    tree = folder / "tree"
    tool(*as_root("dpkg-deb", "--raw-extract", package, tree), timeout=60)
    (module,) = tree.glob("usr/lib/python3/dist-packages/raptorctl/__init__.py")
    for file in (module, tree / "DEBIAN/control"):
        tool(*as_root("sed", "-i", f"s/{__version__}/&.1/", file), timeout=30)
    tool(*as_root("dpkg-deb", "--build", "--root-owner-group", tree, folder), timeout=60)
    return next(folder.glob("*.deb"))
