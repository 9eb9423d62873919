"""What a tenant hears of a job that root's service does for them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from raptorctl.api.session import Session
from raptorctl.host.system.peer import Answers
from raptorctl.model.job import StepState
from raptorctl.model.petition import Petition, Petitioner
from raptorctl.model.tenant import GROUP

SMALLEST: Final = 4 << 20
"""Bytes below which no bar is worth drawing; to a reporter they would be milliseconds."""
REST: Final = "[a-z0-9][a-z0-9.-]*"
"""Of a machine's name, or of what is named by it, after its tenant's."""
NOTHING: Final = "(?!)"


class Ear:
    """What a tenant hears of a job: `Reporter` and `Watch`; nothing in it names another's machine.

    Args:
        answers: to them.
    """

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._names: re.Pattern[str] | None = None
        self._share, self._image = -1, ""

    def listen(self, session: Session, who: Petitioner, asked: Petition | None) -> None:
        """Say whose host it is, who hears, and what they asked for, if anything.

        A machine's name begins with its tenant's. What begins so and is their own machine's name or
        their own word, or one that the policy offers, is told: were it hidden, a tenant could try
        which names are those of tenants.
        """
        accounts = session.host.accounts.members(GROUP)
        others = "|".join(account.name for account in accounts if account.name != who.tenant)
        words = sorted(_words(session, asked), key=len, reverse=True) if asked else ()
        told = "|".join(map(re.escape, words))
        self._names = re.compile(
            rf"(?P<told>\b{who.tenant}-{REST}|(?<![\w-])(?:{told or NOTHING})(?![\w-]))"
            rf"|\b(?:{others or NOTHING})-{REST}"
        )

    def veiled(self, said: Any) -> Any:
        """The same without names of others' machines."""
        match said:
            case str():
                return self._names.sub(_veil, said) if self._names else said
            case Mapping():
                return {key: self.veiled(value) for key, value in said.items()}
            case list() | tuple():
                return [self.veiled(item) for item in said]
        return said

    def _tell(self, said: Mapping[str, Any]) -> None:
        self._answers.tell(self.veiled(said))

    def started(self, number: int, total: int, title: str) -> None:
        """See `Reporter`."""
        self._end_image()
        self._share = -1
        self._tell({"started": [number, total, title]})

    def progress(self, done: int, total: int) -> None:
        """See `Reporter`; told at each percent."""
        share = done * 100 // total if total > 0 else -1
        if share != self._share:
            self._share = share
            self._tell({"progress": [done, total]})

    def ended(self, number: int, total: int, title: str, state: StepState, problem: str) -> None:
        """See `Reporter`."""
        self._tell({"ended": [number, total, title, state.value, problem]})

    def note(self, text: str) -> None:
        """See `Reporter`."""
        self._tell({"note": text})

    def begin(self, title: str) -> None:
        """Of an image that comes: see `Watch`; what was before it is done."""
        self._end_image()
        self.started(0, 0, title)
        self._image = title

    def tick(self, done: int, total: int) -> None:
        """See `Watch`."""
        if total >= SMALLEST:
            self.progress(done, total)

    def _end_image(self) -> None:
        if self._image:
            self._tell({"ended": [0, 0, self._image, StepState.DONE.value, ""]})
        self._image = ""


def _words(session: Session, asked: Petition) -> Iterator[str]:
    policy = session.settings.requests
    yield from filter(None, (asked.image, asked.name, *asked.profile))
    yield from (*policy.images, *policy.profiles)


def _veil(name: re.Match[str]) -> str:
    return name[0] if name["told"] else "another's"
