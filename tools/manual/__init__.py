"""Man pages and completion: `share/`, written from the command line and from tables of the docs.

`make manual` writes it; a test says when it is no longer current. What is written is committed, so
that a wheel can be built without what the program imports.
"""

from pathlib import Path
from typing import Final

CHECKOUT: Final = Path(__file__).parents[2]
SHARE: Final = CHECKOUT / "share"
