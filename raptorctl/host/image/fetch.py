"""What a source gives, brought into the cache's own directory and checked."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final
from urllib.parse import urlsplit

from raptorctl.drivers.image import Wanted, Watch
from raptorctl.drivers.tick import Tick
from raptorctl.errors import DownloadError, HostError
from raptorctl.host.image.download import Download, Http
from raptorctl.host.image.file import file_version
from raptorctl.host.image.http import BrokenOffError
from raptorctl.host.image.look import about
from raptorctl.host.image.oci import Registry
from raptorctl.host.image.partial import Partial
from raptorctl.host.image.transfer import brought, hashed_stream
from raptorctl.host.image.trust import Trust
from raptorctl.host.image.unpack import unpacker
from raptorctl.host.system.caller import open_given, open_own
from raptorctl.model.checksum import Checksum, checksum_of
from raptorctl.model.error_code import Code
from raptorctl.model.image import Reference
from raptorctl.model.image_version import Paper
from raptorctl.model.names import shown
from raptorctl.model.sizes import MIB, Size

LARGEST_LIST: Final = 4 * MIB
"""Bytes of a list of checksums."""

Sha256 = Callable[[BinaryIO, Tick], str]
"""Reads a file and returns its digest, as `hashed_stream` does."""


@dataclass(frozen=True)
class Fetched:
    """A file that is nobody's image yet.

    Args:
        path: in the cache's folder for what is not whole.
        digest: its SHA-256.
        version, sha256: as `raptorctl.model.image.Origin` has them.
        called: the name of the file where it came from, or "" for what the source says.
        part: which part of the source it is, for people; or "".
        paper: what came with it, and is believed.
    """

    path: Path
    digest: str
    version: str
    sha256: str
    called: str = ""
    part: str = ""
    paper: Paper = Paper()


class Fetcher:
    """Brings what sources give.

    Args:
        http: the way to servers.
        largest: bytes, before and after it is unpacked.
        trust: who must have signed it.
    """

    def __init__(self, http: Http, largest: Size, trust: Trust) -> None:
        self._http, self._largest, self._trust = http, largest, trust

    def fetch(
        self, wanted: Wanted, known: Reference | None, base: Path, watch: Watch
    ) -> Fetched | Paper:
        """Bring it; if it is still what is known, return what came with it this time.

        Args:
            wanted: from where.
            known: what that source gave the last time, if it is still here.
            base: files may be made whose names begin so.
            watch: is told.

        Raises:
            HostError: there is no such thing, not all of it came, or its checksum is another.
            InputError: of a file: it is no regular one.
            RefusedError: there is no room for it.
        """
        match wanted.source.kind:
            case "file":
                return self._file(wanted, known, base, watch)
            case "oci":
                return self._oci(wanted, known, base, watch)
            case "index":
                return self._index(wanted, known, base, watch)
        return self._web(wanted, known, base, watch)

    def _file(
        self, wanted: Wanted, known: Reference | None, base: Path, watch: Watch
    ) -> Fetched | Paper:
        path = wanted.source.text
        self._trust.refuse_unsigned(path)
        with open_given(path) as source:
            version = file_version(source)
            if known and known.origin.version == version and _fits(wanted, known):
                return Paper()
            expected = self._expected(wanted)
            watch.begin(f"copy {path}")
            asked = expected or unpacker(source)
            given = _checked(source, expected, watch, hashed_stream) if asked else ""
            return self._unpacked(source, version, given, base, watch)

    def _web(
        self, wanted: Wanted, known: Reference | None, base: Path, watch: Watch
    ) -> Fetched | Paper:
        self._trust.refuse_unsigned(wanted.source.text)
        expected = self._expected(wanted)
        url = wanted.source.text
        unless = known.origin.version if known and _fits(wanted, known) else ""
        watch.begin(f"ask {url} for something newer" if unless else f"download {url}")
        download = Download(url, self._largest, checked=bool(expected), unless=unless)
        with Partial(base) as partial:
            if not self._http.download(download, partial, watch):
                return Paper()
            return self._whole(partial, partial.validator, expected, base, watch)

    def _oci(
        self, wanted: Wanted, known: Reference | None, base: Path, watch: Watch
    ) -> Fetched | Paper:
        text, asks = wanted.source.text, known and _fits(wanted, known)
        watch.begin(f"ask {text} for something newer" if asks else f"download {text}")
        layer = Registry(self._http, text, wanted.login).layer()
        claim = layer.claim(text)
        paper = self._trust.accept(claim, known)
        if known and asks and known.origin.version == layer.digest:
            return paper
        if asks:
            watch.begin(f"download {text}")
        download = Download(
            layer.url, self._largest, layer.headers, layer.size, checked=True, version=layer.digest
        )
        told = [Checksum("sha256", claim.digest)]
        if wanted.sha256:
            told.append(Checksum("sha256", wanted.sha256))
        part = f"its layer {layer.said}"
        with Partial(base) as partial:
            self._http.download(download, partial, watch)
            try:
                done = self._whole(partial, layer.digest, told, base, watch)
            except HostError as error:
                raise about(part, error) from error
        return replace(done, called=layer.file_name, part=part, paper=paper)

    def _index(
        self, wanted: Wanted, known: Reference | None, base: Path, watch: Watch
    ) -> Fetched | Paper:
        from raptorctl.host.image.index_pull import find, opened

        text = wanted.source.text
        asks = known and _fits(wanted, known)
        watch.begin(f"ask {text} for something newer" if asks else f"download {text}")
        with Partial(base) as partial:
            with opened(wanted.source, self._http, self._largest) as folder:
                found = find(folder, wanted.source, self._largest)
                paper = self._trust.accept(found.claim(text), known)
                version = f"sha256:{found.digest}"
                if known and asks and known.origin.version == version:
                    return paper
                if asks:
                    watch.begin(f"download {text}")
                folder.fetch(found.file, version, found.size, partial, watch)
            told = [Checksum("sha256", found.digest)]
            if wanted.sha256:
                told.append(Checksum("sha256", wanted.sha256))
            done = self._whole(partial, version, told, base, watch)
        return replace(done, called=found.called, part=found.file, paper=paper)

    def _whole(
        self, partial: Partial, version: str, expected: list[Checksum], base: Path, watch: Watch
    ) -> Fetched:
        """Take a download as it is, or unpack it; what is wrong is no use the next time either."""
        from concurrent.futures import ThreadPoolExecutor

        try:
            # What is hashed goes to the disk meanwhile.
            with open_own(str(partial.path)) as source, ThreadPoolExecutor(1) as beside:
                kept = beside.submit(partial.settle)
                packed = unpacker(source) is not None
                if not packed:
                    watch.begin("check its digest")
                digest = _checked(source, expected, watch, partial.sha256)
                if packed:
                    return self._unpacked(source, version, digest, base, watch)
                kept.result()
        except HostError:
            partial.clear()
            raise
        return Fetched(partial.path, digest, version, digest)

    def _unpacked(
        self, source: BinaryIO, version: str, given: str, base: Path, watch: Watch
    ) -> Fetched:
        """Take what a file holds; `given` is its own digest, where that is known."""
        packed = unpacker(source) is not None
        if packed:
            watch.begin("unpack it")
        target = base.with_suffix(".work")
        target.unlink(missing_ok=True)
        digest = brought(source, target, self._largest, watch.tick, watch.note)
        if given and not packed and digest != given:
            target.unlink()
            raise DownloadError("the file changed while it was read")
        return Fetched(target, digest, version, given or digest)

    def _expected(self, wanted: Wanted) -> list[Checksum]:
        """What the source must give, by what was typed and by what is published."""
        known = [Checksum("sha256", wanted.sha256)] if wanted.sha256 else []
        url = wanted.source.checksum_url
        if not url:
            return known
        try:
            body, reply = self._http.text(url, {}, LARGEST_LIST)
        except BrokenOffError as error:
            raise DownloadError(f"{url}: {error.brief}", details=error.details) from error
        if reply.status_code != 200:
            raise DownloadError(f"{url}: the server says {reply.status_code}")
        name = PurePosixPath(urlsplit(wanted.source.text).path).name
        found = checksum_of(body.decode(errors="replace"), name)
        if found is None:
            raise DownloadError(f"{url} has no SHA-256 or SHA-512 of {shown(name)}")
        return [*known, found]


def _fits(wanted: Wanted, known: Reference) -> bool:
    return not wanted.sha256 or wanted.sha256 == known.origin.sha256


def _checked(source: BinaryIO, expected: list[Checksum], watch: Watch, hashed: Sha256) -> str:
    """Return a file's SHA-256, as `hashed` has it.

    Raises:
        HostError: a checksum is another.
    """
    found = {"sha256": hashed(source, watch.tick)}
    for each in expected:
        if each.algorithm not in found:
            found[each.algorithm] = hashed_stream(source, watch.tick, each.algorithm)
        if found[each.algorithm] != each.digest:
            raise DownloadError(
                f"its checksum is another: {each.algorithm} should be {each.digest[:12]}..., "
                f"and is {found[each.algorithm][:12]}...",
                code=Code.CHECKSUM_DIFFERS,
            )
    return found["sha256"]
