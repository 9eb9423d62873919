"""Profiles: machine templates, a part of a machine that `provision --profile` begins with."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, Final

from raptorctl.errors import InputError, SettingsError
from raptorctl.model.codec import ShapeError, decode, encode
from raptorctl.model.cpuset import HIGHEST
from raptorctl.model.disk import disks_problem
from raptorctl.model.expiry import is_expiry
from raptorctl.model.net import nets_problem
from raptorctl.model.settings import template_name
from raptorctl.model.sizes import HUGE_PAGES, LEAST_MEMORY, Size
from raptorctl.model.spec import CLOUD_TEXTS, SEED_FOLDER, MachineSpec
from raptorctl.model.toml_text import read_toml

_BESIDE: Final = (*CLOUD_TEXTS, SEED_FOLDER)

KEYS: Final = (
    "description", "memory", "cpus", "emulator_cpus", "share", "size", "image", "iso", "template",
    "graphics", "hugepages", "tpm", "secure_boot", "boot", "net", "network",
    "hostname", "account", *_BESIDE, "packages", "hosts", "sysctl", "swap", "disks",
    "expires",
)  # fmt: skip
"""What a profile may say, in the order in which it is shown; all but two of it is a machine's."""


@dataclass(frozen=True)
class Profile:
    """A part of a machine under a name.

    Args:
        spec: the part; its CPUs are a number, as a profile is for many machines.
        description: what it is for, one line.
        beside: files beside the profile whose text becomes the machine's, by the machine's key,
            and the folder of such files.
    """

    spec: MachineSpec = MachineSpec()
    description: str = ""
    beside: Mapping[str, str] = field(default_factory=dict)

    def encode(self) -> dict[str, Any]:
        """Return the shape that `template show -o json` documents."""
        nothing = MachineSpec(
            hostname="", account="", packages=(), hosts={}, sysctl={}, swap=_NONE, disks={}
        )
        shape = encode(self.spec.over(nothing))
        shape |= {"description": self.description}
        shape |= {key: self.beside.get(key, "") for key in _BESIDE}
        return {key: shape[key] for key in KEYS}


_NONE: Final = Size(0)


def parse_profile(text: str, file: str) -> Profile:
    """Read a profile.

    Args:
        text: TOML.
        file: its path, for errors.

    Raises:
        SettingsError: not TOML, an unknown key, a wrong type, or a value that cannot be.
    """
    return decode_profile(read_toml(text, file), file)


def decode_profile(table: Mapping[str, Any], file: str) -> Profile:
    """Read the table of a profile, or of several that were merged.

    Args:
        table: what they say together.
        file: the last one's path, for errors.

    Raises:
        SettingsError: an unknown key, a wrong type, or a value that cannot be.
    """
    try:
        profile = _decoded(dict(table))
    except ShapeError as error:
        raise SettingsError(file, error.key, error.problem) from error
    for key, problem in broken_rules(profile):
        raise SettingsError(file, key, problem)
    return profile


def broken_rules(profile: Profile) -> Iterator[tuple[str, str]]:
    """Say of each key that no machine can have, why; files of machines are held to it, too."""
    yield from ((key, problem) for key, fits, problem in _RULES if not fits(profile))
    if problem := disks_problem(profile.spec.disks or {}):
        yield "disks", problem
    if profile.spec.net is not None and (problem := nets_problem(profile.spec.net)):
        yield "net", problem


def _decoded(table: dict[str, Any]) -> Profile:
    for key in table:
        if key not in KEYS:
            raise ShapeError(key, f"is not known here; known: {', '.join(KEYS)}")
    decode(int, table.get("cpus", 1), "cpus")
    description = decode(str, table.pop("description", ""), "description")
    beside = {k: decode(str, table.pop(k, ""), k) for k in _BESIDE}
    said = {k: v for k, v in table.items() if v != "" or k not in {"hostname", "account"}}
    return Profile(decode(MachineSpec, said), description, beside)


