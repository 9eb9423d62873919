"""A file written over SFTP without a pause: requests go out before earlier ones are answered."""

import asyncio
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    import asyncssh

REQUEST: Final = 255 << 10
"""Bytes of one request: the most that OpenSSH's server takes (its PROTOCOL, limits@openssh.com).
For a server that takes less, asyncssh divides it."""
WAITING: Final = 16
"""Requests without an answer. What a connection that is cut leaves undone is among them: less than
what is compared before it is gone on with."""
_IGNORE: Final = 2
"""SSH_MSG_IGNORE (RFC 4253, 11.2)."""


class Writer:
    """Writes on, from some place of a file.

    Args:
        file: open.
        at: the place, in bytes.
        patience: seconds for one answer.
        tell: told how many bytes are there.
    """

    def __init__(
        self,
        file: "asyncssh.SFTPClientFile",
        at: int,
        patience: float,
        tell: Callable[[int], None],
    ) -> None:
        self._file, self._at, self._patience, self._tell = file, at, patience, tell
        self._waiting: deque[tuple[asyncio.Task[Any], int]] = deque()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            while self._waiting and error is None:
                await self._answered()
        finally:
            for task, _ in self._waiting:
                task.cancel()
            await asyncio.gather(*(task for task, _ in self._waiting), return_exceptions=True)

    async def write(self, data: bytes) -> None:
        """Send it; some of it may not be there yet."""
        for start in range(0, len(data), REQUEST):
            if len(self._waiting) == WAITING:
                await self._answered()
            piece: Any = data[start : start + REQUEST]
            task = asyncio.create_task(self._file.write(piece, self._at))
            self._at += len(piece)
            self._waiting.append((task, self._at))

    async def _answered(self) -> None:
        task, end = self._waiting[0]
        async with asyncio.timeout(self._patience):
            await task
        self._waiting.popleft()
        self._tell(end)


def without_padding(link: "asyncssh.SSHClientConnection") -> None:
    """Send no empty packet before each one.

    asyncssh does so always, for the sake of CBC (RFC 4251, 9.3.1), which makes twice as many
    packets and system calls. Ciphers that authenticate what they encrypt do not need it.
    """
    if not str(link.get_extra_info("send_cipher")).endswith(
        ("-gcm@openssh.com", "-poly1305@openssh.com")
    ):
        return
    send = link.send_packet

    def sent(kind: int, *parts: bytes, **options: Any) -> None:
        if kind != _IGNORE:
            send(kind, *parts, **options)

    setattr(link, "send_packet", sent)  # noqa: B010 - a method
