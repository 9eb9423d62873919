"""What came of the work on one machine of a file, and whom it is shown to meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from raptorctl.api.change import SILENT
from raptorctl.api.steps import NOBODY, Audience
from raptorctl.errors import RaptorError

if TYPE_CHECKING:
    from raptorctl.engine.report import Reporter


@dataclass(frozen=True)
class Show:
    """Whom the work on one machine is shown to; nobody, if nothing else is said.

    Args:
        reporter: is told about each step of a job.
        audience: is told what steps in guests do, and what is waited for.
    """

    reporter: "Reporter" = SILENT
    audience: Audience = NOBODY


Shows = Callable[[str], Show]
"""Asked when work on a machine or tenant begins."""
UNSEEN: Final[Shows] = lambda _subject: Show()  # noqa: E731 - it is a value as others are


@dataclass(frozen=True)
class Brought:
    """What came of one machine or tenant.

    Args:
        subject: its name.
        did: what was done, a few words each; nothing, where all was so already.
        jobs: the jobs that did it.
        error: why it is not as the file says.
        receipts: what was wiped, and how that is known, a line each.
    """

    subject: str
    did: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    error: RaptorError | None = None
    receipts: tuple[str, ...] = ()

    def encode(self) -> dict[str, Any]:
        """Return the shape that docs/json.md documents."""
        error = self.error.encode() if self.error else None
        return {
            "machine": self.subject,
            "did": list(self.did),
            "jobs": list(self.jobs),
            "error": error,
        }
