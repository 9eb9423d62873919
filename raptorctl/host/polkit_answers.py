"""Whether polkit answers as our rules say: everything is asked, and what is wrong is told."""

from collections.abc import Iterator, Sequence

from raptorctl.host.drivers import Authority
from raptorctl.model.access import Person, Question, decide, questions
from raptorctl.model.tenant import Account


def wrong_answers(
    authority: Authority, account: Account, tenant: str, admin_groups: Sequence[str]
) -> Iterator[str]:
    """Yield what polkit answers otherwise, about machines of two tenants.

    Args:
        authority: polkit.
        account: whoever asks.
        tenant: whose machine is asked about, beside somebody else's.
        admin_groups: whose members may do everything.

    Raises:
        HostError: polkit does not answer.
    """
    actions = authority.actions()
    if not actions:
        yield "knows no action of libvirt: is libvirt's policy installed?"
    for domain in (f"{tenant}-trial", "somebodyelse-trial"):
        asked = questions(actions, domain)
        answers = authority.answers(account, asked)
        for question, allowed in zip(asked, answers, strict=True):
            if allowed is not decide(person(account), question, admin_groups).allowed:
                yield f"{'allows' if allowed else 'denies'} {account.name} {_said(question)}"


def person(account: Account) -> Person:
    """An account as the rules see it."""
    return Person(account.name, account.groups, account.uid)


def _said(question: Question) -> str:
    return f"{question.permission} on {question.domain}" if question.domain else question.permission
