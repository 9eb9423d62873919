"""What may be asked of systemd about moments at which something is to be done."""

from typing import Protocol


class Timers(Protocol):
    """Transient timers of the host; each has `raptorctl expire` run once, and is gone then.

    They do not outlive a restart of the host.
    """

    def works(self) -> bool:
        """Whether systemd runs here, and is to run `raptorctl expire` every hour as well."""

    def is_set(self, name: str) -> bool:
        """Whether a timer waits for its moment.

        Raises:
            MissingError, CommandError: systemd does not answer.
        """

    def set(self, name: str, at: str) -> None:
        """Set a timer.

        Args:
            name: of its unit, without the suffix.
            at: the moment, UTC, ISO 8601, seconds.

        Raises:
            MissingError, CommandError: systemd does not take it.
        """

    def cancel(self, name: str) -> None:
        """End a timer; one that is not there is fine.

        Raises:
            MissingError, CommandError: systemd does not answer.
        """
