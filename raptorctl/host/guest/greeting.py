"""The first words of an ssh server, from one that may be slow to say them (RFC 4253 section 4.2).

Who hangs up and calls anew is served after all the calls that were given up: a slow server starts a
process for each of them, and sshd counts them as attacks (sshd_config(5), PerSourcePenalties). So a
call is kept until it is answered, and another one is made only where the first may have been lost.
"""

import os
import select
import socket
import time
from errno import EINPROGRESS
from itertools import chain
from typing import Final

from raptorctl.model.guest import Endpoint
from raptorctl.model.names import shown
from raptorctl.model.session_host import LOOPBACK

BANNER: Final = 255  # bytes, RFC 4253 section 4.2
PRELUDE: Final = 20  # lines that a server may say before it (ibid.)
SOON: Final = 1.0
"""Seconds after which a call that nobody has taken may have been lost on the way."""
LATE: Final = 10.0
"""Seconds after which one that was taken may have been forgotten by a reset."""
MOST: Final = 16
"""Calls that are kept."""


class Greeting:
    """Calls to one server.

    Args:
        at: where it is.
    """

    def __init__(self, at: Endpoint) -> None:
        self._at = at
        self._calls: list[Call] = []

    def listen(self, patience: float) -> str:
        """Return the server's first line, or in brackets what there was instead.

        Args:
            patience: seconds to listen; what has been heard until then counts the next time.
        """
        end, heard = time.monotonic() + patience, ""
        try:
            self._call()
            while self._calls and (left := end - time.monotonic()) > 0:
                heard = self._hear(left) or heard
                if heard.startswith("SSH-"):
                    self._hang_up(0)
                    return heard
        except OSError as error:
            return f"({(error.strerror or str(error)).lower()})"
        return heard or self._calls[0].so_far

    def _call(self) -> None:
        if not self._calls or self._calls[-1].may_be_lost:
            self._calls.append(Call(self._at))
            self._hang_up(MOST)

    def _hang_up(self, keep: int) -> None:
        """Leave the oldest calls, but for so many."""
        while len(self._calls) > keep:
            self._calls.pop(0).close()

    def _hear(self, left: float) -> str:
        """Return what the first of the calls came to that is at its end; "" if none is in time."""
        taken = [call for call in self._calls if call.taken]
        others = [call for call in self._calls if not call.taken]
        for call in chain(*select.select(taken, others, [], left)):
            if said := call.hear():
                self._calls.remove(call)
                call.close()
                return said
        return ""


class Call:
    """One connection, from its first packet to the server's first line.

    Args:
        at: the server.

    Raises:
        OSError: there is no way to it.
    """

    def __init__(self, at: Endpoint) -> None:
        self.taken = False
        # QEMU's user network takes a call before its guest does.
        self._proxied = at.host == LOOPBACK
        self._began = time.monotonic()
        self._said = b""
        family = socket.AF_INET6 if ":" in at.host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        error = self._socket.connect_ex((at.host, at.port))
        if error not in {0, EINPROGRESS}:
            self.close()
            raise OSError(error, os.strerror(error))

    def fileno(self) -> int:
        """For select."""
        return self._socket.fileno()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    @property
    def may_be_lost(self) -> bool:
        """Whether another call may come through where this one does not."""
        age = time.monotonic() - self._began
        return age >= (LATE if self.taken and not self._proxied else SOON)

    @property
    def so_far(self) -> str:
        """What it has come to, in brackets."""
        if first := self._said.split(b"\n")[0].strip():
            # In brackets: what is no whole line is no banner, whatever it begins with.
            return f"(no banner, but {shown(first.decode(errors='replace'))})"
        return "(connected, but it says nothing)" if self.taken else "(no answer)"

    def hear(self) -> str:
        """Return the banner; in brackets how the call ended without one; "" while it goes on."""
        if not self.taken:
            error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            self.taken = not error
            return f"({os.strerror(error).lower()})" if error else ""
        try:
            more = self._socket.recv(BANNER)
        except BlockingIOError:
            return ""
        except ConnectionResetError:
            more = b""
        self._said += more
        over = not more or len(self._said) >= PRELUDE * BANNER
        return self._banner() or (self.so_far if over else "")

    def _banner(self) -> str:
        lines = self._said.split(b"\n")[:-1]
        found = next((line for line in lines if line.startswith(b"SSH-")), b"")
        return found.strip().decode(errors="replace")
