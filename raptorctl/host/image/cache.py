"""The cache of images: files that never change, and what is known of each."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from raptorctl.drivers.image import Pulled, Wanted, Waste, Watch
from raptorctl.drivers.tick import Tick
from raptorctl.errors import HostError, InputError, RefusedError
from raptorctl.host.image.store import ImageStore, key_of
from raptorctl.model.error_code import Code
from raptorctl.model.image import UNSEEN, Image, Origin, Reference, image_name
from raptorctl.model.settings import ImageSettings as Settings
from raptorctl.model.sizes import Size
from raptorctl.model.stamp import stamp

if TYPE_CHECKING:
    from raptorctl.host.image.download import Http
    from raptorctl.host.image.fetch import Fetched


class LocalImages:
    """Images in a directory; implements `raptorctl.drivers.image.Images`.

    Args:
        directory: the cache.
        largest: bytes that an image may have.
        http: the way to servers; None for the usual one.
    """

    def __init__(
        self, directory: str, largest: Size = Settings.largest, http: "Http | None" = None
    ) -> None:
        self._store = ImageStore(Path(directory))
        self._largest = largest
        self._http = http

    def list(self) -> tuple[Image, ...]:
        """Return all images that are whole, by name."""
        return tuple(reference.image for reference in self._store.references())

    def known(self) -> tuple[Image, ...]:
        """See `raptorctl.drivers.image.Images`."""
        return tuple(reference.image for reference in self._store.known())

    def damaged(self) -> Mapping[str, str]:
        """See `raptorctl.drivers.image.Images`."""
        return dict(self._store.damaged())

    def pull(self, wanted: Wanted, watch: Watch) -> Pulled:
        """See `raptorctl.drivers.image.Images`."""
        if done := self._done(wanted, watch):
            return done
        self._name(wanted)
        self._readable(wanted)
        with self._alone(wanted.source.text, watch):
            if done := self._done(wanted, watch):
                return done
            known = self._latest(wanted)
            self._tell_damage(wanted, watch)
            fetched = self._fetched(wanted, known, watch)
            if fetched is None and known:
                return self._named(wanted, known, watch)
            if fetched is None:
                raise HostError(f"{wanted.source.text} gave nothing")
            return self._kept(wanted, fetched, watch)

    def foresee(self, wanted: Wanted) -> Image:
        """See `raptorctl.drivers.image.Images`."""
        if found := self._hit(wanted):
            return found.image
        from raptorctl.host.image.download import Http
        from raptorctl.host.image.foresight import foresee
        from raptorctl.host.image.look import about

        name = self._name(wanted)
        try:
            seen = foresee(wanted, self._http or Http(), self._largest)
        except HostError as error:
            raise about(wanted.source.text, error) from error
        return replace(seen, name=name)

    def convert(self, image: Image, to: str, name: str, watch: Watch) -> Pulled:
        """See `raptorctl.drivers.image.Images`."""
        from raptorctl.host.image.convert import converted

        source = f"sha256:{image.digest} as {to}"
        self._free(name, source)
        with self._alone(source, watch):
            if done := self._of_name(name):
                return Pulled(done.image, "already here")
            made = converted(image, to, self._work(source), watch)
            new = self._looked(Image(name, source, *UNSEEN), made, "", watch)
            self._free(name, source)
            return Pulled(self._keep(new, made, chosen=True), "converted")

    def copy(self, image: Image, path: str, tick: Tick) -> None:
        """See `raptorctl.drivers.image.Images`."""
        from raptorctl.host.image.transfer import copied

        copied(image, Path(path), tick)

    def is_whole(self, image: Image, tick: Tick) -> bool:
        """See `raptorctl.drivers.image.Images`."""
        from raptorctl.host.image.transfer import hashed

        if not image.digest:
            return False  # what was known of it cannot be read
        try:
            return hashed(Path(image.path), tick) == image.digest
        except FileNotFoundError:
            return False
        except OSError as error:
            raise HostError(f"{image.path} cannot be read: {error.strerror}") from error

    def remove(self, image: Image) -> None:
        """See `raptorctl.drivers.image.Images`."""
        self._store.forget(image.name)

    def waste(self, marks: Iterable[str], disks: Iterable[str]) -> tuple[Waste, ...]:
        """See `raptorctl.drivers.image.Images`."""
        return tuple(self._store.waste(marks, disks))

    def sweep(self, waste: Waste) -> None:
        """See `raptorctl.drivers.image.Images`."""
        self._store.sweep(waste)

    @contextmanager
    def _alone(self, source: str, watch: Watch) -> Iterator[None]:
        """Be the only one at a source; what was made of it and did not become an image goes."""
        with self._store.alone(source, watch):
            try:
                yield
            finally:
                self._work(source).unlink(missing_ok=True)

    def _tell_damage(self, wanted: Wanted, watch: Watch) -> None:
        """Say why what seems to be here comes again."""
        for found in self._store.known():
            same = found.image.source == wanted.source.text and not found.image.superseded
            if same and (problem := self._store.problem(found)):
                watch.note(f"{found.image.name} is damaged, and comes anew: {problem}")

    def _all(self) -> tuple[Reference, ...]:
        return tuple(self._store.references())

    def _of_name(self, name: str) -> Reference | None:
        return next((r for r in self._all() if r.image.name == name), None)

    def _done(self, wanted: Wanted, watch: Watch) -> Pulled | None:
        found = self._hit(wanted)
        return self._named(wanted, found, watch) if found else None

    def _hit(self, wanted: Wanted) -> Reference | None:
        """Find what is wanted where no server need be asked."""
        if wanted.refresh:
            return None
        for found in self._candidates(wanted):
            fits = wanted.sha256 in {"", found.origin.sha256}
            if fits and not self._changed(wanted, found):
                return found
        return None

    def _candidates(self, wanted: Wanted) -> Iterator[Reference]:
        known = self._all()
        if wanted.source.listed and not wanted.name:
            # Somebody gave this very name to an image of their own: that is the one they mean.
            yield from (r for r in known if self._called(wanted, r) and r.origin.chosen)
        yield from self._of_source(wanted, known)

    def _latest(self, wanted: Wanted) -> Reference | None:
        same = self._of_source(wanted, self._all())
        return next((r for r in same if not r.image.superseded), None)

    def _of_source(self, wanted: Wanted, known: Iterable[Reference]) -> Iterator[Reference]:
        """Return what one source gave: the latest first, and of that what is called as asked."""
        same = [r for r in known if r.image.source == wanted.source.text]
        yield from sorted(same, key=lambda r: (r.image.superseded, not self._called(wanted, r)))

    @staticmethod
    def _called(wanted: Wanted, found: Reference) -> bool:
        return found.image.name == (wanted.name or wanted.source.name)

    @staticmethod
    def _changed(wanted: Wanted, found: Reference) -> bool:
        """Whether it is known that the source has something else by now: files are looked at."""
        if found.image.superseded or wanted.source.kind != "file":
            return found.image.superseded
        from raptorctl.host.image.file import file_version
        from raptorctl.host.system.caller import open_given

        try:
            with open_given(wanted.source.text) as source:
                return file_version(source) != found.origin.version
        except InputError:
            return False  # it is gone, and what it was is here

    @staticmethod
    def _readable(wanted: Wanted) -> None:
        """Refuse a file that cannot be read before anything is made."""
        if wanted.source.kind == "file":
            from raptorctl.host.system.caller import open_given

            open_given(wanted.source.text).close()

    def _named(self, wanted: Wanted, found: Reference, watch: Watch) -> Pulled:
        """Return what is here, under the name that was asked for."""
        if not wanted.name or wanted.name == found.image.name:
            return Pulled(found.image, "already here")
        self._free(wanted.name, wanted.source.text)
        self._set_aside(wanted.name, found.image.digest, watch)
        image = replace(found.image, name=image_name(wanted.name))
        self._store.name(Reference(image, replace(found.origin, chosen=True)))
        return Pulled(image, "named")

    def _name(self, wanted: Wanted) -> str:
        """Choose the name; a file's or a URL's own gives way to one that is taken."""
        if wanted.name:
            self._free(wanted.name, wanted.source.text)
            return image_name(wanted.name)
        name, text = wanted.source.name, wanted.source.text
        taken = any(r.image.name == name and r.image.source != text for r in self._all())
        return f"{name[:100]}-{key_of(text)[:8]}" if taken and not wanted.source.listed else name

    def _free(self, name: str, source: str) -> None:
        for found in self._all():
            if found.image.name == name and found.image.source != source:
                raise RefusedError(
                    f"{name} is already an image, from {found.image.source}",
                    resolution=f"choose another --name, or `raptorctl image remove {name}` first",
                    code=Code.IMAGE_EXISTS,
                    subject=name,
                )

    def _set_aside(self, name: str, digest: str, watch: Watch) -> None:
        """Keep what a name stood for until now: machines may be made of it; `gc` knows."""
        old = self._of_name(name)
        if old and old.image.digest != digest:
            before = replace(old.image, name=f"{name}@{old.image.short}")
            self._store.name(Reference(before, old.origin))
            watch.note(f"{name} has changed; what it was is {before.name} now")

    def _base(self, source: str) -> Path:
        return self._store.partial / key_of(source)

    def _work(self, source: str) -> Path:
        return self._base(source).with_suffix(".work")

    def _fetched(self, wanted: Wanted, known: Reference | None, watch: Watch) -> "Fetched | None":
        from raptorctl.host.image.download import Http
        from raptorctl.host.image.fetch import Fetcher
        from raptorctl.host.image.look import about

        base = self._base(wanted.source.text)
        try:
            fetcher = Fetcher(self._http or Http(), self._largest)
            return fetcher.fetch(wanted, known, base, watch)
        except HostError as error:
            raise about(wanted.source.text, error) from error

    def _kept(self, wanted: Wanted, fetched: "Fetched", watch: Watch) -> Pulled:
        text, called = wanted.source.text, wanted.source.file_name
        seen = self._looked(Image("", text, *UNSEEN), fetched, called, watch)
        # Asked again: somebody may have taken the name while this one came.
        name = self._name(wanted)
        old = self._of_name(name)
        outcome = "already here" if old and old.image.digest == fetched.digest else "pulled"
        self._set_aside(name, fetched.digest, watch)
        kept = self._keep(replace(seen, name=name), fetched, chosen=bool(wanted.name))
        return Pulled(kept, outcome)

    def _looked(self, image: Image, fetched: "Fetched", called: str, watch: Watch) -> Image:
        from raptorctl.host.image.look import about, look

        watch.begin("look at it")
        try:
            seen = look(fetched.path, fetched.called or called, self._largest)
        except HostError as error:
            self._cleared(image.source)
            said = about(fetched.part, error) if fetched.part else error
            raise about(image.source, said) from error
        return replace(image, digest=fetched.digest, format=seen.format, size=seen.size)

    def _keep(self, image: Image, fetched: "Fetched", chosen: bool) -> Image:
        length = fetched.path.stat().st_size
        origin = Origin(fetched.version, fetched.sha256, length, chosen)
        now = stamp(datetime.now(UTC))
        kept = self._store.keep(fetched.path, Reference(replace(image, pulled=now), origin))
        self._cleared(image.source)
        return kept.image

    def _cleared(self, source: str) -> None:
        for ending in (".part", ".work", ".json"):
            self._base(source).with_suffix(ending).unlink(missing_ok=True)
