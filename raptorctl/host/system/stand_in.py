"""Stand-ins for what a library imports, and what we use of it never asks."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType


class NoVersions(ModuleType):
    """importlib.metadata where nothing is installed."""

    PackageNotFoundError = LookupError

    def version(self, name: str) -> str:
        """Know none.

        Raises:
            PackageNotFoundError: always.
        """
        raise self.PackageNotFoundError(name)


@contextmanager
def standing_in(kinds: Mapping[str, Callable[[str], ModuleType]]) -> Iterator[None]:
    """Have stand-ins found for modules that are not imported yet, until the context ends.

    Not beside a thread that imports one of them: it would get the stand-in.

    Args:
        kinds: by a module's name what makes its stand-in of that name.
    """
    absent = {name: make(name) for name, make in kinds.items() if name not in sys.modules}
    sys.modules.update(absent)
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
