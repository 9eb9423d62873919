"""What may be asked of the host's mail."""

from typing import Protocol


class Mail(Protocol):
    """The host's own way to send mail."""

    def works(self) -> bool:
        """Whether there is one."""

    def send(self, message: str) -> None:
        """Hand over a whole message, header and body, whose header says to whom (RFC 5322).

        Raises:
            MissingError: there is no way.
            CommandError: it was not taken.
        """
