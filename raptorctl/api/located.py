"""What the host refuses of a file of machines, said with where in the file it stands."""

from typing import TypeVar

from raptorctl.errors import RaptorError
from raptorctl.model.raptor_file import RaptorFile

E = TypeVar("E", bound=RaptorError)


def located(error: E, file: RaptorFile | None, subject: str, key: str = "") -> E:
    """Put a place before an error, as the file's own errors have it; return the error.

    Args:
        error: whose sentence begins anew.
        file: None where there is none.
        subject: the machine or tenant, by its whole name.
        key: of its table; "" for all of it. What the file does not have is not named.
    """
    if place := file.place(subject, key) if file else "":
        error.brief = f"{place}: {error.brief}"
    return error
