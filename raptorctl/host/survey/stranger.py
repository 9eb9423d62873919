"""What matters where somebody is to become a tenant, and is not looked for otherwise."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from raptorctl.drivers.account import Authority


class Judged(Protocol):
    """The driver that asks polkit; a `Host` has one."""

    @property
    def authority(self) -> Authority:
        """Polkit."""


def strangers(
    host: Judged, people: Iterable[str], known: Mapping[str, Any], *, own: bool = False
) -> Mapping[str, Any]:
    """Add libvirt's daemons that do not ask polkit; systemd is asked about each of them.

    Args:
        host: whom to ask.
        people: who is asked about; nobody looks where all of them are tenants.
        known: what is known of tenants.
        own: whether it is a session host, which has no tenants.
    """
    new = set(people) - {tenant.name for tenant in known["tenants"] if tenant.ours}
    return {**known, "unasked": host.authority.unasked() if new and not own else ()}
