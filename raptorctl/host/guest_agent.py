"""The agent inside a guest, spoken to through libvirt (qemu-ga(8); QEMU's qga/qapi-schema.json)."""

import base64
import json
from contextlib import suppress
from typing import Any, Final

import libvirt

from raptorctl.errors import HostError
from raptorctl.host.hypervisor import Hypervisor

TIMEOUT: Final = 1
"""Seconds; whole ones are all that libvirt takes, and 0 would mean not to wait at all."""
LARGEST: Final = 64 * 1024
NO_ADDRESS: Final = ("127.", "::1", "fe80:")


class Agent(Hypervisor):
    """Guests' agents on a libvirt connection; see `Hypervisor` for what it raises."""

    def ping(self, uuid: str) -> str:
        """Return "" when the agent answers, else why not.

        Raises:
            RefusedError: polkit does not let us ask: it is for admins.
        """
        try:
            self._ask(uuid, "guest-ping")
        except HostError as error:
            return error.brief
        return ""

    def addresses(self, uuid: str) -> tuple[str, ...]:
        """Return the addresses that the agent tells, without loopback; none if it cannot."""
        with suppress(HostError), self._calling("ask its agent") as connection:
            domain = connection.lookupByUUIDString(uuid)
            source = libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT
            said = domain.interfaceAddresses(source, 0)
            found = [one["addr"] for link in said.values() for one in link.get("addrs") or ()]
            return tuple(address for address in found if not address.startswith(NO_ADDRESS))
        return ()

    def file(self, uuid: str, path: str) -> str | None:
        """Return a small file of the guest's, or None where it has none, or no agent."""
        try:
            handle = self._ask(uuid, "guest-file-open", path=path, mode="r")
        except HostError:
            return None
        try:
            said = self._ask(uuid, "guest-file-read", handle=handle, count=LARGEST)
            return base64.b64decode(said["buf-b64"]).decode(errors="replace")
        finally:
            with suppress(HostError):
                self._ask(uuid, "guest-file-close", handle=handle)

    def _ask(self, uuid: str, command: str, **arguments: Any) -> Any:
        # Not at the top: a build of libvirt without QEMU has no such module.
        import libvirt_qemu

        asked = {"execute": command} | ({"arguments": arguments} if arguments else {})
        with self._calling("reach the guest's agent") as connection:
            domain = connection.lookupByUUIDString(uuid)
            said = libvirt_qemu.qemuAgentCommand(domain, json.dumps(asked), TIMEOUT, 0)
            return json.loads(said)["return"]
