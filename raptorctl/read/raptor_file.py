"""`raptor.toml` to the noun: everything that is wrong in it is told at once."""

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from raptorctl.errors import InputError
from raptorctl.model.diagnostic import Diagnostic, nearest, refuse
from raptorctl.model.names import MachineName, parse_tenant, parse_words
from raptorctl.model.raptor_file import (
    MACHINE_KEYS,
    FileMachine,
    FileTenant,
    Names,
    RaptorFile,
)
from raptorctl.model.session_host import session_words
from raptorctl.read.raptor_file_keys import machine_problems, spec_part, steps, tenant, wait
from raptorctl.read.toml_places import Path, Place, deepest, key_places, place_of, places, told
from raptorctl.read.variables import BUILT_IN, UnknownNameError, expand, unfit, unused, within

TABLES: Final = ("name", "vars", "defaults", "tenant", "machine", "build")
TENANT_KEYS: Final = ("keys", "quota")
_ANYBODY: Final = MachineName("tenant", "machine")
"""Who stands for a machine while the defaults are looked at by themselves."""
_ANYTHING: Final = {
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "mac": "52:54:00:00:00:01",
    "ssh_key": "ssh-ed25519 AAAA",
}
"""What such a machine's place and key are meanwhile (RFC 5737, RFC 3849)."""

_BUILT_IN: Final = "is what each machine has by itself; choose another name"

Late = Callable[[MachineName, Mapping[str, Any], Names], Names]
"""Given a machine, its table over the defaults, and its other variables: those that the host or
other files know, looked up where they are used."""


@dataclass(frozen=True)
class Reader:
    """How a file is to be read.

    Args:
        file: as it was named, for errors.
        owner: whose machines all are on a session host; "" on a shared host.
        variables: what was said beside the file, which counts more than its `[vars]`.
        zone: the DNS zone that machines are named in, or "".
        late: a machine's variables that are looked up where they are used.
        files: in which file of several a machine's table stands.
    """

    file: str
    owner: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    zone: str = ""
    late: Late = lambda _name, _table, _names: _ANYTHING
    files: Mapping[str, str] = field(default_factory=dict)

    def names(self, name: MachineName = _ANYBODY) -> dict[str, str]:
        """A machine's own variables."""
        known = {"tenant": name.tenant, "machine": name.machine}
        return known | ({"fqdn": name.fqdn(self.zone).rstrip(".")} if self.zone else {})


def parse_raptor_file(text: str, reader: Reader) -> RaptorFile:
    """Read a file of machines.

    Raises:
        FileError: it is not TOML, or something in it cannot be; all of it, with line and column.
    """
    with told(text, reader.file):
        read = parse_tables(tomllib.loads(text), places(text), reader)
    return replace(read, lists_disks=True)


def parse_tables(
    data: Mapping[str, Any], found: Mapping[Path, Place], reader: Reader
) -> RaptorFile:
    """Read tables, from whatever format they are.

    Args:
        data: as tomllib gives them.
        found: where each key stands.
        reader: how they are to be read.

    Raises:
        FileError: something in them cannot be; all of it, with line and column.
    """
    return _Reading(data, found, reader).whole()


