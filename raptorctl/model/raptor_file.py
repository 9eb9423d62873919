"""A file of machines, `raptor.toml`, as it is written: which machines, and what each should be."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from pathlib import PurePosixPath
from typing import Any, Final

from raptorctl.errors import InputError
from raptorctl.model.diagnostic import Diagnostic, nearest
from raptorctl.model.guest import Awaited
from raptorctl.model.names import MachineName
from raptorctl.model.spec import SEED_FOLDER, MachineSpec
from raptorctl.model.tenant import Quota

DEFAULT: Final = "raptor.toml"
STDIN: Final = "-"
LARGEST: Final = 1 << 20
"""Bytes of a file."""

Names = Mapping[str, str | Callable[[], str]]
"""Variables, and what each stands for; one that is asked for late raises ValueError of why not."""

SPEC_KEYS: Final = tuple(one.name for one in fields(MachineSpec))
"""What may be said of a machine: each key of a spec is one of the file's by itself."""
MACHINE_KEYS: Final = (*SPEC_KEYS, SEED_FOLDER, "steps", "wait", "expand")


@dataclass(frozen=True)
class FileStep:
    """What is done in a guest: a script that is run, or a file that is copied.

    Args:
        run: a script's file.
        inline: a script itself.
        copy: a file, which goes to `to`.
        to: where in the guest.
        user: the account of the guest that does it, by sudo.
        timeout: how long it may take, `90s`, `5m` or `2h`.
        dir: where in the guest a script is run.
        ignore_errors: whether the next step follows where a script ends with an error.
    """

    run: str = ""
    inline: str = ""
    copy: str = ""
    to: str = ""
    user: str = ""
    timeout: str = ""
    dir: str = ""
    ignore_errors: bool = False


@dataclass(frozen=True)
class FileTenant:
    """A tenant of a file.

    Args:
        name: the tenant's.
        keys: files of public keys, or keys themselves; None is not said.
        quota: how much the tenant may have; None is not said.
    """

    name: str
    keys: tuple[str, ...] | None = None
    quota: Quota | None = None


@dataclass(frozen=True)
class FileMachine:
    """A machine of a file.

    Args:
        name: whose, and which.
        key: what the file calls it.
        said: keys of `MachineSpec` as TOML has them, every name in them expanded.
        below: the file's defaults, likewise.
        steps: what is done in its guest once it is made.
        wait: what is waited for before that.
        names: its variables, which are put into its texts for cloud-init as well; None for not.
    """

    name: MachineName
    key: str
    said: Mapping[str, Any]
    below: Mapping[str, Any]
    steps: tuple[FileStep, ...] = ()
    wait: Awaited | None = None
    names: Names | None = None


@dataclass(frozen=True)
class RaptorFile:
    """A whole file.

    Args:
        file: as it was named.
        name: by which it knows its machines again, or "".
        tenants, machines: in the file's order.
        places: line and column of a machine's key, by both; also of `steps.1`, `disks.data`.
        left: what another tool's file says and raptorctl has no key for, by a machine's key.
        files: in which file of several a machine's table stands, by its key.
        lists_disks: whether further disks have a word in its format: then those that it does not
            name are not wanted.
        sha256: what the source of a machine's image must give, by its key.
    """

    file: str
    name: str = ""
    tenants: tuple[FileTenant, ...] = ()
    machines: tuple[FileMachine, ...] = ()
    places: Mapping[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    left: Mapping[str, tuple[Diagnostic, ...]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    lists_disks: bool = False
    sha256: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """Where relative paths begin."""
        return "." if self.file == STDIN else str(PurePosixPath(self.file).parent)

    def names(self, only: Collection[MachineName] = ()) -> tuple[MachineName, ...]:
        """Its machines, in its order.

        Args:
            only: those that are asked for; all, if none is named.

        Raises:
            InputError: one of them is not in the file.
        """
        known = [machine.name for machine in self.machines]
        for name in only:
            if name not in known:
                hint = nearest(str(name), map(str, known))
                raise InputError(f"{self.file} has no machine {name}", resolution=hint)
        return tuple(name for name in known if not only or name in only)

    def wrong(self, table: str, key: str, problem: str, hint: str = "") -> Diagnostic:
        """Say what is wrong with a key of a tenant or machine.

        Args:
            table: `machine.web`.
            key: `profile`; `steps.1` or `disks.data` for one of several.
            problem: what is wrong.
            hint: what to do.
        """
        _, at = self._found(table, key)
        return Diagnostic(*at, f"{table}.{key}", problem, hint)

    def place(self, subject: str, key: str = "") -> str:
        """Return where a machine or tenant stands, and what of it: `lab.toml:7:1: machine.a-b`.

        Args:
            subject: its whole name.
            key: of its table; one that it does not have is not named.

        Returns:
            "" for what is not in the file.
        """
        tables = {one.name: f"tenant.{one.name}" for one in self.tenants}
        tables |= {str(one.name): f"machine.{one.key}" for one in self.machines}
        if (table := tables.get(subject)) is None:
            return ""
        said, at = self._found(table, key)
        dotted = f"{table}.{key}" if said else table
        return f"{Diagnostic(*at, '', '').place}: {dotted}"

    def _found(self, table: str, key: str) -> tuple[bool, tuple[str, int, int]]:
        """Whether a key is said, and its file, line and column; else those of its table."""
        kind, _, name = table.partition(".")
        file = self.files.get(name, self.file)
        whole = key.partition(".")[0]
        tried = [(table, key), ("defaults", key), (table, whole), ("defaults", whole)]
        if whole == "steps":  # a machine's own stand in the place of the defaults'
            tried[1], tried[2] = tried[2], tried[1]
        for one in tried:
            if one in self.places:
                return True, (file, *self.places[one])
        return False, (file, *self.places.get((kind, name), (0, 0)))
