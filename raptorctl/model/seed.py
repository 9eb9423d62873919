"""Seeds: what cloud-init is told at first boot (NoCloud data source)."""

from dataclasses import dataclass


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
    """What a person wants of a machine's first boot.

    Args:
        keys: public keys that log in, one line each.
        host_key: the guest's own.
        user_data: the admin's own cloud-config, merged with ours; "" for none.
    """

    keys: tuple[str, ...] = ()
    host_key: HostKey | None = None
    user_data: str = ""
