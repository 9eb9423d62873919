"""Tenants: who owns machines, what account they have on the host, and how much they may take.

What a tenant is stands on the host itself: how they may log in and until when in their account
(passwd(5), shadow(5)), their keys in a file that sshd reads, and what an account has no place for,
whose it is and how much they may have, in a record of ours.
"""

import enum
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Final

from raptorctl.errors import InputError, SettingsError
from raptorctl.model.codec import ShapeError, decode, encode
from raptorctl.model.names import TENANT, shown
from raptorctl.model.sizes import Size

GROUP: Final = "vm-users"
"""Whose members polkit takes for tenants, and whom sshd's `Match Group` restrains."""

CONSOLE_GROUP: Final = "vm-console"
"""Tenants without a shell: sshd's ForceCommand holds for them whatever their login shell says."""

RECORDS: Final = "/etc/raptorctl/tenants"
KEYS: Final = "/etc/raptorctl/keys"
"""Where sshd looks (AuthorizedKeysFile /etc/raptorctl/keys/%u): root alone can add a key."""

TENANT_SHELL: Final = "/usr/lib/raptorctl/tenant-shell"

CLOSED: Final = "1970-01-02"
"""The last day of an account that nobody may log in to: what PAM looks at for keys too, while a
locked password (usermod(8), --lock) leaves them working."""

LAST_UID: Final = 33000
"""A tenant's highest uid: 66000 above it, where their machines' QEMU can have a number of its own,
ends below subuid(5)'s 100000."""

ACCOUNT_MARK: Final = "raptorctl job "
"""How the comment of an account that a job made begins."""

BYPASSING: Final = frozenset(
    "root libvirt libvirt-qemu kvm disk sudo wheel admin adm docker lxd incus incus-admin"
    " vm-admins".split()
)
"""Groups whose members need not ask polkit, or can become somebody who need not."""


class Mode(enum.Enum):
    """What a tenant gets at login."""

    SHELL = "shell"
    CONSOLE = "console"
    NOLOGIN = "nologin"

    @property
    def shell(self) -> str:
        """The login shell that makes it so."""
        return _SHELLS[self]


_SHELLS: Final = {
    Mode.SHELL: "/bin/bash",
    Mode.CONSOLE: TENANT_SHELL,
    Mode.NOLOGIN: "/usr/sbin/nologin",
}


@dataclass(frozen=True)
class Quota:
    """How much a tenant may have at once; None is without limit.

    Args:
        machines: how many.
        cpus: virtual CPUs of all of them.
        memory: bytes of all of them.
        size: bytes of all volumes.
    """

    machines: int | None = None
    cpus: int | None = None
    memory: Size | None = None
    size: Size | None = None

    @classmethod
    def parse(cls, text: str) -> "Quota":
        """Read `machines=2,cpus=8,memory=16G,size=100G`; what is not named has no limit.

        `none` is no limit at all; to say nothing is an error, of a script's empty variable.

        Raises:
            InputError: an unknown name, one named twice, a value that is none, or nothing.
        """
        if text == "none":
            return cls()
        found: dict[str, int | Size] = {}
        for part in filter(None, text.split(",")) if text.strip(",") else [text]:
            name, equals, value = part.partition("=")
            if not equals or name not in _QUOTA_PARSERS or name in found:
                raise InputError(
                    f"{shown(part)} is not a quota",
                    resolution="write none, or NAME=VALUE, each once, of "
                    f"{', '.join(_QUOTA_PARSERS)}",
                )
            found[name] = _QUOTA_PARSERS[name](value)
        return cls(**found)  # type: ignore[arg-type]

    def __str__(self) -> str:
        said = ((f.name, getattr(self, f.name)) for f in fields(self))
        return ",".join(f"{name}={value}" for name, value in said if value is not None) or "none"


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 7):
        raise InputError(f"{shown(text)} is not a number", resolution="write a whole number")
    return int(text)


_QUOTA_PARSERS: Final = {
    "machines": _count,
    "cpus": _count,
    "memory": Size.parse,
    "size": Size.parse,
}


