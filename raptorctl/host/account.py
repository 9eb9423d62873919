"""Accounts of the host, by shadow's own programs (useradd(8) and its kin), which lock the files."""

import grp
import pwd
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from raptorctl.errors import CommandError, HostError
from raptorctl.host import command
from raptorctl.model.tenant import Account

FIRST_UID: Final = 1000
LAST_UID: Final = 33000
"""Below 34000, so that QEMU's numbers (settings, access.qemu_ids) end below subuid(5)'s 100000."""

EPOCH: Final = date(1970, 1, 1)
NIXOS: Final = Path("/etc/NIXOS")
LOCKED: Final = "!"
"""How an entry of shadow(5) begins that `usermod --lock` closed."""


class LocalAccounts:
    """Accounts of the machine we run on; implements `raptorctl.host.drivers.Accounts`."""

    def find(self, name: str) -> Account | None:
        """Return the account of that name, read anew."""
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            return None
        return _account(entry, _shadow([name]).get(name, ("", "")), _groups())

    def members(self, group: str) -> tuple[Account, ...]:
        """Return all members of a group; none where there is no such group."""
        groups = _groups()
        names = [name for name, their in groups.items() if group in their]
        entries = [entry for entry in pwd.getpwall() if entry.pw_name in names]
        shadow = _shadow([entry.pw_name for entry in entries])
        return tuple(_account(e, shadow.get(e.pw_name, ("", "")), groups) for e in entries)

    def names(self) -> frozenset[str]:
        """Return the names of all accounts."""
        return frozenset(entry.pw_name for entry in pwd.getpwall())

    def free_uid(self) -> int:
        """Return the first number from 1000 on that no account and no group has."""
        taken = {e.pw_uid for e in pwd.getpwall()} | {e.gr_gid for e in grp.getgrall()}
        for uid in range(FIRST_UID, LAST_UID):
            if uid not in taken:
                return uid
        raise HostError(f"all numbers for accounts, {FIRST_UID} to {LAST_UID}, are taken")

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

    def lock(self, name: str, *, on: bool) -> None:
        """Let nobody log in to it by any way, or let them again."""
        raise NotImplementedError

    def end_sessions(self, account: Account) -> int:
        """End its logins, processes, and its connections to libvirt; returns how many."""
        raise NotImplementedError

    def remove(self, account: Account) -> None:
        """Remove the account of that name and uid, and its home directory."""
        raise NotImplementedError


def _run(program: str, *args: str, ok: tuple[int, ...] = (0,)) -> str:
    return command.run(program, *args, ok=ok)


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


def _shadow(names: list[str]) -> Mapping[str, tuple[str, str]]:
    """Hash and last day (days since 1970) of accounts that shadow(5) knows, where we may ask."""
    if not names:
        return {}
    try:
        told = command.run("getent", "shadow", "--", *names, ok=(0, 2))  # 2: not all are there
    except CommandError:
        return {}
    lines = [line.split(":") for line in told.splitlines()]
    return {line[0]: (line[1], line[7]) for line in lines if len(line) > 7}


def _account(
    entry: pwd.struct_passwd, shadow: tuple[str, str], groups: Mapping[str, frozenset[str]]
) -> Account:
    password, days = shadow
    return Account(
        name=entry.pw_name,
        uid=entry.pw_uid,
        gid=entry.pw_gid,
        comment=entry.pw_gecos,
        home=entry.pw_dir,
        shell=entry.pw_shell,
        groups=groups.get(entry.pw_name, frozenset()),
        expires=(EPOCH + timedelta(days=int(days))).isoformat() if days.isdigit() else "",
        locked=password.startswith(LOCKED),
    )
