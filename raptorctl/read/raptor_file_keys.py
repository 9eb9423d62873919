"""What each key of a file of machines may be; those of a spec are read as profiles read them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from raptorctl.model.codec import ShapeError, decode
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.guest import Awaited
from raptorctl.model.guest_step import ACCOUNT, is_guest_dir, parse_span
from raptorctl.model.merge import merge
from raptorctl.model.names import shown
from raptorctl.model.profile import Profile, broken_rules
from raptorctl.model.raptor_file import SPEC_KEYS, FileStep, FileTenant
from raptorctl.model.sizes import Size
from raptorctl.model.spec import CLOUD_TEXTS, SEED_FOLDER, MachineSpec
from raptorctl.model.tenant import Quota

Problems = Iterator[tuple[str, str]]
"""A key, and what is wrong with its value."""

_TEXTS: Final[Mapping[str, Any]] = {
    "keys": tuple[str, ...],
    **dict.fromkeys((*CLOUD_TEXTS, SEED_FOLDER), str),
}
"""Keys that name files here, whose text becomes the value, and one that names a folder of them."""


def machine_problems(said: Mapping[str, Any]) -> Problems:
    """Say what is wrong in a machine's table, or in the defaults, key by key."""
    for key, value in said.items():
        for number, part in enumerate(_parts(key, value)):
            try:
                _read(key, part)
            except (ShapeError, ValueError) as error:
                problem = _told(error) if isinstance(error, ShapeError) else str(error)
                is_step = problem.startswith("[0]")
                yield key, f"[{number}]{problem.removeprefix('[0]')}" if is_step else problem


def _parts(key: str, value: Any) -> Iterator[Any]:
    """A value, or each disk and each step by itself, so that all that is wrong is found."""
    if key == "disks" and isinstance(value, Mapping):
        yield from ({name: disk} for name, disk in value.items())
    elif key == "steps" and isinstance(value, list):
        yield from ([step] for step in value)
    else:
        yield value


def spec_part(said: Mapping[str, Any]) -> dict[str, Any]:
    """Of a machine's table, what its spec is made of; one profile is a list of one."""
    part = {key: value for key, value in said.items() if key in (*SPEC_KEYS, SEED_FOLDER)}
    if isinstance(part.get("profile"), str):
        part["profile"] = [part["profile"]]
    return part


def steps(said: Mapping[str, Any]) -> tuple[FileStep, ...]:
    """The steps of a machine's table, which has been found right."""
    return decode(tuple[FileStep, ...], said.get("steps", []), "steps")


def wait(said: Mapping[str, Any]) -> Awaited | None:
    """What a machine's table waits for; it has been found right."""
    return Awaited(said["wait"]) if "wait" in said else None


def tenant(name: str, said: Mapping[str, Any]) -> tuple[list[tuple[str, str]], FileTenant]:
    """Read a tenant's table: what is wrong in it, and what is right."""
    problems: list[tuple[str, str]] = []
    made: dict[str, Any] = {}
    for key, kind in (("keys", tuple[str, ...]), ("quota", Quota)):
        try:
            if key in said:
                made[key] = decode(kind, said[key])
                problems += [(key, problem) for problem in _unitless(said[key], made[key])]
        except ShapeError as error:
            problems.append((key, _told(error)))
    return problems, FileTenant(name, **made)


def _read(key: str, value: Any) -> None:
    if key == "steps":
        _check_steps(decode(tuple[FileStep, ...], value))
    elif key == "wait":
        known = ", ".join(one.value for one in Awaited)
        if value not in list(Awaited):
            raise ValueError(f"should be one of {known}")
    elif key == "expand":
        decode(bool, value)
    elif key in _TEXTS:
        decode(_TEXTS[key], value)
    elif key == "profile" and isinstance(value, str):
        return
    else:
        _check_part(key, value)


def _check_part(key: str, value: Any) -> None:
    try:
        part = decode(MachineSpec, {key: merge(None, value)})
    except ShapeError as error:
        if error.problem == "is missing":  # a layer below may have it
            return
        inner = error.key.removeprefix(key).lstrip(".")
        raise ValueError(f"{inner}: {error.problem}" if inner else error.problem) from error
    for problem in _unitless(value, getattr(part, key)):
        raise ValueError(problem)
    if isinstance(part.cpus, CpuSet):
        return
    if isinstance(part.slot, int) and part.slot < 1:
        raise ValueError("should be a slot's number, from 1")
    for _, problem in broken_rules(Profile(part)):
        raise ValueError(problem)


def _unitless(said: Any, read: Any, *path: str) -> Iterator[str]:
    """Say where a bare number became a size, at any depth: whoever writes 20 means no bytes."""
    if type(said) is int and said and isinstance(read, Size):
        where = f"{'.'.join(path)}: " if path else ""
        yield f'{where}should name its unit, e.g. "{said}G"'
    for key, value in said.items() if isinstance(said, Mapping) else ():
        within = read.get(key) if isinstance(read, Mapping) else getattr(read, key, None)
        yield from _unitless(value, within, *path, key)


def _check_steps(found: tuple[FileStep, ...]) -> None:
    for number, step in enumerate(found):
        if sum(map(bool, (step.run, step.inline, step.copy))) != 1:
            raise ValueError(f"[{number}] should say one of run, inline and copy")
        if bool(step.copy) != bool(step.to):
            raise ValueError(f"[{number}] should say copy and to together")
        if step.user and not ACCOUNT.fullmatch(step.user):
            raise ValueError(f"[{number}] user: {shown(step.user)} is not an account's name")
        if step.timeout:
            _check_span(step.timeout, number)
        _check_script(step, number)


def _check_script(step: FileStep, number: int) -> None:
    if step.copy and (step.dir or step.ignore_errors):
        raise ValueError(f"[{number}] dir and ignore_errors are for run and inline")
    if step.dir and not is_guest_dir(step.dir):
        raise ValueError(f"[{number}] dir: should be a path in the guest, from /")


def _check_span(text: str, number: int) -> None:
    try:
        parse_span(text)
    except ValueError as error:
        raise ValueError(f"[{number}] timeout: {error}") from error


def _told(error: ShapeError) -> str:
    return f"{error.key}: {error.problem}" if error.key else error.problem
