"""Which image of the cache is called what, and which name is still free."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from raptorctl.drivers.image import Wanted, Watch
from raptorctl.errors import RefusedError
from raptorctl.host.image.store import ImageStore, key_of
from raptorctl.model.error_code import Code
from raptorctl.model.image import SHORT, Reference, image_name
from raptorctl.model.image_version import Provenance


class ImageNames:
    """The names in a cache, as far as their images are whole.

    Args:
        store: the cache.
    """

    def __init__(self, store: ImageStore) -> None:
        self._store = store

    def _all(self) -> tuple[Reference, ...]:
        return tuple(self._store.references())

    def of(self, name: str) -> Reference | None:
        """Return what has a name, or None."""
        return next((r for r in self._all() if r.image.name == name), None)

    def candidates(self, wanted: Wanted) -> Iterator[Reference]:
        """Return what may be what is wanted, the likeliest first."""
        known = self._all()
        if wanted.source.listed and not wanted.name:
            # Somebody gave this very name to an image of their own: that is the one they mean.
            yield from (r for r in known if self._called(wanted, r) and r.origin.chosen)
        yield from self._of_source(wanted, known)

    def latest(self, wanted: Wanted) -> Reference | None:
        """Return what a source gave last, or None."""
        same = self._of_source(wanted, self._all())
        return next((r for r in same if not r.image.superseded), None)

    def _of_source(self, wanted: Wanted, known: Iterable[Reference]) -> Iterator[Reference]:
        """Return what one source gave: the latest first, and of that what is called as asked."""
        same = [r for r in known if r.image.source == wanted.source.text]
        yield from sorted(same, key=lambda r: (r.image.superseded, not self._called(wanted, r)))

    @staticmethod
    def _called(wanted: Wanted, found: Reference) -> bool:
        return found.image.name == (wanted.name or wanted.source.name)

    def chosen(self, wanted: Wanted) -> str:
        """Choose the name; a file's or a URL's own gives way to one that is taken.

        Raises:
            RefusedError: the name that was asked for is taken.
        """
        if wanted.name:
            self.refuse_taken(wanted.name, wanted.source.text)
            return image_name(wanted.name)
        name, text = wanted.source.name, wanted.source.text
        taken = any(r.image.name == name and r.image.source != text for r in self._all())
        return f"{name[:100]}-{key_of(text)[:8]}" if taken and not wanted.source.listed else name

    def refuse_taken(self, name: str, source: str) -> None:
        """Refuse a name that an image from another source has.

        Raises:
            RefusedError: says from where.
        """
        for found in self._all():
            if found.image.name == name and found.image.source != source:
                raise RefusedError(
                    f"{name} is already an image, from {found.image.source}",
                    resolution=f"choose another --name, or `raptorctl image remove {name}` first",
                    code=Code.IMAGE_EXISTS,
                    subject=name,
                )

    def set_aside(self, name: str, digest: str, watch: Watch) -> None:
        """Keep what a name stood for until now: machines may be made of it; `gc` knows."""
        old = self.of(name)
        if old and old.image.digest != digest:
            before = replace(old.image, name=f"{name}@{old.image.short}")
            self._store.name(replace(old, image=before))
            watch.note(f"{name} has changed; what it was is {before.name} now")

    def take_back(self, name: str, built: Provenance, before: str) -> None:
        """Forget what a build made, and give its name back to what had it; may be done again."""
        known = {found.image.name: found for found in self._store.known()}
        made = known.get(name)
        aside = known.get(f"{name}@{before[:SHORT]}") if before else None
        if made is None or made.built != built:
            return
        if aside is None:
            self._store.forget(name)
            return
        self._store.name(replace(aside, image=replace(aside.image, name=name)))
        self._store.drop(made.image.digest)
        self._store.forget(aside.image.name)
