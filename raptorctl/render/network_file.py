"""An admin's own network-config: read as strictly as user-data, and handed on in ours' place.

https://docs.cloud-init.io/en/latest/reference/network-config.html
"""

from typing import Any, Final

from raptorctl.errors import InputError
from raptorctl.model.names import shown
from raptorctl.render.user_data import strict
from raptorctl.render.yaml_text import PlainText, dump

_KEY: Final[dict[str, tuple[str, type]]] = {"1": ("config", list), "2": ("ethernets", dict)}
"""Of each version, what says which interfaces there are, and its kind."""
_OTHERS: Final = ("bonds", "bridges", "vlans", "wifis")
"""What version 2 may have beside ethernets, or alone."""


def check_network(text: str) -> tuple[str, ...]:
    """Check a network-config.

    Returns:
        Notes: what is taken for text.

    Raises:
        InputError: it is none; says why.
    """
    config, notes = _read(text)
    version = _version(config)
    key, kind = _KEY[version]
    if key not in config and not (version == "2" and config.keys() & set(_OTHERS)):
        raise InputError(f"a network-config of version {version} has {key}, and this has not")
    if key in config and not isinstance(config[key], kind):
        wanted = "list" if kind is list else "table"
        raise InputError(f"{key} of a network-config is a {wanted}")
    return notes


def network_text(text: str) -> str:
    """Return a checked network-config as cloud-init is told: texts quoted, MACs among them."""
    return dump(_read(text)[0])


def _read(text: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    config, notes = strict(text, "network-config")
    whole = config.get("network")
    return (whole if len(config) == 1 and isinstance(whole, dict) else config), notes


def _version(config: dict[str, Any]) -> str:
    said = config.get("version")
    text = said.text if isinstance(said, PlainText) else str(said)
    if text not in _KEY:
        raise InputError(
            f"a network-config says version: 1 or version: 2, not {shown(text)}",
            resolution="see --network for the usual two",
        )
    return text
