"""Several errors of one command, and the one that it ends with."""

from collections.abc import Sequence

from raptorctl.errors import RaptorError
from raptorctl.model.exit_code import LEFTOVERS


def decisive(errors: Sequence[RaptorError]) -> RaptorError:
    """Return the one of several errors that a command ends with.

    The first that leaves something on the host: no exit code may say that it is untouched. Else
    the last.

    Args:
        errors: at least one, in the order in which they came.
    """
    return next((one for one in errors if one.exit_code == LEFTOVERS), errors[-1])
