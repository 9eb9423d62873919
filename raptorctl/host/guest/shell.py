"""Steps in a guest over ssh, by asyncssh.

Not paramiko: asyncssh is typed, takes the known host keys and our own key as data instead of files
(so that nothing is trusted because some file of the admin's says so), one object is one connection
with its limits, and SFTP sets a file's mode when it makes it. It is loaded when first needed: it
brings cryptography, a third of a second.
"""

import asyncio
import os
import re
import secrets
import shlex
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from raptorctl.drivers.guest import Heard, Login
from raptorctl.errors import HostError, WaitError
from raptorctl.host.guest.keys import is_named, own_keys
from raptorctl.host.guest.login import refused
from raptorctl.host.guest.sftp import CLEAR, forget, local, write
from raptorctl.host.guest.sudo import acting_as, clear, hand_over, put
from raptorctl.model.cause import LOGIN
from raptorctl.model.guest_step import GuestStep
from raptorctl.model.host_key import changed
from raptorctl.model.names import shown
from raptorctl.model.reason import why
from raptorctl.model.text import plain

if TYPE_CHECKING:
    import asyncssh

T = TypeVar("T")

CONNECT: Final = 60.0  # seconds, to log in: an emulated guest takes its time
BEAT: Final = 0.2  # seconds between two looks for a signal
KEEPALIVE: Final = 10  # seconds; three unanswered ones are a broken connection
PIECE: Final = 1 << 16
TIDY: Final = 3 * CLEAR  # seconds, for all of it, before the connection is cut
TEMPORARY: Final = "mktemp -d"
BEGIN: Final = 'sh -c \'echo $$ >"$0.pid"; [ -z "$1" ] || cd -- "$1" || exit; exec "$0"\''
"""Runs a script, and leaves word which process it is; its name follows, and perhaps where it is
run, each as one word of a shell."""
END: Final = "sh -c 'p=$(cat \"$0.pid\") && { kill -9 -- -$p || kill -9 $p; } 2>/dev/null'"
"""sshd gives each command a session of its own, so that the process leads a group."""
LONGEST_NAME: Final = 4096  # PATH_MAX
_PLACE: Final = re.compile(r"/[A-Za-z0-9._/-]{1,200}", re.ASCII)
_UNFIT: Final = re.compile(r"[^A-Za-z0-9._-]")


@contextmanager
def open_shell(login: Login, tick: Callable[[], None]) -> Iterator["SshShell"]:
    """Log in for steps; see `raptorctl.drivers.guest.Guests.open`.

    Raises:
        HostError: another host key than the known ones, or no right to log in.
        WaitError: nobody answers.
    """
    with asyncio.Runner() as runner:
        shell = SshShell(login, runner, tick)
        try:
            shell.connect()
            yield shell
        finally:
            shell.close()


