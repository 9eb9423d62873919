"""An admin's cloud-config joined with ours, key by key: what wins is a table in docs/guests.md."""

from collections.abc import Mapping
from typing import Any

from raptorctl.render import final_message, user_data_accounts
from raptorctl.render.user_data_accounts import is_null
from raptorctl.render.user_data_rules import said


def merge(ours: Any, theirs: Any) -> Any:
    """Merge an admin's cloud-config into ours, as far as no key has a rule of its own.

    Tables are merged key by key, theirs follow ours in lists, and for everything else theirs is
    taken. In cloud-init's own words, ours is merged into theirs by
    `list(prepend)+dict(no_replace,recurse_list)+str()`; where kinds differ, theirs is taken, unless
    it has nothing.
    https://docs.cloud-init.io/en/latest/reference/merging.html
    """
    if isinstance(ours, dict) and isinstance(theirs, dict):
        both = {key: merge(ours[key], theirs[key]) for key in ours if key in theirs}
        return {**ours, **theirs, **both}
    if isinstance(ours, list) and isinstance(theirs, list):
        return ours + theirs
    return ours if is_null(theirs) else theirs


def merged(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Merge an admin's cloud-config into ours, and keep what we rely on.

    Args:
        ours: what the seed has to say.
        theirs: checked by `user_data_rules.refuse`.

    Raises:
        InputError: it would take the tenant's account away.
    """
    theirs = said(theirs)
    own: dict[str, Any] = {}
    if "final_message" in ours and "final_message" in theirs:
        own["final_message"] = final_message.both(theirs["final_message"])
    if "output" in ours:
        own["output"] = ours["output"]
    if "users" in ours and theirs.keys() & {"users", "user", "groups"}:
        own |= user_data_accounts.joined(ours, theirs)
        theirs = {key: value for key, value in theirs.items() if key not in {"users", "user"}}
    if isinstance(theirs.get("packages"), str):
        theirs = {**theirs, "packages": [theirs["packages"]]}
    return {**merge(ours, theirs), **own, **_names(ours, theirs)}


def _names(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, str]:
    """The other half of a name, as cloud-init makes it (`util.get_hostname_fqdn`), in our zone."""
    if "fqdn" not in ours:
        return {}
    if "fqdn" in theirs and "hostname" not in theirs:
        return {"hostname": theirs["fqdn"].split(".")[0]}
    if "hostname" not in theirs or "fqdn" in theirs:
        return {}
    host, zone = theirs["hostname"], ours["fqdn"].removeprefix(ours["hostname"])
    if "." in host.strip("."):
        return {"hostname": host.split(".")[0], "fqdn": host}
    return {"fqdn": f"{host}{zone}"}
