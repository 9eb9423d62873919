"""Builds as tables of a `raptor.toml`."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from raptorctl.model.build import (
    STEP_TIMEOUT,
    Build,
    BuildDisk,
    BuildFile,
    BuildOutput,
    BuildStep,
    Empty,
    Fit,
    FromImage,
    Resize,
)

Table = dict[str, Any]


def build_table(build: Build) -> tuple[Table, list[str]]:
    """Return a build's table, and what it has no key for, one line each.

    Args:
        build: with relative paths as they are to stand in the file.
    """
    root, *further = build.disks
    left = [_left(disk) for disk in build.disks if disk.resize.fit is Fit.DISK]
    left += [
        f"share at {share.at}: only folders are shared, and this one is of files that are made"
        for share in build.shares
        if share.files
    ]
    if not build.outputs:
        left.append("output: all disks are thrown away; say where one goes")
    said: Table = {
        **_disk(root),
        "files": [_file(one) for one in build.files],
        "shares": [
            {"path": one.path, "at": one.at} | ({"writable": True} if one.writable else {})
            for one in build.shares
            if not one.files
        ],
        "steps": [_step(one) for one in build.steps],
        "after": [_step(one) for one in build.after],
        "disks": {
            one.name: _disk(one) | ({"at": one.mount} if one.mount else {}) for one in further
        },
    }
    return {key: value for key, value in said.items() if value}, left


def _left(disk: BuildDisk) -> str:
    where = f"disks.{disk.name}.size" if disk.name else "size"
    return f"{where}: the disk alone would become {disk.resize.size}, and its file system not"


def _disk(disk: BuildDisk) -> Table:
    said = {
        "from": _source(disk.source),
        "size": _size(disk.resize),
        "output": [_output(one) for one in disk.outputs],
    }
    return {key: value for key, value in said.items() if value}


def _source(source: FromImage | Empty) -> str | Table:
    if isinstance(source, FromImage):
        number = source.partition
        return {"image": source.image, "partition": number} if number else source.image
    said = {
        "empty": source.size,
        "filesystem": source.filesystem.value if source.filesystem else "",
        "label": source.label,
    }
    return {key: value for key, value in said.items() if value}


def _size(resize: Resize) -> Any:
    if resize.fit is Fit.TO:
        return resize.size
    return str(resize) if resize.fit is Fit.MINIMUM else ""


def _file(file: BuildFile) -> Table:
    said: Table = {"to": file.to}
    if file.content is None:
        said["copy"] = file.copy
    else:
        said |= _content(file.content)
    return said | ({} if file.mode is None else {"mode": f"{file.mode:04o}"})


def _content(data: bytes) -> Mapping[str, str]:
    try:
        return {"content": data.decode()}
    except UnicodeDecodeError:
        return {"base64": b64encode(data).decode()}


def _step(step: BuildStep) -> Table:
    said = {
        "run": step.run,
        "inline": step.inline,
        "command": step.command,
        "dir": step.dir,
        "user": step.user,
        "timeout": "" if step.timeout == STEP_TIMEOUT else f"{step.timeout:.0f}s",
    }
    return {key: value for key, value in said.items() if value}


def _output(output: BuildOutput) -> Table:
    key = next(one for one in ("image", "file", "folder", "push") if getattr(output, one))
    said = {key: output.target}
    if output.format and output.format is not replace(output, format=None).written_as:
        said["format"] = output.format.value
    return said
