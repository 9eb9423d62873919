"""Public keys, as `ssh-keygen` writes them, and what sshd is told of them.

The formats are RFC 4253 section 6.6 (ssh-rsa), RFC 5656 (ecdsa), RFC 8709 (ed25519) and OpenSSH's
PROTOCOL.u2f (sk-).
"""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from raptorctl.errors import InputError
from raptorctl.model.encoding import without_mark
from raptorctl.model.names import shown
from raptorctl.model.ssh_key_format import ADVICE, is_private, private_advice, why_not

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

LONGEST_COMMENT: Final = 200
_ADVICE: Final = ADVICE


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

    As OpenSSH does, it takes tabs, lines that end in CRLF and comments in any language; a byte
    order mark, which OpenSSH does not take, is taken off.

    Raises:
        InputError: a line is no public key, a key is weak or there twice, or there is none. It says
            the line's number and never what stands there, which may be secret.
    """
    if len(text) > LARGEST_FILE:
        raise InputError(f"keys of more than {LARGEST_FILE} bytes", resolution=_ADVICE)
    found: dict[str, PublicKey] = {}
    for number, line in enumerate(without_mark(text).split("\n"), start=1):
        if line.strip(" \t\r") and not line.lstrip(" \t").startswith("#"):
            key = _parse_line(line, number)
            if key.blob in found:
                raise InputError(f"line {number} has a key that occurs above already")
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
    # sshd(8) has blanks and tabs between the fields; base64 takes no notice of a CR (b64_pton).
    line = line.removesuffix("\r").replace("\t", " ").strip(" ")
    if is_private(line):
        raise InputError(
            f"{where} begins a private key", resolution="keep it secret; " + private_advice(line)
        )
    _refuse_unfit(line, where)
    kind, _, rest = line.partition(" ")
    blob, _, comment = rest.strip(" ").partition(" ")
    if kind not in TYPES:
        what, advice = why_not(line)
        raise InputError(f"{where} {what}", resolution=advice)
    _check_comment(comment.strip(" "), where)
    _check_blob(kind, blob, where)
    return PublicKey(kind, blob, comment.strip(" "))


def _refuse_unfit(line: str, where: str) -> None:
    if len(line) > LARGEST_KEY:
        raise InputError(f"{where} is longer than {LARGEST_KEY} characters", resolution=_ADVICE)
    if "\r" in line:
        raise InputError(
            f"{where} has carriage returns in it", resolution="tr '\\r' '\\n' <FILE makes lines"
        )
    if any(char < " " or char == "\x7f" for char in line):
        raise InputError(f"{where} holds a control character", resolution=_ADVICE)


def _check_comment(comment: str, where: str) -> None:
    if len(comment) > LONGEST_COMMENT:
        raise InputError(f"{where} has a comment of more than {LONGEST_COMMENT} characters")
    if not comment.isprintable():
        raise InputError(
            f"{where} has a comment with characters that cannot be seen", resolution="leave it out"
        )


def _check_blob(kind: str, blob: str, where: str) -> None:
    try:
        fields = list(_fields(base64.b64decode(blob, validate=True)))
    except (ValueError, binascii.Error) as error:
        raise InputError(
            f"{where} is a damaged key: cut off, or broken over lines", resolution=_ADVICE
        ) from error
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
