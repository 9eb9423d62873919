"""Variables of a machine that the host knows, or a file beside: its place, its key."""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from raptorctl.api.named_file import Beside
from raptorctl.api.session import Session
from raptorctl.errors import RaptorError
from raptorctl.model.names import MachineName
from raptorctl.model.net import Net, NetKind, read_nets
from raptorctl.model.raptor_file import STDIN, Names
from raptorctl.model.seed import FirstBoot

if TYPE_CHECKING:
    from raptorctl.model.slot import Slot


class HostVariables:
    """`ipv4`, `ipv6`, `mac` and `ssh_key`; the host is asked only where one is used.

    Args:
        session: the host.
        file: the file of machines, or `-`.
    """

    def __init__(self, session: Session, file: str) -> None:
        folder = "." if file == STDIN else str(PurePosixPath(file).parent)
        self._session, self._beside = session, Beside(folder, session.caller.name)

    def late(self, name: MachineName, table: Mapping[str, Any], names: Names) -> Names:
        """See `raptorctl.read.raptor_file.Late`."""
        return {
            "ipv4": partial(self._address, name, table, "ipv4"),
            "ipv6": partial(self._address, name, table, "ipv6"),
            "mac": partial(self._mac, name, table),
            "ssh_key": partial(self._ssh_key, name, table, names),
        }

    def _address(self, name: MachineName, table: Mapping[str, Any], family: str) -> str:
        if not self._session.settings.has_slots:
            raise ValueError(f"{family} is not known: QEMU's own network gives it")
        if family == "ipv4" and (kept := self._kept(name, table)):
            return kept
        slot = self._slot(name, table, family)
        found = getattr(slot, family)
        if found is None:
            raise ValueError(f"slot {slot.number} has no {family} in the settings")
        return str(found)

    def _kept(self, name: MachineName, table: Mapping[str, Any]) -> str:
        """What a network of libvirt's keeps for a machine without a slot, or ""."""
        if "net" in table:
            with suppress(RaptorError, TypeError):  # the machine's own check says what is wrong
                return _kept_in(read_nets(table["net"]))
            return ""
        standing = self._session.host.domains.named(name.domain)
        if standing is None or standing.mark is None or standing.mark.place:
            return ""
        return next(iter(standing.kept_addresses), "")

    def _mac(self, name: MachineName, table: Mapping[str, Any]) -> str:
        if self._session.settings.has_slots:
            return self._slot(name, table, "mac").mac
        standing = self._session.host.domains.named(name.domain)
        if standing is None or not standing.macs:
            raise ValueError("mac is not known before the machine is made")
        return standing.macs[0]

    def _slot(self, name: MachineName, table: Mapping[str, Any], wanted: str) -> "Slot":
        number = table.get("slot")
        if number is None:
            standing = self._session.host.domains.named(name.domain)
            number = standing.mark.slot if standing and standing.mark else None
        for slot in self._session.settings.slot:
            if slot.number == number:
                return slot
        if number:
            raise ValueError(f"{wanted} is not known: the settings have no slot {number}")
        raise ValueError(f"{wanted} is not known before the machine has a slot: say slot = N")

    def _ssh_key(self, name: MachineName, table: Mapping[str, Any], names: Names) -> str:
        """The first key that logs in: of the machine's own `keys`, its tenant's, or ours."""
        from raptorctl.plans.part.seed import with_keys
        from raptorctl.read.variables import expand

        try:
            if said := expand(table.get("keys") or [], names):
                return _one_line(str(self._beside.keys(said)[0]))
            facts = self._session.facts((), (name.tenant,))
            boot = with_keys(FirstBoot(), name, facts)
        except (RaptorError, TypeError, IndexError) as error:
            raise ValueError(f"ssh_key is not known: {error}") from error
        if not boot.keys:
            raise ValueError(f"ssh_key is not known: {name.tenant} has no key")
        return _one_line(boot.keys[0])


def _kept_in(nets: tuple[Net, ...]) -> str:
    kinds = {net.kind for net in nets}
    return "" if NetKind.SLOT in kinds else next((net.ip for net in nets if net.ip), "")


def _one_line(key: str) -> str:
    """Without its comment, which is its owner's to choose."""
    return " ".join(key.split()[:2])
