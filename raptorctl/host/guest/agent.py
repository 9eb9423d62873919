"""The agent inside a guest, spoken to through libvirt (qemu-ga(8); QEMU's qga/qapi-schema.json)."""

import base64
import json
from contextlib import suppress
from typing import Any, Final

from raptorctl.errors import HostError, RefusedError
from raptorctl.host.domain.hypervisor import Hypervisor

TIMEOUT: Final = 1
"""Seconds; whole ones are all that libvirt takes, and 0 would mean not to wait at all."""
LARGEST: Final = 64 * 1024
NO_ADDRESS: Final = ("127.", "::1", "fe80:")
NONSENSE: Final = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What comes of an answer of another shape: it is the guest's to say what it likes."""


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
        """Return the addresses that the agent tells, without loopback; none if it cannot.

        Not by libvirt's interfaceAddresses, which waits for the agent without a bound.
        """
        with suppress(HostError, RefusedError, *NONSENSE):
            links = self._ask(uuid, "guest-network-get-interfaces")
            told = (one["ip-address"] for link in links for one in link.get("ip-addresses", ()))
            return tuple(address for address in told if not address.startswith(NO_ADDRESS))
        return ()

    def file(self, uuid: str, path: str) -> str | None:
        """Return a small file of the guest's, or None where it has none, or no agent for us."""
        try:
            handle = self._ask(uuid, "guest-file-open", path=path, mode="r")
        except (HostError, RefusedError):
            return None
        try:
            with suppress(HostError, *NONSENSE):
                said = self._ask(uuid, "guest-file-read", handle=handle, count=LARGEST)
                return base64.b64decode(said["buf-b64"], validate=True).decode(errors="replace")
            return None
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
        try:
            return json.loads(said)["return"]
        except NONSENSE as error:
            raise HostError("the guest's agent gave an invalid answer") from error
