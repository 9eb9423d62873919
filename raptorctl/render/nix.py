"""A tenant's account as text for a host whose accounts are made from its configuration.

The options are those of NixOS, `users.users.<name>` (nixos/modules/config/users-groups.nix).
"""

from collections.abc import Iterable, Iterator

from raptorctl.model.ssh_key import OPTIONS, PublicKey
from raptorctl.model.tenant import CONSOLE_GROUP, GROUP, Mode

# Where a host like that has its shells; the account's own default is a shell already.
_SHELLS = {Mode.CONSOLE: Mode.CONSOLE.shell, Mode.NOLOGIN: "/run/current-system/sw/bin/nologin"}


def nix_account(name: str, mode: Mode, keys: Iterable[PublicKey], expires: str) -> str:
    """Write a tenant's account as a module of NixOS.

    Args:
        name: of the tenant, its grammar checked.
        mode: what they get at login.
        keys: their public keys.
        expires: the first day they cannot log in any more, ISO 8601, or "".
    """
    return "\n".join(_lines(name, mode, keys, expires)) + "\n"


def _lines(name: str, mode: Mode, keys: Iterable[PublicKey], expires: str) -> Iterator[str]:
    groups = [GROUP, CONSOLE_GROUP] if mode is Mode.CONSOLE else [GROUP]
    yield "{"
    for group in groups:
        yield f"  users.groups.{group} = {'{ }'};"
    yield f"  users.users.{name} = {{"
    yield "    isNormalUser = true;"
    yield f"    extraGroups = [ {' '.join(map(_string, groups))} ];"
    if mode in _SHELLS:
        yield f"    shell = {_string(_SHELLS[mode])};"
    if expires:
        yield f"    expires = {_string(expires)};"
    yield "    openssh.authorizedKeys.keys = ["
    yield from (f"      {_string(f'{OPTIONS} {key}')}" for key in keys)
    yield "    ];"
    yield "  };"
    yield "}"


def _string(text: str) -> str:
    """A string of the Nix language: in it a backslash, a quote and `${` mean something."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${") + '"'
