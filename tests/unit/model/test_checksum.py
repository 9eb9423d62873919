"""Lists of checksums, as distributions write them."""

import pytest

from raptorctl.model.checksum import Checksum, checksum_of

A, B, LONG = "a" * 64, "B" * 64, "c" * 128


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{A}  other.img\n{B} *web.img\n", Checksum("sha256", "b" * 64)),
        (f"{LONG}  ./web.img\n", Checksum("sha512", LONG)),
        (f"# web.img: 12 bytes\nSHA256 (web.img) = {A}\n", Checksum("sha256", A)),
        (f"-----BEGIN PGP SIGNED MESSAGE-----\n\nSHA512 (web.img) = {LONG}\n", Checksum("sha512", LONG)),
        (f"{A}\n", Checksum("sha256", A)),
        (f"{A}  build/web.img\r\n", Checksum("sha256", A)),
    ],
)  # fmt: skip
def test_a_files_checksum_is_found(text: str, found: Checksum) -> None:
    assert checksum_of(text, "web.img") == found


@pytest.mark.parametrize(
    "text",
    [
        "", "<html>404</html>", f"{A}  web.img.asc", f"{A}\n{B}", f"{'a' * 40}  web.img",
        f"{'a' * 32}  web.img", f"{'a' * 96}  web.img", f"MD5 (web.img) = {'a' * 32}", f"{A}  xweb.img",
    ],
)  # fmt: skip
def test_what_proves_nothing_of_a_file(text: str) -> None:
    assert checksum_of(text, "web.img") is None
