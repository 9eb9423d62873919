"""Which image somebody means: one that is here, or one that is to be pulled."""

import os
from pathlib import Path

from raptorctl.cli.image_watch import watched
from raptorctl.cli.output import plain
from raptorctl.cli.session import Session
from raptorctl.errors import InputError, MissingError
from raptorctl.host.image_drivers import Login, Wanted
from raptorctl.model.image import Image, find
from raptorctl.model.image_source import Source, parse_source


def fetched(session: Session, text: str, password_file: str | None = None) -> Image:
    """Return the image that somebody wants a machine to begin as; pull it if it is not here.

    Args:
        session: the run.
        text: a name, digest, reference, URL or path, as `image pull` and `image inspect` take it.
        password_file: for a registry.

    Raises:
        InputError: nothing is called so.
        HostError: it cannot be had.
    """
    here = find(session.images.list(), text)
    try:
        source = source_of(text)
    except InputError:
        if here:
            return here
        raise
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
    here = find(session.images.list(), text)
    try:
        source = source_of(text)
    except InputError:
        if here:
            return here
        raise
    return session.images.foresee(Wanted(source, login=login(None)))


def known(session: Session, text: str) -> Image:
    """Return an image that is here, whole or not.

    Raises:
        MissingError: there is none of that name, source or digest.
    """
    images = session.images.known()
    if found := find(images, text) or find(images, str(Path.cwd() / text)):
        return found
    raise MissingError(f"no such image: {plain(text)}", resolution="see `raptorctl image list`")


def login(password_file: str | None) -> Login:
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
