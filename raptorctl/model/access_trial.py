"""Whether polkit answers as our rules say: everything is asked, and what is wrong is told."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from raptorctl.model.access import Person, Question, decide, questions
from raptorctl.model.tenant import Account

Ask = Callable[[Account, Iterable[Question]], Sequence[bool]]
"""Called with who asks, and what; returns what polkit answers, in order."""


def wrong_answers(
    actions: Sequence[str], ask: Ask, account: Account, tenant: str, admin_groups: Sequence[str]
) -> Iterator[str]:
    """Yield what polkit answers otherwise, about machines of two tenants.

    Args:
        actions: all of libvirt's that polkit knows.
        ask: how polkit is asked; what it raises is passed on.
        account: whoever asks.
        tenant: whose machine is asked about, beside somebody else's.
        admin_groups: whose members may do everything.
    """
    if not actions:
        yield "knows no action of libvirt: is libvirt's policy installed?"
    for domain in (f"{tenant}-trial", "somebodyelse-trial"):
        asked = questions(actions, domain)
        for question, allowed in zip(asked, ask(account, asked), strict=True):
            if allowed is not decide(person(account), question, admin_groups).allowed:
                yield f"{'allows' if allowed else 'denies'} {account.name} {_said(question)}"


def person(account: Account) -> Person:
    """An account as the rules see it."""
    return Person(account.name, account.groups, account.uid)


def _said(question: Question) -> str:
    return f"{question.permission} on {question.domain}" if question.domain else question.permission
