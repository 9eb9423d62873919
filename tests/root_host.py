"""raptorctl as root of a shared host that is one folder: for builds, which need no volume group.

Where the journal and locks of a real host would be, it sees empty folders of its own.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any, Final

SETTINGS: Final = """
[dns]
zone = "vm.example.org"

[images]
directory = "{folder}/cache"
seed_dir = "{folder}/seeds"

[[slot]]
number = 1
ipv4 = "198.51.100.1"
"""
APART: Final = (
    "unshare", "--mount", "--propagation", "private",
    "sh", "-c", 'mount -t tmpfs tmpfs /var/lib && mount -t tmpfs tmpfs /run && exec "$@"', "sh",
)  # fmt: skip


class RootHost:
    """A host of which we are root.

    Args:
        folder: all that is kept of it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._settings = folder / "settings.toml"
        self._settings.write_text(SETTINGS.format(folder=folder))
        (folder / "seeds").mkdir()

    def argv(self, *typed: str) -> tuple[str, ...]:
        """What runs a command."""
        ours = str(Path(sys.executable).with_name("raptorctl"))
        return (*APART, ours, "--settings", str(self._settings), *typed)

    def raptorctl(self, *typed: str, **options: Any) -> "subprocess.CompletedProcess[str]":
        """Run a command in the folder."""
        return subprocess.run(
            self.argv(*typed), cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, check=False, timeout=300, **options,
        )  # fmt: skip
