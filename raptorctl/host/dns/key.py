"""The TSIG key: read from a file in named's own format, and never shown."""

import base64
import binascii
import os
import re
import stat
from collections.abc import Iterator
from typing import Final

import dns.name
import dns.tsig

from raptorctl.errors import InputError, MissingError, SettingsError
from raptorctl.host.dns.record import to_name
from raptorctl.model.names import shown

_LONGEST: Final = 65536
"""Bytes. A key's file has a few hundred."""
_SHORTEST_SECRET: Final = 16
"""Bytes. RFC 8945 section 7 wants as many as the hash has; half of SHA-256 is the least here."""

# RFC 8945 section 6, without the algorithms that it advises against.
_ALGORITHMS: Final = {
    "hmac-sha256": dns.tsig.HMAC_SHA256,
    "hmac-sha384": dns.tsig.HMAC_SHA384,
    "hmac-sha512": dns.tsig.HMAC_SHA512,
}
# A quoted text comes first, so that `//` in a secret begins no comment.
_TOKEN: Final = re.compile(
    r'\s+|//[^\n]*|\#[^\n]*|/\*.*?\*/|"(?P<quoted>[^"\n]*)"|(?P<bare>[{};]|[^\s{};"]+)',
    re.DOTALL,
)


class TsigKey(dns.tsig.Key):
    """A key that keeps its secret out of logs and tracebacks: dnspython's own repr shows it."""

    def __repr__(self) -> str:
        return f"<TSIG key {self.label}>"

    @property
    def label(self) -> str:
        """Its name as named's configuration has it."""
        return self.name.to_text(omit_final_dot=True)


def read_key(path: str) -> TsigKey:
    """Read a key file: `key "raptorctl" { algorithm hmac-sha256; secret "..."; };`.

    Args:
        path: the file; only its owner, who is the caller, may read it.

    Raises:
        MissingError: it is not there, or the caller may not read it.
        SettingsError: others may read it, it is no plain file, or it holds no usable key.
    """
    try:
        return parse_key(_read(path), path)
    except FileNotFoundError as error:
        raise MissingError(f"there is no TSIG key in {path}", resolution=_make(path)) from error
    except PermissionError as error:
        raise MissingError(
            f"the TSIG key in {path} may not be read", resolution="use sudo"
        ) from error
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise SettingsError(path, "", problem, resolution="correct dns.key_file") from error


def parse_key(text: str, path: str) -> TsigKey:
    """Parse a key statement (BIND 9 reference manual, "key block"), for messages from `path`.

    Raises:
        SettingsError: no key statement or more than one, another algorithm, a bad secret.
    """
    fields = _statement(_tokens(text, path), path)
    algorithm = _ALGORITHMS.get(fields["algorithm"].lower().rstrip("."))
    if algorithm is None:
        known = ", ".join(_ALGORITHMS)
        problem = f"algorithm {shown(fields['algorithm'])} is not one of {known}"
        raise SettingsError(path, "", problem, resolution=_make(path))
    return TsigKey(_name(fields["key"], path), _secret(fields["secret"], path), algorithm)


def _read(path: str) -> str:
    # O_NONBLOCK: a FIFO of that name must not hold us up.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    if os.path.islink(path):  # noqa: PTH114 - only for the message; O_NOFOLLOW is what refuses
        raise SettingsError(path, "", "is a symbolic link", resolution="put the key itself there")
    descriptor = os.open(path, flags)
    try:
        _check(os.fstat(descriptor), path)
        content = os.read(descriptor, _LONGEST + 1)
    finally:
        os.close(descriptor)
    if len(content) > _LONGEST or not content.isascii():
        raise SettingsError(path, "", "is not a TSIG key", resolution=_make(path))
    return content.decode("ascii")


def _check(status: os.stat_result, path: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise SettingsError(path, "", "is not a plain file", resolution=_make(path))
    if status.st_uid != os.geteuid():
        owner = "root" if os.geteuid() == 0 else "you"
        problem = f"belongs to user id {status.st_uid}, not to {owner}"
        raise SettingsError(path, "", problem, resolution=f"chown {owner} {path}, and a new key")
    if status.st_mode & 0o077:
        problem = f"others may read or change it (mode {stat.S_IMODE(status.st_mode):04o})"
        raise SettingsError(path, "", problem, resolution=f"chmod 0600 {path}, and a new key")


def _tokens(text: str, path: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise _unreadable(path)
        at = found.end()
        if found.lastgroup:
            yield found[found.lastgroup]


def _statement(tokens: Iterator[str], path: str) -> dict[str, str]:
    match list(tokens):
        case ["key", name, "{", first, one, ";", second, two, ";", "}", ";"]:
            fields = {"key": name, first: one, second: two}
        case _:
            raise _unreadable(path)
    if set(fields) != {"key", "algorithm", "secret"}:
        raise _unreadable(path)
    return fields


def _name(text: str, path: str) -> dns.name.Name:
    try:
        return to_name(f"{text.lower().removesuffix('.')}.")
    except InputError as error:
        problem = f"{shown(text)} is not a key's name"
        raise SettingsError(path, "", problem, resolution=_make(path)) from error


def _secret(text: str, path: str) -> bytes:
    # No `from`: the exception underneath must not carry the text along.
    try:
        secret = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) < _SHORTEST_SECRET:
        problem = f"the secret is not base64 of {_SHORTEST_SECRET} bytes or more"
        raise SettingsError(path, "", problem, resolution=_make(path))
    return secret


def _unreadable(path: str) -> SettingsError:
    problem = 'is not one statement `key "NAME" { algorithm ...; secret "..."; };`'
    return SettingsError(path, "", problem, resolution=_make(path))


def _make(path: str) -> str:
    return f"umask 077; tsig-keygen -a hmac-sha256 raptorctl > {path}, and tell named the key"
