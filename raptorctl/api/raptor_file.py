"""Files of machines: read, with all that they name, and laid beside what stands."""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from raptorctl.api.lowering import Lowering
from raptorctl.api.session import Session
from raptorctl.api.variables import HostVariables
from raptorctl.errors import InputError
from raptorctl.model.diagnostic import refuse
from raptorctl.model.file_format import FileFormat
from raptorctl.model.file_plan import FileWish
from raptorctl.model.names import MachineName, shown
from raptorctl.model.raptor_file import STDIN, RaptorFile

if TYPE_CHECKING:
    from raptorctl.model.file_plan import Allowed, FilePlan


def read(
    session: Session,
    file: str,
    text: str | Sequence[tuple[str, str]],
    variables: Mapping[str, str] | None = None,
    said: FileFormat | None = None,
) -> RaptorFile:
    """Read a file of machines; nothing that it names is looked at yet.

    Args:
        session: the host: on a session host a machine's name has no tenant.
        file: its path, or `-`.
        text: what stands in it; or name and text of each, of a registry that has many.
        variables: what counts more than its `[vars]`.
        said: its format; by default, its name or its text tell.

    Raises:
        FileError: all that is wrong in it, with line and column.
        MissingError: its format needs a library that is not installed.
    """
    from raptorctl.read.machines import parse_machines
    from raptorctl.read.raptor_file import Reader

    owner = session.settings.owner if session.on_session_host else ""
    late = HostVariables(session, file).late
    zone = session.settings.dns.zone
    files = [(file, text)] if isinstance(text, str) else text
    return parse_machines(files, Reader(file, owner, variables or {}, zone, late), said)


def wish_of(
    session: Session,
    file: RaptorFile,
    only: Collection[MachineName] = (),
    unanswered: Callable[[str], None] | None = None,
) -> FileWish:
    """Read all that a file names: profiles, keys, user-data, steps, and which images it means.

    Args:
        session: the host.
        file: the file.
        only: the machines that are asked for; all, if none is named.
        unanswered: told that nobody answers where an image comes from, which is then no error.

    Raises:
        InputError: a machine that is asked for is not in the file.
        FileError: what the file names is not there, or cannot be; all of it.
    """
    work, names = Lowering(session, file, unanswered), set(file.names(only))
    asked = [machine for machine in file.machines if machine.name in names]
    wish = FileWish(
        mark=_mark(file),
        tenants=tuple(work.tenants(asked if only else None)),
        machines=tuple(work.machine(machine) for machine in asked),
        known=frozenset(file.names()),
        whole=not only,
        file=file,
    )
    refuse(file.file, work.wrong)
    return wish


def plan_of(session: Session, wish: FileWish, may: "Allowed") -> "FilePlan":
    """Look at the host, once for all machines, and say what differs."""
    from raptorctl.api.caller import new_identity
    from raptorctl.plans.file.compare import compare
    from raptorctl.plans.part.records import queries

    settings = session.settings
    names = [machine.name for machine in wish.machines]
    asked = [query for name in names for query in queries(name, settings)]
    people = {name.tenant for name in names} | {tenant.name for tenant in wish.tenants}
    facts = session.facts(dict.fromkeys(asked), sorted(people))
    return compare(wish, may, settings, facts, new_identity(session.caller.name))


def reload_of(session: Session, wish: FileWish) -> "FilePlan":
    """Say that each machine gets a new disk, and has its steps done again; all must stand."""
    from raptorctl.model.file_plan import Allowed, Due, FilePlan, Row, counted

    plan = plan_of(session, wish, Allowed(rebuild=True))
    rows: list[Row] = []
    for machine in wish.machines:
        name, found = str(machine.name), plan.of(machine.name)
        if any(row.key == "machine" for row in found):
            how = f"{name} is not there: `raptorctl up` makes it"
            rows.append(Row(name, "machine", "absent", "there", Due.REFUSED, how))
            continue
        rows += [row for row in found if row.key not in {"state", "steps"}]
        rows.append(Row(name, "disk", "as it is", "new", Due.REBUILD))
        if machine.steps:
            rows.append(Row(name, "steps", "done", counted(machine.steps), Due.NOW))
    return FilePlan(tuple(rows), plan.facts)


def _mark(file: RaptorFile) -> str:
    """By what a file's machines know it: its own name, or its path."""
    if file.name or file.file == STDIN:
        return file.name
    path = os.path.abspath(file.file)  # noqa: PTH100 - follows no link
    if not path.isprintable() or path != path.strip():  # XML would not keep it as it is
        raise InputError(
            f"the path of {shown(file.file)} cannot be kept with its machines",
            resolution='give the file a name of its own: name = "lab"',
        )
    return path
