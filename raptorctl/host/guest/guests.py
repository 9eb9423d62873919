"""Guests as the host sees them: neighbours, ssh's port, QEMU's process, the DHCP server's words."""

import json
import os
import socket
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Final

from raptorctl.drivers.guest import Login, Shell
from raptorctl.errors import CommandError, MissingError
from raptorctl.host.guest import arp
from raptorctl.host.guest.greeting import Greeting
from raptorctl.host.system import command
from raptorctl.model.guest import SSH_PORT, Endpoint, Neighbour, is_there
from raptorctl.model.slot import Slot

PATIENCE: Final = 0.4
"""Seconds for one look: with the pause between two, readiness is noticed within a second."""
QEMU_RUN: Final = (Path("/run/libvirt/qemu"),)
DHCP_UNITS: Final = ("raptor-dhcp", "libvirtd", "virtnetworkd")
"""Whose dnsmasq it may be: the role's, or that of a network of libvirt's."""
NET: Final = Path("/sys/class/net")


class LocalGuests:
    """`raptorctl.drivers.guest.Guests` on this machine.

    Args:
        uri: libvirt's, for the agent.
        run: where QEMU's pid files are (libvirt's state directory).
    """

    def __init__(self, uri: str, run: Sequence[Path] = QEMU_RUN) -> None:
        from raptorctl.host.guest.agent import Agent

        self._agent = Agent(uri)
        self._greetings: dict[Endpoint, Greeting] = {}
        self._run = run

    def neighbours(self, bridge: str) -> tuple[Neighbour, ...]:
        """Return the kernel's neighbour table of one bridge (ip-neighbour(8))."""
        with suppress(CommandError):  # no such bridge
            return parse_neighbours(command.run("ip", "-j", "neigh", "show", "dev", bridge))
        return ()

    def alive(self, slot: Slot, address: str) -> bool:
        """Ask at an address: by ARP where we may, else by a connection, refused or taken.

        The latter makes the kernel ask, and its table then says whose MAC it was.
        """
        if os.geteuid() == 0 and ":" not in address:
            return arp.answers(slot.bridge, address, slot.mac, PATIENCE)
        answered = answers_tcp(address, SSH_PORT, PATIENCE)
        return is_there(slot, address, self.neighbours(slot.bridge), answered=answered)

    def banner(self, at: Endpoint) -> str:
        """Return the first line of the server there, or in brackets why there is none."""
        return self._greetings.setdefault(at, Greeting(at)).listen(PATIENCE)

    def ping_agent(self, uuid: str) -> str:
        """Return "" when the guest's agent answers, else why not."""
        return self._agent.ping(uuid)

    def agent_addresses(self, uuid: str) -> tuple[str, ...]:
        """Return the addresses that the guest's agent tells, without loopback."""
        return self._agent.addresses(uuid)

    def agent_file(self, uuid: str, path: str) -> str | None:
        """Return a small file of the guest's through its agent, or None."""
        return self._agent.file(uuid, path)

    def started(self, name: str) -> float | None:
        """Return when the domain was switched on: when libvirt wrote its pid file."""
        for folder in self._run:
            with suppress(OSError):
                return (folder / f"{name}.pid").stat().st_mtime
        return None

    def leases(self, mac: str, since: float) -> tuple[str, ...] | None:
        """Return what dnsmasq said about a MAC; it keeps no lease file, but tells the journal."""
        if os.geteuid() != 0:
            return None
        units = (f"--unit={unit}.service" for unit in DHCP_UNITS)
        words = (*units, "-o", "cat", "-q", "--no-pager", f"--since=@{since:.0f}")
        try:
            said = command.run("journalctl", *words)
        except (CommandError, MissingError):
            return None
        return tuple(line for line in said.splitlines() if mac in line)

    def packets(self, bridge: str) -> int | None:
        """Return how many frames came in from the bridge's ports, i.e. from the machine."""
        found = [
            NET / port.name / "statistics" / "rx_packets"
            for port in (NET / bridge / "brif").glob("*")
        ]
        with suppress(OSError, ValueError):
            return sum(int(file.read_text()) for file in found) if found else None
        return None

    def log_in(self, login: Login, command: Sequence[str], tick: Callable[[], None]) -> int:
        """Run the system's ssh, with this terminal."""
        from raptorctl.host.guest.login import log_in

        return log_in(login, command, tick)

    def open(self, login: Login, tick: Callable[[], None]) -> AbstractContextManager[Shell]:
        """Log in for steps."""
        from raptorctl.host.guest.shell import open_shell

        return open_shell(login, tick)


def parse_neighbours(text: str) -> tuple[Neighbour, ...]:
    """Read what `ip -j neigh` printed; an empty table prints nothing or `[]`."""
    lines = json.loads(text) if text.strip() else []
    return tuple(
        Neighbour(
            line.get("dst", ""), line.get("lladdr", "").lower(), frozenset(line.get("state", ()))
        )
        for line in lines
    )


def answers_tcp(address: str, port: int, timeout: float) -> bool:
    """Whether somebody is at an address: a refusal is an answer, too."""
    try:
        socket.create_connection((address, port), timeout).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return True
