"""Public keys, as `ssh-keygen` writes them, and what sshd is told of them.

The formats are RFC 4253 section 6.6 (ssh-rsa), RFC 5656 (ecdsa), RFC 8709 (ed25519) and OpenSSH's
PROTOCOL.u2f (sk-).
"""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from raptorctl.errors import InputError
from raptorctl.model.names import shown

LARGEST_KEY: Final = 16 * 1024
LARGEST_FILE: Final = 64 * 1024
MOST_KEYS: Final = 50
SHORTEST_RSA: Final = 3072
"""Bits; NIST SP 800-57 gives shorter ones no more than 112 bits of strength."""

# How many fields follow the type's name in the key's own bytes.
TYPES: Final = {
    "ssh-ed25519": 1,
    "ssh-rsa": 2,
    "ecdsa-sha2-nistp256": 2,
    "ecdsa-sha2-nistp384": 2,
    "ecdsa-sha2-nistp521": 2,
    "sk-ssh-ed25519@openssh.com": 2,
    "sk-ecdsa-sha2-nistp256@openssh.com": 3,
}
OPTIONS: Final = "restrict,pty"
"""Before every key in sshd's file (sshd(8)): no forwarding, whatever the rest of sshd allows."""

_COMMENT: Final = re.compile(r"[ -~]{0,200}", re.ASCII)
_ADVICE: Final = "give what ssh-keygen wrote to its .pub file"


@dataclass(frozen=True)
class PublicKey:
    """One public key.

    Args:
        type: its algorithm, e.g. `ssh-ed25519`.
        blob: its bytes in base64.
        comment: what its owner calls it.
    """

    type: str
    blob: str
    comment: str = ""

    def __str__(self) -> str:
        return f"{self.type} {self.blob} {self.comment}".rstrip()

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` shows it."""
        import hashlib

        digest = hashlib.sha256(base64.b64decode(self.blob)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def parse_keys(text: str) -> tuple[PublicKey, ...]:
    """Read one key per line; empty lines and lines that begin with `#` are passed over.

    Raises:
        InputError: a line is no public key, a key is weak or there twice, or there is none. It says
            the line's number and never what stands there, which may be secret.
    """
    if len(text) > LARGEST_FILE:
        raise InputError(f"keys of more than {LARGEST_FILE} bytes", resolution=_ADVICE)
    found: dict[str, PublicKey] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip(" ") and not line.startswith("#"):
            key = _parse_line(line, number)
            if key.blob in found:
                raise InputError(f"line {number} has a key that stands above it already")
            found[key.blob] = key
    if not found:
        raise InputError("there is no key in it", resolution=_ADVICE)
    if len(found) > MOST_KEYS:
        raise InputError(f"{len(found)} keys; a tenant has at most {MOST_KEYS}")
    return tuple(found.values())


def keys_text(keys: tuple[PublicKey, ...]) -> str:
    """What stands in the file that sshd reads (sshd(8), AUTHORIZED_KEYS FILE FORMAT)."""
    return "".join(f"{OPTIONS} {key}\n" for key in keys)


def read_keys_text(text: str) -> tuple[PublicKey, ...]:
    """Read what `keys_text` wrote; an empty file has no keys.

    Raises:
        InputError: somebody else wrote in it.
    """
    lines = [line.removeprefix(f"{OPTIONS} ") for line in text.splitlines()]
    return parse_keys("\n".join(lines)) if any(line.strip() for line in lines) else ()


def _parse_line(line: str, number: int) -> PublicKey:
    where = f"line {number}"
    if "PRIVATE KEY" in line:
        raise InputError(f"{where} begins a private key", resolution="keep it secret; " + _ADVICE)
    if len(line) > LARGEST_KEY or any(not " " <= char <= "\U0010fffd" for char in line):
        raise InputError(f"{where} is too long, or holds a control character", resolution=_ADVICE)
    kind, _, rest = line.strip(" ").partition(" ")
    blob, _, comment = rest.strip(" ").partition(" ")
    if kind not in TYPES:
        raise InputError(f"{where} {_why_not(kind)}", resolution=_ADVICE)
    if not _COMMENT.fullmatch(comment.strip(" ")):
        raise InputError(f"{where} has a comment that is not plain text of 200 characters at most")
    _check_blob(kind, blob, where)
    return PublicKey(kind, blob, comment.strip(" "))


def _why_not(kind: str) -> str:
    if kind == "ssh-dss":
        return "is a DSA key, which OpenSSH no longer takes"
    if "-cert-" in kind:
        return "is a certificate, not a key"
    if any(known in kind for known in ("=", ",", "restrict", "command", "no-")):
        return "begins with options; a key comes without any"
    return "is not a public key"


def _check_blob(kind: str, blob: str, where: str) -> None:
    try:
        fields = list(_fields(base64.b64decode(blob, validate=True)))
    except (ValueError, binascii.Error) as error:
        raise InputError(f"{where} is a damaged key", resolution=_ADVICE) from error
    if len(fields) != TYPES[kind] + 1 or fields[0] != kind.encode():
        raise InputError(f"{where} is a damaged key: it is not what it calls itself")
    if kind == "ssh-rsa" and (bits := int.from_bytes(fields[2]).bit_length()) < SHORTEST_RSA:
        raise InputError(
            f"{where} is an RSA key of {bits} bits; {SHORTEST_RSA} are needed",
            resolution="ssh-keygen -t ed25519 makes a good one",
        )
    if kind == "ssh-ed25519" and len(fields[1]) != 32:
        raise InputError(f"{where} is a damaged key: {shown(kind)} has 32 bytes")


def _fields(data: bytes) -> Iterator[bytes]:
    """The strings a key is made of (RFC 4251 section 5): a length of 4 bytes, then so many."""
    while data:
        length = int.from_bytes(data[:4])
        if len(data) < 4 + length:
            raise ValueError("cut off")
        yield data[4 : 4 + length]
        data = data[4 + length :]
