"""Lists of checksums as distributions publish them: SHA256SUMS, CHECKSUM, or a lone digest."""

import re
from dataclasses import dataclass
from typing import Final

# GNU coreutils, "cksum output modes": `DIGEST  NAME`, `DIGEST *NAME`; or `SHA256 (NAME) = DIGEST`.
GNU: Final = re.compile(r"\\?([0-9a-fA-F]{64,128})(?:[ \t]+\*?(?:\./)?(\S.*))?", re.ASCII)
BSD: Final = re.compile(r"SHA(?:256|512) \((.+)\) = ([0-9a-fA-F]{64,128})", re.ASCII)
ALGORITHMS: Final = {64: "sha256", 128: "sha512"}
"""By digits; anything weaker is no proof."""


@dataclass(frozen=True)
class Checksum:
    """What a file's digest must be.

    Args:
        algorithm: `sha256` or `sha512`, as hashlib calls it.
        digest: hexadecimal, lower case.
    """

    algorithm: str
    digest: str


def checksum_of(text: str, file_name: str) -> Checksum | None:
    """Find a file's checksum in a list, or None.

    Args:
        text: the list; a lone digest in it counts for any file.
        file_name: without its directories.
    """
    lone = []
    for line in map(str.strip, text.splitlines()):
        named = BSD.fullmatch(line)
        plain = GNU.fullmatch(line)
        name, digest = (
            (named[1], named[2]) if named else (plain[2], plain[1]) if plain else ("", "")
        )
        if len(digest) not in ALGORITHMS:
            continue
        found = Checksum(ALGORITHMS[len(digest)], digest.lower())
        if not name:
            lone.append(found)
        elif name.rpartition("/")[2] == file_name:
            return found
    return lone[0] if len(lone) == 1 else None
