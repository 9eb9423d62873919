import base64

import pytest

from raptorctl.errors import InputError
from raptorctl.model.ssh_key import MOST_KEYS, keys_text, parse_keys, read_keys_text

GOOD = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDKoPeXSduOGDzJpXcxXPkt2BqtbagDwzxBGIUanLl4+ alice@laptop"
)
FINGERPRINT = "SHA256:dtpeYO2ksmzST7cHNTZxWOb53cClZbyxpe+DRwM2V/g"  # as ssh-keygen -l says


def made(kind: str, *fields: bytes) -> str:
    """A key of any type, with whatever in it."""
    parts = [kind.encode(), *fields]
    data = b"".join(len(part).to_bytes(4) + part for part in parts)
    return f"{kind} {base64.b64encode(data).decode()}"


def rsa(bits: int) -> str:
    return made("ssh-rsa", b"\x01\x00\x01", (1 << (bits - 1) | 1).to_bytes(bits // 8 + 1))


def test_a_key_is_read_and_known_by_its_fingerprint() -> None:
    (key,) = parse_keys(f"# mine\n\n{GOOD}\n")
    assert str(key) == GOOD
    assert key.fingerprint == FINGERPRINT


def test_sshd_is_told_to_restrict_every_key_and_what_it_is_told_reads_back() -> None:
    keys = parse_keys(f"{GOOD}\n{rsa(3072)} second key\n")
    text = keys_text(keys)
    assert all(line.startswith("restrict,pty ssh-") for line in text.splitlines())
    assert read_keys_text(text) == keys
    assert read_keys_text("") == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no key"),
        ("# none\n", "there is no key"),
        ("hello", "line 1 is not a public key"),
        (f"{GOOD}\n{GOOD}", "line 2 has a key that occurs above"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nabc", "line 1 begins a private key"),
        (f'command="sh" {GOOD}', "line 1 begins with options"),
        (f"restrict {GOOD}", "line 1 begins with options"),
        (made("ssh-dss", b"p", b"q", b"g", b"y"), "DSA"),
        (made("ssh-ed25519-cert-v01@openssh.com", b"x"), "certificate"),
        (rsa(2048), "RSA key of 2048 bits"),
        (GOOD.replace("AAAAC3", "AAAAC4"), "damaged"),
        (GOOD.replace("ssh-ed25519", "ssh-rsa"), "not what it calls itself"),
        (made("ssh-ed25519", b"short"), "damaged"),
        (made("ssh-ed25519", b"x" * 32, b"more"), "damaged"),
        ("ssh-ed25519 AAAA*", "damaged"),
        ("ssh-ed25519", "damaged"),
        (f"{GOOD}\0", "control character"),
        (f"{GOOD}\r{GOOD}\r", "carriage returns"),
        (f"{GOOD} {'x' * 300}", "comment"),
        (f"{GOOD} \u202e", "comment"),
        (f"ssh-ed25519 {'A' * 17 * 1024}", "longer than 16384"),
        ("x" * 70000, "more than 65536 bytes"),
    ],
)
def test_what_is_not_one_good_key_per_line_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_keys(text)


BLOB = GOOD.split()[1]


@pytest.mark.parametrize(
    ("text", "comment"),
    [
        (f"{GOOD}\r\n", "alice@laptop"),
        (f"ssh-ed25519 {BLOB}\r\n", ""),
        (f"\ufeff{GOOD}\n", "alice@laptop"),
        (f"\ufeff# mine\r\n\r\n{GOOD}\r\n", "alice@laptop"),
        (f"\tssh-ed25519\t{BLOB} \ta\tb\t\n", "a b"),
        (
            f"ssh-ed25519 {BLOB} Zo\xeb Ex\xe4mple (\u7b14\u8bb0\u672c)\n",
            "Zo\xeb Ex\xe4mple (\u7b14\u8bb0\u672c)",
        ),
    ],
)
def test_a_key_is_taken_from_other_systems_as_openssh_takes_it(text: str, comment: str) -> None:
    (key,) = parse_keys(text)
    assert (key.blob, key.comment) == (BLOB, comment)
    assert read_keys_text(keys_text((key,))) == (key,)


@pytest.mark.parametrize(
    ("text", "said", "advice"),
    [
        ("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA", "RFC 4716", "ssh-keygen -i -f FILE"),
        ("-----BEGIN PUBLIC KEY-----", "PKCS #8", "ssh-keygen -i -m PKCS8 -f FILE"),
        ("-----BEGIN RSA PUBLIC KEY-----", "in PEM", "ssh-keygen -i -m PEM -f FILE"),
        ("-----BEGIN PGP PUBLIC KEY BLOCK-----", "PGP", "gpg --export-ssh-key"),
        ("-----BEGIN CERTIFICATE-----", "X.509", "openssl x509 -pubkey"),
        ("PuTTY-User-Key-File-3: ssh-ed25519", "private key", "puttygen FILE -O public-openssh"),
        ('{"kty":"OKP"}', "JWK", "ssh-keygen"),
        ("<!DOCTYPE html>", "web page", "ssh-keygen"),
        (base64.b64encode(GOOD.encode()).decode(), "in base64", "base64 -d"),
        (BLOB, "no type", "ssh-keygen"),
        (f'"{GOOD}"', "quotation mark", "take it away"),
        ("2048 65537 1234 old", "protocol 1", "ssh-keygen"),
        (f"example.org {GOOD}", "known_hosts", "ssh-keygen"),
        (f"|1|abc=|def= {GOOD}", "known_hosts", "ssh-keygen"),
        (f"rsa-sha2-512 {BLOB}", "called ssh-rsa", "ssh-keygen"),
        (f"ssh-xmss@openssh.com {BLOB}", "of a type that is not taken", "ssh-keygen"),
        (f'from="10.0.0.0/8, ::1" {GOOD}', "options", "take them away"),
        (f"no-pty {GOOD}", "options", "take them away"),
        (f"cert-authority {GOOD}", "options", "take them away"),
        (f"ssh-ed25519 {BLOB[:40]}\n{BLOB[40:]}", "broken over lines", "ssh-keygen"),
        ("age1qqq", "of age", "ssh-keygen"),
    ],
)  # fmt: skip
def test_what_people_have_instead_of_a_key_is_named_with_what_makes_one_of_it(
    text: str, said: str, advice: str
) -> None:
    with pytest.raises(InputError) as error:
        parse_keys(f"\ufeff{text}\r\n")
    assert said in str(error.value)
    assert advice in str(error.value)


def test_a_tenant_has_so_many_keys_and_no_more() -> None:
    keys = [made("ssh-ed25519", bytes([n]) * 32) for n in range(MOST_KEYS + 1)]
    assert len(parse_keys("\n".join(keys[:-1]))) == MOST_KEYS
    with pytest.raises(InputError, match="51 keys"):
        parse_keys("\n".join(keys))


def test_what_may_be_secret_is_not_said() -> None:
    with pytest.raises(InputError) as error:
        parse_keys("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAA\n")
    assert "b3Blb" not in str(error.value)
