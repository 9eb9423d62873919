"""The page for tenants of a shared host: where it is, and what each of its parts is called."""

import re
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Final
from urllib.parse import urlsplit

from raptorctl.model.names import TENANT

FRONT: Final = "raptorctl-web"
"""The account of the front end, which has no rights; and its unit."""
RUN: Final = "/run/raptorctl-web"
AGENTS: Final = f"{RUN}/agents"
"""Sockets of agents' pages, which the front end alone opens; by tenant."""
CONTROLS: Final = f"{RUN}/control"
"""Sockets of agents' controls, which root alone opens; by tenant."""
DOOR: Final = "/run/raptorctl/web.sock"
"""Where tenants ask for a link."""

LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
_ADDRESS: Final = re.compile(
    r"https?://([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(:[0-9]{1,5})?", re.ASCII
)


@dataclass(frozen=True)
class Web:
    """What the settings say of the page for tenants.

    Args:
        address: where browsers find it, such as `https://vm.example.org:8443`; "" for no page.
        port: where the front end listens.
        certificate, key: PEM files; "" where it listens on loopback alone, behind a proxy.
        scrapers: addresses and networks that may read `/metrics`; none for nobody.
    """

    address: str = ""
    port: int = 8443
    certificate: str = ""
    key: str = ""
    scrapers: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """The name that browsers say they ask for, without its port."""
        return re.sub(r":[0-9]+$", "", urlsplit(self.address).netloc)

    @property
    def secure(self) -> bool:
        """Whether browsers reach it by TLS."""
        return self.address.startswith("https:")

    @property
    def cookie(self) -> str:
        """The cookie's name; with the prefix, no other host's page can set it (RFC 6265bis)."""
        return "__Host-raptorctl" if self.secure else "raptorctl"

    @property
    def fits(self) -> bool:
        """Whether browsers may be sent there: a cookie is not sent in the clear."""
        if not self.address:
            return True
        return _ADDRESS.fullmatch(self.address) is not None and (
            self.secure or (self.host in LOOPBACK_NAMES and not self.certificate)
        )


def is_network(text: str) -> bool:
    """Whether text is an address or a network, and nothing else: it becomes a line for nginx."""
    try:
        return "%" not in text and bool(ip_network(text))  # a scope may be any text (RFC 4007 11)
    except ValueError:
        return False


def page_socket(tenant: str) -> str:
    """Where a tenant's agent serves their page."""
    return f"{AGENTS}/{_checked(tenant)}.sock"


def control_socket(tenant: str) -> str:
    """Where a tenant's agent is asked for links and logins."""
    return f"{CONTROLS}/{_checked(tenant)}.sock"


def agent_units(tenant: str) -> tuple[str, str]:
    """The socket and the service of a tenant's agent."""
    name = f"raptorctl-web-agent@{_checked(tenant)}"
    return f"{name}.socket", f"{name}.service"


def _checked(tenant: str) -> str:
    """It becomes part of a path and of a unit's name."""
    if not TENANT.fullmatch(tenant):
        raise ValueError(tenant)
    return tenant
