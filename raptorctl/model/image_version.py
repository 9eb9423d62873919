"""Versions of images: what travels with one that is shared, so that others can judge it.

A name has versions; each is known by its build, the beginning of its digest. What is known of a
version stands in its statement, a small JSON text beside the image, and that text is what is
signed (SSHSIG, OpenSSH's PROTOCOL.sshsig).
"""

from dataclasses import dataclass
from typing import Final

BUILD: Final = 12
"""Digits of a digest that a build is called by."""
STATEMENT: Final = 1
"""The version of a statement's shape."""


@dataclass(frozen=True)
class Provenance:
    """What an image was built from, by whom, when and with what.

    Args:
        source: what the build began as, as `image pull` takes it.
        source_digest: that image's SHA-256, hexadecimal.
        steps_digest: SHA-256 of all that was done to it, hexadecimal.
        who: the account that had it built.
        when: UTC, RFC 3339.
        raptorctl: the version that built it.
    """

    source: str
    source_digest: str
    steps_digest: str
    who: str
    when: str
    raptorctl: str


@dataclass(frozen=True)
class Statement:
    """What is said of one version of an image, and signed.

    Args:
        name: what the image is called.
        digest: SHA-256 of its file, hexadecimal.
        size: bytes of the file.
        format: `raw`, `qcow2` or `vmdk`; or `iso`.
        made: when it was built, or came to whoever shares it; UTC, RFC 3339.
        serial: grows from one version of a name to the next; an older one never takes its place.
        expires: when it is believed no more, UTC, RFC 3339; or "" for never.
        built: how, if a build is known.
        statement: the version of this shape.
    """

    name: str
    digest: str
    size: int
    format: str
    made: str
    serial: int
    expires: str = ""
    built: Provenance | None = None
    statement: int = STATEMENT

    @property
    def build(self) -> str:
        """What the version is called by."""
        return self.digest[:BUILD]


@dataclass(frozen=True)
class Paper:
    """What came with an image, or goes with it: a statement to the letter, and who signed it.

    Args:
        text: the statement's JSON; "" for none.
        signature: armored, as `ssh-keygen -Y sign` writes it; "" for none.
        signer: whom the host's list of signers knows the key as, when it was checked; or "".
    """

    text: str = ""
    signature: str = ""
    signer: str = ""


def file_name(statement: Statement, ending: str = "") -> str:
    """What a version's file is called where images are shared: `web@655d40f4f3f3.qcow2`.

    Args:
        statement: of the version.
        ending: of its file; "" for the image's own.
    """
    return f"{statement.name}@{statement.build}.{ending or statement.format}"
