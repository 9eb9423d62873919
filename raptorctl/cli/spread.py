"""Options that belong together, written once as a record, and taken by commands as one argument."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar, get_type_hints

P = ParamSpec("P")
R = TypeVar("R")

_KEYWORD: Final = inspect.Parameter.KEYWORD_ONLY


def spread(command: Callable[P, R]) -> Callable[..., R]:
    """Have typer see the fields of a command's records as options of its own, in their order.

    Args:
        command: a parameter of it that is annotated with a dataclass gets one, made of what was
            typed. The record may refuse what was typed together.

    Returns:
        What typer reads its options from.
    """
    hints = get_type_hints(command, include_extras=True)
    names = inspect.signature(command).parameters
    records = {name: hints[name] for name in names if is_dataclass(hints[name])}
    options = [option for name in names for option in _options(name, command, hints)]

    @wraps(command)
    def called(**typed: Any) -> R:
        made = {name: _made(record, typed) for name, record in records.items()}
        plain = {name: typed[name] for name in names if name not in records}
        return command(**plain, **made)  # type: ignore[call-arg]

    called.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    called.__annotations__ = {option.name: option.annotation for option in options}
    return called


def _options(
    name: str, command: Callable[..., Any], hints: Mapping[str, Any]
) -> Iterator[inspect.Parameter]:
    if not is_dataclass(hints[name]):
        default = inspect.signature(command).parameters[name].default
        yield inspect.Parameter(name, _KEYWORD, default=default, annotation=hints[name])
        return
    inner = get_type_hints(hints[name], include_extras=True)
    for field in fields(hints[name]):
        default = inspect.Parameter.empty if field.default is MISSING else field.default
        yield inspect.Parameter(field.name, _KEYWORD, default=default, annotation=inner[field.name])


def _made(record: Any, typed: Mapping[str, Any]) -> Any:
    return record(**{field.name: typed[field.name] for field in fields(record)})
