"""What no cloud-config of an admin's may take from ours: refused, or said in a note.

docs/guests.md has every key of cloud-init's schema that touches one of these. Each refusal here is
of something that cloud-init takes, and that would end what raptorctl relies on.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from raptorctl.errors import InputError
from raptorctl.model.names import shown
from raptorctl.render import final_message, user_data_accounts

HOST_KEY: Final = ("ssh_keys", "ssh_deletekeys", "ssh_genkeytypes")
"""By these the machine is known."""
_MERGING: Final = ("merge_how", "merge_type")
_COMMANDS: Final = ("runcmd", "bootcmd")
_MODULES: Final = {
    "cloud_init_modules": ("bootcmd", "write_files", "users_groups", "ssh"),
    "cloud_config_modules": ("runcmd",),
    "cloud_final_modules": ("scripts_user", "final_message"),
}
"""What ours needs of each stage. A list of theirs takes the place of the image's."""
_SYSTEM: Final = frozenset({"default_user", "package_mirrors"})
"""Of `system_info`; the rest says which system it is, where its files are, and its network."""


def said(config: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out of an admin's config what has nothing: cloud-init fails at some of it."""
    return {
        key: value
        for key, value in config.items()
        if not (key in _EMPTY and user_data_accounts.is_null(value))
    }


def refuse(config: Mapping[str, Any]) -> None:
    """Refuse what would end something that we rely on.

    Args:
        config: an admin's, without keys that have nothing.

    Raises:
        InputError: says what, and what to write.
    """
    _refuse_ours(config)
    for key, value in config.items():
        if key in _MODULES:
            _refuse_modules(key, value)
        elif check := _CHECKS.get(key):
            check(key, value)


def notes(config: Mapping[str, Any]) -> Iterator[str]:
    """Say what of an admin's does not count.

    Args:
        config: theirs, without keys that have nothing.
    """
    if "output" in config:
        yield (
            "output is not taken: cloud-init's words go to its log and to the machine's console,"
            " where `wait` looks for them"
        )
    if _expires(config.get("chpasswd")):
        yield (
            "chpasswd sets passwords that have expired: whoever has one must change it at the first"
            " login, and --run cannot; `expire: false` keeps them"
        )
    if "final_message" in config and (why := final_message.problem(config["final_message"])):
        yield f"final_message is not taken: {why}"
    if "ssh_authorized_keys" in config and not _has_default(config):
        yield (
            "ssh_authorized_keys is for the image's own account, which is not made: use --key, or"
            " `users: [default]`"
        )


def _expires(chpasswd: Any) -> bool:
    """cc_set_passwords: passwords that are set have expired, unless told otherwise."""
    if not isinstance(chpasswd, dict) or not chpasswd.keys() & {"users", "list"}:
        return False
    return "expire" not in chpasswd or user_data_accounts.is_true(chpasswd["expire"])


def _has_default(config: Mapping[str, Any]) -> bool:
    listed = user_data_accounts.users(config.get("users", []))
    return "user" in config or any(
        one == "default" or (isinstance(one, dict) and one.get("name", "default") == "default")
        for one in listed
    )


def _refuse_ours(config: Mapping[str, Any]) -> None:
    for key in HOST_KEY:
        if key in config:
            raise InputError(f"{key} is raptorctl's to say: by it the machine is known")
    for key in _MERGING:
        if key in config:
            raise InputError(f"{key} is not taken: see `raptorctl provision` on how it is merged")
    if "network" in config:
        raise InputError(
            "network is not taken: cloud-init makes the network before it reads user-data",
            resolution="see --network, or write what is to be in the guest with write_files",
        )


def _commands(key: str, value: Any) -> None:
    """`util.shellify` makes one script of all, ours too, or none."""
    _expect_list(key, value, "none of its commands would be run, and none of ours")
    for number, entry in enumerate(value, start=1):
        if not user_data_accounts.is_null(entry) and not isinstance(entry, str | list):
            raise InputError(
                f"{key}: entry {number} is not a command: cloud-init would run none, nor ours",
                resolution="put it in quotes",
            )


def _files(key: str, value: Any) -> None:
    _expect_list(key, value, "none of them would be written, nor ours")
    for number, entry in enumerate(value, start=1):
        if not isinstance(entry, dict):
            raise InputError(
                f"{key}: entry {number} is not a table: cloud-init would write none, nor ours",
                resolution="write `- path: /some/file`",
            )


def _packages(key: str, value: Any) -> None:
    if not isinstance(value, str):
        _expect_list(key, value, "none of them would be installed, nor ours")


def _expect_list(key: str, value: Any, else_: str) -> None:
    if not isinstance(value, list):
        raise InputError(f"{key} is not a list: {else_}", resolution=f"write `{key}: [...]`")


def _system(key: str, value: Any) -> None:
    more = sorted(set(value) - _SYSTEM) if isinstance(value, dict) else [""]
    if more:
        raise InputError(
            f"{'.'.join(filter(None, (key, more[0])))} is not taken: it is the image's to say",
            resolution=f"of {key}, {' and '.join(sorted(_SYSTEM))} are taken",
        )


def _refuse_modules(key: str, value: Any) -> None:
    _expect_list(key, value, "cloud-init could not read it")
    there = {_module(entry) for entry in value}
    if missing := [name for name in _MODULES[key] if name not in there]:
        raise InputError(
            f"{key} leaves out {missing[0]}, and the list takes the place of the image's own",
            resolution=f"add {', '.join(missing)}, or leave out {key}",
        )


def _module(entry: Any) -> str:
    """A module's name, unless it is told more than how often: then it does something else."""
    name = entry[0] if isinstance(entry, list) and 0 < len(entry) < 3 else entry
    return name.replace("-", "_").strip().lower() if isinstance(name, str) else ""


def _accounts(key: str, value: Any) -> None:
    check: dict[str, Callable[[Any], object]] = {
        "users": user_data_accounts.users,
        "groups": user_data_accounts.groups,
        "user": user_data_accounts.user,
    }
    check[key](value)


# hostname(7), RFC 1123 2.1: a system that is given another has none, or "localhost".
_HOST: Final = re.compile(
    r"(?=.{1,253}\.?$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\.?",
    re.ASCII | re.IGNORECASE,
)


def host_name(key: str, value: Any) -> None:
    """Refuse a host name that no host can have.

    Raises:
        InputError: names its key.
    """
    if not isinstance(value, str) or not _HOST.fullmatch(value):
        raise InputError(
            f"{key} is not a name: {shown(str(value))}",
            resolution="use letters, digits and hyphens, and dots between them",
        )


_CHECKS: Final[Mapping[str, Callable[[str, Any], None]]] = {
    **dict.fromkeys(_COMMANDS, _commands),
    **dict.fromkeys(("users", "groups", "user"), _accounts),
    **dict.fromkeys(("hostname", "fqdn"), host_name),
    "write_files": _files,
    "packages": _packages,
    "system_info": _system,
}
_EMPTY: Final = frozenset({*_CHECKS, *_MODULES, *HOST_KEY, "network", "output", "final_message"})
