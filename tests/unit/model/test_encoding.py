"""A text that is no UTF-8 is called what it is, with what makes UTF-8 of it."""

import gzip

import pytest

from raptorctl.errors import InputError
from raptorctl.model.encoding import decoded

LINE = "ssh-ed25519 AAAA Zoë\r\n"


@pytest.mark.parametrize("text", ["", "x", "Zoë\n", "a\0", LINE])
def test_utf_8_is_read_as_it_is(text: str) -> None:
    assert decoded(text.encode(), "it") == text


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            LINE.encode("utf-16"),
            "it is UTF-16, as Windows writes it: iconv -f UTF-16 -t UTF-8 FILE",
        ),
        (b"\xfe\xff" + LINE.encode("utf-16-be"), "it is UTF-16, as Windows writes it"),
        (LINE.encode("utf-16-le"), "it is UTF-16LE without a byte order mark: iconv -f UTF-16LE "),
        (LINE.encode("utf-16-be"), "it is UTF-16BE without a byte order mark: iconv -f UTF-16BE "),
        (LINE.encode("utf-32"), "it is UTF-32: iconv -f UTF-32 -t UTF-8 FILE"),
        (b"\0\0\xfe\xff" + LINE.encode("utf-32-be"), "it is UTF-32: iconv -f UTF-32 "),
        (gzip.compress(LINE.encode(), mtime=0), "it is compressed by gzip"),
        (LINE.encode("latin-1"), "it is not UTF-8 text: iconv -f WINDOWS-1252 -t UTF-8 FILE"),
        (b"\x30\x82\x01\x22\x30\x0d", "it is DER and no text.*openssl pkey -pubin -inform DER"),
        (b"\x99\x01\x0d\x04", "it is binary, perhaps a PGP key: gpg --export-ssh-key"),
        (b"\xff\x01\x02", "it is not UTF-8 text$"),
    ],
)
def test_another_encoding_is_named(data: bytes, said: str) -> None:
    with pytest.raises(InputError, match=f"^{said}"):
        decoded(data, "it")
