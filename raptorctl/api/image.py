"""What machines' disks begin as, kept once for all of them."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from raptorctl.api.change import refuse_unfinished
from raptorctl.api.session import Session
from raptorctl.api.unwatched import UNWATCHED
from raptorctl.drivers.image import Pulled, RegistryLogin, Wanted, Waste, Watch
from raptorctl.errors import InputError, MissingError, RefusedError, UnreachableError
from raptorctl.model.disk import disks
from raptorctl.model.domain import Domain, Mark
from raptorctl.model.error_code import Code
from raptorctl.model.image import UNSEEN, Damaged, Image, find, image_name
from raptorctl.model.image_source import Source, parse_source
from raptorctl.model.medium import ISO, digest_in
from raptorctl.model.text import plain


def pull(session: Session, wanted: Wanted, watch: Watch = UNWATCHED) -> Pulled:
    """Have an image here, whole and checked; one that is here already is not asked for again.

    Raises:
        HostError: it cannot be had, or is no image.
    """
    session.require_root()
    return session.images.pull(wanted, watch)


def verify(
    session: Session, images: Sequence[Image], watch: Watch = UNWATCHED
) -> list[tuple[Image, bool]]:
    """Hash images anew; each file once, however many names it has."""
    verdicts: dict[str, bool] = {}
    for image in images:
        if image.digest not in verdicts:
            watch.begin(f"hash {image.name}")
            verdicts[image.digest] = session.images.is_whole(image, watch.tick)
    return [(image, verdicts[image.digest]) for image in images]


def remove(session: Session, text: str) -> Image:
    """Forget an image. Its file goes with its last name, unless a machine's disk is built on it.

    Raises:
        MissingError: there is none of that name, source or digest.
        RefusedError: a machine's disk is built on it, or a job is at work or unfinished.
    """
    session.require_root()
    with _alone(session, f"image remove {text}"):
        found = known(session, text)
        _remove(session, found)
    return found


def gc(session: Session, *, dry_run: bool = False) -> tuple[Waste, ...]:
    """Remove what no name and no machine needs, and downloads nobody went on with for a day."""
    session.require_root()
    if dry_run:
        return _waste(session)
    with _alone(session, "image gc"):
        waste = _waste(session)
        for each in waste:
            session.images.sweep(each)
    return waste


def unreadable(session: Session) -> tuple[str, ...]:
    """Return the names of which nothing can be read; `gc` leaves them, and all files meanwhile."""
    known = {image.name for image in session.images.known()}
    return tuple(sorted(set(session.images.damaged()) - known))


def convert(
    session: Session, text: str, form: str, name: str = "", watch: Watch = UNWATCHED
) -> Pulled:
    """Have an image in another format as well.

    Args:
        session: the host, and who asks.
        text: the image's name, source or digest.
        form: `raw` or `qcow2`.
        name: what the new one is called; "" for the old name and the format.
        watch: is told what is done, and how far it is.

    Raises:
        InputError: it has that format already, and would get a second name.
        HostError: it cannot be converted.
    """
    session.require_root()
    found = known(session, text)
    refuse_damaged(session, found.name)
    if found.format == ISO:
        raise InputError(f"{found.name} is an ISO, which is converted to no disk")
    if found.format == form:
        if name not in {"", found.name}:
            raise InputError(
                f"{found.name} is {form} already, and a second name is none of a conversion's",
                resolution=f"raptorctl image pull {found.source} --name {name}",
            )
        return Pulled(found, "already here")
    called = image_name(name or f"{found.name.replace('@', '-')}-{form}")
    return session.images.convert(found, form, called, watch)


def fetched(
    session: Session,
    text: str,
    password_file: str | None = None,
    watch: Watch = UNWATCHED,
    sha256: str = "",
) -> Image:
    """Return the image that somebody wants a machine to begin as; pull it if it is not here.

    Args:
        session: the run.
        text: a name, digest, reference, URL or path, as `image pull` and `image inspect` take it.
        password_file: for a registry.
        watch: is told what is done, and how far it is.
        sha256: what its source must give, before it is unpacked; or "".

    Raises:
        InputError: nothing is called so.
        RefusedError: it is here, and damaged, and not what a catalogue knows by that name.
        HostError: it cannot be had.
    """
    source = _sought(session, text)
    if isinstance(source, Image):
        return source
    wanted = Wanted(source, sha256=sha256, login=login(password_file))
    return session.images.pull(wanted, watch).image


def foreseen(
    session: Session,
    text: str,
    unanswered: Callable[[str], None] | None = None,
    sha256: str = "",
) -> Image:
    """Return the image that `fetched` would, as far as it is known; raises as that begins.

    Args:
        session: the host.
        text: a name, source, or digest.
        unanswered: told that nobody answers there, if that is to be no error.
        sha256: as there.
    """
    source = _sought(session, text)
    if isinstance(source, Image):
        return source
    try:
        return session.images.foresee(Wanted(source, sha256=sha256, login=login(None)))
    except UnreachableError as error:
        if unanswered is None:
            raise
        unanswered(error.brief)
        return Image(source.name, source.text, *UNSEEN)


def _sought(session: Session, text: str) -> Image | Source:
    """Return where an image is to be had; the image itself where only the cache knows the name."""
    here = find(session.images.list(), text)
    try:
        source = source_of(session, text)
    except InputError:
        if here:
            return here
        refuse_damaged(session, text)
        raise
    if not here:
        refuse_damaged(session, text, source.text)
    return source


def lost(session: Session, mark: Mark | None) -> str | None:
    """The image that a machine's disk began as, if it is not in the cache any more."""
    there = {image.digest for image in session.images.list()}
    return mark.image_name if mark and mark.image and mark.image_digest not in there else None


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
        problem = damaged[bad.name]
        raise RefusedError(
            f"image {bad.name} is damaged: {problem}",
            resolution=Damaged(bad.name, bad.source, bad.digest, problem).advice,
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
    from raptorctl.host.image.login import registry_login

    return registry_login(password_file, os.environ)


def source_of(session: Session, text: str) -> Source:
    """Read what somebody typed, by the host's own catalogue as well.

    Raises:
        InputError: it is no source.
    """
    from raptorctl.host.image.catalogue import CATALOGUE, catalogue

    return parse_source(text, catalogue(session.config / CATALOGUE), str(Path.cwd()))


@contextmanager
def _alone(session: Session, command: str) -> Iterator[None]:
    """Keep jobs away: one that is cut off may bring back a disk that an image is the base of."""
    from raptorctl.engine.lock import hold_lock
    from raptorctl.engine.stop import Stop

    with Stop() as stop, hold_lock(session.lock, command, session.caller.name, stop):
        refuse_unfinished(session)
        yield


def _remove(session: Session, found: Image) -> None:
    others = [i.name for i in session.images.known() if i.digest == found.digest]
    if len(others) == 1 and (users := _users(session, found)):
        raise RefusedError(
            _used(found, users),
            resolution="eject it first" if found.format == ISO else "deprovision that first",
            code=Code.IN_USE,
            subject=found.name,
        )
    session.images.remove(found)


def _used(image: Image, users: list[str]) -> str:
    where = "in the CD drive of" if image.format == ISO else "what the disk of"
    built = "" if image.format == ISO else " is built on"
    return f"{image.name} is {where} {', '.join(users)}{built}"


def _waste(session: Session) -> tuple[Waste, ...]:
    domains = session.host.domains.list()
    marks = [form.mark.image for domain in domains for form in domain.forms if form.mark]
    disks = [disk for domain in domains for disk in domain.held_disks]
    return tuple(session.images.waste(marks, disks))


def _uses(domain: Domain, image: Image) -> bool:
    drives = (path for form in domain.forms for path in form.cdroms)
    return image.path in domain.held_disks or image.digest in map(digest_in, drives)


def _users(session: Session, image: Image) -> list[str]:
    domains = session.host.domains.list()
    users = [d.name for d in domains if _uses(d, image)]
    # A kept file lies over it still; a kept volume of LVM holds a copy.
    kept = disks(session.host.volumes.list()) if session.on_session_host else ()
    over = (one for one in kept if one.volume.image == image.digest and not one.user(domains))
    return users + [f"{one} (kept)" for one in over]
