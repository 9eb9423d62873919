"""A host of one's own: where it is, what it has, and why it may have no KVM."""

import errno
import os
import pwd
import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from raptorctl.errors import HostError, InputError, MissingError, RefusedError
from raptorctl.host.system import procfs
from raptorctl.host.system.files import read_trusted
from raptorctl.host.system.unreachable import surroundings
from raptorctl.model.domain import Domain
from raptorctl.model.encoding import decoded
from raptorctl.model.session_host import (
    FIRMWARE,
    LOOPBACK,
    Places,
    owner_name,
    parse_session_settings,
    places,
    session_settings,
    ssh_port,
)
from raptorctl.model.settings import Settings
from raptorctl.model.settings_file import DEFAULT_FILE
from raptorctl.model.ssh_key import LARGEST_FILE, PublicKey, parse_keys

KVM: Final = Path("/dev/kvm")
PORTS: Final = range(2201, 2601)
"""Where ssh is forwarded from: below those that the kernel hands out by itself (ip(7))."""
KEYS: Final = tuple(
    f"id_{kind}.pub" for kind in ("ed25519", "ed25519_sk", "ecdsa", "ecdsa_sk", "rsa")
)
"""Of the files that ssh tries without being told (ssh_config(5), IdentityFile)."""
TCP: Final = (procfs.PROC / "net/tcp", procfs.PROC / "net/tcp6")
LISTEN: Final = "0A"
V4_LOOPBACK: Final = "0100007F"
"""127.0.0.1 as the kernel prints it, by itself or inside of an IPv6 address."""
ENOUGH: Final = 4  # free ports that a planner gets to see


def is_session_host(settings_file: Path) -> bool:
    """Whether the host is the caller's own: not root, and nobody has written a settings file."""
    if os.geteuid() == 0 or str(settings_file) != DEFAULT_FILE:
        return False
    try:
        settings_file.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:  # it is there, and not for us to see
        return False
    return False


def session_places() -> Places:
    """Find the caller's places.

    Raises:
        RefusedError: one of them is where the caller may not even look.
    """
    found = places(os.environ, _home())
    for path in (found.config, found.data, found.state, found.runtime):
        try:
            Path(path).stat()
        except PermissionError as error:
            said = os.strerror(errno.EACCES)
            raise RefusedError(
                f"{path} cannot be reached: {said}", resolution=surroundings(path, said)
            ) from error
        except OSError:
            continue  # it is made when it is needed, or what makes it tells
    return found


def owner_keys() -> tuple[str, ...]:
    """Return the caller's public keys: those whose private halves ssh tries by itself."""
    return tuple(str(key) for _, keys, _ in _key_files() for key in keys)


def refused_keys() -> tuple[str, ...]:
    """Say of each of the caller's public keys that is there and not taken, why."""
    folder = Path(_home(), ".ssh")
    # Of what cannot be entered, each file in it would say the same.
    if os.path.lexists(folder) and not os.access(folder, os.X_OK):
        return ("no key of ~/.ssh is taken: it cannot be entered",)
    return tuple(f"~/.ssh/{name} is not taken: {why}" for name, _, why in _key_files() if why)


def read_session_settings(found: Places) -> Settings:
    """Build the settings of a host of one's own from what is there, and from the person's own file.

    Raises:
        SettingsError: that file cannot be read, or says something impossible.
    """
    try:
        login = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        login = ""
    settings, file = session_settings(found, owner_name(login), _firmware()), Path(found.settings)
    if not os.path.lexists(file):
        return settings
    return parse_session_settings(read_trusted(file), found, settings)


def make_directories(settings: Settings) -> None:
    """Make what is missing of the caller's directories, for them alone.

    Raises:
        HostError: one cannot be made.
    """
    libvirt, images = settings.libvirt, settings.images
    wanted = (settings.storage.volume_group, libvirt.nvram_dir, libvirt.console_log_dir)
    for directory in (*wanted, images.directory, images.seed_dir):
        try:
            Path(directory).mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            said = error.strerror or str(error)
            raise HostError(
                f"cannot make {directory}: {said}", resolution=surroundings(directory, said)
            ) from error


