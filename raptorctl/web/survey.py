"""What is dear to read, kept for a while: all facts of the host, and what `doctor` finds."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

from starlette.concurrency import run_in_threadpool

from raptorctl.api.doctor import findings
from raptorctl.api.session import Session
from raptorctl.model.facts import HostFacts
from raptorctl.model.probe import Finding

FACTS_SECONDS: Final = 10.0
DOCTOR_SECONDS: Final = 300.0


class Survey:
    """The host's facts, read by one at a time, however many ask.

    Args:
        session: by whose right.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._one = asyncio.Lock()
        self._kept: dict[str, tuple[float, Any]] = {}

    async def facts(self) -> HostFacts:
        """All that a planner may look at, some seconds old at most.

        Raises:
            RaptorError: a part of the host does not answer.
        """
        found: HostFacts = await self._recent("facts", FACTS_SECONDS, self._session.facts)
        return found

    def forget(self) -> None:
        """Have the next page read the facts anew: the host was changed."""
        self._kept.pop("facts", None)

    async def findings(self, *, anew: bool = False) -> tuple[tuple[Finding, ...], float]:
        """What `doctor` finds, and how many seconds ago."""
        if anew:
            self._kept.pop("doctor", None)
        found: tuple[Finding, ...] = await self._recent(
            "doctor", DOCTOR_SECONDS, lambda: findings(self._session)
        )
        return found, time.monotonic() - self._kept["doctor"][0]

    async def _recent(self, key: str, seconds: float, read: Callable[[], Any]) -> Any:
        async with self._one:
            at, found = self._kept.get(key, (0.0, None))
            if found is None or time.monotonic() - at >= seconds:
                found = await run_in_threadpool(read)
                self._kept[key] = (time.monotonic(), found)
            return found
