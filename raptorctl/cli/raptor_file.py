"""What the commands that take a file of machines have in common."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from glob import has_magic
from pathlib import Path
from typing import Annotated, Final

import typer

from raptorctl.api import raptor_file as api
from raptorctl.api.brought import Brought
from raptorctl.api.registry import registry_texts
from raptorctl.cli import output
from raptorctl.cli.onlooker import Onlooker
from raptorctl.cli.options import FORMAT_OF_FILE, given_text
from raptorctl.cli.output import Format, say_json, table, tell, width_of_output
from raptorctl.cli.session import Typed
from raptorctl.cli.watch import Stream
from raptorctl.errors import InputError, RaptorError, StoppedError
from raptorctl.model.file_format import FileFormat, MachinesFormat
from raptorctl.model.file_plan import Allowed, Due, FilePlan, FileWish, Row, SavedPlan
from raptorctl.model.names import MachineName, parse_words, shown
from raptorctl.model.raptor_file import DEFAULT, LARGEST, STDIN, RaptorFile
from raptorctl.model.session_host import session_words
from raptorctl.model.several import decisive
from raptorctl.read.file_format import by_name
from raptorctl.read.variables import NAME
from raptorctl.read.vmfile import DEFAULT as VMFILE

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FILE] [MACHINE]...",
        help=f"A file of machines, ./{DEFAULT} by default, - for standard input; and only these "
        "of it.",
        show_default=False,
    ),
]
FormatOfFile = Annotated[MachinesFormat | None, FORMAT_OF_FILE]
Variables = Annotated[
    list[str] | None,
    typer.Option(
        "--var",
        metavar="NAME=VALUE",
        help="A variable of the file; may be repeated.",
        show_default=False,
    ),
]


HERE: Final = {MachinesFormat.RAPTOR: DEFAULT, MachinesFormat.VMFILE: VMFILE}
"""What is taken where no file is named: the first that there is."""


@dataclass(frozen=True)
class Named:
    """What was typed of a file.

    Args:
        file: its path, or `-`.
        machines: which of it; all, if none is named.
        variables: what counts more than its own.
        format: what it was said to be.
    """

    file: str
    machines: tuple[MachineName, ...]
    variables: dict[str, str]
    format: MachinesFormat | None = None

    def read(self, session: Typed) -> RaptorFile:
        """Read the file, and nothing that it names."""
        said = FileFormat(self.format) if self.format else None
        return api.read(session, self.file, given_texts(self.file, said), self.variables, said)

    def wish(self, session: Typed, *, looks: bool = False) -> FileWish:
        """Read the file and all that it names; tell what of it raptorctl has no key for.

        Args:
            session: the host.
            looks: nothing is done yet: an image whose server does not answer is only told.
        """
        file = self.read(session)
        names = set(file.names(self.machines))
        for machine in file.machines:
            for one in file.left.get(machine.key, ()) if machine.name in names else ():
                tell(f"note: not taken over: {output.plain(str(one))}")
        return api.wish_of(session, file, self.machines, _unanswered if looks else None)

    def saved(self, may: Allowed, plan: FilePlan) -> SavedPlan:
        """The plan, as it can be written down."""
        file = self.file if self.file == STDIN else str(Path(self.file).absolute())
        names = tuple(map(str, self.machines))
        rows = tuple(row.encode() for row in plan.rows)
        return SavedPlan(file, names, self.variables, may, plan.facts, rows, self.format)


def given_texts(file: str, said: FileFormat | None = None) -> tuple[tuple[str, str], ...]:
    """Read a file, or the files of a registry that a pattern names: name and text of each.

    Args:
        file: as it was named.
        said: its format; by default, its name tells.

    Raises:
        InputError: one cannot be read, is too large, or is not UTF-8; or there is none.
    """
    form = said or by_name(file)
    if form is FileFormat.SHELL:
        raise InputError(
            f"{shown(file)} is a program, and no file of machines",
            resolution=f"`raptorctl import {file} --trust > {DEFAULT}` makes one of it",
            subject=file,
        )
    if form is FileFormat.REGISTRY and has_magic(file) and not Path(file).is_file():
        return tuple(registry_texts(file))
    return ((file, given_text(file, LARGEST)),)


def named(
    session: Typed,
    words: list[str] | None,
    variables: list[str] | None = None,
    said: MachinesFormat | None = None,
) -> Named:
    """Tell a file from machines: no machine's name has a slash or a dot.

    Raises:
        InputError: a word names neither; or a variable is none.
    """
    rest = list(words or ())
    first = rest[0] if rest else ""
    is_file = first == STDIN or "/" in first or "." in first
    file = rest.pop(0) if is_file else _here(said)
    machines = tuple(_machine(session, word) for word in rest)
    return Named(file, machines, read_variables(variables), said)


def _here(said: MachinesFormat | None) -> str:
    """The file that is taken where none is named."""
    names = [name for form, name in HERE.items() if said in {None, form}]
    if not names:
        raise InputError("no registry is taken by itself", resolution="name its file, or a pattern")
    found = next((name for name in names if Path(name).is_file()), "")
    if not found:
        raise InputError(
            f"there is no {names[0]} here",
            resolution="name a file; `raptorctl export` writes what stands",
        )
    return found


def _unanswered(problem: str) -> None:
    tell(f"note: {output.plain(problem)}; planned as if it could be had")


def read_variables(said: list[str] | None) -> dict[str, str]:
    """Read `--var NAME=VALUE`, each.

    Raises:
        InputError: one is no variable.
    """
    return dict(map(_variable, said or ()))


def saved(plan: SavedPlan) -> Named:
    """What was typed when a plan was saved."""
    return Named(plan.file, plan.names, dict(plan.variables), plan.format)


def laid_out(rows: tuple[Row, ...]) -> list[str]:
    """A plan's rows as a table for people."""
    head = ("MACHINE", "KEY", "IS", "SHALL BE", "WHEN")
    cells = [
        (row.subject, row.key, row.has, row.short or row.wanted, row.due.value) for row in rows
    ]
    return table(head, cells, columns=width_of_output()) if rows else []


