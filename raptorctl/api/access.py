"""Who may do what with libvirt, as polkit itself answers."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from raptorctl.api.change import Change
from raptorctl.api.session import Session
from raptorctl.errors import MissingError
from raptorctl.model.access import OUTSIDER, Answer, Question, about, decide, needs, questions
from raptorctl.model.error_code import Code
from raptorctl.model.names import shown
from raptorctl.model.share import Share, Shares
from raptorctl.model.stamp import stamp
from raptorctl.model.tenant import Account


@dataclass(frozen=True)
class Permission:
    """What polkit answered to one question, and what our table says.

    Args:
        question: what was asked.
        allowed: polkit's answer.
        told: the table's, with its rule.
    """

    question: Question
    allowed: bool
    told: Answer

    def encode(self) -> dict[str, object]:
        """Return the shape that `access explain -o json` documents."""
        return {
            "permission": self.question.permission,
            "allowed": self.allowed,
            "rule": self.told.rule,
            "as_told": self.allowed is self.told.allowed,
        }


def explained(session: Session, who: str, what: str, domain: str = "") -> tuple[Permission, ...]:
    """Ask polkit whether an account may do something; they may, if every answer is yes.

    Args:
        session: the host, and who asks.
        who: an account.
        what: a command, or a permission such as `domain.write`.
        domain: the name of the machine's domain, or "".

    Raises:
        InputError: nothing is called so.
        MissingError: there is no such account.
    """
    session.require_root()
    wanted = needs(what)
    account = account_of(session, who)
    uuid = _uuid(session, domain)
    asked = tuple(about(name, domain, uuid) for name in wanted)
    answers = session.host.authority.answers(account, asked)
    told = _told(session, account, asked)
    return tuple(Permission(*said) for said in zip(asked, answers, told, strict=True))


def install() -> Change:
    """Lay polkit's rules and try them; when an answer is wrong, the old ones come back."""
    from raptorctl.plans.tenant.access import plan_install

    return Change(verb="access-install", name="access", decide=plan_install)


@dataclass(frozen=True)
class Trial:
    """What polkit answered to everything.

    Args:
        people: in which part who asked: `own` and `foreign` are the tenant's.
        answers: by permission, then by part.
        wrong: what is not as the table says, as sentences.
        shares: what of shared machines the other tenants may do.
    """

    people: Mapping[str, str]
    answers: Mapping[str, Mapping[str, bool]]
    wrong: tuple[str, ...]
    shares: tuple["SharedTrial", ...] = ()

    def encode(self) -> dict[str, object]:
        """Return the shape that `access test -o json` documents."""
        rows = [{"permission": name, **parts} for name, parts in self.answers.items()]
        return {
            "people": dict(self.people),
            "answers": rows,
            "shares": [one.encode() for one in self.shares],
            "wrong": list(self.wrong),
        }


@dataclass(frozen=True)
class SharedTrial:
    """What polkit allows the other tenant to do with a machine that is shared.

    Args:
        share: with whom what is shared.
        allowed: permissions.
        wrong: answers that are not as they should be, about it and other machines.
    """

    share: Share
    allowed: tuple[str, ...]
    wrong: tuple[str, ...]

    def encode(self) -> dict[str, object]:
        """Return the shape that `access test -o json` documents."""
        return {
            "machine": self.share.machine,
            "tenant": self.share.tenant,
            "grant": self.share.grant.value,
            "until": self.share.until,
            "allowed": list(self.allowed),
        }


def trial(session: Session) -> Trial:
    """Ask polkit for everything, as a tenant, an outsider and an admin; changes nothing.

    What is shared is asked about as the tenant with whom it is.
    """
    from raptorctl.plans.tenant.access import some_tenant

    session.require_root()
    facts = session.facts(people=(OUTSIDER,))
    tenant, admin = some_tenant(facts), _admin(session)
    domain = f"{tenant.name}-trial" if tenant else "alice-trial"
    asked: list[tuple[str, Account, str]] = []
    if tenant and tenant.account:
        asked += [("own", tenant.account, domain), ("foreign", tenant.account, "nobodys-trial")]
    asked.append(("outsider", account_of(session, OUTSIDER), domain))
    if admin:
        asked.append(("admin", admin, domain))
    trial = _ask(session, asked)
    shares = tuple(_shared(session, facts.shares))
    problem = [facts.shares.problem] if facts.shares.problem else []
    wrong = (*trial.wrong, *problem, *(text for one in shares for text in one.wrong))
    return replace(trial, shares=shares, wrong=wrong)


def _shared(session: Session, shares: Shares) -> Iterator[SharedTrial]:
    """Ask about every share, those that are over as well."""
    live = shares.at(stamp(datetime.now(UTC)))
    for share in shares.all:
        if account := session.host.accounts.find(share.tenant):
            yield _tried(session, share, account, live)


def _tried(
    session: Session, share: Share, account: Account, live: tuple[Share, ...]
) -> SharedTrial:
    from raptorctl.model.access_trial import person, shared_answers

    who, groups = person(account), session.settings.access.admin_groups

    def told(question: Question) -> bool:
        return decide(who, question, groups, live).allowed

    authority = session.host.authority
    said = shared_answers(authority.actions(), authority.answers, account, share, told)
    return SharedTrial(share, *said)


def _ask(session: Session, asked: Iterable[tuple[str, Account, str]]) -> Trial:
    actions = session.host.authority.actions()
    if not actions:
        raise MissingError("polkit knows no action of libvirt", resolution="install libvirt")
    answers: dict[str, dict[str, bool]] = {}
    people, wrong = {}, []
    for part, account, domain in asked:
        people[part] = account.name
        about = questions(actions, domain)
        told = _told(session, account, about)
        said = session.host.authority.answers(account, about)
        for question, yes, answer in zip(about, said, told, strict=True):
            answers.setdefault(question.permission, {})[part] = yes
            if yes is not answer.allowed:
                thing = question.domain or question.volume
                on = f" on {thing}" if thing else ""
                word = "yes" if yes else "no"
                wrong.append(f"{account.name}: {question.permission}{on} is {word}")
    return Trial(people, answers, tuple(wrong))


def _told(session: Session, account: Account, asked: Iterable[Question]) -> tuple[Answer, ...]:
    from raptorctl.host.survey.survey import shares
    from raptorctl.model.access_trial import person

    access = session.settings.access
    live = shares(session.host).at(stamp(datetime.now(UTC)))
    said = (access.admin_groups, live, access.readable)
    return tuple(decide(person(account), question, *said) for question in asked)


def _uuid(session: Session, domain: str) -> str:
    found = session.host.domains.named(domain) if domain else None
    return found.uuid if found else ""


def account_of(session: Session, name: str) -> Account:
    """Return an account of the host.

    Raises:
        MissingError: there is none of that name.
    """
    account = session.host.accounts.find(name)
    if account is None:
        raise MissingError(
            f"there is no account {shown(name)}", code=Code.ACCOUNT_NOT_FOUND, subject=name
        )
    return account


def _admin(session: Session) -> Account | None:
    for group in session.settings.access.admin_groups:
        for account in session.host.accounts.members(group):
            return account
    return None
