"""Whether polkit answers as our rules say: everything is asked, and what is wrong is told."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from raptorctl.model.access import DOMAIN, Person, Question, decide, questions
from raptorctl.model.settings import Access
from raptorctl.model.share import Share
from raptorctl.model.tenant import Account

NO_UUID: Final = "00000000-0000-4000-8000-000000000000"
"""No machine's."""

Ask = Callable[[Account, Iterable[Question]], Sequence[bool]]
"""Called with who asks, and what; returns what polkit answers, in order."""


def wrong_answers(
    actions: Sequence[str],
    ask: Ask,
    account: Account,
    tenant: str,
    access: Access,
) -> Iterator[str]:
    """Yield what polkit answers otherwise, about machines of two tenants.

    Args:
        actions: all of libvirt's that polkit knows.
        ask: how polkit is asked; what it raises is passed on.
        account: whoever asks.
        tenant: whose machine is asked about, beside somebody else's.
        access: whose members may do everything, and what tenants may look at beside machines.
    """
    who, said = person(account), (access.admin_groups, (), access.readable)
    if not actions:
        yield "knows no action of libvirt: is libvirt's policy installed?"
    machines = (f"{tenant}-trial", "somebodyelse-trial")
    # What is about no machine is the same question for both: a quarter of all answers' time.
    asked = tuple(dict.fromkeys(one for name in machines for one in questions(actions, name)))
    told = (decide(who, question, *said).allowed for question in asked)
    yield from _otherwise(account, asked, ask(account, asked), told)


def shared_answers(
    actions: Sequence[str],
    ask: Ask,
    account: Account,
    share: Share,
    told: Callable[[Question], bool],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ask everything about a machine that is shared, or was, as the other tenant.

    Beside it, about one of its name that is another, and about another of its owner's, as far as
    there is anything that a tenant may do with any machine.

    Args:
        actions: all of libvirt's that polkit knows.
        ask: how polkit is asked; what it raises is passed on.
        account: the other tenant's.
        share: of which machine.
        told: what polkit is to answer.

    Returns:
        What polkit allows with the machine, as permissions; and what it answers otherwise than it
        should, as sentences.
    """
    all_of_it = [one for one in questions(actions, share.machine, share.uuid) if one.domain]
    others = [
        one
        for machine, uuid in ((share.machine, NO_UUID), (f"{share.machine}-trial", share.uuid))
        for one in questions(actions, machine, uuid)
        if one.domain and one.permission.removeprefix("domain.") in DOMAIN
    ]
    asked = (*all_of_it, *others)
    answers = ask(account, asked)
    allowed = (one.permission for one, yes in zip(all_of_it, answers, strict=False) if yes)
    return tuple(allowed), tuple(_otherwise(account, asked, answers, map(told, asked)))


def _otherwise(
    account: Account, asked: Iterable[Question], answers: Iterable[bool], told: Iterable[bool]
) -> Iterator[str]:
    """Say which answers are others than polkit was to give."""
    for question, allowed, wanted in zip(asked, answers, told, strict=True):
        if allowed is not wanted:
            yield f"{'allows' if allowed else 'denies'} {account.name} {_said(question)}"


def person(account: Account) -> Person:
    """An account as the rules see it."""
    return Person(account.name, account.groups, account.uid)


def _said(question: Question) -> str:
    on = question.domain or question.volume
    return f"{question.permission} on {on}" if on else question.permission
