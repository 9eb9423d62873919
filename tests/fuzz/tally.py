"""Counts what was tried, for the figure at the end of a run."""

from functools import partial
from typing import Final

from tests import tally

tried: Final = partial(tally.tried, "fuzz")
"""Note one input that was tried, whatever came of it."""
