"""Where the program begins."""

import gc
import sys
from collections.abc import Sequence

from raptorctl import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code (raptorctl/errors.py lists them).

    Args:
        arguments: without the program's name; None takes the process's own.
    """
    typed = sys.argv[1:] if arguments is None else list(arguments)
    if typed == ["--version"] and sys.stdout is not None:
        # Nothing else is imported for it: shell prompts and inventories ask often. What cannot be
        # written, `run` explains.
        try:
            sys.stdout.write(f"raptorctl {__version__}\n")
            sys.stdout.flush()
        except OSError:
            pass
        else:
            return 0
    # Imports make nothing but what stays. `raptorctl.cli.commands` turns it on before the command
    # runs, so that a job of hours is collected as ever.
    gc.disable()
    from raptorctl.cli.edge import run

    code = run(typed)
    gc.freeze()  # the interpreter collects twice as it ends, and then gives all memory back anyway
    return code


if __name__ == "__main__":
    sys.exit(main())
