"""Accounts of tenants: made, changed, closed, removed."""

from dataclasses import dataclass

from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.errors import ConflictError, HostError
from raptorctl.model.override import override
from raptorctl.model.tenant import CLOSED, Account, account_comment
from raptorctl.model.tombstone import Tombstone, tombstone_path, tombstone_text
from raptorctl.steps.step import Observed, Step


@dataclass(frozen=True)
class MakeAccount(Step):
    """Make an account that carries the job's mark in its comment.

    Args:
        job: the job that makes it.
        name: the login.
        uid: its number, and that of its own group.
        shell: its login shell.
        groups: it is a member of.
        expires: the first day it cannot log in, or "".
    """

    job: str
    name: str
    uid: int
    shell: str
    groups: tuple[str, ...]
    expires: str = ""

    kind = "account.make"

    @property
    @override
    def title(self) -> str:
        return f"make account {self.name}, uid {self.uid}, in {', '.join(self.groups)}"

    def is_done(self, host: Host) -> bool:
        """An account of that name, uid and mark is there.

        Raises:
            ConflictError: another's is.
        """
        there = host.accounts.find(self.name)
        if there is None:
            return False
        if not self._mine(there):
            raise ConflictError(f"account {self.name} exists and is not this job's")
        return set(self.groups) <= there.groups

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Make it, and look whether it is there."""
        if host.accounts.find(self.name) is None:  # else a cut off job left it half made
            host.accounts.create(self._wanted())
        host.accounts.join(self.name, self.groups)
        if not self.is_done(host):
            raise HostError(f"account {self.name} was made, and is not there")
        return {"uid": self.uid}

    def undo(self, host: Host, tick: Tick) -> None:
        """Remove it and what it left, if this job made it.

        Its tombstone stands from before its end until all of that is gone: else an undo that was
        cut off in between would find no account, and the next tenant get the number and the files.
        """
        there = host.accounts.find(self.name)
        if there and self._mine(there):
            host.accounts.change(self.name, expires=CLOSED)
            host.accounts.end_sessions(there)
            host.files.write(tombstone_path(self.uid), self._tombstone, 0o644)
            host.accounts.remove(there)
        if host.files.read(tombstone_path(self.uid)) == self._tombstone:
            host.accounts.sweep(self.uid, tick)
            host.files.remove(tombstone_path(self.uid))

    @override
    def leftover(self) -> str:
        return f"account {self.name}"

    @property
    def _tombstone(self) -> str:
        return tombstone_text(Tombstone(self.uid, self.name, adopted=False, job=self.job))

    def _mine(self, account: Account) -> bool:
        return account.uid == self.uid and account.comment == account_comment(self.job)

    def _wanted(self) -> Account:
        return Account(
            name=self.name,
            uid=self.uid,
            gid=self.uid,
            comment=account_comment(self.job),
            shell=self.shell,
            groups=frozenset(self.groups),
            expires=self.expires,
        )


@dataclass(frozen=True)
class SetAccount(Step):
    """Change an account: its shell, its last day, and which of our groups it is in.

    Args:
        name: the login.
        uid: its number, so that another under the same name is left alone.
        shell: before and after.
        expires: before and after; "" is never.
        join: groups it becomes a member of, and was not.
        leave: groups it ceases to be a member of, and was.
    """

    name: str
    uid: int
    shell: tuple[str, ...]
    expires: tuple[str, ...]
    join: tuple[str, ...] = ()
    leave: tuple[str, ...] = ()

    kind = "account.set"

    @property
    @override
    def title(self) -> str:
        said = [f"shell {self.shell[1]}"] if self.shell[0] != self.shell[1] else []
        if self.expires[0] != self.expires[1]:
            said.append(f"expires {self.expires[1] or 'never'}")
        said += [f"into group {group}" for group in self.join]
        said += [f"out of group {group}" for group in self.leave]
        return f"change account {self.name}: {', '.join(said)}"

    def is_done(self, host: Host) -> bool:
        """It is as wished."""
        there = self._present(host)
        return (
            (there.shell, there.expires) == (self.shell[1], self.expires[1])
            and set(self.join) <= there.groups
            and not set(self.leave) & there.groups
        )

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Change it."""
        self._turn(host, 1, self.join, self.leave)
        return {"shell": self.shell[1], "expires": self.expires[1]}

    def undo(self, host: Host, tick: Tick) -> None:
        """Change it back."""
        self._turn(host, 0, self.leave, self.join)

    @override
    def leftover(self) -> str:
        return f"account {self.name}, changed in part"

    def _turn(self, host: Host, to: int, join: tuple[str, ...], leave: tuple[str, ...]) -> None:
        there = self._present(host)
        if (there.shell, there.expires) != (self.shell[to], self.expires[to]):
            host.accounts.change(self.name, shell=self.shell[to], expires=self.expires[to])
        if missing := [group for group in join if group not in there.groups]:
            host.accounts.join(self.name, missing)
        if present := [group for group in leave if group in there.groups]:
            host.accounts.leave(self.name, present)

    def _present(self, host: Host) -> Account:
        there = host.accounts.find(self.name)
        if there is None or there.uid != self.uid:
            raise ConflictError(f"account {self.name} with uid {self.uid} is not there any more")
        return there


