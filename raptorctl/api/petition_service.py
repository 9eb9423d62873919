"""Root's service for petitions: one connection of one tenant, from its first byte to its last.

Little is done before it is known who asks and that they may: the kernel says the account, their
requests are counted, one line is read, and only then is the host looked at.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from raptorctl.api.caller import Caller, new_identity
from raptorctl.api.petition_ear import Ear
from raptorctl.api.session import Session
from raptorctl.errors import HostError, MissingError, RaptorError, RefusedError
from raptorctl.host.system.pace import Pace
from raptorctl.host.system.peer import Answers, name_of, read_line, standard_input, uid_of
from raptorctl.model.codec import encode
from raptorctl.model.error_code import Code
from raptorctl.model.names import TENANT
from raptorctl.model.petition import KeptPetition, Petition, Petitioner, PetitionState
from raptorctl.read.petition import LONGEST, Letter, parse_letter

if TYPE_CHECKING:
    import socket

    from raptorctl.api.change import Confirm
    from raptorctl.plans.plan import Plan

PACES: Final = Path("/run/raptorctl/requests")
A_MINUTE: Final = 60
"""Lines that one account may say in a minute."""
HOUR: Final = 3600

UNFORESEEN: Final = RaptorError(
    "unexpected trouble with this request", resolution="ask an admin", code=Code.INTERNAL
)


def serve_standard_input() -> None:
    """Answer whoever is at the other end of standard input."""
    with standard_input() as client:
        serve(client)


def serve(
    client: "socket.socket",
    session_of: Callable[[Caller], Session] = lambda caller: Session(caller=caller),
    paces: Path = PACES,
) -> None:
    """Answer one client.

    Args:
        client: connected.
        session_of: makes the session in which a tenant's change is carried out by root's right.
        paces: where it is counted how often each account asks.
    """
    answers = Answers(client)
    said: Mapping[str, Any] = {"error": UNFORESEEN.encode()}
    ear = Ear(answers)
    try:
        said = _answered(client, session_of, paces, ear)
    except RaptorError as error:
        said = ear.veiled({"error": error.encode()})
    finally:
        answers.end(said)


def _answered(
    client: "socket.socket", session_of: Callable[[Caller], Session], paces: Path, ear: Ear
) -> Mapping[str, Any]:
    who = Petitioner(name_of(uid := uid_of(client)), uid)
    if uid == 0 or not TENANT.fullmatch(who.tenant):
        raise RefusedError(
            "requests are for tenants",
            resolution="an admin uses raptorctl without `request`",
            code=Code.NOT_ALLOWED,
        )
    Pace(paces, "asked", A_MINUTE, 60).take(uid)
    letter = parse_letter(read_line(client, LONGEST))
    session = session_of(Caller(who.tenant, root=True))
    ear.listen(session, who, letter.petition)
    if letter.verb == "shares":  # alone names another's machine: one that is shared with them
        return _shares(session, who)
    return _heeded(session, who, letter, paces, ear)


def _heeded(
    session: Session, who: Petitioner, letter: Letter, paces: Path, ear: Ear
) -> Mapping[str, Any]:
    if letter.petition is None:
        return _READS[letter.verb](session, who, letter)
    pace = Pace(paces, "changed", session.settings.requests.changes_an_hour, HOUR)
    return Desk(session, who, pace, ear).change(letter, letter.petition)


def _shares(session: Session, who: Petitioner) -> Mapping[str, Any]:
    from raptorctl.api.share import every

    try:
        return {"shares": [one.encode() for one in every(session, who.tenant)]}
    except MissingError as error:  # how to mend it is for root to hear
        raise HostError(
            "the list of shares cannot be read", resolution="ask an admin to run doctor"
        ) from error


@dataclass(frozen=True)
class Desk:
    """Where one tenant's change is looked at, and done or kept.

    Args:
        session: the host, by root's right.
        who: asks.
        pace: how often they may.
        ear: is told.
    """

    session: Session
    who: Petitioner
    pace: Pace
    ear: Ear

    def change(self, letter: Letter, petition: Petition) -> Mapping[str, Any]:
        """Show what would come of it; or do it, or keep it for an admin."""
        from raptorctl.api.change import preview, unchanged
        from raptorctl.api.petition import change_of
        from raptorctl.plans.tenant.policy import refuse_unasked

        refuse_unasked(petition, self.session.settings)
        beyond: list[str] = []
        plan = preview(
            self.session, change_of(self.session, self.who, petition, beyond.extend), self.ear
        )
        if letter.dry_run:
            return {"plan": self.ear.veiled(shown(plan, beyond))}
        name = f"{self.who.tenant}-{petition.machine}"
        agrees = unchanged(letter.agreed, name) if letter.agreed else None
        if agrees and plan.steps:
            agrees(plan)
        self.pace.take(self.who.uid)
        if beyond:
            return {"waiting": view(self._keep(petition, tuple(beyond)))}
        return {"done": {**self.ear.veiled(self._done(petition, agrees)), "verb": petition.verb}}

    def _done(self, petition: Petition, agrees: "Confirm | None") -> dict[str, Any]:
        from raptorctl.api.change import carry_out
        from raptorctl.api.petition import change_of

        change = change_of(self.session, self.who, petition, refuse, watch=self.ear)
        done = carry_out(self.session, change, confirm=agrees, reporter=self.ear)
        if done.job:
            self._keep(petition, job=done.job.id)
        return {**done.encode(), "receipts": list(done.receipts)}

    def _keep(
        self, petition: Petition, beyond: tuple[str, ...] = (), job: str = ""
    ) -> KeptPetition:
        identity = new_identity(self.who.tenant)
        state = PetitionState.DONE if job else PetitionState.WAITING
        new = KeptPetition(identity.job, self.who, identity.at, petition, beyond, state)
        if job:
            new = replace(new, answered=identity.at, job=job)
        return self.session.petitions.keep(new, self.session.settings.requests.most_waiting)


def refuse(beyond: tuple[str, ...]) -> None:
    """Refuse what was within the policy when it was looked at first, and is not any more.

    Raises:
        RefusedError: says why not.
    """
    if beyond:
        raise RefusedError("; ".join(beyond), resolution="ask again", code=Code.HOST_CHANGED)


def shown(plan: "Plan", beyond: list[str]) -> dict[str, Any]:
    """A plan as who asks sees it: no XML, nothing of how the host does it."""
    from raptorctl.api.change import digest

    return {
        "verb": plan.verb,
        "summary": plan.summary,
        "notes": list(plan.notes),
        "destroys": list(plan.destroys),
        "steps": [{"title": step.title, "reason": step.reason} for step in plan.steps],
        "beyond": list(beyond),
        "digest": digest(plan),
    }


def view(one: KeptPetition) -> dict[str, Any]:
    """The shape of a request that docs/json.md tells: in who asked's own words, so all is told."""
    return {
        "id": one.id,
        "tenant": one.who.tenant,
        "machine": one.machine,
        "at": one.at,
        "asked": one.asked,
        "beyond": list(one.beyond),
        "state": one.state.value,
        "by": one.by,
        "answered": one.answered,
        "why": one.why,
        "job": one.job,
        "request": encode(one.petition),
    }


def _listed(session: Session, who: Petitioner, _letter: Letter) -> Mapping[str, Any]:
    theirs = [one for one in session.petitions.all(who.tenant) if one.who == who]
    return {"requests": [view(one) for one in theirs]}


def _found(session: Session, who: Petitioner, letter: Letter) -> Mapping[str, Any]:
    return {"request": view(session.petitions.find(letter.id, who))}


def _withdrawn(session: Session, who: Petitioner, letter: Letter) -> Mapping[str, Any]:
    one = session.petitions.find(letter.id, who)
    at = new_identity(who.tenant).at
    before, after = PetitionState.WAITING, PetitionState.WITHDRAWN
    return {"request": view(session.petitions.turn(one.id, before, after, answered=at))}


_READS: Final[Mapping[str, Callable[[Session, Petitioner, Letter], Mapping[str, Any]]]] = {
    "list": _listed,
    "show": _found,
    "withdraw": _withdrawn,
}
