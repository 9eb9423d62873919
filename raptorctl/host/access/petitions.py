"""Where petitions are kept: a file each, which root alone reads and writes.

Bounded for each tenant: so many wait, and of those that were answered the last ones stay.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from raptorctl.errors import HostError, MissingError, RefusedError
from raptorctl.host.system.durable import remove_file, replace_file, sync_directory
from raptorctl.model.codec import ShapeError, decode, encode
from raptorctl.model.error_code import Code
from raptorctl.model.petition import ID, KeptPetition, Petitioner, PetitionState, answered

FOLDER: Final = Path("/var/lib/raptorctl/requests")
ANSWERED: Final = 20
"""Of a tenant's petitions that were answered, how many stay."""
LAPSE: Final = timedelta(days=30)
"""A petition that nobody answers for so long does not wait any more."""
GONE: Final = timedelta(days=180)
"""After so long nothing is told of one that was answered; the journal and the audit log do."""
OPEN: Final = frozenset({PetitionState.WAITING, PetitionState.BEGUN})


@dataclass(frozen=True)
class Petitions:
    """The folder of them.

    Args:
        folder: made when the first is kept.
    """

    folder: Path = FOLDER

    def all(self, tenant: str | None = None) -> tuple[KeptPetition, ...]:
        """Return all, or a tenant's, the oldest first.

        Raises:
            HostError: they cannot be read, or one is none.
        """
        found = (_read(path) for path in sorted(self.folder.glob("*.json")) if _is_ours(path))
        return tuple(one for one in found if one and tenant in {None, one.who.tenant})

    def find(self, identifier: str, who: Petitioner | None = None) -> KeptPetition:
        """Return one.

        Args:
            identifier: of it.
            who: whose it has to be; None for anybody's.

        Raises:
            MissingError: there is none, or it is another's: the same words.
        """
        path = self._path(identifier) if ID.fullmatch(identifier) else None
        found = _read(path) if path else None
        if found is None or who not in {None, found.who}:
            raise MissingError(
                f"there is no request {identifier}",
                resolution="see `raptorctl request list`",
                code=Code.REQUEST_NOT_FOUND,
                subject=identifier,
            )
        return found

    def keep(self, new: KeptPetition, most: int) -> KeptPetition:
        """Keep a new one, and tidy up what the tenant has.

        Args:
            new: it.
            most: how many of the tenant's may wait at once.

        Returns:
            It, by another identifier where one of the same second has that.

        Raises:
            RefusedError: too many do.
        """
        with self._locked():
            self._tidy(new.at)
            theirs = self.all(new.who.tenant)
            waiting = [one for one in theirs if one.state is PetitionState.WAITING]
            if new.state is PetitionState.WAITING and len(waiting) >= most:
                raise RefusedError(
                    f"{len(waiting)} requests of {new.who.tenant} wait for an admin already",
                    resolution="`raptorctl request withdraw ID` takes one back",
                    code=Code.NOT_ALLOWED,
                )
            answered = [one for one in theirs if one.state not in OPEN]
            for old in answered[: max(0, len(answered) - ANSWERED + 1)]:
                remove_file(self._path(old.id))
            kept = replace(new, id=self._unused(new.id))
            self._write(kept)
            return kept

    def turn(
        self, identifier: str, before: PetitionState, after: PetitionState, **said: Any
    ) -> KeptPetition:
        """Have one become something else, if it still is what it was: one of two admins is first.

        Args:
            identifier: of it.
            before: what it is.
            after: what it becomes.
            said: further fields.

        Raises:
            MissingError: there is none.
            RefusedError: it is something else by now.
        """
        with self._locked():
            now = self.find(identifier)
            if now.state is not before:
                raise answered(now)
            new = replace(now, state=after, **said)
            self._write(new)
            return new

    def _tidy(self, now: str) -> None:
        """Have lapse what nobody answered, and go what is long over, of removed tenants as well."""
        for one in self.all():
            if one.state is PetitionState.WAITING and _is_past(one.at, now, LAPSE):
                self._write(replace(one, state=PetitionState.LAPSED, answered=now))
            elif one.state not in OPEN and _is_past(one.at, now, GONE):
                remove_file(self._path(one.id))

    def _unused(self, identifier: str) -> str:
        second = identifier.rpartition("-")[0]
        while self._path(identifier).exists():
            identifier = f"{second}-{os.urandom(2).hex()}"
        return identifier

    def _path(self, identifier: str) -> Path:
        return self.folder / f"{identifier}.json"

    def _write(self, one: KeptPetition) -> None:
        text = json.dumps(encode(one), indent=2) + "\n"
        replace_file(self._path(one.id), text.encode(), 0o600)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        if not self.folder.is_dir():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_directory(self.folder.parent)
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _is_ours(path: Path) -> bool:
    return ID.fullmatch(path.stem) is not None


def _is_past(at: str, now: str, span: timedelta) -> bool:
    return datetime.fromisoformat(now) - datetime.fromisoformat(at) > span


def _read(path: Path) -> KeptPetition | None:
    try:
        return decode(KeptPetition, json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        why = str(error) if isinstance(error, ShapeError) else "it is no request"
        raise HostError(
            f"{path} cannot be read: {getattr(error, 'strerror', None) or why}",
            resolution="remove it",
        ) from error
