"""sh without what its import brings and no program of ours needs: nine tenths of what it costs.

asyncio serves `await` alone, importlib.metadata the text of sh's version: it is then "unknown".
"""

import sys
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from raptorctl.host.system.stand_in import NoVersions, standing_in


class LateAsyncio(ModuleType):
    """asyncio as sh keeps it: knows that no loop runs, and imports the real one for all else."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what `import` looks for
            raise AttributeError(name)
        return getattr(import_module("asyncio"), name)

    def get_running_loop(self) -> Any:
        """Return the loop that runs, as asyncio does: none can before it is imported.

        Raises:
            RuntimeError: none does.
        """
        if "asyncio" not in sys.modules:
            raise RuntimeError("no running event loop")
        return import_module("asyncio").get_running_loop()

    def Queue(self, *args: Any, **options: Any) -> Any:  # noqa: N802 - sh takes it at its import
        """Make asyncio's queue."""
        return import_module("asyncio").Queue(*args, **options)


@cache
def lean_sh() -> Any:
    """Import sh, once. Not beside a thread that imports asyncio: it would get the stand-in."""
    with standing_in({"asyncio": LateAsyncio, "importlib.metadata": NoVersions}):
        import sh
    return sh
