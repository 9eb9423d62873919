"""Images that are shared: pushed where others find them."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from raptorctl.api.image import known, login, refuse_damaged
from raptorctl.api.named_file import at_home
from raptorctl.api.session import Session
from raptorctl.api.unwatched import UNWATCHED
from raptorctl.drivers.image import Offer, Pushed, Watch
from raptorctl.errors import InputError, MissingError, RefusedError
from raptorctl.model.error_code import Code
from raptorctl.model.image import Image, Reference
from raptorctl.model.image_target import Target, called_at, parse_target
from raptorctl.model.image_version import Paper, Statement
from raptorctl.read.image_statement import own_statement, statement_of, vouched_statement
from raptorctl.render.image_statement import statement_text


def target_of(session: Session, text: str, target: str, *, expires: str = "") -> Target:
    """Read where somebody wants an image pushed.

    Args:
        session: the host, and who asks.
        text: the image's name, source or digest: it may give the tag.
        target: `oci://REGISTRY/REPOSITORY:TAG`, `ssh://HOST/FOLDER`, or a folder's path.
        expires: the first day that a folder's index is believed no more, ISO 8601; or "".

    Raises:
        InputError: the target is none, or has no index.
        MissingError: there is no such image.
    """
    name = known(session, text).name
    where = parse_target(at_home(target, session.caller.name), name, str(Path.cwd()))
    if expires and where.kind == "oci":
        raise InputError("--expires is of a folder's index, and a registry has none")
    return replace(where, expires=f"{expires}T00:00:00Z" if expires else "")


def push(
    session: Session,
    text: str,
    target: Target,
    *,
    password_file: str | None = None,
    watch: Watch = UNWATCHED,
) -> Pushed:
    """Share an image of the cache.

    Args:
        session: the host, and who asks.
        text: the image's name, source or digest.
        target: where; see `target_of`.
        password_file: for a registry.
        watch: is told what is done, and how far it is.

    Raises:
        MissingError: there is no such image.
        RefusedError: it is damaged, or signed by another name.
        UploadError: it is not there; nobody sees a part of it.
    """
    session.require_root()
    found = known(session, text)
    refuse_damaged(session, found.name)
    offer = offer_of(_reference(session, found), target)
    return session.images.push(offer, target, login(password_file), watch)


def sign(
    session: Session, text: str, key: str, *, called: str = "", expires: str = ""
) -> tuple[Image, Statement]:
    """Sign an image of the cache, so that others can tell where it is from.

    Args:
        session: the host, and who asks.
        text: the image's name, source or digest.
        key: the path of a private key, or of a public one whose private key an agent has.
        called: what it is signed as; "" for its name.
        expires: the first day that the signature is believed no more, ISO 8601; or "" for never.

    Raises:
        InputError: the key cannot be read, or used.
        MissingError: there is no such image.
        RefusedError: it is damaged.
    """
    session.require_root()
    found = known(session, text)
    refuse_damaged(session, found.name)
    ours = vouched_statement(_reference(session, found))
    name = found.name.partition("@")[0]
    said = replace(
        ours,
        name=called or name,
        serial=max(int(datetime.now(UTC).timestamp()), _last_serial(session, name) + 1),
        expires=f"{expires}T00:00:00Z" if expires else "",
    )
    session.images.sign(found, statement_text(said), key)
    return found, said


def offer_of(reference: Reference, target: Target) -> Offer:
    """Return what is offered of an image of the cache.

    Raises:
        RefusedError: it is signed as something else than the target would call it; or what is
            signed is another file.
    """
    said, own, path = statement_of(reference), own_statement(reference), reference.image.path
    name = called_at(target, said.name)
    if reference.paper.signature:
        _refuse_other_name(said.name, target, name)
        _refuse_other_file(said, reference.image)
        return Offer(path, said, reference.paper)
    # Nobody vouches for the rest, and that can be seen; the file is the one that is here.
    said = replace(said, name=name, digest=own.digest, size=own.size, format=own.format)
    return Offer(path, said, Paper(statement_text(said)))


def _refuse_other_name(signed: str, target: Target, name: str) -> None:
    fits = signed == name or (target.kind == "oci" and signed == name.partition(":")[0])
    if not fits:
        raise RefusedError(
            f"it is signed as {signed}, and {target.text} would call it {name}",
            resolution=f"`raptorctl image sign --as {name}` it",
            code=Code.SIGNATURE_INVALID,
            subject=signed,
        )


def _refuse_other_file(said: Statement, image: Image) -> None:
    if said.digest != image.digest:
        raise RefusedError(
            f"what is signed of {image.name} is another file: "
            f"build {said.build}, and {image.short} is here",
            resolution="sign it yourself, or pull it again",
            code=Code.SIGNATURE_INVALID,
            subject=image.name,
        )


def _last_serial(session: Session, name: str) -> int:
    """Return the largest among all versions of a name that are here.

    What nobody vouches for counts no further than until now: it could be the largest there is.
    """
    now = int(datetime.now(UTC).timestamp())
    same = (i for i in session.images.known() if i.name.partition("@")[0] == name)
    here = [each for image in same if (each := session.images.reference(image))]
    serials = ((statement_of(each).serial, each.paper.signer or each.built) for each in here)
    return max((serial if vouched else min(serial, now) for serial, vouched in serials), default=0)


def _reference(session: Session, image: Image) -> Reference:
    if found := session.images.reference(image):
        return found
    raise MissingError(f"nothing of image {image.name} can be read", subject=image.name)
