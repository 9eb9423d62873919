"""Whether an image that comes from somewhere may come in: who signed it, and how old it is."""

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from raptorctl.errors import RefusedError
from raptorctl.host.image.signature import verified
from raptorctl.host.system.files import read_trusted
from raptorctl.model.error_code import Code
from raptorctl.model.image import Reference
from raptorctl.model.image_version import Paper, Statement
from raptorctl.model.stamp import stamp
from raptorctl.read.image_statement import parse_statement

SIGNERS: Final = "image_signers"
"""The file of allowed signers, among the host's own settings."""


@dataclass(frozen=True)
class Claim:
    """What came with an image, before it is believed.

    Args:
        source: where it comes from, as people know it.
        names: what it may be called; one of them must be what is signed. One that ends in a colon
            stands for any tag.
        digest: SHA-256 of the file that will come, hexadecimal.
        size: its bytes.
        paper: what came with it.
    """

    source: str
    names: tuple[str, ...]
    digest: str
    size: int
    paper: Paper


class Trust:
    """A host's list of signers.

    Args:
        signers: its file; where it is missing, nothing need be signed.
        unsigned: whether what is not signed may come in all the same.
    """

    def __init__(self, signers: Path | None, *, unsigned: bool = False) -> None:
        self._signers, self._unsigned = signers, unsigned

    @property
    def _list(self) -> Path | None:
        """The list, if there is one.

        Raises:
            SettingsError: somebody else could have written it.
        """
        if self._signers is None or not os.path.lexists(self._signers):
            return None
        read_trusted(self._signers)
        return self._signers

    def refuse_unsigned(self, source: str) -> None:
        """Refuse what has no signature, where there is a list of signers.

        Raises:
            RefusedError: says how to have it all the same.
        """
        if not self._unsigned and (signers := self._list):
            raise RefusedError(
                f"{source} is not signed, and {signers} asks for it",
                resolution="have it signed; or `raptorctl image pull --allow-unsigned`",
                code=Code.IMAGE_UNSIGNED,
                subject=source,
            )

    def accept(self, claim: Claim, known: Reference | None) -> Paper:
        """Believe what is said of an image, or refuse it.

        Args:
            claim: what came.
            known: what the same source gave the last time, or None.

        Raises:
            ImageError: statement or signature are none.
            RefusedError: it is unsigned, signed by nobody known, for something else, of something
                else, too old, or older than what is here; or its statement is of another file.
        """
        if not claim.paper.signature or not claim.paper.text:
            self.refuse_unsigned(claim.source)
        if not claim.paper.text:
            return Paper()
        signer, signers = "", self._list
        if claim.paper.signature and signers:
            signer = verified(claim.paper.text, claim.paper.signature, signers, claim.source)
        said = parse_statement(claim.paper.text.encode(), f"what is said of {claim.source}")
        # Signed or not: whoever signs or pushes it later would pass on what is said of it.
        _refuse_other_file(said, claim, signed=bool(signer))
        if signer:
            _refuse_other_name(said, claim)
        _refuse_old(said, claim.source, known)
        return replace(claim.paper, signer=signer)


def replaces(paper: Paper, before: Paper) -> bool:
    """Whether what came anew with a file that is here is kept in place of what came before.

    Serial, signature and expiry may be later ones. What is not signed takes no signature's place.

    Args:
        paper: what came, and is believed.
        before: what is kept until now, or was signed here.
    """
    if not paper.text or paper == before or (before.signature and not paper.signature):
        return False
    new, old = (parse_statement(p.text.encode(), "") if p.text else None for p in (paper, before))
    return new is not None and (old is None or new.serial >= old.serial)


def _refuse_other_file(said: Statement, claim: Claim, *, signed: bool) -> None:
    """Refuse a statement of another file than the one that comes."""
    if said.digest != claim.digest:
        should, found = f"sha256 should be {said.build}...", f"is {claim.digest[:12]}..."
    elif said.size != claim.size:
        should, found = f"it should have {said.size} bytes", f"has {claim.size}"
    else:
        return
    changed = "somebody has changed it: do not use it"
    if signed:
        raise RefusedError(
            f"what {claim.source} gives is not what was signed: {should}, and {found}",
            resolution=changed,
            code=Code.SIGNATURE_INVALID,
            subject=claim.source,
        )
    raise RefusedError(
        f"what {claim.source} gives is not what is said of it: {should}, and {found}",
        resolution=changed,
        code=Code.CHECKSUM_DIFFERS,
        subject=claim.source,
    )


def _refuse_other_name(said: Statement, claim: Claim) -> None:
    """Refuse a statement that is true, and of another image."""
    if not any(_is_called(said.name, name) for name in claim.names):
        raise RefusedError(
            f"what {claim.source} gives is signed as {said.name}, which is another image",
            resolution=f"ask for {said.name}, or have it signed as {claim.names[0]}",
            code=Code.SIGNATURE_INVALID,
            subject=claim.source,
        )


def _is_called(signed: str, name: str) -> bool:
    return signed == name or (name.endswith(":") and signed.startswith(name))


def _refuse_old(said: Statement, source: str, known: Reference | None) -> None:
    if said.expires and said.expires <= stamp(datetime.now(UTC)):
        raise RefusedError(
            f"what is said of {source} has expired on {said.expires[:10]}",
            resolution="whoever shares it should sign it anew",
            code=Code.IMAGE_EXPIRED,
            subject=source,
        )
    if known is None or not known.paper.text:
        return
    here = parse_statement(known.paper.text.encode(), f"what is said of {known.image.name}")
    if said.serial < here.serial:
        raise RefusedError(
            f"{source} gives an older version than the one here: serial {said.serial}, "
            f"and {here.serial} is here",
            resolution=f"pin it by its build, or `raptorctl image remove {known.image.name}`",
            code=Code.IMAGE_OLDER,
            subject=source,
        )
