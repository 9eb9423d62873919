"""Rules that have been written are tried before anybody relies on them."""

from dataclasses import dataclass

from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.errors import HostError
from raptorctl.model.access_trial import wrong_answers
from raptorctl.model.override import override
from raptorctl.model.settings import Access
from raptorctl.steps.step import Observed, Step


@dataclass(frozen=True)
class CheckRules(Step):
    """Have polkit read its rules anew, and ask it everything about two people.

    A file that polkit cannot read is skipped, and then everybody may read everything: what counts
    is what polkit answers, not what the file says.

    Args:
        outsider: an account that is nobody's: every answer must be no.
        tenant: one in our group: the answers must be the table's.
        admin_groups: whose members may do everything.
        readable: what tenants may look at beside machines.
    """

    outsider: str
    tenant: str
    admin_groups: tuple[str, ...]
    readable: tuple[str, ...] = ()

    kind = "access.check"
    later = ("readable",)

    @property
    @override
    def title(self) -> str:
        return f"ask polkit everything, as {self.outsider} and as tenant {self.tenant}"

    def is_done(self, host: Host) -> bool:
        """Never taken for granted."""
        return False

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Ask, and raise at the first wrong answer: the old rules then come back."""
        host.authority.reload()
        actions, ask = host.authority.actions(), host.authority.answers
        access, asked = Access(admin_groups=self.admin_groups, readable=self.readable), 0
        for name in (self.outsider, self.tenant):
            account = host.accounts.find(name)
            if account is None:
                raise HostError(f"account {name} is not there")
            for wrong in wrong_answers(actions, ask, account, self.tenant, access):
                raise HostError(f"with the new rules, polkit {wrong}")
            asked += 1
        return {"people": asked}

    def undo(self, host: Host, tick: Tick) -> None:
        """Polkit sees by itself that the file is the old one again."""
