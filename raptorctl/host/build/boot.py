"""Steps in a throw-away machine: it boots the build's first disk, and is entered by ssh.

libvirt ends it when our connection does (VIR_DOMAIN_START_AUTODESTROY), whatever becomes of us; so
there is nothing of it to be found afterwards but files in the build's folder.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import libvirt

from raptorctl.drivers.guest import Heard, Login, Shell
from raptorctl.drivers.tick import Tick
from raptorctl.errors import HostError, WaitError
from raptorctl.host.build import transport
from raptorctl.host.build.process import refuse_failed
from raptorctl.host.build.stage import Staged
from raptorctl.host.domain.ability import LibvirtAbilities
from raptorctl.host.domain.hypervisor import Ignoring
from raptorctl.host.guest.host_key import new_host_key
from raptorctl.host.guest.shell import open_shell
from raptorctl.host.system.durable import replace_file
from raptorctl.host.system.session import free_ports, kvm_obstacle
from raptorctl.model.build_room import BuildRoom
from raptorctl.model.build_script import title
from raptorctl.model.error_code import Code
from raptorctl.model.guest import Endpoint
from raptorctl.model.guest_step import GuestStep
from raptorctl.model.session_host import LOOPBACK
from raptorctl.model.settings import Libvirt
from raptorctl.model.ssh_key import parse_keys
from raptorctl.model.text import plain
from raptorctl.render.build_machine import (
    READY,
    BuildMachine,
    enter,
    leave,
    placed,
    seed,
    step_script,
)
from raptorctl.render.seed_iso import render_iso

PATIENCE: Final = 900.0
"""Seconds until ssh lets us in: an emulated guest takes its time to boot."""
HOUSEKEEPING: Final = 600.0
"""Seconds for what is run before the steps and after them."""
LOOK: Final = 0.5
"""Seconds between two looks."""
TOLD: Final = 5
"""Last lines of the console that are told when a guest does not come up."""


@dataclass(frozen=True)
class Told:
    """Who is told, and who may stop it.

    Args:
        heard: what steps say, as it comes.
        tick: called several times a second; what it raises ends it all.
    """

    heard: Heard
    tick: Tick

    def beat(self) -> None:
        """Nothing is known of how far it is; only whether it goes on."""
        self.tick(0, 0)


def boot(room: BuildRoom, settings: Libvirt, told: Told) -> None:
    """Run a build's steps; see `raptorctl.drivers.build.Builder.run`.

    Raises:
        HostError: a step failed, or the guest did not come up or go down.
        WaitError: a step, or the guest, took too long.
    """
    folder = Path(room.folder)
    brings, files = transport.made(room)
    comment, host_key = f"raptorctl-build-{room.job}", new_host_key("build")
    key = new_host_key(comment)
    told_guest = render_iso(seed(room.job, f"{key.public} {comment}", host_key))
    replace_file(folder / "seed.iso", told_guest, 0o600)
    machines = BuildMachines(settings.uri)
    port = next(iter(free_ports((), 1)), 0)
    if not port:
        raise HostError(f"no port of {LOOPBACK} is free", code=Code.PORT_UNAVAILABLE)
    machine = BuildMachine(
        name=f"raptor-build-{room.job}",
        uuid=room.uuid,
        accelerator="qemu" if kvm_obstacle() else machines.accelerator(),
        firmware=(settings.firmware_code, settings.firmware_vars),
        variables=str(folder / "variables.fd"),
        disks=(*(disk.path for disk in room.disks), str(brings)),
        seed=str(folder / "seed.iso"),
        console=str(folder / "console.log"),
        port=port,
        network=room.network,
    )
    at = Endpoint(LOOPBACK, port)
    login = Login(machine.name, at, "root", parse_keys(host_key.public), key=key.private)
    with machines.running(machine) as running:
        with _entered(login, running, folder, told) as shell:
            _carry_out(_Inside(shell, told), room, files)
        running.shut_down(told.beat)
    transport.brought_back(room)


class BuildMachines(LibvirtAbilities):
    """Machines that go with our connection to libvirt."""

    @contextmanager
    def running(self, machine: BuildMachine) -> Iterator["RunningMachine"]:
        """Have a machine run; it is gone when the block ends, however.

        Raises:
            HostError: libvirt does not start it.
        """
        with self._calling(f"start {machine.name}") as connection:
            domain = connection.createXML(machine.xml(), libvirt.VIR_DOMAIN_START_AUTODESTROY)
        try:
            yield RunningMachine(domain, machine.name)
        finally:
            with suppress(libvirt.libvirtError):  # it has gone down by itself
                domain.destroy()

    def end(self, uuid: str) -> None:
        """End a machine, if it is there."""
        with (
            self._calling("end the machine of a build") as connection,
            Ignoring(libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_OPERATION_INVALID),
        ):
            connection.lookupByUUIDString(uuid).destroy()


class RunningMachine:
    """A machine that runs.

    Args:
        domain: libvirt's.
        name: the domain's.
    """

    def __init__(self, domain: Any, name: str) -> None:
        self._domain, self._name = domain, name

    @property
    def active(self) -> bool:
        """Whether it still runs."""
        try:
            return bool(self._domain.isActive())
        except libvirt.libvirtError:  # a transient domain that is off is none
            return False

    def shut_down(self, beat: Callable[[], None]) -> None:
        """Press its power button until it is off: a disk that is written to is not exported.

        Raises:
            WaitError: it stays on.
        """
        deadline, pressed = time.monotonic() + HOUSEKEEPING, 0.0
        while self.active:
            if time.monotonic() >= deadline:
                raise WaitError(f"{self._name} to shut down", HOUSEKEEPING, "it still running")
            if time.monotonic() - pressed > 30:
                with suppress(libvirt.libvirtError):
                    self._domain.shutdown()
                pressed = time.monotonic()
            time.sleep(LOOK)
            beat()


@contextmanager
def _entered(login: Login, running: RunningMachine, folder: Path, told: Told) -> Iterator[Shell]:
    """Log in as soon as the guest lets us; until then it may have other keys, or none."""
    deadline = time.monotonic() + PATIENCE
    with ExitStack() as stack:
        while True:
            try:
                shell = stack.enter_context(open_shell(login, told.beat))
                break
            except (HostError, WaitError) as error:
                _refuse_dead(running, folder, deadline, error)
            time.sleep(LOOK)
            told.beat()
        yield shell


def _refuse_dead(
    running: RunningMachine, folder: Path, deadline: float, error: HostError | WaitError
) -> None:
    if running.active and time.monotonic() < deadline:
        return
    console = folder / "console.log"
    said = console.read_text(errors="replace") if console.is_file() else ""
    last = "\n".join(plain(line) for line in said.splitlines()[-TOLD:])
    why = "it has gone down" if not running.active else error.brief
    raise HostError(
        f"the build's machine did not let us in: {why}",
        details=last,
        resolution="it takes an image with UEFI, cloud-init and an ssh server",
        code=Code.LOGIN_REFUSED,
    ) from error


@dataclass(frozen=True)
class _Inside:
    """The guest, entered."""

    shell: Shell
    told: Told

    def housekeep(self, script: str, what: str) -> None:
        """Run what must not fail, and is shown only if it does."""
        said: list[bytes] = []
        step = GuestStep(Path("housekeeping"), text=f"#!/bin/sh\n{script}")
        if status := self.shell.run(step, HOUSEKEEPING, said.append):
            raise HostError(
                f"{what} in the build's machine ended with status {status}",
                details=b"".join(said).decode(errors="replace"),
            )


def _carry_out(inside: _Inside, room: BuildRoom, files: tuple[Staged, ...]) -> None:
    inside.housekeep(READY, "waiting for its first boot")
    inside.housekeep(enter(room.disks, room.shares), "mounting disks and shares")
    if files:
        inside.housekeep(placed(transport.rows(files)), "putting files into their places")
    for number, step in enumerate(room.steps):
        place = f"{number + 1}/{len(room.steps)}"
        script = GuestStep(Path("step"), text=f"#!/bin/sh\n{step_script(step, number)}")
        inside.told.heard(f"{place} {title(step)}\n".encode())
        status = inside.shell.run(script, step.timeout, inside.told.heard)
        refuse_failed(step, f"step {place}", status)
    inside.housekeep(leave(room.disks, room.shares), "tidying up")
    inside.shell.forget_key(f"raptorctl-build-{room.job}")
