"""What is too slow for every run."""

import os

import pytest

full = pytest.mark.skipif(
    not os.environ.get("RAPTOR_FULL_BOOT"), reason="takes long: make full-boots"
)
"""Of tests that boot a whole Debian where that takes long, or fails with an older QEMU."""
