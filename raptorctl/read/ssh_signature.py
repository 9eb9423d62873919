"""Signatures as `ssh-keygen -Y sign` writes them (OpenSSH's PROTOCOL.sshsig).

What is read here only tells people what is wrong; ssh-keygen alone says what is right.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Final

from raptorctl.errors import ImageError

LARGEST_SIGNATURE: Final = 64 << 10
"""Bytes; one by RSA of 16384 bits has six thousand."""
HEAD: Final = "-----BEGIN SSH SIGNATURE-----"
FOOT: Final = "-----END SSH SIGNATURE-----"
MAGIC: Final = b"SSHSIG"


@dataclass(frozen=True)
class SshSignature:
    """What a signature says of itself.

    Args:
        namespace: what it was made for.
        fingerprint: of the key, as `ssh-keygen -l` shows it.
    """

    namespace: str
    fingerprint: str


def parse_signature(text: str) -> SshSignature:
    """Read an armored signature.

    Raises:
        ImageError: it is none.
    """
    lines = text.strip().splitlines()
    if len(lines) < 3 or (lines[0].strip(), lines[-1].strip()) != (HEAD, FOOT):
        raise ImageError("its signature is not one of ssh-keygen's")
    try:
        blob = base64.b64decode("".join(line.strip() for line in lines[1:-1]), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ImageError("its signature is not one of ssh-keygen's") from error
    if not blob.startswith(MAGIC):
        raise ImageError("its signature is not one of ssh-keygen's")
    key, rest = _string(blob[len(MAGIC) + 4 :])
    namespace, _ = _string(rest)
    digest = base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")
    return SshSignature(namespace.decode(errors="replace"), f"SHA256:{digest}")


def _string(data: bytes) -> tuple[bytes, bytes]:
    """Take a string off (RFC 4251, 5)."""
    size = int.from_bytes(data[:4], "big")
    if len(data) < 4 + size or len(data) < 4:
        raise ImageError("its signature is cut off")
    return data[4 : 4 + size], data[4 + size :]
