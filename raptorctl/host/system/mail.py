"""Mail by sendmail(8), which each mail server for Linux brings."""

import shutil

from raptorctl.host.system import command

TIMEOUT = 60.0
"""Seconds. It only puts the message into a queue."""


class Sendmail:
    """`sendmail -t`: to whom is read from the message's header, and no argument is anybody's."""

    def works(self) -> bool:
        """Whether it is installed."""
        return shutil.which("sendmail", path=command.PATH) is not None

    def send(self, message: str) -> None:
        """See `Mail`."""
        command.run("sendmail", "-t", "-oi", timeout=TIMEOUT, given=message.encode())
