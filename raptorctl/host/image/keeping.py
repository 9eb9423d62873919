"""How many versions of a name stay when the cache is tidied up."""

import json
from collections.abc import Iterable
from pathlib import Path

from raptorctl.errors import HostError, ImageError
from raptorctl.host.system.durable import replace_file
from raptorctl.model.image import Reference
from raptorctl.read.image_statement import statement_of

FILE = "keep.json"


class Keeping:
    """What somebody said of it.

    Args:
        directory: of the cache.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE

    def counts(self) -> dict[str, int | None]:
        """Return how many versions of which names stay; None for all of them.

        Raises:
            HostError: it cannot be read; then nobody knows what may go.
        """
        try:
            told = json.loads(self._path.read_bytes())
            if isinstance(told, dict) and all(_is_count(count) for count in told.values()):
                return told
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError):
            pass
        raise HostError(
            f"{self._path} cannot be read, so that nobody knows which versions are kept",
            resolution="remove it, and say it anew by `raptorctl image keep`",
        )

    def keep(self, name: str, count: int | None) -> None:
        """Say it of one name.

        Raises:
            HostError: what is known of others cannot be read.
        """
        counts = self.counts() | {name: count}
        replace_file(self._path, (json.dumps(counts, indent=2) + "\n").encode(), 0o644)

    def kept(self, known: Iterable[Reference]) -> frozenset[str]:
        """Return the names of older versions that stay: the newest of each name."""
        counts = self.counts()
        newest = sorted(known, key=_age, reverse=True)
        kept: set[str] = set()
        for name, count in counts.items():
            older = [
                r.image.name
                for r in newest
                if r.image.superseded and r.image.name.partition("@")[0] == name
            ]
            has_current = any(r.image.name == name for r in newest)
            kept |= set(older if count is None else older[: max(0, count - has_current)])
        return frozenset(kept)


def _age(reference: Reference) -> tuple[int, str, str]:
    """What versions are sorted by, as `image list --versions` has them."""
    image = reference.image
    try:
        return statement_of(reference).serial, image.pulled, image.digest
    except ImageError:
        return 0, image.pulled, image.digest


def _is_count(count: object) -> bool:
    return count is None or (isinstance(count, int) and not isinstance(count, bool) and count > 0)
