"""Chroots that tests may change, with what the package depends on."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.deb import build, chroot
from tests.lab import cache
from tests.lab.process import as_root, tool


@pytest.fixture(scope="session")
def package() -> Path:
    return build.package()


@pytest.fixture(scope="module")
def installed(package: Path) -> Iterator[Path]:
    """The root of a Debian 13 with the package, for whoever looks only."""
    with debian(package) as root:
        install(root, package)
        yield root


@pytest.fixture
def bare(package: Path) -> Iterator[Path]:
    """The root of a Debian 13 with all that the package depends on, and nothing else."""
    with debian(package) as root:
        yield root


@contextmanager
def debian(package: Path) -> Iterator[Path]:
    # Named like what is built, so that what a killed test leaves goes as old packages do.
    scratch = Path(tempfile.mkdtemp(prefix="deb-trial-", dir=cache.directory()))
    try:
        depends = tool("dpkg-deb", "--field", package, "Depends", timeout=30).stdout
        chroot.copy(chroot.ensure("debian", build.names(depends)), scratch / "root")
        yield scratch / "root"
    finally:
        cache.remove(scratch)


def install(root: Path, package: Path) -> str:
    """Install a package, without the network: its dependencies are there or it fails."""
    tool(*as_root("cp", package, root / "root"), timeout=60)
    done = chroot.run(root, "dpkg", "--install", f"/root/{package.name}")
    tool(*as_root("rm", root / "root" / package.name), timeout=30)
    return done.stdout + done.stderr
