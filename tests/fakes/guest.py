"""Guests that answer ssh, in memory."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from raptorctl.drivers.guest import Heard, Login
from raptorctl.model.guest import Endpoint, Neighbour
from raptorctl.model.guest_step import GuestStep
from raptorctl.model.slot import Slot


class FakeShell:
    """One login: does what `guests.outcomes` says of each file by name, in order of the calls."""

    def __init__(self, guests: "FakeGuests") -> None:
        self.guests = guests

    def run(self, script: GuestStep, timeout: float, heard: Heard) -> int:
        name = script.source.name
        self.guests.done.append(script.title)
        heard(self.guests.says or f"{name} speaks\n".encode())
        outcome = self.guests.outcomes.get(name, 0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def forget_key(self, comment: str) -> None:
        self.guests.done.append(f"forget {comment.rpartition('-')[0]}")

    def copy(self, step: GuestStep, timeout: float) -> str:
        self.guests.done.append(f"copy {step.source.name} {step.target}")
        return step.target


class FakeGuests:
    """Guests: `banners` are what ssh's port says, one look after the other; the last one stays."""

    def __init__(self) -> None:
        self.alive_at: set[str] = set()
        self.table: tuple[Neighbour, ...] = ()
        self.banners = ["(connection refused)"]
        self.agent = "libvirt could not reach the guest's agent: it is not connected"
        self.told: tuple[str, ...] = ()
        self.files: dict[str, str] = {}
        self.since: float | None = None
        self.dhcp: tuple[str, ...] | None = ()
        self.frames: int | None = 0
        self.logins: list[tuple[Login, tuple[str, ...]]] = []
        self.outcomes: dict[str, int | Exception] = {}
        self.done: list[str] = []
        self.says = b""

    def neighbours(self, bridge: str) -> tuple[Neighbour, ...]:
        return self.table

    def alive(self, slot: Slot, address: str) -> bool:
        return address in self.alive_at

    def banner(self, at: Endpoint) -> str:
        return self.banners.pop(0) if len(self.banners) > 1 else self.banners[0]

    def ping_agent(self, uuid: str) -> str:
        return self.agent

    def agent_addresses(self, uuid: str) -> tuple[str, ...]:
        return self.told

    def agent_file(self, uuid: str, path: str) -> str | None:
        return self.files.get(path)

    def started(self, name: str) -> float | None:
        return self.since

    def leases(self, mac: str, since: float) -> tuple[str, ...] | None:
        return self.dhcp

    def packets(self, bridge: str) -> int | None:
        return self.frames

    def log_in(self, login: Login, command: Sequence[str], tick: Callable[[], None]) -> int:
        tick()
        self.logins.append((login, tuple(command)))
        return 7

    @contextmanager
    def open(self, login: Login, tick: Callable[[], None]) -> Iterator[FakeShell]:
        self.logins.append((login, ()))
        tick()
        yield FakeShell(self)
