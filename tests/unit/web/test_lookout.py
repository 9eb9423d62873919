"""One look for all tabs."""

import asyncio

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