@dataclass(frozen=True)
class Account:
    """An account of the host, ours or not.

    Args:
        name: the login.
        uid, gid: its numbers.
        comment: passwd(5)'s; the job that made an account of ours.
        home, shell: its directory and login shell.
        groups: all it is a member of, by name.
        expires: the first day it cannot log in any more, ISO 8601, or "" for never.
    """

    name: str
    uid: int
    gid: int
    comment: str = ""
    home: str = ""
    shell: str = ""
    groups: frozenset[str] = frozenset()
    expires: str = ""

    def bypassing(self, admin_groups: Iterable[str]) -> list[str]:
        """Return by which of its groups it can do everything, those of the settings among them."""
        return sorted(self.groups & (BYPASSING | {*admin_groups}))


@dataclass(frozen=True)
class TenantRecord:
    """What an account has no place for; the file in `RECORDS` is this as JSON.

    Args:
        name: the tenant.
        uid: of the account it speaks of.
        adopted: the account was there before us, and stays when the tenant goes.
        job: the job that made it.
        created: when, UTC, ISO 8601.
        created_by: the admin who did it.
        quota: how much the tenant may have.
        former_shell: the login shell of an adopted account, which gets it back.
    """

    name: str
    uid: int
    adopted: bool
    job: str
    created: str
    created_by: str
    quota: Quota = field(default_factory=Quota)
    former_shell: str = ""


@dataclass(frozen=True)
class Tenant:
    """A tenant as the host has them, whole or in part.

    Args:
        name: the login.
        record: ours; None where an account only looks like a tenant's.
        account: None where it is gone.
        keys: the text of their file of keys, "" without.
        record_file: the text that the record was read from, "" without.
    """

    name: str
    record: TenantRecord | None = None
    account: Account | None = None
    keys: str = ""
    record_file: str = ""

    @property
    def ours(self) -> bool:
        """Record and account are both there, agree, and are in our group."""
        record, account = self.record, self.account
        return bool(record and account and record.uid == account.uid and GROUP in account.groups)

    def expired(self, today: str) -> bool:
        """Whether they can no longer log in.

        Args:
            today: ISO 8601.
        """
        return bool(self.account and self.account.expires and self.account.expires <= today)

    @property
    def mode(self) -> Mode | None:
        """What the tenant gets at login; None without an account."""
        if self.account is None:
            return None
        return _MODES.get(self.account.shell, Mode.SHELL)


_MODES: Final = {shell: mode for mode, shell in _SHELLS.items()}


def record_path(tenant: str) -> str:
    """Where a tenant's record is."""
    return f"{RECORDS}/{tenant}.json"


def parse_record(text: str, path: str) -> TenantRecord:
    """Read a record's file.

    Args:
        text: JSON.
        path: its file, whose name must be the tenant's.

    Raises:
        SettingsError: it is not such a record.
    """
    try:
        record = decode(TenantRecord, json.loads(text))
    except ShapeError as error:
        raise SettingsError(path, error.key, error.problem) from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(path, "", f"is not JSON: {error}") from error
    if path != record_path(record.name) or not TENANT.fullmatch(record.name):
        raise SettingsError(path, "name", f"{shown(record.name)} is not whose file this is")
    return record


def record_text(record: TenantRecord) -> str:
    """What stands in a record's file."""
    return json.dumps(encode(record), indent=2) + "\n"


def keys_path(tenant: str) -> str:
    """Where sshd finds a tenant's keys."""
    return f"{KEYS}/{tenant}"


def parse_day(text: str) -> str:
    """Read a day, `2027-03-31`, or `never`, which is "".

    Raises:
        InputError: it is none.
    """
    if text == "never":
        return ""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise InputError(
            f"{shown(text)} is not a day", resolution="write 2027-03-31, or never"
        ) from error


def account_comment(job: str) -> str:
    """The mark on an account that a job made: passwd(5)'s comment, which only root can write."""
    return f"{ACCOUNT_MARK}{job}"
