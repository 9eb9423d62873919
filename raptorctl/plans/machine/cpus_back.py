"""The host CPUs of a machine that comes back: those that it had, or others where they are taken."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from raptorctl.errors import RefusedError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Domain
from raptorctl.model.facts import HostFacts
from raptorctl.model.settings import Settings
from raptorctl.plans.part import cpus
from raptorctl.render.domain_xml import resized_domain, with_threads

THREADS: Final = {"emulatorpin": "its emulator's threads", "iothreadpin": "its I/O threads"}
"""QEMU's own, by what libvirt calls their pins."""


@dataclass(frozen=True)
class CpusBack:
    """Where a machine that comes back runs.

    Args:
        was: how it was defined.
        pins: a CPU for each virtual one, in order.
        moved: QEMU's own threads that cannot stay where they were, as libvirt calls their pins; and
            where that was.
    """

    was: Domain
    pins: CpuSet
    moved: Mapping[str, CpuSet]

    def placed(self, xml: str) -> str:
        """Have its definition say so."""
        if self.pins != self.was.pins:
            emulator = cpus.emulator_kept(self.was, self.pins)
            xml = resized_domain(xml, self.pins, emulator, self.was.memory)
        return with_threads(xml, cpus.emulator(self.pins), self.moved) if self.moved else xml

    def notes(self) -> Iterator[str]:
        """Say what is elsewhere now."""
        if self.pins != self.was.pins:
            yield f"CPUs {self.was.pins} are taken: it has {self.pins} now"
        now = cpus.emulator(self.pins)
        for kind, where in self.moved.items():
            yield f"CPUs {where} of {THREADS[kind]} are taken: they have {now} now"


def chosen(was: Domain, settings: Settings, facts: HostFacts) -> CpusBack:
    """Choose those that it had, if they are free; else as many.

    Raises:
        RefusedError: there are not as many.
    """
    share = bool(was.mark and was.mark.shares)
    pins = was.pins
    try:
        cpus.refuse(pins, settings, facts, share=share)
    except RefusedError:
        pins = cpus.chosen(len(pins), settings, facts)
    moved = {
        kind: where
        for kind, where in _own_threads(was)
        if _taken(where, pins, settings, facts, share=share)
    }
    return CpusBack(was, pins, moved)


def _own_threads(was: Domain) -> Iterator[tuple[str, CpuSet]]:
    yield "emulatorpin", cpus.emulator_asked(was) or CpuSet()
    yield "iothreadpin", was.iothreads


def _taken(
    where: CpuSet, pins: CpuSet, settings: Settings, facts: HostFacts, *, share: bool
) -> bool:
    try:
        cpus.refuse_emulator(where, pins, settings, facts, share=share)
    except RefusedError:
        return True
    return False
