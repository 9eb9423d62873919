"""Debian's own cloud-init, unpacked beside the system: its services must not run on this machine."""

import json
import os
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

PACKAGES = (
    "cloud-init python3-attr python3-certifi python3-chardet python3-charset-normalizer"
    " python3-configobj python3-idna python3-jinja2 python3-json-pointer python3-jsonpatch"
    " python3-jsonschema python3-markupsafe python3-netifaces python3-oauthlib"
    " python3-pkg-resources python3-pyrsistent python3-requests python3-serial python3-six"
    " python3-urllib3 python3-yaml"
).split()


class CloudInit:
    """Its programs, out of a directory.

    Args:
        folder: where its packages are unpacked.
    """

    def __init__(self, folder: Path) -> None:
        self._site = folder / "usr/lib/python3/dist-packages"

    def run(self, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run Debian's Python with cloud-init and what it needs, and no other packages."""
        return subprocess.run(
            ["/usr/bin/python3", "-S", *words],
            env={**os.environ, "PYTHONPATH": str(self._site)},
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `cloud-init ...`."""
        return self.run("-m", "cloudinit.cmd.main", *words)

    def each(self, commands: Iterable[Sequence[str]]) -> list[int]:
        """Run `cloud-init ...` for each, in a process that has its imports done; return exit codes."""
        program = (
            "import json, os, sys\n"
            "from cloudinit.cmd import main\n"
            "import cloudinit.cmd.devel.net_convert\n"
            "def run(words):\n"
            "    child = os.fork()\n"
            "    if child == 0:\n"
            "        sys.exit(main.main(['cloud-init', *words]))\n"
            "    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])\n"
            "codes = [run(words) for words in json.load(sys.stdin)]\n"
            "print('codes', json.dumps(codes))\n"
        )
        done = self.run("-c", program, given=json.dumps([list(words) for words in commands]))
        assert done.returncode == 0, done.stderr
        codes: list[int] = json.loads(done.stdout.rpartition("codes ")[2])
        return codes

    def merged(self, how: str, base: Any, new: Any) -> Any:
        """Merge by its own merger."""
        program = (
            "import importlib.util, json, sys\n"
            "from cloudinit import mergers\n"
            "how, base, new = json.load(sys.stdin)\n"
            "merger = mergers.construct(mergers.string_extract_mergers(how))\n"
            "print(json.dumps(merger.merge(base, new)))\n"
        )
        done = self.run("-c", program, given=json.dumps([how, base, new]))
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def unpack(folder: Path) -> CloudInit:
    """Fetch its packages, without installing them."""
    fetch = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", *PACKAGES]
    subprocess.run(fetch, cwd=folder, check=True, capture_output=True)
    for package in folder.glob("*.deb"):
        subprocess.run(["dpkg", "-x", str(package), str(folder)], check=True)
    return CloudInit(folder)
