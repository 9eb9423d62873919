"""What else people hand in for a public key: each by its name, and how to make a key's line of it.

The commands are those of ssh-keygen(1), puttygen(1), gpg(1) and openssl(1).
"""

import re
from typing import Final

ADVICE: Final = "give what ssh-keygen wrote to its .pub file"
_PKCS8: Final = "ssh-keygen -i -m PKCS8 -f FILE"
_FORMATS: Final = (
    (r"---- BEGIN SSH2 PUBLIC KEY", "begins a key as RFC 4716 has it", "ssh-keygen -i -f FILE"),
    (r"-----BEGIN RSA PUBLIC KEY", "begins a key in PEM", "ssh-keygen -i -m PEM -f FILE"),
    (r"-----BEGIN PUBLIC KEY", "begins a key in PKCS #8", _PKCS8),
    (r"-----BEGIN PGP ", "begins a PGP key", "gpg --export-ssh-key ID"),
    (
        r"-----BEGIN (TRUSTED )?CERTIFICATE",
        "begins an X.509 certificate",
        f"openssl x509 -pubkey -noout -in CERTIFICATE >FILE, then {_PKCS8}",
    ),
    (r"-----BEGIN SSH SIGNATURE", "begins a signature, not a key", ""),
    (r"-----BEGIN ", "begins what is no public key of ssh's", ""),
    (r"\{", "begins JSON (a JWK, if it is a key), not a key of ssh's", ""),
    (r"<", "begins a web page", ""),
    (r"c3NoL|ZWNkc2Et|c2stc3No|c2stZWNkc2", "is a key in base64", "base64 -d FILE"),
    (r"AAAA[A-Z]3Nza|AAAAE2VjZH", "has no type before the key", ""),
    (r"[\"'\u201c\u2018]", "begins with a quotation mark", "take it away"),
    (r"untrusted comment:", "begins a key of signify or minisign, not of ssh", ""),
    (r"age1", "is a key of age, not of ssh", ""),
    (r"\d+ \d+ \d+", "is a key of ssh's protocol 1, which OpenSSH no longer takes", ""),
    (r"ssh-dss ", "is a DSA key, which OpenSSH no longer takes", ""),
    (
        r"\S+-cert-v\d\S* ",
        "is a certificate, not a key",
        "give the .pub file that was certified",
    ),
    (r"rsa-sha2-(256|512) ", "is named for a signature; a key of RSA is called ssh-rsa", ""),
    (r"(pk-)?(ssh|sk|ecdsa|webauthn)-\S+ AAAA", "is a key of a type that is not taken", ""),
)
"""How a line begins, in either case; what it is; what to do. Compiled where a key is refused."""
_OPTIONS: Final = re.compile(
    r"(no-)?(agent-forwarding|port-forwarding|pty|user-rc|x11-forwarding)\b"
    r"|restrict\b|cert-authority\b|verify-required\b|no-touch-required\b|[a-z0-9-]+=",
    re.IGNORECASE,
)
"""sshd(8), AUTHORIZED_KEYS FILE FORMAT."""
_HOSTS: Final = re.compile(r"(@\S+ )?\S+ (ssh|sk|ecdsa)-\S+ AAAA")
"""sshd(8), SSH_KNOWN_HOSTS FILE FORMAT."""
_PRIVATE: Final = re.compile(r"PRIVATE KEY|^PuTTY-User-Key-File", re.IGNORECASE)


def is_private(line: str) -> bool:
    """Whether a line begins a private key; PuTTY's files have both halves."""
    return bool(_PRIVATE.search(line))


def private_advice(line: str) -> str:
    """What to hand in instead of a private key."""
    putty = line.lower().startswith("putty")
    return "puttygen FILE -O public-openssh" if putty else ADVICE


def why_not(line: str) -> tuple[str, str]:
    """Say what a line is that is no public key, and what to do.

    Args:
        line: without blanks around it. It may be secret, and nothing of it is said.
    """
    if _OPTIONS.match(line):
        return "begins with options; a key comes without any", "take them away"
    found = next((one for one in _FORMATS if re.match(one[0], line, re.IGNORECASE)), None)
    if found:
        return found[1], found[2] or ADVICE
    if _HOSTS.match(line):
        return "is of a known_hosts file: it is the key of a host", ADVICE
    return "is not a public key", ADVICE
