"""The session of one command line."""

import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING

from raptorctl.api.session import Session
from raptorctl.errors import RefusedError

if TYPE_CHECKING:
    import typer


class Typed(Session):
    """A session on the real host, by the right of whoever runs this process.

    Args:
        typed: the arguments, for `sudo raptorctl ...`.
    """

    def __init__(self, typed: Iterable[str] = ()) -> None:
        super().__init__()
        self.typed = tuple(typed)
        self.details = False

    def require_root(self) -> None:
        """See `Session`; says the line to type instead."""
        try:
            super().require_root()
        except RefusedError as error:
            error.resolution = shlex.join(("sudo", "raptorctl", *self.typed))
            raise


def session_of(context: "typer.Context", *, root: bool = True) -> Typed:
    """Return the session that the command runs in, its rights checked."""
    session = context.obj
    if not isinstance(session, Typed):
        raise TypeError("commands run by `raptorctl.cli.edge.run`, which makes the session")
    if root:
        session.require_root()
    return session
