"""Accounts and polkit's answers in memory."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from raptorctl.drivers.tick import Tick
from raptorctl.errors import HostError
from raptorctl.host.survey.survey import shares
from raptorctl.model.access import RULES, Daemon, Person, Question, decide
from raptorctl.model.share import Share
from raptorctl.model.stamp import stamp
from raptorctl.model.tenant import Account
from raptorctl.model.tombstone import next_uid
from tests.fakes.file import FakeFiles


class FakeAccounts:
    """Accounts: `others` are the system's, `sessions` who is logged in how often.

    `connections` are those to libvirt. Every account that is made leaves `leaves` at once.
    """

    def __init__(self) -> None:
        self.by_name = {
            "root": Account("root", 0, 0),
            "www": Account("www", 33, 33),
            "nobody": Account("nobody", 65534, 65534),
        }
        self.sessions: dict[str, int] = {}
        self.connections: dict[str, int] = {}
        self.strays: dict[int, tuple[str, ...]] = {}
        self.leaves: tuple[str, ...] = ()
        self.immutable = False

    def find(self, name: str) -> Account | None:
        return self.by_name.get(name)

    def members(self, group: str) -> tuple[Account, ...]:
        return tuple(a for a in self.by_name.values() if group in a.groups)

    def names(self) -> frozenset[str]:
        return frozenset(self.by_name)

    def free_uid(self, given: Iterable[int] = ()) -> int:
        uid = next_uid({a.uid for a in self.by_name.values()}.union(given))
        assert uid is not None
        return uid

    def left(self, uid: int) -> tuple[str, ...]:
        if any(account.uid == uid for account in self.by_name.values()):
            return ()
        return tuple(self.strays.get(uid, ()))

    def sweep(self, uid: int, tick: Tick) -> Mapping[str, int]:
        tick(0, 1)
        if not self.left(uid):
            return {"removed": 0, "kept": 0}
        return {"removed": len(self.strays.pop(uid)), "kept": 0}

    def declarative(self) -> bool:
        return self.immutable

    def create(self, account: Account) -> None:
        if account.name in self.by_name:
            raise HostError(f"account {account.name} exists")
        self.by_name[account.name] = replace(account, home=f"/home/{account.name}")
        if self.leaves:
            self.strays[account.uid] = self.leaves

    def change(self, name: str, *, shell: str | None = None, expires: str | None = None) -> None:
        old = self.by_name[name]
        self.by_name[name] = replace(
            old,
            shell=old.shell if shell is None else shell,
            expires=old.expires if expires is None else expires,
        )

    def join(self, name: str, groups: Iterable[str]) -> None:
        old = self.by_name[name]
        self.by_name[name] = replace(old, groups=old.groups | set(groups))

    def leave(self, name: str, groups: Iterable[str]) -> None:
        old = self.by_name[name]
        self.by_name[name] = replace(old, groups=old.groups - set(groups))

    def end_sessions(self, account: Account) -> int:
        return self.sessions.pop(account.name, 0)

    def disconnect(self, account: Account) -> int:
        return self.connections.pop(account.name, 0)

    def remove(self, account: Account) -> None:
        if self.sessions.get(account.name):
            raise HostError(f"account {account.name} is logged in")
        self.by_name.pop(account.name, None)


class FakeAuthority:
    """polkit, which answers by the file that was there when it last looked; a broken one is skipped."""

    ACTIONS = (
        "org.libvirt.unix.manage", "org.libvirt.api.connect.getattr", "org.libvirt.api.connect.write",
        "org.libvirt.api.domain.getattr", "org.libvirt.api.domain.start",
        "org.libvirt.api.domain.open-device", "org.libvirt.api.domain.stop",
        "org.libvirt.api.domain.write", "org.libvirt.api.storage-vol.read",
    )  # fmt: skip

    def __init__(self, files: FakeFiles) -> None:
        self.files = files
        self.rules: str | None = None
        self.open: tuple[Daemon, ...] = ()
        self.shares: tuple[Share, ...] = ()

    def actions(self) -> tuple[str, ...]:
        return self.ACTIONS

    def unasked(self) -> tuple[Daemon, ...]:
        return self.open

    def reload(self) -> None:
        self.rules = self.files.read(RULES)
        self.shares = shares(self).all

    def answers(self, account: Account, questions: Iterable[Question]) -> tuple[bool, ...]:
        if self.rules is None or "broken" in self.rules:  # libvirt's own defaults
            return tuple(q.permission.endswith(("getattr", "read")) for q in questions)
        (groups,) = re.findall(r"ADMIN_GROUPS = (.*);", self.rules)
        (readable,) = re.findall(r"READABLE = (.*);", self.rules)
        who = Person(account.name, account.groups, account.uid)
        live = tuple(share for share in self.shares if not share.is_over(stamp(datetime.now(UTC))))
        said = (json.loads(groups), live, json.loads(readable))
        return tuple(decide(who, question, *said).allowed for question in questions)
