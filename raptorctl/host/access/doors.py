"""What keeps people from what is not theirs, looked at for doctor; changes nothing."""

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from raptorctl.errors import CommandError, MissingError
from raptorctl.host.system import command, files, procfs, unit
from raptorctl.model.access import RULES, VENDOR_RULES, Daemon
from raptorctl.model.probe import Doors

DAEMONS: Final = (
    "libvirtd virtqemud virtproxyd virtnetworkd virtstoraged virtnodedevd virtnwfilterd "
    "virtsecretd virtinterfaced"
).split()
SOCKETS: Final = Path("/run/libvirt")
CONFIGS: Final = Path("/etc/libvirt")
BRIDGE_HELPERS: Final = (
    Path("/usr/lib/qemu/qemu-bridge-helper"),
    Path("/usr/libexec/qemu-bridge-helper"),
)
LISTENS: Final = ("show", "--property=Listen", "--value", "libvirtd.socket", "libvirtd-ro.socket")
ANONYMOUS: Final = 20
"""libvirt's own max_anonymous_clients (libvirtd.conf)."""


def look(tenant: str, wrong_answers: Iterable[str]) -> Doors:
    """Look at everything once.

    Args:
        tenant: some tenant, as whom sshd is asked; "" where there is none.
        wrong_answers: of polkit's.

    Raises:
        SettingsError: the rules cannot be trusted.
    """
    rules_file = first_there(RULES, VENDOR_RULES)
    return Doors(
        rules=files.LocalFiles().read(rules_file),
        rules_file=rules_file,
        shipped_rules=files.shipped_rules(),
        wrong_answers=tuple(wrong_answers),
        daemons=tuple(daemons()),
        open_sockets=tuple(_open_sockets(SOCKETS)),
        unjudged=tuple(read_listens(_said("systemctl", *LISTENS))),
        bridge_helper=any(map(_has_rights, BRIDGE_HELPERS)),
        hidepid=_hides(_mounts()),
        sshd=_sshd(tenant) if tenant else None,
    )


def first_there(*paths: str) -> str:
    """Return the first path where something is, or the first of all."""
    return next(filter(os.path.lexists, paths), paths[0])


def read_daemon(name: str, text: str) -> Daemon:
    """Read a daemon's settings, as far as they are about who may do what.

    Args:
        name: the daemon's.
        text: of its file; the last of a key counts.
    """
    drivers = re.findall(r"^\s*access_drivers\s*=\s*\[(.*?)\]", text, re.MULTILINE | re.DOTALL)
    limits = re.findall(r"^\s*max_anonymous_clients\s*=\s*([0-9]+)", text, re.MULTILINE)
    return Daemon(
        name,
        str(CONFIGS / f"{name}.conf"),
        polkit=bool(drivers) and '"polkit"' in drivers[-1],
        anonymous=int(limits[-1]) if limits else ANONYMOUS,
    )


def read_listens(text: str) -> Iterator[str]:
    """Yield libvirtd's own sockets that are where clients look, from `systemctl show`."""
    for path, _ in re.findall(r"^(\S+) \((Stream)\)$", text, re.MULTILINE):
        if Path(path).parent == SOCKETS:
            yield path


def daemons() -> Iterator[Daemon]:
    """Yield libvirt's daemons that answer on this host."""
    units = {f"{name}.{kind}": name for name in DAEMONS for kind in ("socket", "service")}
    try:
        found = dict.fromkeys(units[one] for one in unit.running(*units))
    except (CommandError, MissingError):
        return  # no systemd that would start one
    for name in found:
        file = CONFIGS / f"{name}.conf"
        yield read_daemon(name, file.read_text(errors="replace") if file.is_file() else "")


def _open_sockets(folder: Path) -> Iterator[str]:
    """Sockets that others than owner and group can write to, so connect to (unix(7))."""
    for path in sorted(folder.glob("*-sock*")):
        status = path.stat()
        if stat.S_ISSOCK(status.st_mode) and status.st_mode & stat.S_IWOTH:
            yield str(path)


def _has_rights(path: Path) -> bool:
    try:
        setuid = path.stat().st_mode & stat.S_ISUID
        return bool(setuid) or "security.capability" in os.listxattr(path)
    except FileNotFoundError:
        return False


def _mounts() -> str:
    """What is mounted on the host: a unit of systemd's, as that of metrics, may have its own /proc.

    Only root may look at process 1 (proc_pid_mounts(5)).
    """
    return procfs.read(Path("/proc/self/mounts" if os.geteuid() else "/proc/1/mounts"))


def _hides(mounts: str) -> bool:
    options = re.findall(r"^proc /proc proc (\S+)", mounts, re.MULTILINE)
    return any(re.search(r"hidepid=(invisible|ptraceable|2|4)", found) for found in options)


def _sshd(tenant: str) -> Mapping[str, str] | None:
    said = _said("sshd", "-T", "-C", f"user={tenant},host=localhost,addr=127.0.0.1")
    return dict(line.partition(" ")[::2] for line in said.splitlines()) if said else None


def _said(program: str, *words: str) -> str:
    """What a program says if it ends well; nothing where it is missing or says no."""
    try:
        return command.run(program, *words)
    except (CommandError, MissingError):
        return ""
