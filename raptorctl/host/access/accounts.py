"""Accounts of the host, by shadow's own programs (useradd(8) and its kin), which lock the files."""

import grp
import os
import pwd
import signal
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from raptorctl.drivers.tick import Tick
from raptorctl.errors import CommandError, HostError, MissingError
from raptorctl.host.access import clients, web
from raptorctl.host.system import command, procfs
from raptorctl.model.tenant import LAST_UID, Account
from raptorctl.model.tombstone import FIRST_UID, next_uid

AT_JOBS: Final = Path("/var/spool/cron/atjobs")
"""atd runs a job as the owner of its file; nobody else can make one there."""
LINGERING: Final = Path("/var/lib/systemd/linger")
"""A file for each account that logind begins at boot (loginctl(1)); by name, and root's."""
EPOCH: Final = date(1970, 1, 1)
NIXOS: Final = Path("/etc/NIXOS")
SHADOW: Final = Path("/etc/shadow")
TRIES: Final = 10
PAUSE: Final = 1.0
"""Seconds between two tries at the lock of /etc/passwd (lckpwdf(3))."""

PATIENCE: Final = 20.0
"""Seconds in which killed processes are gone, unless a device holds them."""

REMOVAL: Final = 3600.0
"""Seconds for removing a large home directory: a bound, not an expectation."""


class LocalAccounts:
    """Accounts of the machine we run on; implements `raptorctl.drivers.account.Accounts`."""

    def find(self, name: str) -> Account | None:
        """Return the account of that name, read anew."""
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            return None
        return _account(entry, _shadow([name]).get(name, ""), _groups())

    def members(self, group: str) -> tuple[Account, ...]:
        """Return all members of a group; none where there is no such group."""
        groups = _groups()
        names = [name for name, their in groups.items() if group in their]
        entries = [entry for entry in pwd.getpwall() if entry.pw_name in names]
        shadow = _shadow([entry.pw_name for entry in entries])
        return tuple(_account(e, shadow.get(e.pw_name, ""), groups) for e in entries)

    def names(self) -> frozenset[str]:
        """Return the names of all accounts."""
        return frozenset(entry.pw_name for entry in pwd.getpwall())

    def free_uid(self, given: Iterable[int] = ()) -> int:
        """See `raptorctl.drivers.account.Accounts`."""
        there = {e.pw_uid for e in pwd.getpwall()} | {e.gr_gid for e in grp.getgrall()}
        uid = next_uid(there.union(given))
        if uid is None:
            raise HostError(f"all numbers for accounts, {FIRST_UID} to {LAST_UID}, are taken")
        return uid

    def declarative(self) -> bool:
        """Whether accounts are made from a configuration, and ours would vanish (NixOS)."""
        return NIXOS.exists()

    def create(self, account: Account) -> None:
        """Make an account with the numbers, comment, shell, groups and last day given."""
        groups = ",".join(sorted(account.groups))
        _run("groupadd", "--gid", str(account.gid), account.name, ok=(0, 9))  # 9: it exists
        _run(
            "useradd",
            *("--uid", str(account.uid), "--gid", account.name, "--groups", groups),
            *("--comment", account.comment, "--shell", account.shell),
            *("--expiredate", account.expires, "--create-home", "--key", "HOME_MODE=0700"),
            account.name,
        )

    def change(self, name: str, *, shell: str | None = None, expires: str | None = None) -> None:
        """Give it another shell, or another last day ("" for none); None leaves it."""
        wishes = [("--shell", shell), ("--expiredate", expires)]
        given = [word for option, value in wishes if value is not None for word in (option, value)]
        if given:
            _run("usermod", *given, name)

    def join(self, name: str, groups: Iterable[str]) -> None:
        """Make it a member of these groups as well."""
        _run("usermod", "--append", "--groups", ",".join(groups), name)

    def leave(self, name: str, groups: Iterable[str]) -> None:
        """End its being a member of these groups."""
        for group in groups:
            _run("gpasswd", "--delete", name, group, ok=(0, 3))  # 3: it is none

    def end_sessions(self, account: Account) -> int:
        """End its logins, its page, its processes and its connections to libvirt; returns how many.

        What it has asked to be begun later goes first: neither cron nor at looks at how it may log
        in. Its connections go last: a process may have opened one meanwhile.

        Raises:
            HostError: something of it would not end.
        """
        _forget_schedules(account)
        with suppress(MissingError):
            # 1: it is not logged in. Processes outside of any session are ended below.
            command.run("loginctl", "terminate-user", account.name, ok=(0, 1))
        web.end_agent(account.name)  # systemd would begin it again for the next who asks
        ended = _end_processes(account)
        return ended + clients.disconnect(account.uid)

    def disconnect(self, account: Account) -> int:
        """See `raptorctl.drivers.account.Accounts`."""
        return clients.disconnect(account.uid)

    def remove(self, account: Account) -> None:
        """Remove the account of that name and uid, its home directory and its own group.

        Raises:
            HostError: it has processes, or what is at its home is not its own directory.
        """
        if _processes(account.uid):
            raise HostError(f"account {account.name} has processes")
        _refuse_strange_home(account)
        # 6: it is gone already, or belongs to others too.
        _run("userdel", "--remove", account.name, ok=(0, 6), timeout=REMOVAL)
        _run("groupdel", account.name, ok=(0, 6, 8))

    def left(self, uid: int) -> tuple[str, ...]:
        """See `raptorctl.drivers.account.Accounts`."""
        from raptorctl.host.access import remains

        return remains.left(uid)

    def sweep(self, uid: int, tick: Tick) -> Mapping[str, int]:
        """See `raptorctl.drivers.account.Accounts`."""
        from raptorctl.host.access import remains

        return remains.sweep(uid, tick)


