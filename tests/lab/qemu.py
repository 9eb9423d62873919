"""The lab as a QEMU process: its command line, its disks, its monitor."""

import fcntl
import json
import os
import re
import signal
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from tests.lab import cache
from tests.lab.errors import LabError
from tests.lab.image import Image
from tests.lab.process import tool, wait_for

DATA_SIZE = "200G"
"""The disk for the volume group; thin, so that it costs only what is written."""

# Nothing in the lab is worth spying on by side channels, and each retpoline is emulated; so is each
# byte of each page that is zeroed before it is written to anyway (CONFIG_INIT_ON_ALLOC_DEFAULT_ON).
APPEND = (
    "root=LABEL=lab-root rw console=ttyS0 quiet systemd.show_status=no mitigations=off "
    "init_on_alloc=0 hardened_usercopy=off randomize_kstack_offset=off"
)
"""The kernel's command line."""

# What a processor may lack, and is faster without where it is emulated.
SLOW = (
    # AVX, and XSAVE for it: what is emulated by calls takes longer than what it stands for. The
    # same goes for glibc's string functions of SSE 4.2, a sixth of a start of Python.
    "avx2 avx fma f16c xsave sse4.2 popcnt "
    # "rep movsb" is fast: the kernel would copy and zero pages byte by byte, four times as slowly.
    "erms fsrm fzrm fsrs "
    # The kernel's walls against itself, a fifth level of page tables.
    "smap smep umip pku la57 "
    # No nested virtualisation: an emulated SVM gives the lab a /dev/kvm on which no guest comes up,
    # and as it fails, libvirt probes QEMU anew at every define and start (15 s each).
    "svm vmx"
).split()

KVM_GET_API_VERSION = 0xAE00
"""linux/kvm.h; a working KVM answers 12."""


@dataclass(frozen=True)
class State:
    """What a running lab is, kept in its directory's state.json."""

    pid: int
    port: int
    image: str
    host: str
    installed: str = ""
    """The digest of the raptorctl in the `ready` snapshot; empty: there is no such snapshot yet."""


def read_state() -> State | None:
    """Return the running lab of this checkout, or None."""
    path = cache.lab_directory() / "state.json"
    if not path.exists():
        return None
    state = State(**json.loads(path.read_text()))
    return state if _is_our_qemu(state.pid) else None


def write_state(state: State) -> None:
    """Remember the running lab."""
    (cache.lab_directory() / "state.json").write_text(json.dumps(asdict(state)) + "\n")


def _is_our_qemu(pid: int) -> bool:
    """Tell a living lab from a number that another process got since."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return os.fsencode(cache.lab_directory()) in command


def accelerator() -> list[str]:
    """Return KVM where it works, emulation elsewhere.

    /dev/kvm alone proves nothing: it can exist where no Linux guest comes up.
    """
    flags = set(re.findall(r"\b(?:vmx|svm)\b", Path("/proc/cpuinfo").read_text()))
    return ["-accel", "kvm"] if flags and _kvm_answers() else ["-accel", "tcg,thread=multi"]


def _kvm_answers() -> bool:
    try:
        with Path("/dev/kvm").open("rb+", buffering=0) as device:
            return fcntl.ioctl(device, KVM_GET_API_VERSION) == 12
    except OSError:
        return False


def machine() -> list[str]:
    """Return what decides the virtual hardware: a snapshot resumes only on the same."""
    return [
        *accelerator(),
        *("-M", "q35", "-cpu", ",".join(["max", *(f"{feature}=off" for feature in SLOW)])),
        *"-m 4096 -smp 8,sockets=1,cores=4,threads=2".split(),
        *"-nodefaults -display none -device virtio-rng-pci".split(),
        # detect-zeroes and discard make write-zeroes on the volume group as fast as on a real SSD.
        *"-device virtio-blk-pci,drive=root,serial=root".split(),
        *"-device virtio-blk-pci,drive=data,serial=lvm-data".split(),
        *"-device virtio-net-pci,netdev=uplink,romfile=".split(),
    ]


def drives(directory: Path) -> list[str]:
    """Return the two disks of the lab in `directory`."""
    common = "if=none,format=qcow2,cache=unsafe,discard=unmap,detect-zeroes=unmap"
    return [
        *("-drive", f"id=root,file={directory}/root.qcow2,{common}"),
        *("-drive", f"id=data,file={directory}/data.qcow2,{common}"),
    ]


def binary(image: Image, name: str) -> list[str]:
    """Return the command line that runs a program of the image with the image's own libraries."""
    usr = image.qemu / "usr"
    libraries = usr / "lib/x86_64-linux-gnu"
    return [
        str(libraries / "ld-linux-x86-64.so.2"),
        *("--library-path", str(libraries)),
        str(usr / "bin" / name),
    ]