_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)
_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_ACCOUNT: Final = re.compile(r"[a-z_][a-z0-9_-]{0,31}", re.ASCII)
_PACKAGE: Final = re.compile(r"[A-Za-z0-9@][A-Za-z0-9@:.+~_/=-]{0,199}", re.ASCII)
_SYSCTL: Final = re.compile(r"[a-z0-9_]+([./][A-Za-z0-9_*-]+)+", re.ASCII)
_FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)


def _is_address(text: str) -> bool:
    try:
        return bool(ip_address(text)) and "%" not in text
    except ValueError:
        return False


def _names_a_file(key: str) -> Callable[["Profile"], bool]:
    return lambda p: not p.beside.get(key) or bool(_FILE.fullmatch(p.beside[key]))


def _is_line(text: str) -> bool:
    return text.isprintable() and len(text) <= 200


def _is_count(cpus: object) -> bool:
    return cpus is None or (isinstance(cpus, int) and 1 <= cpus <= HIGHEST)


def _is_template(text: str) -> bool:
    try:
        return bool(template_name(text))
    except InputError:
        return False


_RULES: Final[tuple[tuple[str, Callable[[Profile], bool], str], ...]] = (
    ("description", lambda p: _is_line(p.description), "should be one line"),
    ("cpus", lambda p: _is_count(p.spec.cpus), f"should be 1 to {HIGHEST}"),
    ("size", lambda p: p.spec.size is None or p.spec.size > 0, "should be more than nothing"),
    ("memory", lambda p: p.spec.memory is None or p.spec.memory >= LEAST_MEMORY,
     f"should be {Size(LEAST_MEMORY)} or more"),
    ("image", lambda p: p.spec.image is None or (_is_line(p.spec.image) and p.spec.image != ""),
     "is not a valid image name"),
    ("iso", lambda p: p.spec.iso is None or (_is_line(p.spec.iso) and p.spec.iso != ""),
     "is not a valid image name"),
    ("expires", lambda p: p.spec.expires is None or is_expiry(p.spec.expires),
     "should be a day, 2027-01-31, how long, 90d, or never"),
    ("template", lambda p: p.spec.template is None or _is_template(p.spec.template),
     "is not a template's name"),
    ("hugepages", lambda p: p.spec.hugepages is None or p.spec.hugepages in HUGE_PAGES,
     f"should be {' or '.join(str(Size(size)) for size in HUGE_PAGES)}"),
    ("boot", lambda p: p.spec.boot is None or 0 < len(p.spec.boot) == len(set(p.spec.boot)),
     "should name at least one device, and each once"),
    ("hostname", lambda p: not p.spec.hostname or bool(_LABEL.fullmatch(p.spec.hostname)),
     "is not a valid host name"),
    ("account", lambda p: not p.spec.account or bool(_ACCOUNT.fullmatch(p.spec.account)),
     "is not a valid account name"),
    ("account", lambda p: p.spec.account != "root", "root does not log in"),
    *((key, _names_a_file(key), "should be the name of a file beside this one")
      for key in CLOUD_TEXTS),
    (SEED_FOLDER, _names_a_file(SEED_FOLDER), "should be the name of a folder beside this file"),
    ("packages", lambda p: all(map(_PACKAGE.fullmatch, p.spec.packages or ())),
     "should be packages' names"),
    ("hosts", lambda p: all(map(_is_address, p.spec.hosts or ())),
     "should have IP addresses on the left"),
    ("hosts", lambda p: all(names and all(map(_HOST.fullmatch, names))
                            for names in (p.spec.hosts or {}).values()),
     "should have names on the right"),
    ("sysctl", lambda p: all(map(_SYSCTL.fullmatch, p.spec.sysctl or ())),
     'should have parameters on the left, in quotes: "vm.swappiness"'),
    ("sysctl", lambda p: all(map(_is_line, (p.spec.sysctl or {}).values())),
     "should have one line each"),
)  # fmt: skip
