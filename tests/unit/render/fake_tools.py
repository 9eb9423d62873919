"""Programs that a generated folder calls, which record their calls and keep what they are told."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

VIRSH = r"""
case "$*" in *list*|*domifaddr*|*vol-path*|*dumpxml*) ;; *) echo "virsh $*" >>"$FAKE/log" ;; esac
names() { for one in "$FAKE/$1"/*; do [ -e "$one" ] && printf '%-20s\n' "${one##*/}"; done; echo; }
case "$1 ${2-}" in
  'list --all') names domains; exit ;;
  'pool-list --all') names pools; exit ;;
esac
case $1 in
  list) names running ;;
  pool-list) names active ;;
  vol-list) printf ' Name   Path\n-----------\n'
    for one in "$FAKE/volumes/$3"/*; do [ -e "$one" ] && echo " ${one##*/}   $one"; done; echo ;;
  pool-define-as) : >"$FAKE/pools/$2" ;;
  pool-start) : >"$FAKE/active/$3"; mkdir -p "$FAKE/volumes/$3" ;;
  pool-destroy) rm "$FAKE/active/$2" ;;
  pool-undefine) rm "$FAKE/pools/$2" ;;
  vol-create-as) : >"$FAKE/volumes/$2/$3" ;;
  vol-upload) [ ! -e "$FAKE/cut" ] && cat "$5" >"$FAKE/volumes/$3/$4" ;;
  vol-clone) cat "$FAKE/volumes/$3/$4" >"$FAKE/volumes/$3/$5" ;;
  vol-delete) rm "$FAKE/volumes/$3/$4" ;;
  vol-path) echo "/pool/$4" ;;
  vol-dumpxml) echo "  <capacity unit='bytes'>4096</capacity>" ;;
  define) cat "$2" >"$FAKE/domains/vm1" ;;
  undefine) rm "$FAKE/domains/$2" ;;
  start) : >"$FAKE/running/$2" ;;
  shutdown) [ -e "$FAKE/stubborn" ] || rm "$FAKE/running/$2" ;;
  destroy) rm "$FAKE/running/$2" ;;
  domifaddr) [ "$4" = arp ] && cat "$FAKE/address" ;;
esac
"""
CURL = """
echo "curl $*" >>"$FAKE/log"
[ -e "$FAKE/404" ] && { echo page >"$5"; exit 22; }
echo image >"$5"
"""
TOOLS = {
    "virsh": VIRSH,
    "curl": CURL,
    "qemu-img": 'echo "file format: $(cat "$FAKE/format")"\n',
    "genisoimage": 'echo "genisoimage $*" >>"$FAKE/log"; echo iso >"$3"\n',
    "virt-install": 'echo "virt-install $*" >>"$FAKE/log"; echo "<domain/>"\n',
    "xz": 'echo "xz $*" >>"$FAKE/log"; cat "$5"\n',
    "sshpass": 'shift 2; exec "$@"\n',
    "ssh": 'echo "ssh $*" >>"$FAKE/log"; [ ! -e "$FAKE/closed" ]\n',
}


@dataclass
class Provisioned:
    """A generated folder, and what its programs did."""

    folder: Path
    state: Path

    def __post_init__(self) -> None:
        for name in ("domains", "running", "pools", "active", "volumes", "bin"):
            (self.state / name).mkdir(parents=True)
        for name in ("pools/default", "active/default"):
            (self.state / name).touch()
        (self.state / "volumes/default").mkdir()
        self.say("format", "qcow2")
        for name, text in TOOLS.items():
            tool = self.state / "bin" / name
            tool.write_text(f"#!/bin/sh\n{text}")
            tool.chmod(0o755)

    def say(self, name: str, text: str = "") -> None:
        """Tell the programs something."""
        (self.state / name).write_text(f"{text}\n")

    def make(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run make in the folder."""
        path = f"{self.state / 'bin'}:{os.environ['PATH']}"
        return subprocess.run(
            ["make", "-s", "-C", self.folder, *words],
            env={"PATH": path, "FAKE": str(self.state), "CMD": "never"},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
            stdin=subprocess.DEVNULL,
        )

    def done(self, *words: str) -> list[str]:
        """Run make, and return what was changed by it."""
        (self.state / "log").unlink(missing_ok=True)
        ran = self.make(*words)
        assert ran.returncode == 0, ran.stderr
        return self.log

    @property
    def log(self) -> list[str]:
        """The calls that change something, since the log was emptied."""
        log = self.state / "log"
        return log.read_text().splitlines() if log.exists() else []

    @property
    def volumes(self) -> set[str]:
        """All that there are."""
        root = self.state / "volumes"
        return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
