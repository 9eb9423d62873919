"""Machines as `list` and `show` print them: seen from volumes, domains and DNS together."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from raptorctl.errors import MissingError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.disk import disks
from raptorctl.model.domain import Domain, Mark, State
from raptorctl.model.error_code import Code
from raptorctl.model.names import MachineName
from raptorctl.model.sizes import Size
from raptorctl.model.snapshot import snapshots
from raptorctl.model.volume import Volume

NO_DOMAIN: Final = "no domain"
"""The state of a machine whose volume is there and whose domain is not: a job is unfinished."""


@dataclass(frozen=True)
class Machine:
    """One line of `list`.

    Args:
        name: whose and which.
        state: libvirt's word for the domain's state, `saved`, or `no domain`.
        slot: its place on the network, from the volume's tag.
        size: bytes of its volume; None where LVM was not asked, or it has none.
        snapshots: how many it has; None where LVM was not asked.
        disks: how many beside its first, likewise.
        expires: the first day on which it is not to run any more; "" where its definition was not
            read, or it does not expire.
        shared: whether it is another tenant's, who shares it with whoever asks.
    """

    name: MachineName
    state: str
    slot: int | None
    size: Size | None
    snapshots: int | None = None
    disks: int | None = None
    expires: str = ""
    shared: bool = False

    def encode(self) -> dict[str, Any]:
        """Return the shape that `list -o json` documents."""
        return {
            "tenant": self.name.tenant,
            "machine": self.name.machine,
            "name": self.name.domain,
            "state": self.state,
            "slot": self.slot,
            "size": None if self.size is None else int(self.size),
            "snapshots": self.snapshots,
            "disks": self.disks,
            "expires": self.expires,
            "shared": self.shared,
        }


def machines_seen(domains: Iterable[Domain], by: str) -> tuple[Machine, ...]:
    """Build the list from what libvirt shows somebody who may not ask LVM.

    Args:
        domains: that they see.
        by: their account.
    """
    marked = ((domain, domain.mark) for domain in domains if domain.ours)
    found = (_seen(domain, mark, by) for domain, mark in marked if mark)
    return tuple(sorted(found, key=lambda machine: machine.name))


def _seen(domain: Domain, mark: Mark, by: str) -> Machine:
    return Machine(
        mark.name,
        domain.state.value,
        mark.place,
        None,
        expires=mark.expires,
        shared=mark.tenant != by,
    )


def machines(volumes: Iterable[Volume], states: Mapping[str, State]) -> tuple[Machine, ...]:
    """Build the list from one LVM report and one bulk call of states; no definition is read.

    Args:
        volumes: all of the group; those without our mark are not machines.
        states: by domain name.
    """
    volumes = tuple(volumes)
    counts = Counter(one.machine for one in snapshots(volumes) if not one.disk)
    others = Counter(one.machine for one in disks(volumes))
    found = (_machine(volume, states, (counts, others)) for volume in volumes)
    return tuple(sorted((m for m in found if m), key=lambda m: m.name))


def _machine(
    volume: Volume, states: Mapping[str, State], counts: tuple[Counter[MachineName], ...]
) -> Machine | None:
    name = volume.machine if volume.ours else None
    if name is None:
        return None
    state = states.get(name.domain)
    said = state.value if state else NO_DOMAIN
    snapshots_, others = (count[name] for count in counts)
    return Machine(name, said, volume.slot, volume.size, snapshots_, others)


@dataclass(frozen=True)
class Form:
    """What a machine has as it runs, or as it was saved.

    Args:
        cpus: host CPU of each virtual CPU, in order.
        emulator: host CPUs of the emulator's threads.
        memory: bytes.
        vcpus: how many virtual CPUs, pinned or not.
    """

    cpus: CpuSet
    emulator: CpuSet
    memory: Size
    vcpus: int

    def encode(self) -> dict[str, Any]:
        """Return the shape of `live` and `saved` of `show -o json`."""
        return {
            "cpus": list(self.cpus),
            "emulator": list(self.emulator),
            "vcpus": self.vcpus,
            "memory": int(self.memory),
        }


def _form(domain: Domain | None) -> Form | None:
    if domain is None:
        return None
    return Form(domain.pins, domain.emulator.ascending(), domain.memory, domain.vcpus)


def no_such_machine(name: object) -> MissingError:
    """The error that a machine is not there, or is not for the caller to see: the same words.

    Args:
        name: as a person types it.
    """
    return MissingError(
        f"no such machine: {name}",
        resolution="see `raptorctl list`",
        code=Code.MACHINE_NOT_FOUND,
        subject=str(name),
    )
