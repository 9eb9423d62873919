"""What may be asked of guests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from raptorctl.model.guest import Endpoint, Neighbour
    from raptorctl.model.guest_step import GuestStep
    from raptorctl.model.slot import Slot
    from raptorctl.model.ssh_key import PublicKey


Heard = Callable[[bytes], None]
"""Called with what a step says, as it comes."""


@dataclass(frozen=True)
class Login:
    """How to log in to a guest.

    Args:
        name: the machine's, for errors, and the name its host keys are known by.
        at: where its ssh server is.
        user: the guest's account.
        host_keys: the only ones it may show.
        identity: a file with a private key; None leaves it to the agent of SSH_AUTH_SOCK.
        key: a private key itself, in OpenSSH's format, or ""; it goes before the file. A secret.
        files: where neither is given, the files that ssh tries by itself count as well.
    """

    name: str
    at: Endpoint
    user: str
    host_keys: tuple[PublicKey, ...]
    identity: Path | None = None
    key: str = field(default="", repr=False)
    files: bool = False


class Shell(Protocol):
    """One login to a guest."""

    def run(self, script: GuestStep, timeout: float, heard: Heard) -> int:
        """Upload a script under a name of its own, run it, remove it; return its exit status.

        Raises:
            WaitError: it ran longer than `timeout` seconds, and was ended.
            HostError: the connection broke, the guest takes no file, or nobody may act there as
                the step's user.
        """

    def copy(self, step: GuestStep, timeout: float) -> str:
        """Put a file into the guest, with its mode; return where it is there.

        Raises:
            WaitError: it took longer than `timeout` seconds.
            HostError: the connection broke, the guest does not take it, or nobody may act there
                as the step's user.
        """

    def forget_key(self, comment: str) -> None:
        """Take the public keys with that comment out of the account's authorized_keys.

        Raises:
            HostError: the connection broke, or the file cannot be written.
        """


class Guests(Protocol):
    """Guests, from outside and, where they let us, from inside."""

    def neighbours(self, bridge: str) -> tuple[Neighbour, ...]:
        """Return the kernel's neighbour table of one bridge; none where there is no such bridge."""

    def alive(self, slot: Slot, address: str) -> bool:
        """Ask whether the slot's own MAC is at an address now; takes half a second at most."""

    def banner(self, at: Endpoint) -> str:
        """Return the first line of the server there, or in brackets why there is none.

        A server that is silent is listened to again when it is asked for again, on the same call.
        """

    def ping_agent(self, uuid: str) -> str:
        """Return "" when the guest's agent answers, else why not.

        Raises:
            RefusedError: polkit does not let us ask.
        """

    def agent_addresses(self, uuid: str) -> tuple[str, ...]:
        """Return the addresses that the agent tells, without loopback; none if it cannot."""

    def agent_file(self, uuid: str, path: str) -> str | None:
        """Return a small file of the guest's through its agent, or None."""

    def started(self, name: str) -> float | None:
        """Return when the domain was switched on, in seconds since the epoch, if it is known."""

    def leases(self, mac: str, since: float) -> tuple[str, ...] | None:
        """Return what the host's DHCP server said about a MAC; None where nobody may know."""

    def packets(self, bridge: str) -> int | None:
        """Return how many frames the machine on a bridge has sent; None where it has no port."""

    def log_in(self, login: Login, command: Sequence[str], tick: Callable[[], None]) -> int:
        """Run the system's ssh, with this terminal; return its exit status.

        Args:
            login: how.
            command: what to run in the guest; none for a shell.
            tick: called twice a second; what it raises ends it.

        Raises:
            HostError: another host key, no right to log in, or the connection broke.
            WaitError: nobody answers.
        """

    def open(self, login: Login, tick: Callable[[], None]) -> AbstractContextManager[Shell]:
        """Log in for steps.

        Args:
            login: how.
            tick: called several times a second; what it raises ends the step.

        Raises:
            HostError: another host key, or no right to log in.
            WaitError: it does not answer.
        """
