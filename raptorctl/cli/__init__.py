"""The command line: the only code that prints, asks and exits."""

import os
import sys

# Typer up to 0.16 (Debian 13 has 0.15) imports all of Rich as it is imported itself: 65 ms of 135,
# four times what `python -c pass` takes. Our help is plain and our bar our own, so Typer is told
# that there is no Rich. Newer ones import it only when needed, and read the variable.
os.environ.setdefault("TYPER_USE_RICH", "0")
if "typer" not in sys.modules and "rich" not in sys.modules:
    sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        import typer  # noqa: F401
    finally:
        del sys.modules["rich"]
