"""The private keys that steps log in by, read with the rights of who named them."""

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from raptorctl.drivers.guest import Login
from raptorctl.errors import InputError
from raptorctl.host.guest.login import ssh_tries
from raptorctl.host.system.caller import read_given
from raptorctl.model.sizes import MIB

if TYPE_CHECKING:
    import asyncssh

LARGEST_KEY: Final = MIB
"""Bytes of a private key's file: one of RSA with 16384 bits has 13 KB."""


def own_keys(login: Login) -> Any:
    """Return what asyncssh calls client_keys; None for none but the agent's."""
    import asyncssh

    if login.key:
        return [asyncssh.import_private_key(login.key)]
    if login.identity:
        return [_identity(str(login.identity))]
    return [*_tried(login)] or None if login.files else None


def is_named(login: Login) -> bool:
    """Whether it was said by which key, so that no other is tried."""
    return bool(login.key or login.identity)


def _tried(login: Login) -> "Iterator[asyncssh.SSHKey | asyncssh.SSHKeyPair]":
    """Load the files that ssh tries; one that asks for a passphrase is the agent's to know."""
    import asyncssh

    for path in ssh_tries(login):
        with suppress(InputError, ValueError):
            yield from asyncssh.load_keypairs([_identity(path)])


def _identity(path: str) -> bytes | tuple[bytes, bytes]:
    """Read a private key, and the certificate beside it if there is one (ssh(1), -i).

    asyncssh would open them by their names, with our rights.
    """
    key = read_given(path, LARGEST_KEY, follow=True)
    try:
        return key, read_given(f"{path}-cert.pub", LARGEST_KEY, follow=True)
    except InputError:
        return key
