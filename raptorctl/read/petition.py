"""One line of JSON, from whoever may connect, to what is asked for; strict, and before all else.

Each verb takes its own short list of keys. All values are text, or true: no number, no nesting but
a list of profiles' names.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from raptorctl.errors import InputError
from raptorctl.model.expiry import parse_expiry
from raptorctl.model.image import NAME
from raptorctl.model.names import MACHINE, MACHINE_LENGTH, parse_snapshot, parse_tenant, shown
from raptorctl.model.petition import ID, Petition
from raptorctl.model.settings import template_name
from raptorctl.model.share import parse_until
from raptorctl.model.sizes import Size
from raptorctl.read.count import count

LONGEST: Final = 512 * 1024
"""Bytes of the line: user-data and keys, escaped as JSON may have to."""
LONGEST_TEXT: Final = 64 * 1024
"""Characters of user-data, or of keys."""
LONGEST_WORD: Final = 128
MOST_PROFILES: Final = 4

DIGEST: Final = re.compile(r"(sha256:)?[0-9a-f]{12,}", re.ASCII)
"""What the cache of images takes for one of its own, whatever a policy calls it."""

CHANGES: Final[Mapping[str, frozenset[str]]] = {
    "provision": frozenset(
        "machine size cpus memory image profile expires user_data keys no_start".split()
    ),
    "resize": frozenset("machine size cpus memory".split()),
    "rebuild": frozenset("machine image user_data keys no_start".split()),
    "snapshot-create": frozenset("machine name size".split()),
    "snapshot-restore": frozenset("machine name".split()),
    "snapshot-delete": frozenset("machine name".split()),
    "deprovision": frozenset("machine force".split()),
    "share": frozenset("machine other grant until".split()),
    "share-end": frozenset("machine other".split()),
}
"""What can be asked for, and what may be said of it; all in the words of `Petition`."""

READS: Final[Mapping[str, frozenset[str]]] = {
    "list": frozenset(),
    "show": frozenset({"id"}),
    "withdraw": frozenset({"id"}),
    "shares": frozenset(),
}
"""What can be asked about petitions made before, and about what is shared with whom."""

MANNER: Final = frozenset({"dry_run", "agreed"})


@dataclass(frozen=True)
class Letter:
    """What one connection says.

    Args:
        verb: of `CHANGES` or `READS`.
        petition: of a change.
        id: of a petition made before.
        dry_run: only show the plan.
        agreed: the digest of the plan that was shown, "" where nobody was asked.
    """

    verb: str
    petition: Petition | None = None
    id: str = ""
    dry_run: bool = False
    agreed: str = ""


def parse_letter(line: bytes) -> Letter:
    """Read what was asked.

    Raises:
        InputError: it is no such line; one line says what is wrong.
    """
    said = _table(line)
    verb = said.pop("verb", None)
    if not isinstance(verb, str) or verb not in {*CHANGES, *READS}:
        raise InputError(
            f"{_seen(verb)} cannot be asked for",
            resolution=f"there is: {', '.join((*CHANGES, *READS))}",
        )
    known = CHANGES[verb] | MANNER if verb in CHANGES else READS[verb]
    if strange := next((key for key in said if key not in known), None):
        raise InputError(f"{shown(strange)} cannot be said of {verb}")
    found = {key: _read(key, value) for key, value in said.items()}
    if verb in READS:
        _refuse_missing(verb, READS[verb], found)
        return Letter(verb, id=found.get("id", ""))
    manner = {key: found.pop(key) for key in MANNER & found.keys()}
    _refuse_missing(verb, _NEEDED.get(verb, frozenset({"machine"})), found)
    return Letter(verb, Petition(verb, **found), **manner)


def _table(line: bytes) -> dict[str, Any]:
    try:
        said = json.loads(line.decode("utf-8"), object_pairs_hook=_once)
    except InputError:
        raise
    except (ValueError, RecursionError) as error:  # no UTF-8 is a ValueError as well
        raise InputError("what was asked is not a line of JSON") from error
    if not isinstance(said, dict):
        raise InputError("what was asked is not a table")
    return said


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that is said twice: nobody knows which one would count."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InputError("something is said twice")
    return found


def _refuse_missing(verb: str, needed: frozenset[str], found: Mapping[str, Any]) -> None:
    if missing := sorted(needed - found.keys()):
        raise InputError(f"{verb} needs {' and '.join(missing)}")


_NEEDED: Final = {
    "snapshot-delete": frozenset({"machine", "name"}),
    "share": frozenset({"machine", "other", "grant"}),
    "share-end": frozenset({"machine", "other"}),
}


def _read(key: str, value: Any) -> Any:
    parse, longest = _VALUES[key]
    if key in _FLAGS:
        if value is not True:
            raise InputError(f"{key}: is said as true, or left out")
        return True
    if key == "profile":
        return _profiles(value)
    if not isinstance(value, str):
        raise InputError(f"{key}: should be text")
    if len(value) > longest:
        raise InputError(f"{key}: is longer than {longest} characters")
    try:
        return parse(value)
    except InputError as error:
        raise InputError(f"{key}: {error.brief}", resolution=error.resolution) from error


def _profiles(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise InputError("profile: should be a list of names")
    if not 0 < len(value) <= MOST_PROFILES:
        raise InputError(f"profile: at most {MOST_PROFILES} of them")
    return tuple(map(template_name, value))


def _machine(text: str) -> str:
    if len(text) > MACHINE_LENGTH or not MACHINE.fullmatch(text):
        raise InputError(f"{shown(text)} is not a machine's name", resolution="write e.g. dev")
    return text


def image_word(text: str) -> str:
    """Check the name of an image: never a path, a URL or a digest.

    Raises:
        InputError: it is none.
    """
    if not NAME.fullmatch(text) or ".." in text or DIGEST.fullmatch(text):
        raise InputError(f"{shown(text)} is not an image's name", resolution="write e.g. debian:13")
    return text


def _matching(pattern: re.Pattern[str], what: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not pattern.fullmatch(text):
            raise InputError(f"{shown(text)} is not {what}")
        return text

    return parse


def _text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:  # JSON can say half of a surrogate pair
        raise InputError("is not text") from error
    return text


_FLAGS: Final = frozenset({"dry_run", "no_start", "force"})
_VALUES: Final[Mapping[str, tuple[Callable[[str], Any], int]]] = {
    "machine": (_machine, LONGEST_WORD),
    "size": (Size.parse, LONGEST_WORD),
    "cpus": (count, LONGEST_WORD),
    "memory": (Size.parse_memory, LONGEST_WORD),
    "image": (image_word, LONGEST_WORD),
    "profile": (str, LONGEST_WORD),
    "expires": (parse_expiry, LONGEST_WORD),
    "user_data": (_text, LONGEST_TEXT),
    "keys": (_text, LONGEST_TEXT),
    "name": (parse_snapshot, LONGEST_WORD),
    "other": (parse_tenant, LONGEST_WORD),
    "grant": (_matching(re.compile("console|operate"), "console or operate"), LONGEST_WORD),
    "until": (parse_until, LONGEST_WORD),
    "id": (_matching(ID, "a request's identifier"), LONGEST_WORD),
    "agreed": (_matching(re.compile(r"[0-9a-f]{64}"), "a plan's digest"), LONGEST_WORD),
    **dict.fromkeys(_FLAGS, (str, 0)),
}


def _seen(verb: Any) -> str:
    return shown(verb) if isinstance(verb, str) else "what is no word"
