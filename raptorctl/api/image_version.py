"""Versions of images: which there are in the cache, and how many stay."""

from dataclasses import dataclass

from raptorctl.api.image import known
from raptorctl.api.session import Session
from raptorctl.drivers.image import Waste
from raptorctl.errors import RaptorError
from raptorctl.model.image import Image, Reference
from raptorctl.model.image_version import Provenance
from raptorctl.read.image_statement import statement_of


@dataclass(frozen=True)
class Version:
    """A version of an image in the cache.

    Args:
        name: what it is a version of.
        build: what it is called by; `NAME@BUILD` means it and no other.
        image: its own name in the cache.
        digest: SHA-256 of its file, hexadecimal.
        made: when it was built, or came to whoever shares it, UTC, RFC 3339.
        serial: larger for newer ones.
        signed: whether a signature goes with it.
        signer: whom the host knew that key as when it was pulled, or "".
        source: where it came from, or what it was built from.
        built: how a build made it, if one did.
    """

    name: str
    build: str
    image: str
    digest: str
    made: str
    serial: int
    signed: bool
    signer: str
    source: str
    built: Provenance | None


def versions(session: Session) -> tuple[Version, ...]:
    """Return all versions in the cache of which something can be read, the newest of each first."""
    known_ = (session.images.reference(image) for image in session.images.known())
    found = [version for each in known_ if each and (version := version_of(each))]
    newest = sorted(found, key=lambda v: (v.image == v.name, v.serial), reverse=True)
    return tuple(sorted(newest, key=lambda v: v.name))


def reference_of(session: Session, image: Image) -> Version | None:
    """Return an image's version; None where nothing can be read of it."""
    found = session.images.reference(image)
    return version_of(found) if found else None


def version_of(reference: Reference) -> Version | None:
    """Return what is known of an image, as a version; None where its statement cannot be read."""
    image, paper = reference.image, reference.paper
    try:
        said = statement_of(reference)
    except RaptorError:
        return None
    return Version(
        name=image.name.partition("@")[0],
        build=image.short,
        image=image.name,
        digest=image.digest,
        made=said.made,
        serial=said.serial,
        signed=bool(paper.signature),
        signer=paper.signer,
        source=said.built.source if said.built else image.source,
        built=said.built,
    )


def keep(session: Session, name: str, count: int | None) -> tuple[Waste, ...]:
    """Say how many of the newest versions of a name stay.

    Returns what `gc` would remove now, but for what a machine needs: no machine is asked.

    Args:
        session: the host, and who asks.
        name: of an image, without a build.
        count: from 1; None for all of them.

    Raises:
        MissingError: there is no such image.
        HostError: what was said of other names cannot be read.
    """
    session.require_root()
    found = known(session, name).name.partition("@")[0]
    session.images.keep(found, count)
    waste = session.images.waste((), ())
    return tuple(each for each in waste if each.image.partition("@")[0] == found)
