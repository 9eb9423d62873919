"""Sets of host CPUs, in the order given: virtual CPU 0 is pinned to the first."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from raptorctl.errors import InputError
from raptorctl.model.names import shown

HIGHEST: Final = 8191  # CONFIG_NR_CPUS on x86-64 goes to 8192 (arch/x86/Kconfig)
PART: Final = re.compile(r"(\^?)([0-9]{1,4})(?:-([0-9]{1,4}))?", re.ASCII)
LONGEST_TEXT: Final = 4096


@dataclass(frozen=True)
class CpuSet:
    """Host CPU numbers, each once, in the order they were given."""

    cpus: tuple[int, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "CpuSet":
        """Read `4-7`, `0,2,4` or `0-7,^3` (the grammar of libvirt's cpuset attribute).

        Raises:
            InputError: empty, reversed, duplicate, out of any host's range, or not the grammar.
        """
        if not text or len(text) > LONGEST_TEXT:
            raise InputError(f"{shown(text)} is not a set of CPUs", resolution="write e.g. 4-7")
        chosen: list[int] = []
        for part in text.split(","):
            excluded, span = _span(text, part)
            if excluded:
                chosen = [cpu for cpu in chosen if cpu not in span]
            elif twice := sorted(set(chosen) & set(span)):
                raise InputError(f"{shown(text)} names CPU {twice[0]} twice")
            else:
                chosen.extend(span)
        if not chosen:
            raise InputError(f"{shown(text)} leaves no CPU", resolution="write e.g. 4-7")
        return cls(tuple(chosen))

    def __str__(self) -> str:
        """Runs of rising numbers as `4-7`; everything else one by one."""
        runs = groupby(enumerate(self.cpus), key=lambda pair: pair[1] - pair[0])
        spans = [[cpu for _, cpu in run] for _, run in runs]
        return ",".join(_written(span) for span in spans)

    @property
    def typed(self) -> str:
        """As it is typed: one CPU is `4-4`, as a number alone says how many."""
        return f"{self.cpus[0]}-{self.cpus[0]}" if len(self.cpus) == 1 else str(self)

    def __iter__(self) -> Iterator[int]:
        return iter(self.cpus)

    def __len__(self) -> int:
        return len(self.cpus)

    def __bool__(self) -> bool:
        return bool(self.cpus)

    def __and__(self, other: Iterable[int]) -> "CpuSet":
        wanted = set(other)
        return CpuSet(tuple(cpu for cpu in self.cpus if cpu in wanted))

    def __sub__(self, other: Iterable[int]) -> "CpuSet":
        unwanted = set(other)
        return CpuSet(tuple(cpu for cpu in self.cpus if cpu not in unwanted))

    def ascending(self) -> "CpuSet":
        """Return the same CPUs sorted, for comparing and for reading."""
        return CpuSet(tuple(sorted(self.cpus)))


def _span(text: str, part: str) -> tuple[bool, range]:
    match = PART.fullmatch(part)
    if not match:
        raise InputError(f"{shown(text)} is not a set of CPUs", resolution="write e.g. 4-7 or 0,2")
    first, last = int(match[2]), int(match[3] or match[2])
    if last < first:
        raise InputError(f"{shown(text)} runs backwards", resolution=f"write {last}-{first}")
    if last > HIGHEST:
        raise InputError(f"{shown(text)} names CPUs no host has")
    return bool(match[1]), range(first, last + 1)


def _written(span: list[int]) -> str:
    if len(span) == 1:
        return str(span[0])
    joint = "-" if len(span) > 2 else ","
    return f"{span[0]}{joint}{span[-1]}"


def cpu_count(vcpus: int) -> str:
    """How many virtual CPUs, as people read it."""
    return f"{vcpus} CPU" if vcpus == 1 else f"{vcpus} CPUs"
