"""One look for all tabs."""

import asyncio
from types import SimpleNamespace

import pytest

from raptorctl.web.lookout import Glimpse, Lookout


def test_what_nobody_foresaw_ends_no_watch() -> None:
    troubles = ["no such thing"]

    def look() -> Glimpse:
        if troubles:
            raise ValueError(troubles.pop())
        return Glimpse(problem="fine again")

    async def scene() -> list[str]:
        lookout, said = Lookout(look, beat=0.0), []
        watch = asyncio.create_task(lookout.run())
        with lookout.watching() as changed:
            for _ in range(2):
                await changed.wait()
                said.append((lookout._last or Glimpse()).problem)
                changed.clear()
        watch.cancel()
        return said

    async def bounded() -> list[str]:
        return await asyncio.wait_for(scene(), 60)

    assert asyncio.run(bounded()) == ["unexpected ValueError: no such thing", "fine again"]


def test_the_longer_a_look_takes_the_longer_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("raptorctl.web.lookout.time", SimpleNamespace(monotonic=lambda: clock[0]))

    def slow() -> Glimpse:
        clock[0] += 2.0
        return Glimpse()

    lookout = Lookout(slow)
    assert lookout.rest == 3.0
    asyncio.run(lookout.now())
    assert lookout.rest == 18.0
    clock[0] += 17.0
    asyncio.run(lookout.now())
    assert lookout.looks == 1
    clock[0] += 1.0
    asyncio.run(lookout.now())
    assert lookout.looks == 2
