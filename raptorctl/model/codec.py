"""Frozen nouns to and from plain JSON data, by their type hints.

The journal, the settings file and `-o json` all go through here, so they share one idea of what a
noun looks like and one way to say what is wrong with it.
"""

import dataclasses
import enum
import types
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from raptorctl.errors import InputError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.sizes import Size

T = TypeVar("T")


class ShapeError(ValueError):
    """The data does not have the noun's shape.

    Args:
        key: the dotted key, "" for the whole.
        problem: what is wrong there.
    """

    def __init__(self, key: str, problem: str) -> None:
        self.key, self.problem = key, problem
        super().__init__(f"{key}: {problem}" if key else problem)


def encode(noun: Any) -> Any:
    """Turn a noun into what `json.dumps` takes."""
    match noun:
        case CpuSet():
            return str(noun) if noun else ""
        case enum.Enum():
            return noun.value
        case Size():
            return int(noun)
        case IPv4Address() | IPv6Address():
            return str(noun)
        case Mapping():
            return {str(key): encode(value) for key, value in noun.items()}
        case list() | tuple() | frozenset():
            return [encode(item) for item in noun]
        case _ if dataclasses.is_dataclass(noun):
            return {f.name: encode(getattr(noun, f.name)) for f in dataclasses.fields(noun)}
    return noun


def decode(kind: type[T], data: Any, key: str = "") -> T:
    """Build a noun from plain data; unknown keys are errors.

    Args:
        kind: a dataclass, or a type that a field of one may have.
        data: as it came from JSON or TOML.
        key: where it stood, for the error.

    Raises:
        ShapeError: a key is unknown or missing, or a value has another type.
    """
    result: T = _decode(kind, data, key)
    return result


def _decode(kind: Any, data: Any, key: str) -> Any:
    if dataclasses.is_dataclass(kind) and kind is not CpuSet:
        return _decode_fields(kind, data, key)
    if get_origin(kind) in {types.UnionType, Union}:
        return _decode_optional(kind, data, key)
    if get_origin(kind) is tuple:
        return _decode_tuple(get_args(kind)[0], data, key)
    if get_origin(kind) in {dict, Mapping}:
        return _decode_mapping(get_args(kind)[1], data, key)
    if kind is Any:
        return data
    return _decode_scalar(kind, data, key)


@lru_cache(maxsize=256)
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _decode_fields(kind: Any, data: Any, key: str) -> Any:
    if not isinstance(data, Mapping):
        raise ShapeError(key, f"should be a table, not {_named(data)}")
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}
    for name in data:
        if name not in fields:
            from raptorctl.model.diagnostic import nearest

            raise ShapeError(_joined(key, name), f"is not known here; {nearest(name, fields)}")
    hints = _hints(kind)
    values = {
        name: _decode(hints[name], data[name], _joined(key, name))
        for name in fields
        if name in data
    }
    for name, field in fields.items():
        has_default = (
            field.default is not dataclasses.MISSING
            or field.default_factory is not dataclasses.MISSING
        )
        if name not in values and not has_default:
            raise ShapeError(_joined(key, name), "is missing")
    return kind(**values)


def _decode_optional(kind: Any, data: Any, key: str) -> Any:
    if data is None:
        return None
    kinds = [one for one in get_args(kind) if one is not types.NoneType]
    return _decode(next((one for one in kinds if type(data) is one), kinds[0]), data, key)


def _decode_tuple(kind: Any, data: Any, key: str) -> tuple[Any, ...]:
    if not isinstance(data, list | tuple):
        raise ShapeError(key, f"should be a list, not {_named(data)}")
    return tuple(_decode(kind, item, f"{key}[{n}]") for n, item in enumerate(data))


def _decode_mapping(kind: Any, data: Any, key: str) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        raise ShapeError(key, f"should be a table, not {_named(data)}")
    return {str(name): _decode(kind, value, _joined(key, name)) for name, value in data.items()}


def _decode_scalar(kind: Any, data: Any, key: str) -> Any:
    # bool is an int to Python, not to a person who wrote `port = true`.
    if kind in {str, int, bool} and type(data) is kind:
        return data
    if kind is float and type(data) in {int, float}:
        return float(data)
    if kind is Size and type(data) is int:
        return Size(data)
    if isinstance(data, str) and kind not in {str, int, bool, float}:
        return _decode_text(kind, data, key)
    raise ShapeError(key, f"should be {_wanted(kind)}, not {_named(data)}")


def _decode_text(kind: Any, data: str, key: str) -> Any:
    try:
        if kind is CpuSet:
            return CpuSet.parse(data) if data else CpuSet()
        return kind.parse(data) if kind is Size else kind(data)
    except (InputError, ValueError) as error:
        raise ShapeError(key, str(error)) from error


def _joined(key: str, name: str) -> str:
    return f"{key}.{name}" if key else str(name)


_WORDS = {
    str: "text", int: "a whole number", float: "a number", bool: "true or false",
    list: "a list", dict: "a table", Size: 'a size such as "40G"',
}  # fmt: skip


def _wanted(kind: Any) -> str:
    return _WORDS.get(kind, getattr(kind, "__name__", str(kind)))


def _named(data: Any) -> str:
    return _WORDS.get(type(data), type(data).__name__)
