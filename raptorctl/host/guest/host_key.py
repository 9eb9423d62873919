"""ssh host keys of guests, made before they boot."""

from raptorctl.model.seed import HostKey


def new_host_key(comment: str) -> HostKey:
    """Make a pair of keys, ed25519, which every guest of the last ten years takes.

    Args:
        comment: whose it is; it is part of the private key only.
    """
    # Not at the top: asyncssh takes a third of a second to load.
    import asyncssh

    pair = asyncssh.generate_private_key("ssh-ed25519", comment=comment)
    public = pair.export_public_key("openssh").decode().split()
    return HostKey(pair.export_private_key("openssh").decode(), " ".join(public[:2]))
