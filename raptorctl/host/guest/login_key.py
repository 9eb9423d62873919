"""The public half of a private key that somebody names, to see whether a guest was told it."""

from contextlib import suppress
from pathlib import Path
from typing import Final

from raptorctl.errors import InputError
from raptorctl.host.system.caller import read_given
from raptorctl.model.names import shown

LARGEST: Final = 1 << 16
"""Bytes; an RSA key of 16384 bits has about 12 KiB."""


def public_half(identity: Path) -> str:
    """Return the type and the blob of a key, as in authorized_keys; "" where they are not known.

    With a certificate beside it (ssh(1), -i) the guest may trust who signed that, so nothing is
    known; neither of a file that is no key, which the login tells of.

    Raises:
        InputError: it is not the caller's to read, or has a passphrase, which no step can ask for.
    """
    import asyncssh

    data = read_given(str(identity), LARGEST, follow=True)
    with suppress(InputError):
        if read_given(f"{identity}-cert.pub", LARGEST, follow=True):
            return ""
    try:
        key = asyncssh.import_private_key(data)
    except asyncssh.KeyImportError as error:
        if "passphrase" not in str(error).lower():
            return ""
        raise InputError(
            f"--identity: {shown(str(identity))} has a passphrase; raptorctl does not ask for it",
            resolution="ssh-add it, and leave --identity out",
        ) from error
    return " ".join(key.export_public_key().decode().split()[:2])
