"""Profiles: machine templates, a part of a machine that `provision --profile` begins with."""

import enum
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final

from raptorctl.errors import InputError, SettingsError
from raptorctl.model.codec import ShapeError, decode
from raptorctl.model.cpuset import HIGHEST
from raptorctl.model.seed import Network
from raptorctl.model.settings import template_name
from raptorctl.model.sizes import LEAST_MEMORY, Size


class Graphics(enum.Enum):
    """What shows a machine's screen: never a TCP port, which every account could open."""

    NONE = "none"
    VNC = "vnc-socket"
    SPICE = "spice-socket"

    @property
    def protocol(self) -> str:
        """Libvirt's word for it."""
        return self.value.removesuffix("-socket")


@dataclass(frozen=True)
class Profile:
    """A part of a machine; what it does not say is as without it.

    Args:
        description: what it is for, one line.
        memory: bytes.
        cpus: how many, where the command line does not say which.
        size: of the disk, bytes.
        image: what the disk begins as.
        template: of the domain.
        graphics: what shows its screen.
        network: how the guest gets its addresses.
        hostname: what the guest calls itself.
        account: who logs in there.
        user_data: a file beside the profile: cloud-config, or a script.
        packages: what is installed at first boot.
        hosts: names by address, for /etc/hosts.
        sysctl: kernel parameters.
        swap: bytes of a swap file.
    """

    description: str = ""
    memory: Size | None = None
    cpus: int | None = None
    size: Size | None = None
    image: str | None = None
    template: str | None = None
    graphics: Graphics | None = None
    network: Network | None = None
    hostname: str = ""
    account: str = ""
    user_data: str = ""
    packages: tuple[str, ...] = ()
    hosts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sysctl: Mapping[str, str] = field(default_factory=dict)
    swap: Size = Size(0)

    @property
    def tells_guest(self) -> bool:
        """Whether it has anything to say to cloud-init."""
        said = (self.hostname, self.account, self.user_data, self.packages, self.hosts)
        return any((*said, self.sysctl, self.swap, self.network))


NO_PROFILE: Final = Profile()


def parse_profile(text: str, file: str) -> Profile:
    """Read a profile.

    Args:
        text: TOML.
        file: its path, for errors.

    Raises:
        SettingsError: not TOML, an unknown key, a wrong type, or a value that cannot be.
    """
    try:
        profile = decode(Profile, tomllib.loads(text))
    except ShapeError as error:
        raise SettingsError(file, error.key, error.problem) from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(file, "", f"is not TOML: {error}") from error
    for key, fits, problem in _RULES:
        if not fits(profile):
            raise SettingsError(file, key, problem)
    return profile


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


def _is_line(text: str) -> bool:
    return text.isprintable() and len(text) <= 200


def _is_template(text: str) -> bool:
    try:
        return bool(template_name(text))
    except InputError:
        return False


_RULES: Final[tuple[tuple[str, Callable[[Profile], bool], str], ...]] = (
    ("description", lambda p: _is_line(p.description), "should be one line"),
    ("cpus", lambda p: p.cpus is None or 1 <= p.cpus <= HIGHEST, f"should be 1 to {HIGHEST}"),
    ("size", lambda p: p.size is None or p.size > 0, "should be more than nothing"),
    ("memory", lambda p: p.memory is None or p.memory >= LEAST_MEMORY,
     f"should be {Size(LEAST_MEMORY)} or more"),
    ("image", lambda p: p.image is None or (_is_line(p.image) and p.image != ""),
     "is not a valid image name"),
    ("template", lambda p: p.template is None or _is_template(p.template),
     "is not a template's name"),
    ("hostname", lambda p: not p.hostname or bool(_LABEL.fullmatch(p.hostname)),
     "is not a valid host name"),
    ("account", lambda p: not p.account or bool(_ACCOUNT.fullmatch(p.account)),
     "is not a valid account name"),
    ("account", lambda p: p.account != "root", "root does not log in"),
    ("user_data", lambda p: not p.user_data or bool(_FILE.fullmatch(p.user_data)),
     "should be the name of a file beside this one"),
    ("packages", lambda p: all(map(_PACKAGE.fullmatch, p.packages)), "should be packages' names"),
    ("hosts", lambda p: all(map(_is_address, p.hosts)), "should have IP addresses on the left"),
    ("hosts", lambda p: all(names and all(map(_HOST.fullmatch, names))
                            for names in p.hosts.values()), "should have names on the right"),
    ("sysctl", lambda p: all(map(_SYSCTL.fullmatch, p.sysctl)),
     'should have parameters on the left, in quotes: "vm.swappiness"'),
    ("sysctl", lambda p: all(map(_is_line, p.sysctl.values())), "should have one line each"),
)  # fmt: skip