@dataclass(frozen=True)
class CloseAccount(Step):
    """Let nobody log in any more, with a key or without.

    Args:
        name: the login.
        uid: its number.
        expires: its last day before, "" for none.
    """

    name: str
    uid: int
    expires: str

    kind = "account.close"

    @property
    @override
    def title(self) -> str:
        return f"close account {self.name}"

    def is_done(self, host: Host) -> bool:
        """It is closed, or gone."""
        there = _same(host, self.name, self.uid)
        return there is None or there.expires == CLOSED

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Let it expire long ago."""
        host.accounts.change(self.name, expires=CLOSED)
        return {}

    def undo(self, host: Host, tick: Tick) -> None:
        """Open it again."""
        there = _same(host, self.name, self.uid)
        if there and there.expires != self.expires:
            host.accounts.change(self.name, expires=self.expires)

    @override
    def leftover(self) -> str:
        return f"account {self.name}, closed"


@dataclass(frozen=True)
class EndSessions(Step):
    """End what runs for an account: an open console outlives the right to open it.

    Args:
        name: the login.
        uid: its number.
    """

    name: str
    uid: int

    kind = "account.end-sessions"

    @property
    @override
    def title(self) -> str:
        return f"end the sessions of {self.name}, and their connections to libvirt"

    def is_done(self, host: Host) -> bool:
        """Never taken for granted: a session may be new."""
        return _same(host, self.name, self.uid) is None

    def apply(self, host: Host, tick: Tick) -> Observed:
        """End them."""
        there = _same(host, self.name, self.uid)
        return {"ended": host.accounts.end_sessions(there) if there else 0}

    def undo(self, host: Host, tick: Tick) -> None:
        """What ended stays so: its owner can log in again."""


@dataclass(frozen=True)
class RemoveAccount(Step):
    """Remove an account that we made, with its home. The point of no return.

    Args:
        name: the login.
        uid: its number.
    """

    name: str
    uid: int

    kind = "account.remove"
    reversible = False

    @property
    @override
    def title(self) -> str:
        return f"remove account {self.name} and its home"

    @property
    @override
    def destroys(self) -> str:
        return f"account {self.name} and its home"

    def is_done(self, host: Host) -> bool:
        """No such account."""
        return _same(host, self.name, self.uid) is None

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Remove it."""
        there = _same(host, self.name, self.uid)
        if there:
            host.accounts.end_sessions(there)
            host.accounts.remove(there)
        return {"uid": self.uid}

    def undo(self, host: Host, tick: Tick) -> None:
        """There is no way back."""

    @override
    def leftover(self) -> str:
        return f"account {self.name}"


def _same(host: Host, name: str, uid: int) -> Account | None:
    there = host.accounts.find(name)
    return there if there and there.uid == uid else None
