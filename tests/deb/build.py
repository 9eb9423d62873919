"""Build the package from the checkout, and have lintian judge it."""

import email
import re
from pathlib import Path
from typing import Final

from tests.deb import chroot
from tests.lab import cache
from tests.lab.process import tool

CONTROL: Final = cache.CHECKOUT / "debian/control"
TOOLS: Final = ("build-essential", "lintian")
BUILD: Final = ("dpkg-buildpackage", "--build=binary", "--no-sign")
LINTIAN: Final = ("lintian", "--allow-root", "--fail-on", "error,warning")


def package() -> Path:
    """Return the package of the checkout, built if this state of it was not built yet."""
    made = cache.made("deb", digest(), "building the Debian package", 2, _build)
    return next(made.glob("*.deb"))


def digest() -> str:
    """Return the digest of all that it is made from."""
    files = (cache.CHECKOUT / name for name in sources())
    return cache.digest(cache.tree_digest(*files), " ".join(needed()), Path(__file__).read_bytes())


def sources() -> list[str]:
    """Return the paths of the files that git knows or would know, but for the tests."""
    listing = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    said = tool(*listing, "--", ":!tests", timeout=30, cwd=cache.CHECKOUT).stdout
    return [name for name in sorted(set(said.split("\0"))) if (cache.CHECKOUT / name).is_file()]


def needed() -> list[str]:
    """Return the packages that building takes."""
    source = email.message_from_string(CONTROL.read_text().partition("\n\n")[0])
    return [*TOOLS, *names(source["Build-Depends"])]


def names(field: str) -> list[str]:
    """Return the packages of a field of dependencies: of alternatives the first, without versions."""
    wanted = (item.strip() for item in field.split(","))
    return [re.split(r"[\s(|:]", item, maxsplit=1)[0] for item in wanted if item]


def _build(scratch: Path) -> None:
    """Build it in `scratch`, where dpkg-buildpackage(1) leaves it beside the sources."""
    source = scratch / "raptorctl"
    source.mkdir()
    copy = ("cp", "--parents", "--preserve=mode,timestamps", f"--target-directory={source}")
    tool(*copy, *sources(), timeout=60, cwd=cache.CHECKOUT)
    root = chroot.ensure("builder", needed())
    for words in (BUILD, LINTIAN):
        chroot.run(root, *words, cwd="/build/raptorctl", build=scratch)
    cache.remove(source)