def _run(
    program: str, *args: str, ok: tuple[int, ...] = (0,), timeout: float = command.TIMEOUT
) -> None:
    """Run one of shadow's programs; while another holds their lock, wait for it."""
    for _ in range(TRIES):
        try:
            command.run(program, *args, ok=ok, timeout=timeout)
        except CommandError as error:
            if "cannot lock" not in error.stderr:
                raise
            last = error
            time.sleep(PAUSE)
        else:
            return
    raise last


def _forget_schedules(account: Account) -> None:
    """Take away what begins without a login: crontab(1), at(1), and what lingers (loginctl(1))."""
    with suppress(MissingError):
        command.run("loginctl", "disable-linger", account.name, ok=(0, 1))
    (LINGERING / account.name).unlink(missing_ok=True)  # where logind does not answer
    with suppress(MissingError):
        command.run("crontab", "-r", "-u", account.name, ok=(0, 1))  # 1: it has none
    for job in AT_JOBS.glob("*"):
        if job.lstat().st_uid == account.uid:
            job.unlink(missing_ok=True)


def _processes(uid: int) -> list[int]:
    """The processes that run for an account, as the kernel has them (proc(5))."""
    found = []
    for path in procfs.processes():
        with suppress(OSError):  # it ended just now
            if uid in _uids(path):
                found.append(int(path.name))
    return found


def _uids(process: Path) -> set[int]:
    """Whose a process is; a zombie is nobody's: it waits for its parent, and does nothing."""
    lines = (process / "status").read_text().splitlines()
    said = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
    return set() if said["State"][0] == "Z" else {int(word) for word in said["Uid"]}


def _end_processes(account: Account) -> int:
    """Have them killed until none is left: what forks faster than it dies has its limits (pam)."""
    first = _processes(account.uid)
    deadline = time.monotonic() + PATIENCE
    while found := _processes(account.uid):
        if time.monotonic() > deadline:
            raise HostError(f"{len(found)} processes of {account.name} would not end")
        for number in found:
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        time.sleep(0.05)
    return len(first)


def _refuse_strange_home(account: Account) -> None:
    """What root removes must be what was made: not a link, not a mount, not another's."""
    home = Path(account.home)
    if not os.path.lexists(home):
        return
    status = home.lstat()
    if home.is_symlink() or not home.is_dir() or home.is_mount() or status.st_uid != account.uid:
        raise HostError(
            f"{home} is not {account.name}'s own directory",
            resolution="look at it, move it away, then try again",
        )


def _groups() -> Mapping[str, frozenset[str]]:
    """All groups of everybody who is in one, the first group too."""
    found: dict[str, set[str]] = {}
    names = {}
    for group in grp.getgrall():
        names[group.gr_gid] = group.gr_name
        for name in group.gr_mem:
            found.setdefault(name, set()).add(group.gr_name)
    for entry in pwd.getpwall():
        found.setdefault(entry.pw_name, set()).add(names.get(entry.pw_gid, str(entry.pw_gid)))
    return {name: frozenset(groups) for name, groups in found.items()}


def _shadow(names: list[str]) -> Mapping[str, str]:
    """Last day (days since 1970) of accounts that shadow(5) knows, where we may ask."""
    known = _last_days(_shadow_file())
    # Whoever is not of this host may be known elsewhere (nsswitch.conf(5)); to ask is a program.
    others = [name for name in names if name not in known]
    return {**known, **_last_days(_asked(others))} if others else known


def _shadow_file() -> str:
    try:
        return SHADOW.read_text()
    except OSError:
        return ""


def _asked(names: list[str]) -> str:
    try:
        return command.run("getent", "shadow", "--", *names, ok=(0, 2))  # 2: not all are there
    except CommandError:
        return ""


def _last_days(text: str) -> Mapping[str, str]:
    lines = [line.split(":") for line in text.splitlines()]
    return {line[0]: line[7] for line in lines if len(line) > 7}


def _account(entry: pwd.struct_passwd, days: str, groups: Mapping[str, frozenset[str]]) -> Account:
    return Account(
        name=entry.pw_name,
        uid=entry.pw_uid,
        gid=entry.pw_gid,
        comment=entry.pw_gecos,
        home=entry.pw_dir,
        shell=entry.pw_shell,
        groups=groups.get(entry.pw_name, frozenset()),
        expires=(EPOCH + timedelta(days=int(days))).isoformat() if days.isdigit() else "",
    )
