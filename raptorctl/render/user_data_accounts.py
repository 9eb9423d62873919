"""The accounts of a cloud-config: an admin's beside the tenant's, which is always made.

How cloud-init reads `users`, `user` and `groups` is `cloudinit/distros/ug_util.py`, read at 22.4
and 26.2. What it cannot read there ends its module before anybody's account is made.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from raptorctl.errors import InputError
from raptorctl.model.names import shown
from raptorctl.render.yaml_text import PlainText

_TRUE: Final = frozenset({"true", "1", "on", "yes"})
_NO_LOGIN: Final = (
    "no_create_home", "system", "snapuser", "ssh_redirect_user", "inactive", "expiredate",
)  # fmt: skip
"""With any of these an account has no keys, or is not there when it is wanted."""


def joined(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Return `users`, `user` and `groups` of both.

    Args:
        ours: our cloud-config, whose first user is the tenant's account.
        theirs: the admin's.

    Raises:
        InputError: theirs would take the account away.
    """
    account, *rest = ours["users"]
    name, account = account["name"], dict(account)
    listed = [*users(theirs.get("users", []))]
    said: dict[str, Any] = {}
    if "user" in theirs:
        (said["user"],) = [*_entries(theirs["user"])] or [{}]
    if said.get("user", {}).get("name") == name:
        listed.append(said.pop("user"))
    for entry in listed:
        if _names(entry, name):
            account = _with(account, entry)
    if name in groups(theirs.get("groups", [])) and "primary_group" not in account:
        account["primary_group"] = name  # useradd(8) refuses a login that has a group already
    others = [entry for entry in listed if not _names(entry, name)]
    return {**said, "users": [account, *rest, *others]}


def users(value: Any) -> list[Any]:
    """Return the list that cloud-init makes of `users`.

    Raises:
        InputError: it cannot be read, and nobody's account would be made.
    """
    if isinstance(value, str):
        return [part for part in value.strip().split(",") if part]
    if isinstance(value, dict):
        return [entry for key, given in value.items() for entry in _of_table(key, given)]
    if not isinstance(value, list):
        raise _unread("users", "is not a list", "write `- name: somebody`")
    for number, entry in enumerate(value, start=1):
        _check_entry(entry, number)
    return value


def groups(value: Any) -> list[str]:
    """Return the names that `groups` has.

    Raises:
        InputError: it cannot be read, and nobody's account would be made.
    """
    if isinstance(value, str):
        return value.strip().split(",")
    if isinstance(value, list):
        return [name for entry in value for name in _group(entry)]
    return list(_group(value))


def user(value: Any) -> None:
    """Check `user`, the image's default account.

    Raises:
        InputError: it is neither a name nor a table.
    """
    if not isinstance(value, str | dict):
        raise InputError("user is neither a name nor a table: cloud-init would ignore it")


def _entries(value: Any) -> Iterator[dict[str, Any]]:
    yield {"name": value} if isinstance(value, str) else dict(value)


def _of_table(key: str, given: Any) -> Iterator[Any]:
    if isinstance(given, dict):
        yield {"name": key, **given}
    elif isinstance(given, str | PlainText) and not is_null(given):
        if is_true(given):
            yield key
    else:
        raise _unread("users", f"has no table at {shown(key)}", f"write `- name: {key}`")


def _check_entry(entry: Any, number: int) -> None:
    names = entry if isinstance(entry, list) else [entry]
    if isinstance(entry, dict):
        names = [entry.get("name", "default")]
    if not all(isinstance(name, str) for name in names):
        raise _unread("users", f"has no name at entry {number}", "write `- name: somebody`")


def _group(entry: Any) -> Iterator[str]:
    if isinstance(entry, str):
        yield entry
    elif isinstance(entry, dict) and all(isinstance(one, str | list) for one in entry.values()):
        yield from entry
    else:
        raise _unread("groups", "has an entry that is not a name", "write `- somegroup: [member]`")


def _unread(key: str, what: str, advice: str) -> InputError:
    return InputError(f"{key} {what}: cloud-init would make no account", resolution=advice)


def _names(entry: Any, name: str) -> bool:
    return isinstance(entry, dict) and entry.get("name") == name


def _with(account: dict[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """Take what an admin says of the tenant's account: theirs wins, but keys and groups are added.

    Raises:
        InputError: nobody could log in.
    """
    said = {key.replace("-", "_").strip(): value for key, value in entry.items()}
    _refuse_no_login(said)
    keys = [*account["ssh_authorized_keys"], *_keys(said.pop("ssh_authorized_keys", None))]
    member = [*account["groups"], *_members(said.pop("groups", None))]
    given = {key: value for key, value in said.items() if not is_null(value)}
    return {
        **account,
        **given,
        "groups": list(dict.fromkeys(member)),
        "ssh_authorized_keys": list(dict.fromkeys(keys)),
    }


def _refuse_no_login(said: Mapping[str, Any]) -> None:
    found = [key for key in _NO_LOGIN if key in said and not _is_false(said[key])]
    if str(said.get("shell", "")).endswith(("nologin", "false")):
        found.append("shell")
    if found:
        raise InputError(
            f"users: {found[0]} would keep the tenant out of the account {shown(said['name'])}",
            resolution=f"leave {found[0]} out",
        )


def _keys(value: Any) -> list[str]:
    """What `ssh_authorized_keys` has: a key, a list of them, or a table of them."""
    given = [value] if isinstance(value, str) else value
    given = list(given.values()) if isinstance(given, dict) else given
    return [key for key in given if isinstance(key, str)] if isinstance(given, list) else []


def _members(value: Any) -> list[str]:
    """What an account's `groups` has: names with commas, a list of them, or a table of them."""
    given = value.split(",") if isinstance(value, str) else value
    given = list(given) if isinstance(given, dict) else given
    names = given if isinstance(given, list) else []
    return [name.strip() for name in names if isinstance(name, str)]


def is_null(value: Any) -> bool:
    """Whether a key is there and has nothing, as where all below it is commented out."""
    return value is None or (isinstance(value, PlainText) and value.tag.endswith(":null"))


def _is_false(value: Any) -> bool:
    return is_null(value) or (isinstance(value, PlainText) and not is_true(value))


def is_true(value: Any) -> bool:
    """Whether cloud-init takes something for true (`util.is_true`)."""
    text = value.text if isinstance(value, PlainText) else value
    return isinstance(text, str) and text.lower().strip() in _TRUE
