"""The JSON Schema of `raptor.toml`, for editors, from the records that the file is read into."""

import enum
import json
import re
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from raptorctl.model.build import (
    BuildFile,
    BuildOutput,
    BuildShare,
    BuildStep,
    Empty,
    FromImage,
    Way,
)
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.guest import Awaited
from raptorctl.model.net import Net
from raptorctl.model.raptor_file import FileStep
from raptorctl.model.sizes import Size
from raptorctl.model.spec import MachineSpec
from raptorctl.model.ssh_key import PublicKey
from raptorctl.model.tenant import Quota
from raptorctl.read.build_rows import FileRow, OutputRow, ShareRow, SourceRow, StepRow

PATH: Final = "raptorctl/raptor.schema.json"
VARIABLE: Final = {"type": "string", "pattern": r"\$\{"}
"""What any text may be instead: it is not known before it is expanded."""
TEXTS: Final = {"type": "array", "items": {"type": "string"}}
EXPAND: Final = {
    "type": "boolean",
    "description": "whether variables are put into its files for cloud-init as well",
}
SCALARS: Final[Mapping[Any, dict[str, Any]]] = {
    str: {"type": "string"}, int: {"type": "integer"}, bool: {"type": "boolean"},
    float: {"type": "number"},
    CpuSet: {"type": "string"}, PublicKey: {"type": "string"},
    Net: {"type": "string"},
    Size: {"anyOf": [{"type": "string", "pattern": "^[0-9]{1,15}[KMGT]$"}, {"const": 0}, VARIABLE]},
}  # fmt: skip


def schemas() -> dict[str, str]:
    """Return the schema's text by its path below `share/`."""
    return {PATH: json.dumps(schema(), indent=2) + "\n"}


def schema() -> dict[str, Any]:
    """Return the schema (json-schema.org, 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "raptor.toml: machines and builds of raptorctl",
        **_table(
            {
                "name": {"type": "string", "description": "by which it knows its machines again"},
                "vars": {"type": "object", "additionalProperties": {"type": "string"}},
                "defaults": {"$ref": "#/$defs/machine"},
                "tenant": _each(_table({"keys": TEXTS, "quota": _of(Quota)})),
                "machine": _each({"$ref": "#/$defs/machine"}),
                "build": _each({"$ref": "#/$defs/build"}),
            }
        ),
        "$defs": {"machine": _machine(), "build": _build()},
    }


def _machine() -> dict[str, Any]:
    said = _of(MachineSpec)["properties"]
    said["profile"] = {**said["profile"], **_either({"type": "string"}, TEXTS)}
    said["profile"].pop("type")
    said["profile"].pop("items")
    return _table(
        said | {"steps": _of(tuple[FileStep, ...]), "wait": _of(Awaited), "expand": EXPAND}
    )


def _build() -> dict[str, Any]:
    disk = {
        "from": _either({"type": "string"}, _row(SourceRow, FromImage, Empty)),
        "size": {"type": "string", "description": '"8G", "minimum" or "minimum+1G"'},
        "output": {"type": "array", "items": _row(OutputRow, BuildOutput)},
    }
    steps = {"type": "array", "items": _row(StepRow, BuildStep)}
    at = {"type": "string", "description": "where files and steps find it"}
    return _table(
        {
            **disk,
            "files": {"type": "array", "items": _row(FileRow, BuildFile)},
            "shares": {"type": "array", "items": _row(ShareRow, BuildShare)},
            "steps": steps,
            "after": steps,
            "disks": _each(_table({**disk, "at": at})),
            "way": _of(Way),
            "network": {"type": "boolean", "description": "whether steps may use a network"},
            "matrix": _each(TEXTS),
            "zip": {"type": "boolean", "description": "whether the lists of matrix are paired"},
        }
    )


def _row(kind: Any, *nouns: Any) -> dict[str, Any]:
    """A table of a build, with what is said of the nouns that it becomes."""
    told = {name: said for noun in nouns for name, said in _told(noun).items()}
    found = _of(kind)["properties"]
    return _table({name: shape | told.get(name, {}) for name, shape in found.items()})


def _of(kind: Any) -> dict[str, Any]:
    if kind in SCALARS:
        return dict(SCALARS[kind])
    if get_origin(kind) in {types.UnionType, Union}:
        kinds = [_of(one) for one in get_args(kind) if one is not types.NoneType]
        return kinds[0] if len(kinds) == 1 else _either(*kinds)
    if get_origin(kind) is tuple:
        return {"type": "array", "items": _of(get_args(kind)[0])}
    if get_origin(kind) is Mapping:
        return {"type": "object", "additionalProperties": _of(get_args(kind)[1])}
    if is_dataclass(kind):
        hints, told = get_type_hints(kind), _told(kind)
        return _table({f.name: _of(hints[f.name]) | told.get(f.name, {}) for f in fields(kind)})
    if issubclass(kind, enum.Enum):
        return _either({"enum": [one.value for one in kind]}, VARIABLE)
    raise TypeError(f"a schema has no word for {kind}")


def _either(*kinds: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": list(kinds)}


def _table(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": dict(properties)}


def _each(kind: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": kind}


def _told(kind: Any) -> dict[str, dict[str, str]]:
    """What a record's docstring says of each field."""
    lines = re.findall(r"^ {8}(\w[\w, ]*): (.*(?:\n {10,}.*)*)", kind.__doc__ or "", re.MULTILINE)
    return {
        name: {"description": " ".join(text.split()).rstrip(".")}
        for names, text in lines
        for name in names.split(", ")
    }