class _Reading:
    """One file, and what is wrong in it so far."""

    def __init__(
        self, data: Mapping[str, Any], found: Mapping[Path, Place], reader: Reader
    ) -> None:
        self._data, self._places, self._reader = data, found, reader
        self._wrong: list[Diagnostic] = []

    def whole(self) -> RaptorFile:
        """Read all tables, then refuse what was wrong in any."""
        self._known((), self._data, TABLES)
        known = self._variables()
        anybody = {**self._reader.names(), **_ANYTHING}
        self._block(("defaults",), self._table("defaults"), self._names(known, anybody))
        tenants = tuple(self._tenants(known))
        machines = tuple(self._machines(known))
        name = self._name()
        refuse(self._reader.file, self._wrong)
        places, files = key_places(self._places), self._reader.files
        return RaptorFile(self._reader.file, name, tenants, machines, places, files=files)

    def _name(self) -> str:
        name = self._data.get("name", "")
        if (
            isinstance(name, str)
            and len(name) <= 100
            and name.isprintable()
            and name == name.strip()
        ):
            return name
        self._tell(("name",), "should be one line of text, without blanks around it")
        return ""

    def _variables(self) -> dict[str, str]:
        """The texts of `[vars]`, without those that something else counts more than."""
        said, more = self._table("vars"), self._reader.variables
        for name, problem in unfit(said):
            self._tell(("vars", name), problem)
        for name in more:
            if name in BUILT_IN:
                self._beside(name, _BUILT_IN)
            elif name not in said and unused(self._data, (name,)):
                self._beside(name, "is used by nothing here", nearest(name, said))
        texts = {
            key: value for key, value in said.items() if isinstance(value, str) and key not in more
        }
        names = within(texts, {**more, **self._reader.names(), **_ANYTHING})
        return {name: text if self._can_be(name, names) else "" for name, text in texts.items()}

    def _can_be(self, name: str, names: Names) -> bool:
        if name in BUILT_IN:
            self._tell(("vars", name), _BUILT_IN)
        try:
            expand(f"${{{name}}}", names)
        except UnknownNameError:  # told where it is used: a build has names of its own
            return True
        except ValueError as error:
            self._tell(("vars", name), str(error))
            return False
        return True

    def _beside(self, name: str, problem: str, hint: str = "") -> None:
        said = Diagnostic(self._reader.file, 0, 0, f"--var {name}", problem, hint)
        self._wrong.append(said)

    def _tenants(self, known: Mapping[str, str]) -> Iterator[FileTenant]:
        for name, table in self._tables("tenant"):
            path: Path = ("tenant", name)
            if self._reader.owner:
                self._tell(path, "a session host has no tenants", "leave the table out")
                continue
            try:
                parse_tenant(name)
            except InputError as error:
                self._tell(path, error.brief, error.resolution)
            self._known(path, table, TENANT_KEYS)
            expanded = self._expanded(path, table, self._names(known, {"tenant": name}))
            problems, made = tenant(name, expanded)
            self._tell_all(path, problems)
            yield made

    def _machines(self, known: Mapping[str, str]) -> Iterator[FileMachine]:
        seen: dict[MachineName, str] = {}
        for key, table in self._tables("machine"):
            name = self._machine_name(key)
            if name is None:
                continue
            if name in seen:
                self._tell(("machine", key), f"is the same machine as {seen[name]}")
            seen[name] = key
            own = self._reader.names(name)
            whole = {**self._tenants_keys(name), **self._table("defaults"), **table}
            late = self._reader.late(name, whole, self._names(known, own))
            yield self._machine(name, key, table, self._names(known, {**own, **late}))

    def _names(self, known: Mapping[str, str], own: Names) -> Names:
        """Variables of the file and of what was said beside it, and something's own."""
        return within(known, {**self._reader.variables, **own})

    def _tenants_keys(self, name: MachineName) -> Mapping[str, Any]:
        """What the file says of the keys of a machine's tenant."""
        tenant = self._table("tenant").get(name.tenant)
        keys = tenant.get("keys") if isinstance(tenant, Mapping) else None
        return {"keys": keys} if keys else {}

    def _machine(
        self, name: MachineName, key: str, table: Mapping[str, Any], names: Names
    ) -> FileMachine:
        said = self._block(("machine", key), table, names)
        below = self._table("defaults")
        if not self._wrong:
            below = self._expanded(("defaults",), below, names)
        both = {**below, **said}
        return FileMachine(
            name=name,
            key=key,
            said=spec_part(said),
            below=spec_part(below),
            steps=steps(both) if not self._wrong else (),
            wait=wait(both) if not self._wrong else None,
            names=names if both.get("expand") is True else None,
        )

    def _machine_name(self, key: str) -> MachineName | None:
        owner = self._reader.owner
        if not owner and "-" not in key:
            hint = f"write [machine.TENANT-{key}]"
            self._tell(("machine", key), "does not say whose machine it is", hint)
            return None
        try:
            return parse_words(session_words([key], owner) if owner else [key])
        except InputError as error:
            self._tell(("machine", key), error.brief, error.resolution)
            return None

    def _block(self, path: Path, table: Mapping[str, Any], names: Names) -> dict[str, Any]:
        """What a machine's table, or the defaults, say; all that is wrong there is told."""
        self._known(path, table, MACHINE_KEYS)
        said = self._expanded(path, {k: v for k, v in table.items() if k in MACHINE_KEYS}, names)
        self._tell_all(path, machine_problems(said))
        return said

    def _expanded(self, path: Path, table: Mapping[str, Any], names: Names) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in table.items():
            try:
                found[key] = expand(value, names)
            except ValueError as error:
                self._tell((*path, key), str(error))
        return found

    def _table(self, key: str) -> Mapping[str, Any]:
        table = self._data.get(key, {})
        if isinstance(table, Mapping):
            return table
        self._tell((key,), "should be a table")
        return {}

    def _tables(self, key: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for name, table in self._table(key).items():
            if isinstance(table, Mapping):
                yield name, table
            else:
                self._tell((key, name), f"should be a table: [{key}.{name}]")

    def _known(self, path: Path, table: Mapping[str, Any], known: Iterable[str]) -> None:
        for key in table:
            if key not in known:
                outside = not path and key in MACHINE_KEYS
                hint = "write it below [defaults] or [machine.NAME]" if outside else ""
                problem = "stands outside of a machine" if outside else "is not known here"
                self._tell((*path, key), problem, hint or nearest(key, known))

    def _tell_all(self, path: Path, problems: Iterable[tuple[str, str]]) -> None:
        for key, problem in problems:
            self._tell((*path, key), problem, at=deepest((*path, key), problem, self._places))

    def _tell(self, path: Path, problem: str, hint: str = "", at: Path = ()) -> None:
        line, column = place_of(at or path, self._places)
        key = ".".join(map(str, path))
        file = self._reader.files.get(str(path[1]) if len(path) > 1 else "", self._reader.file)
        self._wrong.append(Diagnostic(file, line, column, key, problem, hint))
