"""Mail to tenants."""

from dataclasses import dataclass

from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.model.override import override
from raptorctl.steps.step import Observed, Step


@dataclass(frozen=True)
class SendMail(Step):
    """Send a message. Cut off in between it may be sent twice, and is never left out.

    Args:
        to: whom, for people.
        about: its subject.
        message: header and body.
    """

    to: str
    about: str
    message: str

    kind = "mail.send"

    @property
    @override
    def title(self) -> str:
        return f"mail {self.to}: {self.about}"

    def is_done(self, host: Host) -> bool:
        """Nobody can tell."""
        return False

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Hand it over."""
        host.mail.send(self.message)
        return {"to": self.to}

    def undo(self, host: Host, tick: Tick) -> None:
        """What is sent is sent."""
