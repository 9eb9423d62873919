"""What may be asked of libvirt's domains, their disks and consoles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from raptorctl.drivers.network import Networks

if TYPE_CHECKING:
    from socket import socket

    from raptorctl.drivers.tick import Tick
    from raptorctl.model.cpuset import CpuSet
    from raptorctl.model.domain import Domain, State


class Disks(Protocol):
    """Disks of running domains."""

    def plugged(self, uuid: str, path: str) -> bool:
        """Whether it runs and has that file as a disk."""

    def plug(self, uuid: str, xml: str) -> None:
        """Give a running domain the disk of a `<disk>` element."""

    def change_medium(self, uuid: str, xml: str) -> None:
        """Change what is in a running domain's CD drive, by its `<disk>` element.

        Its definition stays as it is.
        """

    def unplug(self, uuid: str, path: str, tick: Tick) -> None:
        """Take the disk that is that file from a running domain, whose system must let go of it.

        Raises:
            HostError: it does not.
        """


class Domains(Disks, Networks, Protocol):
    """libvirt's domains."""

    def list(self) -> tuple[Domain, ...]:
        """Return every domain as it is defined, as it runs, and as it was saved."""

    def states(self) -> Mapping[str, State]:
        """Return every domain's state by name, in one call."""

    def find(self, uuid: str) -> Domain | None:
        """Return the domain with that UUID."""

    def named(self, name: str) -> Domain | None:
        """Return the domain of that name; one that we may not see is not there."""

    def define(self, xml: str) -> None:
        """Define a domain from `xml`, validated against libvirt's schema."""

    def undefine(self, uuid: str, *, keep_nvram: bool) -> None:
        """Take the definition away; one that runs goes on, and is gone once it stops."""

    def forget_tpm(self, uuid: str) -> None:
        """Remove what the TPM of a domain that is gone kept; nothing where it kept nothing."""

    def start(self, uuid: str) -> None:
        """Start it, or resume what was saved; one that runs is left alone."""

    def drop_saved(self, uuid: str) -> None:
        """Give up what was saved of it, so that its next start boots."""

    def set_autostart(self, uuid: str, *, on: bool) -> None:
        """Have it started with the host, or not."""

    def shut_down(self, uuid: str, timeout: float, tick: Tick, *, force: bool = True) -> bool:
        """Ask by ACPI, wait `timeout` seconds, then force. Returns whether force was needed.

        Raises:
            WaitError: it still runs, and is not to be forced.
        """

    def goes_off(self, uuid: str, timeout: float, tick: Tick) -> bool:
        """Wait for one that was asked before, and ask no more. Returns whether it is off.

        Args:
            uuid: of the domain.
            timeout: seconds since it was first asked; some more, if that was just now.
            tick: as of `shut_down`.
        """

    def reboot(self, uuid: str) -> None:
        """Ask it by ACPI to boot anew."""

    def reset(self, uuid: str) -> None:
        """Have it boot anew at once, as by its reset button."""

    def block_size(self, uuid: str, path: str) -> int | None:
        """Return how many bytes the guest sees of a disk; None when it is off."""

    def block_resize(self, uuid: str, path: str, size: int) -> None:
        """Show the guest that a disk of its has grown to `size` bytes."""

    def pin(self, uuid: str, pins: CpuSet, emulator: CpuSet) -> None:
        """Move a running domain's virtual CPUs, in order, and its emulator's threads."""

    def suspend(self, uuid: str) -> None:
        """Stop its virtual CPUs; its memory stays as it is."""

    def resume(self, uuid: str) -> None:
        """Let its virtual CPUs go on."""

    def accelerator(self) -> str:
        """Return `kvm` where the CPU and libvirt offer it, else `qemu`."""

    def emulates_tpm(self, machine_type: str) -> bool:
        """Whether machines may have a TPM 2.0, which swtpm emulates."""

    def most_vcpus(self, machine_type: str, accelerator: str) -> int:
        """Return how many virtual CPUs a machine may have; 0 where libvirt does not say."""


class ConsoleStream(Protocol):
    """One connection with a console. Both ends may be called from any thread."""

    def send(self, data: bytes) -> None:
        """Type; what the guest does not take yet waits."""

    def close(self) -> None:
        """End the connection, once and for all; also one that has ended by itself."""


class Consoles(Protocol):
    """Machines' consoles."""

    def open(
        self, uuid: str, ears: Ears, *, force: bool, tick: Callable[[], None]
    ) -> ConsoleStream:
        """Connect with a console.

        Args:
            uuid: the domain's.
            ears: told what it says, and that it has ended.
            force: take it over from whoever has it.
            tick: called several times a second until there is a console, which a machine that has
                just been started has not yet; what it raises ends the attempt.

        Raises:
            HostError: somebody else has it, or there is none in time.
        """

    def screen(self, uuid: str) -> socket:
        """Connect with a screen: a stream of its protocol, without a password.

        Args:
            uuid: the domain's.

        Raises:
            HostError: it has none, or libvirt says no.
        """


class Ears(Protocol):
    """Told by a console, in a thread of its own that serves all of them: be quick."""

    def heard(self, data: bytes) -> None:
        """It said something."""

    def ended(self) -> None:
        """It ended by itself: the machine went off, or somebody else took it over."""
