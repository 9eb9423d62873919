"""What may be asked of the host's accounts, and of polkit about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from raptorctl.drivers.tick import Tick
    from raptorctl.model.access import Daemon, Question
    from raptorctl.model.tenant import Account


class Accounts(Protocol):
    """Accounts of the host and their groups."""

    def find(self, name: str) -> Account | None:
        """Return the account of that name, read anew."""

    def members(self, group: str) -> tuple[Account, ...]:
        """Return all members of a group; none where there is no such group."""

    def names(self) -> frozenset[str]:
        """Return the names of all accounts."""

    def free_uid(self, given: Iterable[int] = ()) -> int:
        """Return a number above those of all accounts and groups, and none that was given before.

        Args:
            given: numbers that are, or were, a tenant's.

        Raises:
            HostError: there is none left.
        """

    def declarative(self) -> bool:
        """Whether accounts are made from a configuration, and ours would vanish (NixOS)."""

    def create(self, account: Account) -> None:
        """Make an account with the numbers, comment, shell, groups and last day given."""

    def change(self, name: str, *, shell: str | None = None, expires: str | None = None) -> None:
        """Give it another shell, or another last day ("" for none); None leaves it."""

    def join(self, name: str, groups: Iterable[str]) -> None:
        """Make it a member of these groups as well."""

    def leave(self, name: str, groups: Iterable[str]) -> None:
        """End its being a member of these groups."""

    def end_sessions(self, account: Account) -> int:
        """End its logins, processes, and its connections to libvirt; returns how many."""

    def disconnect(self, account: Account) -> int:
        """End its connections to libvirt alone; returns how many."""

    def remove(self, account: Account) -> None:
        """Remove the account of that name and uid, and its home directory."""

    def left(self, uid: int) -> tuple[str, ...]:
        """Return what a number without an account owns: files by path, and IPC.

        Raises:
            HostError: nobody can look.
        """

    def sweep(self, uid: int, tick: Tick) -> Mapping[str, int]:
        """Remove what a number without an account owns, or give it to root; returns how much.

        Raises:
            HostError: nobody can look.
            StoppedError: from `tick`.
        """


class Authority(Protocol):
    """polkit."""

    def actions(self) -> tuple[str, ...]:
        """Return the identifiers of all of libvirt's actions that it knows."""

    def answers(self, account: Account, questions: Iterable[Question]) -> tuple[bool, ...]:
        """Return what it answers to a process of that account, in order."""

    def unasked(self) -> tuple[Daemon, ...]:
        """Return libvirt's daemons that answer here and do not ask it about anybody."""

    def reload(self) -> None:
        """Have it read its rules anew, and wait until it has."""