class SshShell:
    """One login; `raptorctl.drivers.guest.Shell` by asyncssh.

    Args:
        login: how to log in.
        runner: runs what waits.
        tick: called every fifth of a second; what it raises ends what is going on.
    """

    def __init__(self, login: Login, runner: asyncio.Runner, tick: Callable[[], None]) -> None:
        self._login, self._runner, self._tick = login, runner, tick
        self._link: asyncssh.SSHClientConnection | None = None

    def connect(self) -> None:
        """Log in."""
        name = self._login.name
        self._link = self._wait(self._connected(), CONNECT, f"a login to {name}")

    def close(self) -> None:
        """Hang up."""
        if self._link:
            self._link.abort()
            self._runner.run(self._link.wait_closed())

    def run(self, script: GuestStep, timeout: float, heard: Heard) -> int:
        """Upload a script, run it, remove it; see `Shell`."""
        return self._wait(self._ran(script, heard), timeout, f"{script.source.name} to end")

    def copy(self, step: GuestStep, timeout: float) -> str:
        """Put a file into the guest; see `Shell`."""
        return self._wait(self._copied(step), timeout, f"{step.source.name} to be there")

    def forget_key(self, comment: str) -> None:
        """Take keys out of the account's authorized_keys; see `Shell`."""
        self._wait(
            forget(self._open, self._login.name, comment), CONNECT, "its key to be taken away"
        )

    def _wait(self, work: Coroutine[Any, Any, T], timeout: float, awaited: str) -> T:
        import asyncssh

        name = self._login.name
        try:
            return self._runner.run(self._bounded(work, timeout, awaited))
        except asyncssh.HostKeyNotVerifiable as error:
            expected = ", ".join(key.fingerprint for key in self._login.host_keys)
            raise changed(name, expected, "another") from error
        except asyncssh.PermissionDenied as error:
            raise refused(self._login) from error
        except (asyncssh.Error, asyncssh.KeyImportError) as error:
            found = why(str(error), LOGIN)
            raise HostError(
                f"{name}, waiting for {awaited}: {found.line}", resolution=found.advice
            ) from error

    async def _bounded(self, work: Coroutine[Any, Any, T], timeout: float, awaited: str) -> T:
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
        end = loop.time() + timeout
        try:
            while not task.done():
                self._tick()
                if loop.time() >= end:
                    raise WaitError(awaited, timeout, "no end of it")
                await asyncio.wait({task}, timeout=min(BEAT, max(0.0, end - loop.time())))
            return task.result()
        finally:
            task.cancel()
            await asyncio.wait({task}, timeout=TIDY)
            if not task.done() and self._link:
                self._link.abort()
                await asyncio.wait({task}, timeout=CLEAR)

    async def _connected(self) -> "asyncssh.SSHClientConnection":
        import asyncssh

        login = self._login
        trusted = [asyncssh.import_public_key(f"{k.type} {k.blob}") for k in login.host_keys]
        began = time.monotonic()
        own = own_keys(login)
        try:
            return await asyncssh.connect(
                login.at.host,
                login.at.port,
                username=login.user,
                known_hosts=(trusted, [], []),
                client_keys=own,
                agent_path=None if is_named(login) else os.environ.get("SSH_AUTH_SOCK"),
                preferred_auth="publickey",
                config=None,
                keepalive_interval=KEEPALIVE,
                connect_timeout=CONNECT,
            )
        except OSError as error:
            said = os.strerror(error.errno).lower() if error.errno else str(error) or "no answer"
            waited = round(time.monotonic() - began)
            raise WaitError(f"ssh of {login.name} at {login.at}", waited, said) from error

    @property
    def _open(self) -> "asyncssh.SSHClientConnection":
        if self._link is None:
            raise HostError(f"not logged in to {self._login.name}")
        return self._link

    async def _ran(self, script: GuestStep, heard: Heard) -> int:
        text = script.text.encode() or local(script.source)[0]
        user, folder = self._other(script), await self._folder()
        place = f"{folder}/{_UNFIT.sub('_', script.source.name)}"
        try:
            await write(self._open, text, place, 0o700)
            await self._handed_over(user, folder)
            words = shlex.join([place, script.dir] if script.dir else [place])
            return await self._status(f"{acting_as(user)}{BEGIN} {words}", heard)
        except asyncio.CancelledError:
            await self._ended(place, user)
            raise
        finally:
            await self._cleared(place, folder, user)

    def _other(self, step: GuestStep) -> str:
        """Whom it is done as by sudo; "" where that is who has logged in."""
        return "" if step.user == self._login.user else step.user

    async def _handed_over(self, user: str, folder: str) -> None:
        if not user:
            return
        status, said = await self._answer(hand_over(user, folder))
        if status:
            raise HostError(
                f"{self._login.user} of {self._login.name} cannot act as {user}: {said}",
                resolution=f"let it use sudo without a password, or log in as {user}",
            )

    async def _answer(self, command: str) -> tuple[int, str]:
        """Run a command; return its status, and what it says, which is the tenant's to choose."""
        said = bytearray()

        def heard(piece: bytes) -> None:
            said.extend(piece[: LONGEST_NAME - len(said)])

        status = await self._status(command, heard)
        first = said.decode(errors="replace").strip().partition("\n")[0]
        return status, plain(first) or f"status {status}"

    async def _folder(self) -> str:
        """Make a folder in the guest. What answers is its tenant's: no more is read than a name."""
        import asyncssh

        process = await self._open.create_process(
            TEMPORARY, stdin=asyncssh.DEVNULL, encoding="utf-8"
        )
        said = ""
        while len(said) < LONGEST_NAME and "\n" not in said:
            if not (piece := await process.stdout.read(LONGEST_NAME)):
                break
            said += piece
        process.close()
        folder = said.strip()
        if not _PLACE.fullmatch(folder):
            raise HostError(f"{self._login.name}: `{TEMPORARY}` gave {shown(folder)}")
        return folder

    async def _status(self, command: str, heard: Heard) -> int:
        import asyncssh

        process = await self._open.create_process(
            command, stdin=asyncssh.DEVNULL, stderr=asyncssh.STDOUT, encoding=None
        )
        while piece := await process.stdout.read(PIECE):
            heard(piece)
        done = await process.wait()
        if done.exit_signal:
            heard(f"ended by signal {done.exit_signal[0]}\n".encode())
        if done.exit_status is None:
            raise HostError(f"the connection to {self._login.name} broke")
        return done.exit_status

    async def _copied(self, step: GuestStep) -> str:
        source, target = step.source, step.target
        data, mode = local(source)
        if self._other(step):
            return await self._put(step, data, mode)
        async with self._open.start_sftp_client() as files:
            place = f"{target.rstrip('/')}/{source.name}" if await files.isdir(target) else target
        if place.endswith("/"):
            raise HostError(f"{shown(target)} is not a directory in {self._login.name}")
        await write(self._open, data, place, mode)
        return place

    async def _put(self, step: GuestStep, data: bytes, mode: int) -> str:
        """Have another account copy it, from a folder that it is given."""
        user, folder = self._other(step), await self._folder()
        place = f"{folder}/file"
        try:
            await write(self._open, data, place, 0o600)
            await self._handed_over(user, folder)
            status, said = await self._answer(put(user, place, step, mode, secrets.token_hex(4)))
        finally:
            await self._cleared(place, folder, user)
        if status:
            raise HostError(f"{self._login.name}: {step.title}: {said}")
        return said

    async def _ended(self, place: str, user: str) -> None:
        """End a script that runs, and what it has begun.

        Not by a signal over the connection (RFC 4254 section 6.9): sshd passes none on to root's.
        """
        import asyncssh

        with suppress(asyncssh.Error, TimeoutError):
            async with asyncio.timeout(CLEAR):
                await self._open.run(f"{acting_as(user)}{END} {shlex.quote(place)}")

    async def _cleared(self, place: str, folder: str, user: str) -> None:
        """Remove what we put there; a guest that is gone has removed it in its own way."""
        import asyncssh

        with suppress(asyncssh.Error, TimeoutError):
            if user:
                async with asyncio.timeout(CLEAR):
                    await self._open.run(clear(folder))
            async with asyncio.timeout(CLEAR), self._open.start_sftp_client() as files:
                for path in (place, f"{place}.pid"):
                    with suppress(asyncssh.SFTPError):
                        await files.remove(path)
                await files.rmdir(folder)
