"""A connection to another host by asyncssh, over those that ssh's settings lead over."""

from typing import TYPE_CHECKING, Final

from raptorctl.errors import HostError
from raptorctl.host.image.ssh_way import SshWay, keys_of, known_hosts, untrusted
from raptorctl.host.image.ssh_write import without_padding
from raptorctl.model.error_code import Code

if TYPE_CHECKING:
    import asyncssh

CONNECT: Final = 30.0
"""Seconds to log in, on each host."""
KEEPALIVE: Final = 10
"""Seconds; three unanswered ones are a broken connection."""
CIPHERS: Final = "^aes128-gcm@openssh.com,aes256-gcm@openssh.com"
"""First those that processors have instructions for."""


class SshLink:
    """A connection, and those that it goes through.

    Args:
        way: how the host is reached.
    """

    def __init__(self, way: SshWay) -> None:
        self._way = way
        self._links: list[asyncssh.SSHClientConnection] = []

    @property
    def patience(self) -> float:
        """Seconds to log in everywhere."""
        return CONNECT * (1 + len(self._way.over))

    async def opened(self) -> "asyncssh.SSHClientConnection":
        """Log in on each host in turn; return the connection to the last.

        Raises:
            HostError: one does not let us in, or shows another host key than it should.
            RefusedError: the host key of one is not known.
            asyncssh.Error, OSError: one does not answer.
        """
        for hop in (*self._way.over, self._way):
            await self._further(hop)
        without_padding(self._links[-1])
        return self._links[-1]

    def abort(self) -> None:
        """End it all, the innermost first."""
        for link in reversed(self._links):
            link.abort()

    async def _further(self, hop: SshWay) -> None:
        import asyncssh

        known = known_hosts(hop)
        try:
            self._links.append(await self._to(hop, known))
        except asyncssh.HostKeyNotVerifiable as error:
            raise untrusted(hop, known) from error
        except asyncssh.PermissionDenied as error:
            raise _not_let_in(hop) from error

    async def _to(
        self, hop: SshWay, known: "asyncssh.SSHKnownHosts"
    ) -> "asyncssh.SSHClientConnection":
        import asyncssh

        return await asyncssh.connect(
            hop.host,
            hop.port,
            tunnel=self._links[-1] if self._links else (),
            username=hop.user,
            known_hosts=known,
            host_key_alias=hop.alias or None,
            client_keys=keys_of(hop) or None,
            agent_path=hop.agent or None,
            preferred_auth="publickey",
            config=None,
            encryption_algs=CIPHERS,
            keepalive_interval=KEEPALIVE,
            connect_timeout=CONNECT,
        )


def _not_let_in(hop: SshWay) -> HostError:
    host = hop.called or hop.host
    return HostError(
        f"{host} lets {hop.user} not in by any key of ssh's",
        resolution=f"see whether `ssh {host}` asks for nothing",
        code=Code.LOGIN_REFUSED,
        subject=host,
    )
