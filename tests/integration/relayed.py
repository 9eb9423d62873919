"""A real libvirtd, apart from this machine's, with the relay in front of it."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
ADMINS = "libvirt"
NAMES = ("libvirt-sock", "libvirt-sock-ro")

APART = """
set -eu
for place in /run /etc/libvirt /var/lib/libvirt /var/log/libvirt /var/cache/libvirt; do
    mkdir -p "$place"
    mount -t tmpfs none "$place"
done
for list in passwd group; do
    cp "/etc/$list" "/run/$list"
    mount --bind "/run/$list" "/etc/$list"
done
grep -q ^libvirt-qemu: /etc/passwd || echo libvirt-qemu:x:64055:64055::/:/bin/false >>/etc/passwd
grep -q ^libvirt-qemu: /etc/group || echo libvirt-qemu:x:64055: >>/etc/group
grep -q ^kvm: /etc/group || echo kvm:x:64056: >>/etc/group
printf 'user = "root"\\ngroup = "root"\\nsecurity_driver = "none"\\nstdio_handler = "file"\\n' >/etc/libvirt/qemu.conf
exec libvirtd --config "$1"
"""
CONFIG = """
unix_sock_dir = "{directory}"
unix_sock_rw_perms = "0777"
auth_unix_rw = "none"
auth_unix_ro = "none"
access_drivers = []
"""
LAUNCH = """
import os, sys
numbers = [int(word) for word in sys.argv[1].split(",")]
for target, number in enumerate([os.dup2(n, 50 + i) for i, n in enumerate(numbers)], 3):
    os.dup2(number, target)
os.environ["LISTEN_FDS"] = str(len(numbers))
os.execv(sys.executable, [sys.executable, "-m", "raptorctl.relay", *sys.argv[2:]])
"""


@dataclass(frozen=True)
class Relayed:
    """Both ways to one libvirtd.

    Args:
        direct: the directory of its own sockets.
        front: that of the relay's.
        libvirtd, relay: the processes.
    """

    direct: Path
    front: Path
    libvirtd: subprocess.Popen[bytes]
    relay: subprocess.Popen[bytes]

    def argv(self, *words: str, front: bool = True) -> list[str]:
        place = self.front if front else self.direct
        return ["virsh", "-c", f"qemu+unix:///system?socket={place}/libvirt-sock", *words]

    def virsh(
        self, *words: str, user: str = "root", front: bool = True, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.argv(*words, front=front),
            user=user,
            extra_groups=[],
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
        )


@contextmanager
def relayed(*, closed: bool = True) -> Iterator[Relayed]:
    """Start both.

    Args:
        closed: root alone enters the directory of libvirtd's own sockets, as on a host.
    """
    home = Path(tempfile.mkdtemp(prefix="rcrelay", dir="/tmp"))
    direct, front = home / "direct", home / "front"
    home.chmod(0o755)
    direct.mkdir(mode=0o700 if closed else 0o755)
    front.mkdir()
    front.chmod(0o755)
    config = home / "libvirtd.conf"
    config.write_text(CONFIG.format(directory=direct))
    argv = ["unshare", "--mount", "--net", "sh", "-c", APART, "sh", str(config)]
    log = (home / "log").open("wb")
    libvirtd = subprocess.Popen(argv, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
    relay = _relay(front, direct)
    try:
        _wait_for(direct / NAMES[0], libvirtd)
        yield Relayed(direct, front, libvirtd, relay)
    finally:
        for process in (relay, libvirtd):
            process.kill()
            process.wait()
        shutil.rmtree(home)


def _relay(front: Path, direct: Path) -> subprocess.Popen[bytes]:
    sockets = [socket.socket(socket.AF_UNIX) for _ in NAMES]
    for server, name in zip(sockets, NAMES, strict=True):
        server.bind(str(front / name))
        server.listen()
        (front / name).chmod(0o666)
    numbers = [server.fileno() for server in sockets]
    words = (",".join(map(str, numbers)), str(direct), ADMINS)
    process = subprocess.Popen(
        [sys.executable, "-c", LAUNCH, *words],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        pass_fds=numbers,
        stdin=subprocess.DEVNULL,
    )
    for server in sockets:
        server.close()
    return process


def _wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while not path.exists():
        assert process.poll() is None, (path.parents[1] / "log").read_text()
        assert time.monotonic() < until
        time.sleep(0.1)
