"""The cache of images: files that never change, and how one gets into it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from raptorctl.drivers.image import Pulled, Wanted, Watch
from raptorctl.errors import HostError, InputError, UnreachableError
from raptorctl.host.image.cached import CachedImages
from raptorctl.model.image import BUILT, UNSEEN, Image, Origin, Reference, image_name
from raptorctl.model.image_version import Paper, Provenance
from raptorctl.model.settings import ImageSettings as Settings
from raptorctl.model.sizes import Size
from raptorctl.model.stamp import stamp

if TYPE_CHECKING:
    from raptorctl.host.image.download import Http
    from raptorctl.host.image.fetch import Fetched
    from raptorctl.host.image.trust import Trust


class LocalImages(CachedImages):
    """Images in a directory; implements `raptorctl.drivers.image.Images`.

    Args:
        directory: the cache.
        largest: bytes that an image may have.
        http: the way to servers; None for the usual one.
        signers: the file of who may sign images, if what is pulled should be signed.
    """

    def __init__(
        self,
        directory: str,
        largest: Size = Settings.largest,
        http: "Http | None" = None,
        signers: Path | None = None,
    ) -> None:
        super().__init__(directory, http)
        self._largest, self._signers = largest, signers

    def pull(self, wanted: Wanted, watch: Watch) -> Pulled:
        """See `raptorctl.drivers.image.Images`."""
        if done := self._done(wanted, watch):
            return done
        self._names.chosen(wanted)
        self._readable(wanted)
        with self._alone(wanted.source.text, watch):
            if done := self._done(wanted, watch):
                return done
            known = self._names.latest(wanted)
            self._tell_damage(wanted, watch)
            fetched = self._fetched(wanted, known, watch)
            if not isinstance(fetched, Paper):
                return self._kept(wanted, fetched, watch)
            if known is None:
                raise HostError(f"{wanted.source.text} gave nothing")
            return self._named(wanted, self._renewed(known, fetched), watch)

    def foresee(self, wanted: Wanted) -> Image:
        """See `raptorctl.drivers.image.Images`."""
        if found := self._hit(wanted):
            return found.image
        from raptorctl.host.image.download import Http
        from raptorctl.host.image.foresight import foresee
        from raptorctl.host.image.http import BrokenOffError
        from raptorctl.host.image.look import about

        name = self._names.chosen(wanted)
        try:
            seen = foresee(wanted, self._http or Http(), self._largest, self._trust(wanted))
        except HostError as error:
            told = about(wanted.source.text, error)
            if isinstance(error.__cause__, BrokenOffError):
                raise UnreachableError(
                    told.brief, details=told.details, resolution=told.resolution
                ) from error
            raise told from error
        return replace(seen, name=name)

    def convert(self, image: Image, to: str, name: str, watch: Watch) -> Pulled:
        """See `raptorctl.drivers.image.Images`."""
        from raptorctl.host.image.convert import converted

        source = f"sha256:{image.digest} as {to}"
        self._names.refuse_taken(name, source)
        with self._alone(source, watch):
            if done := self._names.of(name):
                return Pulled(done.image, "already here")
            made = converted(image, to, self._work(source), watch)
            new = self._looked(Image(name, source, *UNSEEN), made, "", watch)
            self._names.refuse_taken(name, source)
            return Pulled(self._keep(new, made, chosen=True), "converted")

    def keep_built(self, path: str, name: str, built: Provenance, watch: Watch) -> Pulled:
        """See `raptorctl.drivers.image.Images`."""
        from raptorctl.host.image.fetch import Fetched
        from raptorctl.host.image.transfer import moved

        source = f"{BUILT}{image_name(name)}"
        self._names.refuse_taken(name, source)
        with self._alone(source, watch):
            work = self._work(source)
            work.unlink(missing_ok=True)
            watch.begin(f"take {path}")
            digest = moved(Path(path), work, self._largest, watch.tick)
            fetched = Fetched(work, digest, "", digest)
            seen = self._looked(Image(name, source, *UNSEEN), fetched, "", watch)
            self._names.refuse_taken(name, source)
            self._names.set_aside(name, digest, watch)
            return Pulled(self._keep(seen, fetched, chosen=True, built=built), "built")

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

    def _done(self, wanted: Wanted, watch: Watch) -> Pulled | None:
        found = self._hit(wanted)
        return self._named(wanted, found, watch) if found else None

    def _hit(self, wanted: Wanted) -> Reference | None:
        """Find what is wanted where no server need be asked."""
        if wanted.refresh:
            return None
        for found in self._names.candidates(wanted):
            fits = wanted.sha256 in {"", found.origin.sha256}
            if fits and not self._changed(wanted, found):
                return found
        return None

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
        self._names.refuse_taken(wanted.name, wanted.source.text)
        self._names.set_aside(wanted.name, found.image.digest, watch)
        image = replace(found.image, name=image_name(wanted.name))
        named = replace(found, image=image, origin=replace(found.origin, chosen=True))
        self._store.name(named)
        return Pulled(image, "named")

    def _renewed(self, known: Reference, paper: Paper) -> Reference:
        """Keep what came anew with an image that is here, for all names that its source gave it."""
        from raptorctl.host.image.trust import replaces

        source, digest = known.image.source, known.image.digest
        for each in self._store.known():
            image = each.image
            same = (image.source, image.digest) == (source, digest) and not image.superseded
            if same and replaces(paper, each.paper):
                self._store.name(replace(each, paper=paper))
        return replace(known, paper=paper) if replaces(paper, known.paper) else known

    def _work(self, source: str) -> Path:
        return self._base(source).with_suffix(".work")

    def _fetched(self, wanted: Wanted, known: Reference | None, watch: Watch) -> "Fetched | Paper":
        from raptorctl.host.image.download import Http
        from raptorctl.host.image.fetch import Fetcher
        from raptorctl.host.image.look import about

        base = self._base(wanted.source.text)
        try:
            fetcher = Fetcher(self._http or Http(), self._largest, self._trust(wanted))
            return fetcher.fetch(wanted, known, base, watch)
        except HostError as error:
            raise about(wanted.source.text, error) from error

    def _trust(self, wanted: Wanted) -> "Trust":
        from raptorctl.host.image.trust import Trust

        return Trust(self._signers, unsigned=wanted.unsigned)

    def _kept(self, wanted: Wanted, fetched: "Fetched", watch: Watch) -> Pulled:
        text, called = wanted.source.text, wanted.source.file_name
        seen = self._looked(Image("", text, *UNSEEN), fetched, called, watch)
        # Asked again: somebody may have taken the name while this one came.
        name = self._names.chosen(wanted)
        old = self._names.of(name)
        outcome = "already here" if old and old.image.digest == fetched.digest else "pulled"
        self._names.set_aside(name, fetched.digest, watch)
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

    def _keep(
        self,
        image: Image,
        fetched: "Fetched",
        *,
        chosen: bool,
        built: Provenance | None = None,
    ) -> Image:
        length = fetched.path.stat().st_size
        origin = Origin(fetched.version, fetched.sha256, length, chosen)
        now = stamp(datetime.now(UTC))
        kept = self._store.keep(
            fetched.path, Reference(replace(image, pulled=now), origin, built, fetched.paper)
        )
        self._cleared(image.source)
        return kept.image

    def _cleared(self, source: str) -> None:
        for ending in (".part", ".work", ".json"):
            self._base(source).with_suffix(ending).unlink(missing_ok=True)
