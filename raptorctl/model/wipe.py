"""Volumes that wait for their wipe: out of use, or never in use, and not given back."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from raptorctl.model.job import Job, Outcome
from raptorctl.model.names import (
    DISK_PREFIX,
    GROW_PREFIX,
    SNAPSHOT_PREFIX,
    VOLUME_PREFIX,
    WIPE_PREFIX,
)
from raptorctl.model.volume import DIRTY, Volume


@dataclass(frozen=True)
class Unwiped:
    """A volume of ours that is called `wipe-...` or tagged dirty.

    Args:
        volume: as LVM has it.
        job: the last job that worked on it, as far as a journal tells.
    """

    volume: Volume
    job: Job | None = None

    @property
    def held(self) -> Job | None:
        """The job whose business it still is."""
        return self.job if self.job and self.job.outcome.is_open else None

    @property
    def machine(self) -> str:
        """Whose disk it was or was to be, or "" when nothing tells any more."""
        if self.volume.owner:
            return self.volume.owner.domain
        return self.job.machine if self.job else ""

    @property
    def why(self) -> str:
        """Why it is there, one clause."""
        if self.held:
            return (
                f"job {self.held.id} ({self.held.verb} {self.held.machine}) is {_said(self.held)}"
            )
        return "; ".join((_STATES[self._state], *self._last()))

    @property
    def advice(self) -> str:
        """What ends it."""
        if self.held is None:
            return f"raptorctl wipe resume {self.volume.name}"
        if self.held.outcome is Outcome.RUNNING:
            return "wait for it"
        return f"raptorctl recover {self.held.id}"

    def _last(self) -> Iterator[str]:
        if self.job:
            was = f"{self.job.verb}, {self.job.outcome.value}"
            yield f"last job: {self.job.id} ({was})"

    @property
    def _state(self) -> str:
        if self.volume.wiped:
            return "wiped"
        prefixes = tuple(_STATES)
        return next((p for p in prefixes if self.volume.name.startswith(p)), DIRTY)

    def encode(self) -> dict[str, Any]:
        """Return the shape that `wipe list -o json` documents."""
        return {
            "volume": self.volume.name,
            "uuid": self.volume.uuid,
            "size": int(self.volume.size),
            "wiped": self.volume.wiped,
            "machine": self.machine,
            "made_by": self.volume.job or "",
            "job": self.job.id if self.job else None,
            "outcome": self.job.outcome.value if self.job else None,
            "since": self.job.started if self.job else "",
            "why": self.why,
            "advice": self.advice,
        }


_STATES: Final = {
    "wiped": "it is wiped, and was not removed",
    WIPE_PREFIX: "it is out of use, and its wipe did not end",
    VOLUME_PREFIX: "it was never finished, so it has not been used",
    DISK_PREFIX: "it was never finished, so it has not been used",
    GROW_PREFIX: "a machine's disk was to grow by it",
    SNAPSHOT_PREFIX: "it was a snapshot, and its removal did not end",
    DIRTY: "it is dirty, and called like nothing of ours",
}


def waits(volume: Volume) -> bool:
    """Whether a volume is ours and has to be wiped, or removed, before its space is free."""
    out_of_use = volume.name.startswith((WIPE_PREFIX, GROW_PREFIX)) or (
        volume.name.startswith(SNAPSHOT_PREFIX) and not volume.origin
    )
    return volume.ours and (DIRTY in volume.tags or out_of_use)


def _said(job: Job) -> str:
    return "at work on it" if job.outcome is Outcome.RUNNING else job.outcome.value
