"""ssh host keys of guests, made before they boot."""

from raptorctl.errors import InputError
from raptorctl.model.seed import HostKey


def new_host_key(comment: str) -> HostKey:
    """Make a pair of keys, ed25519, which every guest of the last ten years takes.

    Args:
        comment: whose it is; it is part of the private key only.
    """
    # Not at the top: asyncssh takes a third of a second to load.
    import asyncssh

    pair = asyncssh.generate_private_key("ssh-ed25519", comment=comment)
    return pair_of(pair.export_private_key("openssh").decode())


def pair_of(private: str) -> HostKey:
    """The pair of a private key.

    Raises:
        InputError: it is none.
    """
    import asyncssh

    try:
        public = asyncssh.import_private_key(private).export_public_key("openssh").decode().split()
    except asyncssh.KeyImportError as error:
        raise InputError(f"that is no private key: {error}") from error
    return HostKey(private, " ".join(public[:2]))
