"""What a text is that is no UTF-8, by its first bytes, and what makes UTF-8 of it."""

from typing import Final

from raptorctl.errors import InputError

_ICONV: Final = "iconv -f {} -t UTF-8 FILE makes UTF-8 of it"
_PKCS8: Final = "then ssh-keygen -i -m PKCS8 -f NEW"
# Unicode 23.8, the longer marks first; RFC 1952; X.690, a SEQUENCE of 256 bytes and more; RFC 9580.
_BEGINS: Final[tuple[tuple[bytes, str, str], ...]] = (
    (b"\xff\xfe\0\0", "UTF-32", _ICONV.format("UTF-32")),
    (b"\0\0\xfe\xff", "UTF-32", _ICONV.format("UTF-32")),
    (
        b"\xff\xfe",
        "UTF-16, as Windows writes it",
        _ICONV.format("UTF-16"),
    ),
    (
        b"\xfe\xff",
        "UTF-16, as Windows writes it",
        _ICONV.format("UTF-16"),
    ),
    (b"\x1f\x8b", "compressed by gzip, and is not taken so", "unpack it first: gunzip -c FILE"),
    (
        b"\x30\x82",
        "DER and no text; a public key is read",
        f"openssl pkey -pubin -inform DER -in FILE -out NEW, {_PKCS8}",
    ),
    (b"\x99", "binary, perhaps a PGP key", "gpg --export-ssh-key ID"),
)
_LATIN: Final = f"{_ICONV.format('WINDOWS-1252')}, if it is of Windows"


def decoded(data: bytes, called: str) -> str:
    """Read a text.

    Args:
        data: all of it.
        called: what it is in an error.

    Raises:
        InputError: it is no UTF-8; says what it is.
    """
    if wide := _wide(data):
        what = f"{wide} without a byte order mark"
        advice = _ICONV.format(wide)
        raise InputError(f"{called} is {what}", resolution=advice)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        what, advice = _other(data)
        raise InputError(f"{called} is {what}", resolution=advice) from error


def without_mark(text: str) -> str:
    """Leave out the byte order mark that editors on Windows begin a text with."""
    return text.removeprefix("\ufeff")


def _wide(data: bytes) -> str:
    """Tell UTF-16 by its zeroes: the text that people hand in begins with ASCII."""
    odd, even = data[1:16:2], data[0:16:2]
    if len(data) < 4 or data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ""
    if not odd.strip(b"\0") and b"\0" not in even:
        return "UTF-16LE"
    return "UTF-16BE" if not even.strip(b"\0") and b"\0" not in odd else ""


def _other(data: bytes) -> tuple[str, str]:
    for begin, what, advice in _BEGINS:
        if data.startswith(begin):
            return what, advice
    plain = not any(byte < 32 and byte not in b"\t\r\n" for byte in data)
    return "not UTF-8 text", _LATIN if plain else ""