def guest_steps(wish: FileWish, plan: FilePlan) -> Iterator[str]:
    """Say what is then done in guests, a line each."""
    due = {row.subject for row in plan.rows if row.key == "steps" and row.due.value == "now"}
    for machine in wish.machines:
        if str(machine.name) in due:
            yield from (f"{machine.name}: {output.plain(step.title)}" for step in machine.steps)


def told(results: Iterable[Brought], plan: FilePlan, form: Format, eye: Onlooker) -> None:
    """Tell what came of each, as it comes; then what is still to come, and what failed.

    Args:
        results: what came of each.
        plan: what was to be done.
        form: of the result.
        eye: who has looked on.

    Raises:
        RaptorError: something failed; see `decisive`, if it is more than one.
        StoppedError: a signal came.
    """
    done, failed = [], list[RaptorError]()
    try:
        for brought in results:
            done.append(brought)
            lines = [*brought.receipts, _line(brought)] if form is Format.TEXT else []
            eye.came(brought, lines)
            failed += [brought.error] if brought.error else []
    except StoppedError as error:
        failed.append(error)
    finally:
        eye.over()
    if form is Format.JSON and not isinstance(eye, Stream):
        say_json({"machines": [one.encode() for one in done]})
    for row in plan.rows:
        if row.due in {Due.NEXT_START, Due.NEXT_REBUILD, Due.NEEDS_PRUNE}:
            said = f"{row.subject}: {row.key} {row.has}, not {row.wanted}: {row.due.value}"
            tell(f"note: {output.plain(said)}")
    if failed:
        ends = decisive(failed)
        for other in (one for one in failed if one is not ends):
            tell(f"raptorctl: {output.plain(str(other))}")
        raise ends


def _line(brought: Brought) -> str:
    if brought.error:
        return f"{brought.subject}: failed"
    did = ", ".join(brought.did)
    return f"{brought.subject}: {did}" if did else f"{brought.subject} is already so"


def _machine(session: Typed, word: str) -> MachineName:
    if session.on_session_host:
        return parse_words(session_words([word], session.settings.owner))
    return parse_words([word])


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not NAME.fullmatch(name):
        raise InputError(f"--var: {shown(text)} is not NAME=VALUE", subject="--var")
    return name, value
