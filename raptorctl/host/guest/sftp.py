"""Files in a guest over SFTP, and those of this side that go there."""

import asyncio
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from raptorctl.errors import HostError, InputError
from raptorctl.host.system.caller import open_given, whole
from raptorctl.model.names import shown
from raptorctl.model.sizes import MIB, Size

if TYPE_CHECKING:
    import asyncssh

CLEAR: Final = 5.0  # seconds, to tidy up one thing in a guest that may not answer any more
LARGEST: Final = 64 * MIB
"""Bytes of one file: it is held in memory."""
MOST_KEYS: Final = 1 << 20
"""Bytes of a file of keys that are read: sshd itself reads no line beyond 8 KiB."""
AUTHORIZED: Final = ".ssh/authorized_keys"  # below the account's home, where SFTP begins


async def write(link: "asyncssh.SSHClientConnection", data: bytes, place: str, mode: int) -> None:
    """Put bytes in a file's place, whole or not at all, with its mode from the beginning."""
    import asyncssh

    part = f"{place}.{secrets.token_hex(4)}.part"
    async with link.start_sftp_client() as files:
        try:
            attributes = asyncssh.SFTPAttrs(permissions=mode & 0o700)
            async with files.open(part, "wb", attributes) as file:
                await file.write(data)
            await files.chmod(part, mode)
            await files.posix_rename(part, place)
        except BaseException:
            with suppress(asyncssh.Error, TimeoutError):
                async with asyncio.timeout(CLEAR):
                    await files.remove(part)
            raise


async def forget(link: "asyncssh.SSHClientConnection", name: str, comment: str) -> None:
    """Take the public keys with that comment out of a machine's account's authorized_keys."""
    async with link.start_sftp_client() as files:
        mode = (await files.stat(AUTHORIZED)).permissions or 0o600
        async with files.open(AUTHORIZED, "rb") as file:
            text = bytes(await file.read(MOST_KEYS))  # type: ignore[arg-type] # of bytes
    if len(text) == MOST_KEYS:
        raise HostError(f"{AUTHORIZED} of {name} has grown beyond all measure")
    gone = f" {comment}".encode()
    kept = [line for line in text.splitlines(True) if not line.rstrip().endswith(gone)]
    await write(link, b"".join(kept), AUTHORIZED, stat.S_IMODE(mode))


def local(path: Path) -> tuple[bytes, int]:
    """Read a file of this side, and its mode.

    Raises:
        InputError: it is missing, is none, or larger than `LARGEST`.
    """
    with open_given(str(path)) as stream:
        data = whole(stream, LARGEST + 1)
        mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
    if len(data) > LARGEST:
        raise InputError(f"{shown(str(path))} is larger than {Size(LARGEST)}")
    return data, mode & 0o777
