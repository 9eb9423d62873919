"""Which image somebody means: one that is here, or one that is to be pulled."""

import os
from pathlib import Path

from raptorctl.cli.image_watch import watched
from raptorctl.cli.output import plain
from raptorctl.cli.session import Session
from raptorctl.drivers.image import RegistryLogin, Wanted
from raptorctl.errors import InputError, MissingError, RefusedError
from raptorctl.model.error_code import Code
from raptorctl.model.image import UNSEEN, Image, find
from raptorctl.model.image_source import Source, parse_source


def fetched(session: Session, text: str, password_file: str | None = None) -> Image:
    """Return the image that somebody wants a machine to begin as; pull it if it is not here.

    Args:
        session: the run.
        text: a name, digest, reference, URL or path, as `image pull` and `image inspect` take it.
        password_file: for a registry.

    Raises:
        InputError: nothing is called so.
        RefusedError: it is here, and damaged, and not what a catalogue knows by that name.
        HostError: it cannot be had.
    """
    source = _sought(session, text)
    if isinstance(source, Image):
        return source
    with watched() as watch:
        return session.images.pull(Wanted(source, login=login(password_file)), watch).image


def begins_as(session: Session, text: str | None, *, dry_run: bool) -> Image | None:
    """Return the image that a disk begins as.

    Args:
        session: the run.
        text: as for `fetched`; None for an empty disk.
        dry_run: nothing is to change: what is not here is asked about, and not pulled.

    Raises:
        InputError: nothing is called so.
        HostError: it cannot be had.
    """
    if text is None:
        return None
    return foreseen(session, text) if dry_run else fetched(session, text)


def foreseen(session: Session, text: str) -> Image:
    """Return the image that `fetched` would, as far as it is known; raises as that begins."""
    source = _sought(session, text)
    if isinstance(source, Image):
        return source
    return session.images.foresee(Wanted(source, login=login(None)))


def _sought(session: Session, text: str) -> Image | Source:
    """Return where an image is to be had; the image itself where only the cache knows the name."""
    here = find(session.images.list(), text)
    try:
        source = source_of(text)
    except InputError:
        if here:
            return here
        refuse_damaged(session, text)
        raise
    if not here:
        refuse_damaged(session, text, source.text)
    return source


def refuse_damaged(session: Session, text: str, source: str = "") -> None:
    """Refuse an image that is here, and not whole; what its source still has comes anew.

    Args:
        session: the run.
        text: a name, source, or digest.
        source: what would be pulled, or "".

    Raises:
        RefusedError: says what is wrong with it.
    """
    damaged = session.images.damaged()
    bad = find((i for i in all_images(session) if i.name in damaged), text)
    if bad and bad.source != (source or None):
        again = "`raptorctl image remove` it, and pull it again"
        if bad.source.startswith("/") or "://" in bad.source:
            again = f"raptorctl image pull {plain(bad.source)} --name {plain(bad.name)}"
        problem = damaged[bad.name]
        raise RefusedError(
            f"image {bad.name} is damaged: {problem}",
            resolution=again,
            code=Code.IMAGE_DAMAGED,
            subject=bad.name,
        )


def all_images(session: Session) -> tuple[Image, ...]:
    """Return all that have a name; of what cannot be read, no more than that."""
    images = session.images.known()
    lost = set(session.images.damaged()) - {image.name for image in images}
    all_ = (*images, *(Image(name, "", *UNSEEN) for name in lost))
    return tuple(sorted(all_, key=lambda image: image.name))


def known(session: Session, text: str) -> Image:
    """Return an image that is here, whole or not.

    Raises:
        MissingError: there is none of that name, source or digest.
    """
    images = all_images(session)
    if found := find(images, text) or find(images, str(Path.cwd() / text)):
        return found
    raise MissingError(
        f"no such image: {plain(text)}",
        resolution="see `raptorctl image list`",
        code=Code.IMAGE_NOT_FOUND,
        subject=text,
    )


def login(password_file: str | None) -> RegistryLogin:
    """Read what a registry asks for."""
    from raptorctl.host.image_login import registry_login

    return registry_login(password_file, os.environ)


def source_of(text: str) -> Source:
    """Read what somebody typed, by the host's own catalogue as well.

    Raises:
        InputError: it is no source.
    """
    from raptorctl.host.image_catalogue import catalogue

    return parse_source(text, catalogue(), str(Path.cwd()))
