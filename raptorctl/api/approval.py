"""What an admin says to petitions that wait: yes, no, and why."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from raptorctl.api.change import Change, Done
from raptorctl.api.petition import change_of
from raptorctl.api.session import Session
from raptorctl.errors import InputError, LeftoversError
from raptorctl.model.petition import KeptPetition, PetitionState, answered
from raptorctl.model.stamp import stamp

if TYPE_CHECKING:
    from raptorctl.drivers.image import Watch

LONGEST_WHY: Final = 200


def kept(session: Session, tenant: str | None = None) -> tuple[KeptPetition, ...]:
    """Return what tenants asked for, or one, the oldest first; needs root."""
    session.require_root()
    return session.petitions.all(tenant)


def found(session: Session, identifier: str) -> KeptPetition:
    """Return one of them; needs root."""
    session.require_root()
    return session.petitions.find(identifier)


def waiting(session: Session, identifier: str) -> KeptPetition:
    """Return one that waits for an answer; needs root.

    Raises:
        MissingError: there is none.
        RefusedError: it was answered, or is being carried out.
    """
    one = found(session, identifier)
    if one.state is not PetitionState.WAITING:
        raise answered(one)
    return one


def approved(session: Session, one: KeptPetition, watch: "Watch | None" = None) -> Change:
    """Return the change that one asks for: planned anew, within the quota, whatever the policy."""
    return change_of(session, one.who, one.petition, lambda _beyond: None, watch)


@dataclass
class Approval:
    """An admin's yes to one, from the moment it is said.

    Args:
        session: theirs.
        one: what they say yes to.
    """

    session: Session
    one: KeptPetition
    is_claimed: bool = False

    def claim(self) -> bool:
        """Say so before it is begun: it is never done twice, whoever else says yes.

        Raises:
            RefusedError: somebody else was first.
        """
        self._turn(PetitionState.WAITING, PetitionState.BEGUN)
        self.is_claimed = True
        return True

    def finish(self, done: Done) -> None:
        """Tell its tenant what came of it."""
        before = PetitionState.BEGUN if self.is_claimed else PetitionState.WAITING
        self._turn(before, PetitionState.DONE, done.job.id if done.job else "")

    def give_back(self) -> None:
        """It was not done; it waits again."""
        if self.is_claimed:
            self._turn(PetitionState.BEGUN, PetitionState.WAITING)

    def _turn(self, before: PetitionState, after: PetitionState, job: str = "") -> None:
        by = "" if after is PetitionState.WAITING else self.session.caller.name
        at = _now() if by else ""
        self.session.petitions.turn(self.one.id, before, after, by=by, answered=at, job=job)


@contextmanager
def approving(session: Session, one: KeptPetition) -> Iterator[Approval]:
    """Approve one: `claim` it, carry it out, `finish` it.

    If that fails, it waits again. If something is left over, or we are killed, it stays begun.
    """
    approval = Approval(session, one)
    try:
        yield approval
    except LeftoversError:
        raise
    except BaseException:
        approval.give_back()
        raise


def deny(session: Session, identifier: str, why: str) -> KeptPetition:
    """Say no, and why; also to one whose job was cut off.

    Raises:
        MissingError: there is none.
        RefusedError: it was answered before.
    """
    one = found(session, identifier)
    if not why.strip() or not why.isprintable() or len(why) > LONGEST_WHY:
        raise InputError(f"say why, in one line of at most {LONGEST_WHY} characters")
    begun = one.state is PetitionState.BEGUN
    before = PetitionState.BEGUN if begun else PetitionState.WAITING
    by, at = session.caller.name, _now()
    return session.petitions.turn(
        identifier, before, PetitionState.DENIED, by=by, answered=at, why=why
    )


def _now() -> str:
    return stamp(datetime.now(UTC))
