"""An admin's own meta-data: read as strictly as user-data, and laid below what is ours.

https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html
"""

from typing import Any, Final

from raptorctl.errors import InputError
from raptorctl.model.names import shown
from raptorctl.model.seed import PLAIN, Taken
from raptorctl.render.user_data import refuse_private_keys, strict
from raptorctl.render.user_data_rules import host_name
from raptorctl.render.yaml_text import PlainText

INSTANCE: Final = "instance-id"
HOSTNAME: Final = "local-hostname"
_MODES: Final = ("local", "net")
"""What else `dsmode` can be turns the seed off (DataSource._determine_dsmode of cloud-init)."""


def check_meta(text: str, allowed: Taken = PLAIN) -> tuple[str, ...]:
    """Check meta-data.

    Args:
        text: the file.
        allowed: whether it may hold a private key.

    Returns:
        Notes: what is taken for text, and what has no effect.

    Raises:
        InputError: it is none, or would take the seed's place; says why.
    """
    if not allowed.private_key:
        refuse_private_keys(text)
    said, notes = strict(text, "meta-data")
    _refuse(said)
    if INSTANCE in said:
        ours = "raptorctl's own is used, so that a rebuilt machine is set up again"
        return (*notes, f"{INSTANCE}: {ours}")
    return notes


def meta_data(text: str | None, instance: str, hostname: str) -> dict[str, Any]:
    """Return what cloud-init is told of the machine.

    Args:
        text: an admin's own, checked; None for none.
        instance: ours, which always counts.
        hostname: "" for the one in `text`.
    """
    ours = {INSTANCE: instance, HOSTNAME: hostname}
    return said_in(text) | {key: value for key, value in ours.items() if value}


def names_guest(text: str | None) -> bool:
    """Whether checked meta-data has a host name of its own."""
    return HOSTNAME in said_in(text)


def said_in(text: str | None) -> dict[str, Any]:
    """What checked meta-data says."""
    return strict(text, "meta-data")[0] if text else {}


def _refuse(said: dict[str, Any]) -> None:
    if "seedfrom" in said:
        raise InputError(
            "seedfrom has cloud-init read another seed in the place of this one",
            resolution="leave it out, and name that seed's files here",
        )
    if "network-interfaces" in said:
        raise InputError(
            "network-interfaces has no effect where there is a network-config, and there is one",
            resolution="say it with --network-config",
        )
    if (mode := _text(said.get("dsmode", "net"))) not in _MODES:
        known = " or ".join(_MODES)
        raise InputError(f"dsmode is {known}, not {shown(mode)}: the seed would not be read")
    if HOSTNAME in said:
        host_name(HOSTNAME, said[HOSTNAME])


def _text(value: Any) -> str:
    return value.text if isinstance(value, PlainText) else str(value)
