"""How the engine tells a person what it is doing. The CLI implements it; silence is the default."""

from typing import Protocol

from raptorctl.model.job import StepState


class Reporter(Protocol):
    """Told about every step as it happens."""

    def started(self, number: int, total: int, title: str) -> None:
        """Step `number` of `total`, counted from 1, begins (or is being undone)."""

    def progress(self, done: int, total: int) -> None:
        """The current step has done `done` of `total` bytes."""

    def ended(self, number: int, total: int, title: str, state: StepState, problem: str) -> None:
        """The step ended in `state`; `problem` says why when it went wrong."""

    def note(self, text: str) -> None:
        """Something worth a line of its own."""


class Silent:
    """Tells nobody."""

    def started(self, number: int, total: int, title: str) -> None:
        """Say nothing."""

    def progress(self, done: int, total: int) -> None:
        """Say nothing."""

    def ended(self, number: int, total: int, title: str, state: StepState, problem: str) -> None:
        """Say nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""
