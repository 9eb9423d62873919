"""An account without rights that runs this checkout's raptorctl with a real libvirt session.

The checkout, its environment and even Python may lie where only root may look (root runs the
tests of a CI), so all that the account needs is put where everybody may look first.
"""

import atexit
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from itertools import count
from pathlib import Path
from typing import Any

from raptorctl.host.system import session
from tests.integration.alone import alone, share
from tests.lab.install import shipped

CHECKOUT = Path(__file__).parents[2]
PYTHON = f"python3.{sys.version_info.minor}"
LOGINS = (f"rcown{os.getpid() % 10000}x{number}" for number in count())
"""Names of accounts: one process may have several at a time."""


@dataclass
class Person:
    """Somebody with a laptop.

    Args:
        login: the account's name.
        home: all that is theirs; its path is short, as Unix sockets lie below (unix(7): 108 bytes).
        code: where raptorctl and what it needs are.
        python: an interpreter that they may run.
        who: what makes a program theirs; empty where we are they.
    """

    login: str
    home: Path
    code: Path
    python: str
    who: dict[str, Any] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "PYTHONPATH": f"{self.code}/code:{self.code}/site",
            # Else each start compiles all of it anew: 0.27 s of a processor for 0.16 s.
            "PYTHONPYCACHEPREFIX": str(self.home / "compiled"),
            **{name: str(self.home / folder) for name, folder in PLACES.items()},
        }

    @property
    def data(self) -> Path:
        return self.home / PLACES["XDG_DATA_HOME"] / "raptorctl"

    @property
    def state(self) -> Path:
        return self.home / PLACES["XDG_STATE_HOME"] / "raptorctl"

    def run(self, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            argv,
            cwd=self.home,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            **self.who,
        )
        assert not check or done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
        return done

    def raptorctl(self, *typed: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run(self.python, "-m", "raptorctl", *typed, check=check)

    def files(self) -> set[str]:
        """What lies in their directories of data and of logs; the cache of images stays."""
        places = [self.data / place for place in ("volumes", "nvram", "seeds")]
        places += [self.state / place for place in ("console", "steps")]
        return {path.name for place in places for path in place.rglob("*") if path.is_file()}


PLACES = {
    "XDG_DATA_HOME": "data",
    "XDG_STATE_HOME": "state",
    "XDG_CONFIG_HOME": "conf",
    "XDG_CACHE_HOME": "cache",
    "XDG_RUNTIME_DIR": "run",
}


@contextmanager
def somebody(also: tuple[str, ...] = ()) -> Iterator[Person]:
    """Make an account where we are root, be ourselves where we are not; leave nothing running.

    Args:
        also: distributions of Python that they have beside those that raptorctl needs.
    """
    login = next(LOGINS)
    home = Path(tempfile.mkdtemp(prefix="rcown", dir="/tmp"))
    root = os.geteuid() == 0
    try:
        for folder in PLACES.values():
            (home / folder).mkdir(mode=0o700)
        if root:
            options = ("--no-create-home", "--home-dir", str(home), "--user-group")
            with alone("accounts"):
                subprocess.run(["useradd", *options, login], check=True)
            subprocess.run(["chown", "-R", f"{login}:", str(home)], check=True)
            who: dict[str, Any] = {"user": login, "group": login, "extra_groups": []}
        else:
            who = {}
        person = Person(login, home, _code(also), "", who)
        person.python = _interpreter(person)
        yield person
    finally:
        end(home)
        # First: once the account is gone, its number is the next one's, with all that it owns.
        shutil.rmtree(home, ignore_errors=True)
        if root:
            subprocess.run(["userdel", login], check=False, capture_output=True)


def end(home: Path) -> None:
    """End QEMU and libvirt's session daemons, those that this account's run directory names."""
    machines = home.glob("run/libvirt/qemu/run/*.pid")
    daemons = home.glob("run/libvirt/*.pid")
    for path in [*machines, *daemons]:
        with suppress(ValueError, ProcessLookupError, FileNotFoundError):
            pid = int(path.read_text())
            os.kill(pid, signal.SIGTERM)
            for _ in range(100):
                os.kill(pid, 0)  # raises once it is gone
                time.sleep(0.1)
            os.kill(pid, signal.SIGKILL)


@cache
def _code(also: tuple[str, ...]) -> Path:
    """Put raptorctl and what it needs where everybody may read it, once for all accounts."""
    top = Path(tempfile.mkdtemp(prefix="rccode", dir="/tmp"))
    atexit.register(shutil.rmtree, top, ignore_errors=True)
    code, site = top / "code", top / "site"
    site.mkdir()
    for folder in ("raptorctl", *shipped()):
        shutil.copytree(CHECKOUT / folder, code / folder, ignore=shutil.ignore_patterns("__pyc*"))
    _give_ports(code / "raptorctl/host/system/session.py")
    seen: set[str] = set()
    for name in {*also}.union(*(_needed(name, seen) for name in ("raptorctl", *also))):
        found = distribution(name)
        for file in found.files or ():
            source = Path(str(found.locate_file(file)))
            if ".." in file.parts or source.suffix == ".pyc" or not source.is_file():
                continue
            (site / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, site / file)
    subprocess.run(["chmod", "-R", "a+rX", str(top)], check=True)
    return top


def _give_ports(file: Path) -> None:
    """Have the copy forward from ports that no other process of the tests uses beside us.

    The first free one would be the same for both, between the look and the start of a machine.
    """
    all_of_them, count = session.PORTS, 16
    ours = all_of_them[share("ports", count) :: count]
    text = file.read_text()
    assert text.count(f"= {all_of_them}\n") == 1
    file.write_text(text.replace(f"= {all_of_them}\n", f"= {ours}\n"))


def _needed(name: str, seen: set[str]) -> set[str]:
    """Names of all distributions that one needs, however far away."""
    for line in distribution(name).requires or ():
        word = re.match(r"[A-Za-z0-9._-]+", line)
        if word is None or "extra ==" in line or word[0] in seen:
            continue
        with suppress(PackageNotFoundError):  # for another platform
            distribution(word[0])
            seen.add(word[0])
            _needed(word[0], seen)
    return seen


def _interpreter(person: Person) -> str:
    """Find a Python of our version that the account may run; or copy ours."""
    for candidate in (Path(sys.base_prefix) / "bin" / PYTHON, Path("/usr/bin") / PYTHON):
        with suppress(OSError):
            if person.run(str(candidate), "-c", "import ctypes, lzma", check=False).returncode == 0:
                return str(candidate)
    prefix = person.code / "python"
    if prefix.exists():
        return str(prefix / "bin" / PYTHON)
    (prefix / "bin").mkdir(parents=True)
    skipped = shutil.ignore_patterns("__pycache__", "test", "idlelib", "site-packages", "config-*")
    shutil.copytree(Path(sys.base_prefix) / "lib" / PYTHON, prefix / "lib" / PYTHON, ignore=skipped)
    shutil.copy(Path(sys.base_prefix) / "bin" / PYTHON, prefix / "bin" / PYTHON)
    for library in (Path(sys.base_prefix) / "lib").glob("libpython3*.so*"):
        shutil.copy(library, prefix / "lib" / library.name)
    subprocess.run(["chmod", "-R", "a+rX", str(prefix)], check=True)
    return str(prefix / "bin" / PYTHON)
