"""Of what takes long: nobody is told how far it is."""

from typing import Final


class Unwatched:
    """Tells nobody; implements `raptorctl.drivers.image.Watch`."""

    def begin(self, title: str) -> None:
        """Say nothing."""

    def tick(self, done: int, total: int) -> None:
        """Say nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""


UNWATCHED: Final = Unwatched()
