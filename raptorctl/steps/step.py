"""What every step is."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.model.codec import ShapeError, decode, encode

Observed = Mapping[str, Any]
"""What a step saw after acting: plain data for the journal, e.g. identifiers and receipts."""

_KINDS: dict[str, type["Step"]] = {}


@dataclass(frozen=True)
class Step(ABC):
    """One reversible act.

    A step is ensure-style: whatever the host looks like, `apply` after a false `is_done` leads
    to the wish, and `undo` leads to a host without it. Either may be called again after a crash,
    and each touches only what carries this job's identifiers.

    Args:
        reason: why the plan has it, one clause.
    """

    reason: str

    kind: ClassVar[str]
    reversible: ClassVar[bool] = True
    """False: once it has begun, the job only goes forward."""
    needs_lock: ClassVar[bool] = True
    """False: it acts on something known by a UUID, which no other job touches meanwhile."""
    deferrable: ClassVar[bool] = False
    """True: when it fails in a removal, the others go on and the job stays open for it."""
    later: ClassVar[tuple[str, ...]] = ()
    """Fields that older journals do not know: without a value, they are left out of a record."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "kind" in cls.__dict__:
            _KINDS[cls.kind] = cls

    @property
    @abstractmethod
    def title(self) -> str:
        """What it does and on what, one line."""

    @property
    def destroys(self) -> str:
        """What is lost for good once this is done; "" where nothing is."""
        return ""

    @abstractmethod
    def is_done(self, host: Host) -> bool:
        """Probe whether the wish holds already.

        Raises:
            ConflictError: something foreign stands there.
        """

    @abstractmethod
    def apply(self, host: Host, tick: Tick) -> Observed:
        """Act, read back, and return what was seen."""

    @abstractmethod
    def undo(self, host: Host, tick: Tick) -> None:
        """Take back what this job did, if it did anything."""

    def leftover(self) -> str:
        """Name what remains when it could not be finished or taken back."""
        return self.title

    def encode(self) -> dict[str, Any]:
        """Return the record that the journal keeps."""
        record = {"kind": self.kind, **encode(self)}
        return {key: value for key, value in record.items() if value or key not in self.later}


def decode_step(record: Mapping[str, Any]) -> Step:
    """Build a step from its journal record.

    Raises:
        ShapeError: no such kind, or fields that do not fit it.
    """
    fields = dict(record)
    kind = _KINDS.get(fields.pop("kind", ""))
    if kind is None:
        raise ShapeError("kind", f"no step is called {record.get('kind')!r}")
    return decode(kind, fields)
