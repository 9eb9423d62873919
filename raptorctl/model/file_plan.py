"""What a file of machines asks for, beside what stands: a table, and when each row becomes so."""

import enum
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from raptorctl.errors import InputError, RefusedError
from raptorctl.model.codec import ShapeError, decode, encode
from raptorctl.model.error_code import Code
from raptorctl.model.file_format import MachinesFormat
from raptorctl.model.guest import Awaited
from raptorctl.model.guest_step import GuestStep
from raptorctl.model.image import Image
from raptorctl.model.names import MachineName, parse_words
from raptorctl.model.raptor_file import RaptorFile
from raptorctl.model.spec import MachineSpec
from raptorctl.model.ssh_key import PublicKey
from raptorctl.model.tenant import Quota


@dataclass(frozen=True)
class WantedMachine:
    """A machine of a file, with all that the file names read.

    Args:
        name: whose, and which.
        spec: what it should be: its keys over its profiles over the defaults.
        found, found_iso: the image of the spec, and the one in its CD drive, as far as known.
        steps: what is done in its guest once it is made.
        digest: of these steps and of the files that they name; "" without.
        wait: what is waited for before them.
        sha256: what its image's source must give, before it is unpacked; or "".
    """

    name: MachineName
    spec: MachineSpec
    found: Image | None = None
    steps: tuple[GuestStep, ...] = ()
    digest: str = ""
    wait: Awaited | None = None
    found_iso: Image | None = None
    sha256: str = ""


def counted(steps: Sequence[GuestStep]) -> str:
    """How many steps, as people read it."""
    return f"{len(steps)} step{'s' * (len(steps) != 1)}"


@dataclass(frozen=True)
class WantedTenant:
    """A tenant of a file; None is not said."""

    name: str
    keys: tuple[PublicKey, ...] = ()
    quota: Quota | None = None


@dataclass(frozen=True)
class FileWish:
    """All that a file asks for.

    Args:
        mark: what its machines carry, so that it knows them again; "" where it has no name.
        tenants, machines: in the file's order.
        known: the names of all machines of the file, also where only some are asked for.
        whole: whether all of it is asked for.
        file: that it is read from, for the places of what the host refuses.
    """

    mark: str
    tenants: tuple[WantedTenant, ...]
    machines: tuple[WantedMachine, ...]
    known: frozenset[MachineName]
    whole: bool = True
    file: RaptorFile | None = None


@dataclass(frozen=True)
class Allowed:
    """What `up` may do beside what harms nobody.

    Args:
        restart: switch machines off and on for what needs that.
        rebuild: give machines a new disk for what needs that.
        prune: remove machines of the file that are no longer in it.
        allow: how many removals and rebuilds at once.
    """

    restart: bool = False
    rebuild: bool = False
    prune: bool = False
    allow: int = 1


class Due(enum.Enum):
    """When a row becomes so."""

    NOW = "now"
    RESTART = "restart"
    NEXT_START = "next start"
    NEXT_REBUILD = "next rebuild"
    REBUILD = "rebuild"
    REMOVAL = "removal"
    NEEDS_REBUILD = "needs --rebuild"
    NEEDS_PRUNE = "needs --prune"
    REFUSED = "refused"

    @property
    def destroys(self) -> bool:
        """Whether what a disk holds is lost."""
        return self in {Due.REBUILD, Due.REMOVAL}

    @property
    def stuck(self) -> bool:
        """Whether `up` refuses it."""
        return self in {Due.REFUSED, Due.NEEDS_REBUILD}


@dataclass(frozen=True)
class Row:
    """One thing that differs.

    Args:
        subject: a machine, or a tenant.
        key: a key of the file; `machine`, `tenant`, `state` or `steps` for the whole.
        has: what it is, for people.
        wanted: what it shall be, likewise.
        due: when it becomes so.
        how: what to do where `up` refuses it, or "".
        about: the key of the file that it is about, where that is not `key`.
        short: `wanted` as it stands in a table that may be narrow; "" for the same.
    """

    subject: str
    key: str
    has: str
    wanted: str
    due: Due
    how: str = ""
    about: str = ""
    short: str = ""

    def encode(self) -> dict[str, str]:
        """Return the shape that docs/json.md documents."""
        return {
            "machine": self.subject,
            "key": self.key,
            "is": self.has,
            "shall_be": self.wanted,
            "when": self.due.value,
            "hint": self.how,
        }


@dataclass(frozen=True)
class FilePlan:
    """What is to be done so that what stands is as a file says.

    Args:
        rows: what differs, in the file's order.
        facts: digests of what that rests on, by machine and thing.
    """

    rows: tuple[Row, ...]
    facts: Mapping[str, str] = field(default_factory=dict)

    def of(self, subject: object) -> tuple[Row, ...]:
        """The rows of one machine or tenant."""
        return tuple(row for row in self.rows if row.subject == str(subject))

    @property
    def stuck(self) -> tuple[Row, ...]:
        """The rows that `up` refuses."""
        return tuple(row for row in self.rows if row.due.stuck)

    @property
    def destroyed(self) -> tuple[str, ...]:
        """The machines whose disk is lost, each once, in order."""
        return tuple(dict.fromkeys(row.subject for row in self.rows if row.due.destroys))

    @property
    def lasting(self) -> tuple[Row, ...]:
        """The rows that tell of what a machine is, not of whether it runs."""
        return tuple(row for row in self.rows if row.key not in {"state", "steps"})


@dataclass(frozen=True)
class SavedPlan:
    """A plan that was written down, to be carried out later if what it rests on still holds.

    Args:
        file: absolute, or `-`.
        machines: which of it; all, if none is named.
        variables: what was said beside it.
        may: what `up` may do.
        facts: digests of what the plan rests on.
        rows: the plan itself.
        format: what the file was said to be; None for what its name and text tell.
    """

    file: str
    machines: tuple[str, ...]
    variables: Mapping[str, str]
    may: Allowed
    facts: Mapping[str, str]
    rows: tuple[Mapping[str, str], ...]
    format: MachinesFormat | None = None

    @classmethod
    def read(cls, text: str, file: str) -> "SavedPlan":
        """Read what `up --dry-run -o json` printed.

        Raises:
            InputError: it is something else.
        """
        try:
            said = json.loads(text)["plan"]
            said.setdefault("format", None)  # which older ones do not have
            return decode(cls, {one.name: said[one.name] for one in fields(cls)})
        except (ShapeError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(
                f"{file} is not a plan of `raptorctl up`",
                resolution="write one with `up --dry-run -o json`",
                subject=file,
            ) from error

    @property
    def names(self) -> tuple[MachineName, ...]:
        """Which machines of it."""
        return tuple(parse_words([name]) for name in self.machines)

    def refuse_changed(self, plan: FilePlan) -> None:
        """Refuse to go by a plan that rests on what is no longer so.

        Raises:
            RefusedError: names what changed.
        """
        found = list(changed(self.facts, plan.facts))
        rows = [row.encode() for row in plan.rows]
        other = [row for row in (*self.rows, *rows) if row not in self.rows or row not in rows]
        if found := found or [f"{row['machine']} {row['key']}" for row in other]:
            raise RefusedError(
                f"what the plan rests on has changed: {', '.join(found)}",
                resolution="make it anew with `up --dry-run -o json`",
                code=Code.HOST_CHANGED,
                subject=found[0],
            )

    def encode(self) -> dict[str, Any]:
        """Return the shape that docs/json.md documents."""
        return {one.name: encode(getattr(self, one.name)) for one in fields(self)}


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> Iterable[str]:
    """Name what is not as it was when a plan was made."""
    return sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
