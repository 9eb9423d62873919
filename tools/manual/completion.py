"""Completion for everybody on a host, where each shell looks for it by itself.

The texts are Typer's: they ask raptorctl, so no list of commands stands in them.
"""

import os
import subprocess
import sys
from typing import Final

from tools.manual import CHECKOUT

PROGRAM: Final = "raptorctl"

PLACES: Final = {
    "bash": f"bash-completion/completions/{PROGRAM}",
    "zsh": f"zsh/site-functions/_{PROGRAM}",
    "fish": f"fish/vendor_completions.d/{PROGRAM}.fish",
}
"""bash-completion's README, "Where should I put it"; zshcompsys(1), autoloaded files; fish's
documentation, "Where to put completions"."""

FIRST_CALL: Final = f"""
# zsh calls this file as a function at the first Tab: complete that one too.
_{PROGRAM}_completion "$@"
"""


def completions() -> dict[str, str]:
    """Return the files by their paths below `share/`."""
    return {place: _script(shell) for shell, place in PLACES.items()}


def _script(shell: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", PROGRAM],
        env={"PATH": os.environ["PATH"], f"_{PROGRAM.upper()}_COMPLETE": f"source_{shell}"},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    return f"{done.stdout.strip()}\n{FIRST_CALL if shell == 'zsh' else ''}"
