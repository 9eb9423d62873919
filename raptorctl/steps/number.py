"""A removed tenant's number: nothing of it stays that anybody could use."""

from dataclasses import dataclass

from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.errors import HostError
from raptorctl.model.override import override
from raptorctl.steps.step import Observed, Step


@dataclass(frozen=True)
class SweepNumber(Step):
    """Remove what a number owns on the host's own filesystems, and its System V IPC.

    Nothing is touched while an account has the number: then it is that account's.

    Args:
        name: whose it was.
        uid: the number.
    """

    name: str
    uid: int

    kind = "number.sweep"
    reversible = False
    needs_lock = False  # nobody gets the number, and all that is touched carries it

    @property
    @override
    def title(self) -> str:
        return f"remove what {self.name} left outside of the home, by uid {self.uid}"

    @property
    @override
    def destroys(self) -> str:
        return f"files that uid {self.uid} owns outside of its home"

    def is_done(self, host: Host) -> bool:
        """Nothing is there."""
        return not host.accounts.left(self.uid)

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Remove it, and look again."""
        swept = host.accounts.sweep(self.uid, tick)
        if left := host.accounts.left(self.uid):
            raise HostError(
                f"{len(left)} things of uid {self.uid} would not go, the first is {left[0]}"
            )
        return swept

    def undo(self, host: Host, tick: Tick) -> None:
        """There is no way back."""
