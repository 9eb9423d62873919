"""Key files: the good ones read, every bad one refused by name, the secret never shown."""

import base64
import os
from pathlib import Path

import dns.tsig
import pytest

from raptorctl.errors import MissingError, RaptorError, SettingsError
from raptorctl.host.dns.key import TsigKey, parse_key, read_key

SECRET = base64.b64encode(bytes(range(224, 256))).decode()
GOOD = f'key "raptorctl" {{\n\talgorithm hmac-sha256;\n\tsecret "{SECRET}";\n}};\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "tsig.key"
    file.write_text(GOOD)
    file.chmod(0o600)
    return file


def refusal(path: Path) -> RaptorError:
    """What reading the file is refused with; always one line that names the file."""
    with pytest.raises(RaptorError) as caught:
        read_key(str(path))
    said = str(caught.value)
    assert str(path) in caught.value.brief
    assert "\n" not in said
    assert SECRET not in said
    assert caught.value.resolution
    return caught.value


def test_a_file_by_tsig_keygen_is_read(path: Path) -> None:
    key = read_key(str(path))
    assert key.label == "raptorctl"
    assert key.algorithm == dns.tsig.HMAC_SHA256
    assert key.secret == base64.b64decode(SECRET)


@pytest.mark.parametrize(
    "text",
    [
        f"key raptorctl {{ algorithm hmac-sha256; secret {SECRET}; }};",
        f'key "raptorctl."{{algorithm "HMAC-SHA256";secret "{SECRET}";}};',
        f'key raptorctl {{ secret "{SECRET}"; algorithm hmac-sha256; }};',
        f'# a\n// b "\n/* c\n*/ key raptorctl {{ algorithm hmac-sha256; secret "{SECRET}"; }}; # d',
    ],
)
def test_other_spellings_that_named_takes_are_read(text: str) -> None:
    key = parse_key(text, "f")
    assert (key.label, key.secret) == ("raptorctl", base64.b64decode(SECRET))


def test_slashes_in_a_secret_begin_no_comment() -> None:
    secret = base64.b64encode(b"\xff" * 30).decode()
    assert "//" in secret
    text = f'key a {{ algorithm hmac-sha512; secret "{secret}"; }};'
    assert parse_key(text, "f").secret == b"\xff" * 30


def test_neither_repr_nor_str_of_a_key_shows_its_secret() -> None:
    key = parse_key(GOOD, "f")
    assert isinstance(key, TsigKey)
    assert f"{key!r} {key}" == "<TSIG key raptorctl> <TSIG key raptorctl>"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "# nothing\n",
        SECRET,
        "key",
        'key "raptorctl" {',
        'key "raptorctl" { };',
        'key "raptorctl" { algorithm hmac-sha256; };',
        f'key "raptorctl" {{ secret "{SECRET}"; }};',
        f'key "raptorctl" {{ algorithm hmac-sha256; secret "{SECRET}"; }}',
        f'key "raptorctl" {{ algorithm hmac-sha256; secret "{SECRET}; }};',
        f'key "raptorctl" {{ secret "{SECRET}"; secret "{SECRET}"; }};',
        f'key "" {{ algorithm hmac-sha256; secret "{SECRET}"; }};',
        f'key "a b" {{ algorithm hmac-sha256; secret "{SECRET}"; }};',
        f'key "a..b" {{ algorithm hmac-sha256; secret "{SECRET}"; }};',
        f'key "raptorctl" {{ algorithm hmac-md5; secret "{SECRET}"; }};',
        f'key "raptorctl" {{ algorithm gss-tsig; secret "{SECRET}"; }};',
        'key "raptorctl" { algorithm hmac-sha256; secret ""; };',
        'key "raptorctl" { algorithm hmac-sha256; secret "not base64!"; };',
        'key "raptorctl" { algorithm hmac-sha256; secret "c2hvcnQ="; };',
        f'key "raptorctl" {{ algorithm hmac-sha256; secret "!{SECRET}"; }};',
        f'key "raptorctl" {{ algorithm hmac-sha256; secret "{SECRET[:-2]}"; }};',
        GOOD + GOOD,
        GOOD.replace("raptorctl", "räptorctl"),
        GOOD + "\0",
        "# " + "x" * 70000 + GOOD,
    ],
)
def test_a_file_that_holds_no_usable_key_is_refused(path: Path, text: str) -> None:
    path.write_text(text)
    assert isinstance(refusal(path), SettingsError)


def test_what_is_wrong_with_a_secret_does_not_show_it() -> None:
    with pytest.raises(SettingsError) as caught:
        parse_key(GOOD.replace(SECRET, SECRET[:-1] + "!"), "f")
    assert caught.value.__cause__ is None
    assert SECRET[:8] not in f"{caught.value!r}{vars(caught.value)}{caught.value.__context__!r}"


def test_a_missing_file_is_named_with_the_way_to_make_one(tmp_path: Path) -> None:
    error = refusal(tmp_path / "absent")
    assert isinstance(error, MissingError)
    assert "tsig-keygen" in error.resolution


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644, 0o666])
def test_a_file_that_others_may_read_or_write_is_refused(path: Path, mode: int) -> None:
    path.chmod(mode)
    error = refusal(path)
    assert f"mode {mode:04o}" in error.brief
    assert "chmod 0600" in error.resolution


def test_a_file_of_somebody_else_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    assert "belongs to user id" in refusal(path).brief


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a file away takes root")
def test_root_refuses_a_file_that_is_not_roots(path: Path) -> None:
    os.chown(path, 1, -1)
    assert "belongs to user id 1, not to root" in refusal(path).brief


def test_a_symbolic_link_is_refused(path: Path) -> None:
    link = path.with_name("link")
    link.symlink_to(path)
    assert "is a symbolic link" in refusal(link).brief


def test_a_dangling_link_is_refused_as_a_link(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "absent")
    assert "is a symbolic link" in refusal(link).brief


def test_a_fifo_is_refused_without_waiting(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo, 0o600)
    assert "is not a plain file" in refusal(fifo).brief


def test_a_directory_is_refused(tmp_path: Path) -> None:
    assert "is not a plain file" in refusal(tmp_path).brief


def test_a_file_below_a_file_is_refused(path: Path) -> None:
    assert "cannot be read" in refusal(path / "deeper").brief
