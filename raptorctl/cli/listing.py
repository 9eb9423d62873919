"""What every command that lists things can do with them: choose, sort, and say it in five forms."""

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Generic, TypeVar

import typer

from raptorctl.cli.output import say, say_json, say_text, table, width_of_output
from raptorctl.errors import InputError
from raptorctl.model.names import shown

T = TypeVar("T")


class ListFormat(enum.StrEnum):
    """What `-o` of a list takes."""

    TEXT = "text"
    JSON = "json"
    YAML = "yaml"
    CSV = "csv"
    NAME = "name"


ListOutput = Annotated[ListFormat, typer.Option("-o", "--output", help="Output format.")]
Columns = Annotated[
    str | None,
    typer.Option(
        "--columns", metavar="KEY,...", help="Show these keys of JSON alone.", show_default=False
    ),
]
Filters = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        metavar="KEY=VALUE,...",
        help="Show only what has these values; != for others. Repeatable.",
        show_default=False,
    ),
]
SortKey = Annotated[
    str | None,
    typer.Option(
        "--sort", metavar="[-]KEY", help="Sort by this key; - for downwards.", show_default=False
    ),
]


@dataclass(frozen=True)
class Listed:
    """What of a list is wanted, and how."""

    columns: Columns = None
    filters: Filters = None
    sort: SortKey = None
    form: ListOutput = ListFormat.TEXT

    def has(self, key: str) -> bool:
        """Whether a key is looked at, so that what is dear to read is read for nobody else."""
        said = [said.partition("=")[0].removesuffix("!") for said in _split(self.filters or ())]
        named = {*said, (self.sort or "").removeprefix("-"), *_split([self.columns or ""])}
        whole = self.form in {ListFormat.JSON, ListFormat.YAML, ListFormat.CSV}
        return key in named or (whole and not self.columns)


@dataclass(frozen=True)
class View(Generic[T]):
    """How a list is said.

    Args:
        key: what the list is called in JSON.
        encode: one thing's shape in JSON, whose keys are the columns there are.
        rows: the lines of the usual table.
        nothing: what is said of none.
        name: the key of what a thing is called; several are joined by a blank.
        more: what else is in the JSON.
    """

    key: str
    encode: Callable[[T], Mapping[str, Any]]
    rows: Callable[[Sequence[T]], Sequence[str]]
    nothing: str
    name: tuple[str, ...] = ("name",)
    more: Mapping[str, Any] = field(default_factory=dict)


def show_list(found: Sequence[T], view: View[T], wanted: Listed) -> None:
    """Print a list.

    Raises:
        InputError: a key is none of its keys; names those.
    """
    pairs = [(thing, view.encode(thing)) for thing in found]
    flat = [(thing, shape, dict(_flat(shape))) for thing, shape in pairs]
    known = tuple(dict.fromkeys(key for _, _, cells in flat for key in cells))
    columns = _columns(wanted.columns, known)
    for test in _tests(wanted.filters or (), known):
        flat = [one for one in flat if test(one[2])]
    if wanted.sort:
        flat = _sorted(flat, wanted.sort, known)
    _FORMS[wanted.form](flat, view, columns)


Cells = Mapping[str, Any]
Rows = Sequence[tuple[Any, Mapping[str, Any], Cells]]
"""Each thing, its shape in JSON, and the same with one text or number for each key."""


def _text(rows: Rows, view: View[Any], columns: Sequence[str]) -> None:
    if not rows:
        say(view.nothing)
    elif columns:
        cells = [[_word(row[key]) or "-" for key in columns] for _, _, row in rows]
        right = [key.upper() for key in columns if all(_is_number(r[key]) for _, _, r in rows)]
        head = [key.upper() for key in columns]
        say("\n".join(table(head, cells, right=right, columns=width_of_output())))
    else:
        say("\n".join(view.rows([thing for thing, _, _ in rows])))


def _json(rows: Rows, view: View[Any], columns: Sequence[str]) -> None:
    say_json(_shape(rows, view, columns))


def _yaml(rows: Rows, view: View[Any], columns: Sequence[str]) -> None:
    import yaml

    shape = _shape(rows, view, columns)
    say_text(yaml.safe_dump(shape, sort_keys=False, allow_unicode=True))


def _csv(rows: Rows, view: View[Any], columns: Sequence[str]) -> None:
    import csv
    import io

    keys = columns or tuple(dict.fromkeys(key for _, _, cells in rows for key in cells))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if keys:
        writer.writerow(keys)
    writer.writerows([_word(cells.get(key)) for key in keys] for _, _, cells in rows)
    say_text(out.getvalue())


def _name(rows: Rows, view: View[Any], columns: Sequence[str]) -> None:
    names = (" ".join(_word(cells[key]) for key in view.name) for _, _, cells in rows)
    say_text("".join(f"{name}\n" for name in names))


_FORMS: Final[Mapping[ListFormat, Callable[[Rows, View[Any], Sequence[str]], None]]] = {
    ListFormat.TEXT: _text,
    ListFormat.JSON: _json,
    ListFormat.YAML: _yaml,
    ListFormat.CSV: _csv,
    ListFormat.NAME: _name,
}


def _shape(rows: Rows, view: View[Any], columns: Sequence[str]) -> dict[str, Any]:
    things = [
        {key: cells[key] for key in columns} if columns else dict(shape) for _, shape, cells in rows
    ]
    return {view.key: things, **view.more}


def _flat(shape: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Name what is in tables by their keys, with dots; a list of words is one text."""
    for key, value in shape.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}.")
        elif isinstance(value, list):
            yield f"{above}{key}", ",".join(_word(item) for item in value)
        else:
            yield f"{above}{key}", value


def _word(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{key}={_word(one)}" for key, one in value.items())
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _split(texts: Iterable[str]) -> Iterator[str]:
    return (said for text in texts for said in text.split(","))


def _columns(text: str | None, known: Sequence[str]) -> tuple[str, ...]:
    columns = tuple(_split([text])) if text else ()
    for key in columns:
        _refuse_unknown("--columns", key, known)
    return columns


def _tests(texts: Sequence[str], known: Sequence[str]) -> Iterator[Callable[[Cells], bool]]:
    for said in _split(texts):
        key, sign, value = said.partition("=")
        if not sign:
            raise InputError(f"--filter: {shown(said)} says no value", resolution="write KEY=VALUE")
        other = key.endswith("!")
        _refuse_unknown("--filter", key.removesuffix("!"), known)
        yield _test(key.removesuffix("!"), value, other=other)


def _test(key: str, value: str, *, other: bool) -> Callable[[Cells], bool]:
    return lambda cells: (_word(cells.get(key)) == value) is not other


def _sorted(rows: Rows, text: str, known: Sequence[str]) -> list[Any]:
    key = text.removeprefix("-")
    _refuse_unknown("--sort", key, known)

    def place(row: tuple[Any, Any, Cells]) -> tuple[bool, float, str]:
        value = row[2].get(key)
        number = float(value) if _is_number(value) and value is not None else 0.0
        return (value is None, number, "" if _is_number(value) else _word(value))

    return sorted(rows, key=place, reverse=text.startswith("-"))


def _refuse_unknown(option: str, key: str, known: Sequence[str]) -> None:
    # Of a list of nothing no key is known.
    if known and key not in known:
        raise InputError(
            f"{option}: there is no {shown(key)} here", resolution=f"there is: {', '.join(known)}"
        )
