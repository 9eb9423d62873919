"""Seeds: what cloud-init is told at first boot (NoCloud data source)."""

import enum
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from typing import Final

from raptorctl.model.names import MachineName
from raptorctl.model.sizes import MIB
from raptorctl.model.slot import Slot
from raptorctl.model.ssh_key import PublicKey

LARGEST_USER_DATA: Final = MIB
"""Bytes of an admin's own user-data."""
SEED_DONE: Final = "raptorctl: cloud-init final done"
"""What our seeds have the guest say on its console when cloud-init's last stage is over."""


class Network(enum.Enum):
    """How a guest gets its addresses."""

    DHCP = "dhcp"
    STATIC = "static"


@dataclass(frozen=True)
class Taken:
    """What user-data may be that is refused otherwise.

    Args:
        private_key: it may hold one.
        jinja: it may be a template, which only the guest can read.
    """

    private_key: bool = False
    jinja: bool = False


PLAIN: Final = Taken()
"""Nothing of that."""


@dataclass(frozen=True)
class Seed:
    """The files of a NoCloud seed; an empty text is a file that is not there.

    https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html

    Args:
        meta_data, user_data, vendor_data, network_config: YAML texts. They may hold secrets.
    """

    meta_data: str
    user_data: str
    vendor_data: str = ""
    network_config: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of all four, hexadecimal: by it a seed is known without being kept."""
        import hashlib

        texts = (text.encode() for text in astuple(self))
        return hashlib.sha256(b"".join(b"%d:%s" % (len(t), t) for t in texts)).hexdigest()


@dataclass(frozen=True)
class HostKey:
    """A guest's ssh host key, chosen before it boots, so that nobody is trusted on first use.

    Args:
        private: in OpenSSH's format; a secret.
        public: one line, `ssh-ed25519 AAAA...`.
    """

    private: str
    public: str


@dataclass(frozen=True)
class FirstBoot:
    """What a machine's first boot needs that nobody says: a spec has the rest.

    Args:
        keys: public keys that log in, one line each; the tenant's and the job's among them.
        host_key: the guest's own, made for this machine.
        login_key: on a session host, a pair of the machine's own, for one that nobody else's key
            lets in to.
        is_kept: whether that pair is there already, and let in.
    """

    keys: tuple[str, ...] = ()
    host_key: HostKey | None = None
    login_key: HostKey | None = None
    is_kept: bool = False

    def with_named(self, named: Sequence[PublicKey] | None) -> "FirstBoot":
        """Let in the keys that the owner named, too; a pair is not made where there are any."""
        pair = self.login_key if self.is_kept or not named else None
        return replace(self, keys=(*map(str, named or ()), *self.keys), login_key=pair)


@dataclass(frozen=True)
class SeedGuest:
    """What a seed has to know of the machine it is for.

    Args:
        name: whose, and which.
        zone: the DNS zone it is named in, or "".
        instance: another one makes cloud-init take it for another machine, and begin anew.
        slot: its MAC and addresses; None for QEMU's own network, which has DHCP.
        console: the device its owner sees, `hvc0` or `ttyS0`.
        resolvers: name servers, for a static network.
        own_mac: where it has no slot.
        others: MACs of its other interfaces, which have DHCP.
    """

    name: MachineName
    zone: str
    instance: str
    slot: Slot | None
    console: str = "hvc0"
    resolvers: tuple[str, ...] = ()
    own_mac: str = ""
    others: tuple[str, ...] = ()

    @property
    def mac(self) -> str:
        """Of its first interface; "" where it has none."""
        return self.slot.mac if self.slot else self.own_mac
