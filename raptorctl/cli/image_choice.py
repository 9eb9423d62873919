"""Which image a disk begins as, fetched before a person's eyes."""

from raptorctl.api.image import fetched, foreseen
from raptorctl.api.session import Session
from raptorctl.cli.image_watch import watched
from raptorctl.model.image import Image


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
    if dry_run:
        return foreseen(session, text)
    with watched() as watch:
        return fetched(session, text, watch=watch)
