"""`b9.conf`: INI whose values are Haskell's, as B9 writes them, or bare, as its README has them."""

import configparser
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from raptorctl.model.b9_conf import B9Conf, B9Repository
from raptorctl.model.diagnostic import Diagnostic, nearest, refuse
from raptorctl.model.names import shown
from raptorctl.read.b9.strings import unquoted

LARGEST: Final = 1 << 16
"""Bytes of the file."""
REPOSITORY: Final = "-repo"
"""How the section of a repository ends."""
_FOLDERS: Final = {"InHomeDir": "~/", "InB9UserDir": "~/.b9/", "InTempDir": "/tmp/", "Path": ""}  # noqa: S108
_PATH: Final = re.compile(rf"(?P<kind>{'|'.join(_FOLDERS)})\s+(?P<path>.+)", re.DOTALL)


def _text(said: str) -> str:
    if len(said) > 1 and said[0] == said[-1] == '"':
        return unquoted(said)
    return said


def _path(said: str) -> str:
    match = _PATH.fullmatch(said)
    return _FOLDERS[match["kind"]] + _text(match["path"]) if match else _text(said)


def _whole(said: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", said) or not int(said):
        raise ValueError("should be a whole number, 1 or more")
    return int(said)


def _flag(said: str) -> bool:
    if said not in {"True", "False"}:
        raise ValueError("should be True or False")
    return said == "True"


_READ: Final[Mapping[str, Callable[[str], Any]]] = {
    "max_cached_shared_images": _whole,
    "repository": _text,
    "repository_cache": _path,
    "default_timeout_seconds": _whole,
    "timeout_factor": _whole,
    "keep_temp_dirs": _flag,
}
"""What raptorctl has something for."""
_STRANGE: Final = {
    "build_dir_root": "builds are made in a folder of raptorctl's own",
    "log_file": "each build has a log of its own",
    "unique_build_dirs": "no two builds share a folder",
    "verbosity": "errors are always told, and the log has everything",
    "ext4_attributes": "an ext4 gets what mke2fs.conf(5) says",
}
"""What raptorctl has nothing for, and why."""
_BACKENDS: Final = {
    "libvirt-lxc": "connection emulator_path guest_capabilities guest_ram_size network use_sudo "
    "image_file_names_shortener_base_path virsh_path",
    "podman": "guest_capabilities network",
    "docker": "guest_capabilities network",
    "systemdNspawn": "console executable extra_args guest_capabilities max_lifetime_seconds "
    "use_sudo",
}
_HOW: Final = "raptorctl boots a machine, or runs systemd-nspawn with --trust"
_LIFETIME: Final[Mapping[str, Callable[[str], Any]]] = {"max_lifetime_seconds": _whole}
_REPOSITORY: Final[Mapping[str, Callable[[str], Any]]] = {
    "remote_path": _text, "ssh_priv_key_file": _text, "ssh_remote_host": _text,
    "ssh_remote_port": _whole, "ssh_remote_user": _text,
}  # fmt: skip


def read_conf(text: str, file: str) -> B9Conf:
    """Read a configuration of B9.

    Args:
        text: of the file.
        file: as it was named, for errors.

    Raises:
        FileError: it is none; all that is wrong, with places.
    """
    if len(text.encode(errors="surrogatepass")) > LARGEST:
        refuse(file, [Diagnostic(file, 0, 0, "", f"is larger than {LARGEST >> 10} KiB")])
    parser = configparser.RawConfigParser(
        delimiters=(":", "="), empty_lines_in_values=False, default_section=""
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(text, file)
    except configparser.Error as error:
        problem, line = _problem(error)
        refuse(file, [Diagnostic(file, line, 0, "", problem)])
    reading = _Reading(file, text.splitlines())
    conf = reading.conf(parser)
    refuse(file, reading.wrong)
    return conf


@dataclass
class _Reading:
    file: str
    lines: list[str]
    wrong: list[Diagnostic] = field(default_factory=list)
    left: list[Diagnostic] = field(default_factory=list)

    def conf(self, parser: configparser.RawConfigParser) -> B9Conf:
        said: dict[str, Any] = {}
        lifetime = None
        repositories = []
        for section in parser.sections():
            values = dict(parser.items(section))
            if section == "global":
                said = self._global(values)
            elif section.endswith(REPOSITORY):
                repositories.append(self._repository(section, values))
            elif section in _BACKENDS:
                self._backend(section, values)
                found = self._values(section, values, _LIFETIME)
                lifetime = found.get("max_lifetime_seconds", lifetime)
            else:
                known = ("global", *_BACKENDS, f"NAME{REPOSITORY}")
                self._tell(section, "", "is not known", nearest(section, known))
        chosen = said.get("repository") or ""
        names = [one.name for one in repositories if one]
        # A repository may be in another of B9's files: it is told, and no error.
        if chosen and chosen not in names:
            self._leave(
                "global", "repository", f"no section is called {shown(chosen + REPOSITORY)}"
            )
        return B9Conf(
            cache=said.get("repository_cache") or "",
            cached=said.get("max_cached_shared_images"),
            repository=chosen,
            repositories=tuple(one for one in repositories if one),
            timeout=said.get("default_timeout_seconds"),
            lifetime=lifetime,
            timeout_factor=said.get("timeout_factor") or 1,
            keep=said.get("keep_temp_dirs") or False,
            left=tuple(self.left),
        )

    def _global(self, values: Mapping[str, str]) -> dict[str, Any]:
        for key, value in values.items():
            if key in _STRANGE and _unwrapped(value) is not None:
                self._leave("global", key, _STRANGE[key])
            elif key not in _STRANGE and key not in _READ:
                self._tell("global", key, "is not known", nearest(key, (*_READ, *_STRANGE)))
        return self._values("global", values, _READ)

    def _backend(self, section: str, values: Mapping[str, str]) -> None:
        known = _BACKENDS[section].split()
        for key in values:
            if key not in known:
                self._tell(section, key, "is not known", nearest(key, known))
        self._leave(section, "", _HOW)

    def _repository(self, section: str, values: Mapping[str, str]) -> B9Repository | None:
        for key in values:
            if key not in _REPOSITORY:
                self._tell(section, key, "is not known", nearest(key, _REPOSITORY))
        found = self._values(section, values, _REPOSITORY)
        missing = [key for key in _REPOSITORY if found.get(key) is None and key not in values]
        for key in missing:
            self._tell(section, "", f"{key} is missing")
        if any(found.get(key) is None for key in _REPOSITORY):
            return None
        return B9Repository(
            name=section.removesuffix(REPOSITORY),
            path=found["remote_path"],
            key=found["ssh_priv_key_file"],
            host=found["ssh_remote_host"],
            port=found["ssh_remote_port"],
            user=found["ssh_remote_user"],
        )

    def _values(
        self, section: str, values: Mapping[str, str], read: Mapping[str, Callable[[str], Any]]
    ) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key in values.keys() & read.keys():
            said = _unwrapped(values[key])
            try:
                found[key] = None if said is None else read[key](said)
            except ValueError as error:
                self._tell(section, key, str(error), f"it says {shown(values[key])}")
        return found

    def _tell(self, section: str, key: str, problem: str, hint: str = "") -> None:
        self.wrong.append(self._diagnostic(section, key, problem, hint))

    def _leave(self, section: str, key: str, why: str) -> None:
        self.left.append(self._diagnostic(section, key, "has nothing like it in raptorctl", why))

    def _diagnostic(self, section: str, key: str, problem: str, hint: str) -> Diagnostic:
        named = ".".join(shown(one)[1:-1] for one in (section, key) if one)
        return Diagnostic(self.file, self._line(section, key), 0, named, problem, hint)

    def _line(self, section: str, key: str) -> int:
        """Where a key stands, or its section; configparser forgets it."""
        inside = found = 0
        for number, line in enumerate(self.lines, 1):
            if line.startswith("["):
                inside = line.strip() == f"[{section}]"
                found = number if inside and not found else found
            elif inside and key and re.split(r"[:=]", line, maxsplit=1)[0].strip() == key:
                return number
        return found


def _unwrapped(said: str) -> str | None:
    """What `Just` is around; None for Nothing."""
    said = said.strip()
    if said == "Nothing":
        return None
    just = re.fullmatch(r"Just\s+(.+)", said, re.DOTALL)
    inner = just[1].strip() if just else said
    bracketed = inner.startswith("(") and inner.endswith(")")
    return inner[1:-1].strip() if bracketed else inner


def _problem(error: configparser.Error) -> tuple[str, int]:
    """What configparser says, on one line, and where."""
    line = getattr(error, "lineno", None) or 0
    if isinstance(error, configparser.MissingSectionHeaderError):
        return "has a key before its first section", line
    if isinstance(error, configparser.ParsingError):
        return "is neither a section nor a key", error.errors[0][0]
    if isinstance(error, configparser.DuplicateOptionError):
        return f"{shown(error.option)} is there twice", line
    return "a section is there twice", line