def create_disks(image: Image, directory: Path) -> None:
    """Make the two empty disks: a layer over the image, and the one for the volume group."""
    make = [*binary(image, "qemu-img"), "create", "-q", "-f", "qcow2"]
    tool(*make, "-b", image.root, "-F", "raw", directory / "root.qcow2", timeout=30)
    tool(*make, directory / "data.qcow2", DATA_SIZE, timeout=30)


def start(
    image: Image,
    directory: Path,
    port: int,
    snapshot: str | None = None,
    initrd: Path | None = None,
) -> int:
    """Start QEMU in the background, fresh or from a snapshot, and return its process id."""
    share = image.qemu / "usr/share"
    tool(
        *binary(image, "qemu-system-x86_64"),
        *("-L", share / "qemu", "-L", share / "seabios"),
        *machine(),
        *drives(directory),
        *("-netdev", f"user,id=uplink,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22"),
        *("-kernel", image.kernel, "-initrd", initrd or image.initrd, "-append", APPEND),
        *("-serial", f"file:{directory}/console.log"),
        *("-qmp", f"unix:{directory}/qmp.sock,server=on,wait=off"),
        *("-pidfile", directory / "pid", "-daemonize"),
        *(("-loadvm", snapshot) if snapshot else ()),
        timeout=120,
        env={"QEMU_MODULE_DIR": f"{image.qemu}/usr/lib/x86_64-linux-gnu/qemu"},
    )
    return int((directory / "pid").read_text())


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def greets(port: int) -> bool:
    """Whether an ssh server is behind a port (RFC 4253, 4.2).

    QEMU's network takes each connection at once: one that began before the host had booted would
    wait for long.
    """
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def stop(pid: int) -> None:
    """End a lab's QEMU; there is nothing in it worth a shutdown."""
    os.kill(pid, signal.SIGTERM)
    wait_for(f"QEMU {pid} to end", lambda: "alive" if _is_our_qemu(pid) else None, timeout=20)


def monitor(directory: Path, command: str, timeout: float = 120) -> str:
    """Give one command to the human monitor and return its answer (docs/interop/qmp-spec)."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout)
        connection.connect(str(directory / "qmp.sock"))
        with connection.makefile("rw") as stream:
            stream.readline()  # the greeting
            _execute(stream, "qmp_capabilities", {})
            answer = _execute(stream, "human-monitor-command", {"command-line": command})
    return str(answer).strip()


def _execute(stream: TextIO, name: str, arguments: dict[str, str]) -> object:
    stream.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
    stream.flush()
    while line := stream.readline():
        message = json.loads(line)  # events come in between; they have neither key
        if "error" in message:
            raise LabError(f"QEMU refused {name}: {message['error']['desc']}")
        if "return" in message:
            return message["return"]
    raise LabError(f"QEMU went away during {name}")


def snapshot(directory: Path, verb: str, name: str) -> None:
    """Take (`savevm`), resume (`loadvm`) or drop (`delvm`) a snapshot; silence is success."""
    answer = monitor(directory, f"{verb} {name}")
    if answer:
        raise LabError(f"QEMU could not {verb} {name}: {answer}")
