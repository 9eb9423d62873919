"""What tenants share: the list changes, polkit is asked whether it knows, open consoles end."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.errors import ConflictError, HostError
from raptorctl.model.access import Question, decide
from raptorctl.model.access_trial import person, shared_answers
from raptorctl.model.override import override
from raptorctl.model.share import SHARES, Grant, Share, parse_shares, shares_text
from raptorctl.model.stamp import stamp
from raptorctl.steps.step import Observed, Step

MODE = 0o644

_ACTS = {Grant.CONSOLE: "have the console of", Grant.OPERATE: "operate"}


@dataclass(frozen=True)
class ChangeShares(Step):
    """Put shares in place of others in the list that polkit's rule reads; the rest stays as it is.

    Args:
        before: those that go.
        after: those that come.
    """

    before: tuple[Share, ...]
    after: tuple[Share, ...] = ()

    kind = "share.change"

    @property
    @override
    def title(self) -> str:
        if self.after:
            return "; ".join(
                f"let {one.tenant} {_ACTS[one.grant]} {one.machine} {one.told}"
                for one in self.after
            )
        machines = ", ".join(sorted({one.machine for one in self.before}))
        tenants = ", ".join(sorted({one.tenant for one in self.before}))
        return f"end what {tenants} may do with {machines}"

    def is_done(self, host: Host) -> bool:
        """The list has what comes, and nothing of what goes.

        Raises:
            ConflictError: it says a third thing of the same machine and tenant.
        """
        return self._is(host, self.before, self.after)

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Write the list anew, whole."""
        self._put(host, self.before, self.after)
        return {"path": SHARES}

    def undo(self, host: Host, tick: Tick) -> None:
        """Put back what went; nothing half written stays."""
        if not self._is(host, self.after, self.before) or not self.before:
            self._put(host, self.after, self.before)

    @override
    def leftover(self) -> str:
        return SHARES

    def _is(self, host: Host, gone: Iterable[Share], come: Iterable[Share]) -> bool:
        there = self._read(host)
        return set(come) <= there and not there & (set(gone) - set(come))

    def _put(self, host: Host, gone: Iterable[Share], come: Iterable[Share]) -> None:
        wanted = (self._read(host) - set(gone)) | set(come)
        if wanted:
            host.files.write(SHARES, shares_text(wanted), MODE)
        else:
            host.files.remove(SHARES)

    def _read(self, host: Host) -> set[Share]:
        text = host.files.read(SHARES)
        there = set(parse_shares(text) if text is not None else ())
        ours = {*self.before, *self.after}
        if {one.key for one in there - ours} & {one.key for one in ours}:
            raise ConflictError(
                f"{SHARES} was changed meanwhile", resolution="look at it, then try again"
            )
        return there


@dataclass(frozen=True)
class CheckShare(Step):
    """Have polkit read the list, and ask it everything about the machine, as the other tenant.

    What counts is what polkit answers, not what the list says.

    Args:
        share: the machine and the other tenant.
        granted: whether it is to count.
        admin_groups: whose members may do everything.
    """

    share: Share
    granted: bool
    admin_groups: tuple[str, ...]

    kind = "share.check"

    @property
    @override
    def title(self) -> str:
        return f"ask polkit, as {self.share.tenant}, what they may do with {self.share.machine}"

    def is_done(self, host: Host) -> bool:
        """Never taken for granted."""
        return False

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Ask, and raise at a wrong answer: the list is then as it was."""
        host.authority.reload()
        account = host.accounts.find(self.share.tenant)
        if account is None:  # who is gone asks for nothing
            return {"allowed": []}
        now = stamp(datetime.now(UTC))
        shares = [self.share] if self.granted and not self.share.is_over(now) else []
        who = person(account)

        def told(question: Question) -> bool:
            return decide(who, question, self.admin_groups, shares).allowed

        actions, ask = host.authority.actions(), host.authority.answers
        allowed, wrong = shared_answers(actions, ask, account, self.share, told)
        if wrong:
            raise HostError(
                f"with the new list of shares, polkit {wrong[0]}",
                resolution="see `raptorctl access test`; `raptorctl access install` lays the rules",
            )
        return {"allowed": list(allowed)}

    def undo(self, host: Host, tick: Tick) -> None:
        """Polkit sees by itself that the list is the old one again."""


@dataclass(frozen=True)
class Disconnect(Step):
    """End a tenant's connections to libvirt: an open console outlives the right to open it.

    Args:
        name: the login.
        uid: its number.
    """

    name: str
    uid: int

    kind = "account.disconnect"

    @property
    @override
    def title(self) -> str:
        return f"end the connections of {self.name} to libvirt"

    def is_done(self, host: Host) -> bool:
        """Never taken for granted: a connection may be new."""
        return False

    def apply(self, host: Host, tick: Tick) -> Observed:
        """End them."""
        there = host.accounts.find(self.name)
        same = there is not None and there.uid == self.uid
        return {"ended": host.accounts.disconnect(there) if there and same else 0}

    def undo(self, host: Host, tick: Tick) -> None:
        """What ended stays so: its owner can connect again."""
