"""The keys that a guest's ssh server is known by: from the domain's mark, or from its console.

cloud-init writes the public ones to the console when it has made them (cc_keys_to_console), and
only the guest's root and the host's write there.
"""

import re
from collections.abc import Iterator
from typing import Final

from raptorctl.errors import HostError, InputError, RefusedError
from raptorctl.model.domain import Domain
from raptorctl.model.error_code import Code
from raptorctl.model.ssh_key import PublicKey, parse_keys

_BEGIN: Final = "-----BEGIN SSH HOST KEY KEYS-----"
_END: Final = "-----END SSH HOST KEY KEYS-----"
_KEY: Final = re.compile(r"(?:ssh-(?:ed25519|rsa)|ecdsa-sha2-nistp\d+) [A-Za-z0-9+/=]+", re.ASCII)


def learned(console: str) -> tuple[PublicKey, ...]:
    """Return the host keys that a console last told; none where it told none.

    Args:
        console: its whole log: keys are told at first boot, and stay.
    """
    end = console.rfind(_END)
    begin = console.rfind(_BEGIN, 0, max(end, 0))
    return tuple(_good(_KEY.findall(console[begin:end]))) if begin >= 0 else ()


def known(domain: Domain, console: str) -> tuple[PublicKey, ...]:
    """Return the keys that a machine is known by.

    Args:
        domain: its mark may hold the key that its seed brought.
        console: what its console said, or "".

    Raises:
        RefusedError: none is known, and nobody is trusted on first use.
    """
    marked = domain.mark.host_key if domain.mark else ""
    keys = tuple(_good([marked])) if marked else learned(console)
    if not keys:
        raise RefusedError(
            f"the ssh host key of {domain.name} is not known: neither its domain's mark nor its "
            "console tells one",
            resolution=f"wait for its first boot, see `raptorctl why {domain.name}`",
            code=Code.HOST_KEY_UNKNOWN,
            subject=domain.name,
        )
    return keys


def changed(name: str, expected: str, shown: str) -> HostError:
    """The one line about a host key that is another."""
    return HostError(
        f"the ssh host key of {name} has changed: expected {expected}, it shows {shown}",
        resolution=f"who answers is not who booted; look at `raptorctl log {name}`",
        code=Code.HOST_KEY_CHANGED,
        subject=name,
    )


def _good(lines: list[str]) -> Iterator[PublicKey]:
    for line in lines:
        try:
            yield from parse_keys(line)
        except InputError:  # damaged by other lines of the console, or too weak: not relied on
            continue
