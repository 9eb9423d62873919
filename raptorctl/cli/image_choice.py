"""Which image a disk begins as, fetched before a person's eyes."""

from collections.abc import Mapping

from raptorctl.api.session import Session
from raptorctl.model.disk import DiskSpec
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
    from raptorctl.api.image import fetched, foreseen
    from raptorctl.cli.image_watch import watched

    if dry_run:
        return foreseen(session, text)
    with watched() as watch:
        return fetched(session, text, watch=watch)


def disks_begin_as(
    session: Session, disks: Mapping[str, DiskSpec] | None, *, dry_run: bool
) -> dict[str, Image]:
    """Return the images that further disks begin as, by the disk's name; as `begins_as`."""
    found = {n: begins_as(session, s.image, dry_run=dry_run) for n, s in (disks or {}).items()}
    return {name: image for name, image in found.items() if image}
