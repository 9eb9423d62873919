"""How whatever takes long says how far it is."""

from collections.abc import Callable

Tick = Callable[[int, int], None]
"""Called with bytes done and bytes in all, often; raises StoppedError when asked to stop."""