def session_runs() -> tuple[Path, ...]:
    """Where libvirt's session keeps its QEMUs' pid files (virGetUserRuntimeDirectory)."""
    cache = os.environ.get("XDG_CACHE_HOME") or f"{os.environ.get('HOME', '')}/.cache"
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    return tuple(Path(base) / "libvirt/qemu/run" for base in (runtime, cache) if base)


def kvm_obstacle(cpuinfo: Path = procfs.CPUINFO, device: Path = KVM) -> str:
    """Say why machines cannot use KVM, or "".

    The device alone says nothing: it can exist where the CPU cannot do it.
    """
    try:
        able = procfs.virtualizes(cpuinfo)
    except MissingError as error:
        return str(error)
    if not able:
        return "the CPU has neither vmx nor svm: not there, or switched off by the firmware"
    if not device.exists():
        return f"there is no {device}: load the module kvm_intel or kvm_amd"
    if not os.access(device, os.R_OK | os.W_OK):
        return f"{device} is not ours to open: join its group, kvm"
    return ""


def free_ports(domains: Iterable[Domain], count: int = ENOUGH) -> tuple[int, ...]:
    """Return ports of loopback that nobody listens at and no machine, running or not, has."""
    forms = (form for domain in domains for form in domain.forms)
    taken = {port for form in forms for port in _ports(form)}
    found: list[int] = []
    for port in PORTS:
        if port not in taken and is_free(port):
            found.append(port)
        if len(found) == count:
            break
    return tuple(found)


def used_ports(domains: Iterable[Domain]) -> dict[int, str]:
    """Say of each port of loopback that is not to be had, who has it."""
    listening = dict.fromkeys(_listening(), "a program listens there")
    forms = ((domain.name, form) for domain in domains for form in domain.forms)
    return listening | {port: f"{name} has it" for name, form in forms for port in _ports(form)}


def _ports(form: Domain) -> Iterator[int]:
    if form.mark and (port := ssh_port(form.mark.ssh)):
        yield port
    yield from (one.host for one in form.forwards)


def _listening() -> Iterator[int]:
    """Ports that TCP listens at on loopback, or everywhere (proc_net_tcp.txt of the kernel)."""
    for path in filter(Path.exists, TCP):
        for line in procfs.read(path).splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            address, _, port = local.rpartition(":")
            if state == LISTEN and (not address.strip("0") or address.endswith(V4_LOOPBACK)):
                yield int(port, 16)


def is_free(port: int) -> bool:
    """Whether nobody listens at a port of loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as asked:
        # As QEMU does: connections that have ended and linger are in nobody's way (socket(7)).
        asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            asked.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _home() -> str:
    home = os.environ.get("HOME", "")
    if not Path(home).is_absolute():
        with suppress(KeyError):
            home = pwd.getpwuid(os.getuid()).pw_dir
    return home


def _key_files() -> Iterator[tuple[str, tuple[PublicKey, ...], str]]:
    """Of each file: its name, its keys, and why they are not taken, or ""."""
    folder = Path(_home(), ".ssh")
    for name in KEYS:
        path = folder / name
        try:
            if path.is_file():  # a FIFO would be waited for
                yield name, parse_keys(decoded(path.read_bytes()[:LARGEST_FILE], "it")), ""
            elif os.path.lexists(path):
                yield name, (), "it is no file" if path.exists() else "it is a link to nothing"
        except OSError as error:
            yield name, (), f"it cannot be read: {error.strerror}"
        except InputError as error:
            yield name, (), str(error)


def _firmware() -> tuple[str, str]:
    whole = (pair for pair in FIRMWARE if all(Path(path).is_file() for path in pair))
    return next(whole, FIRMWARE[0])
