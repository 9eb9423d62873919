"""polkit, asked as libvirt asks it: over D-Bus, about a process of the person in question.

The interface is polkit's own, org.freedesktop.PolicyKit1.Authority
(https://www.freedesktop.org/software/polkit/docs/latest/eggdbus-interface-org.freedesktop.PolicyKit1.Authority.html).
"""

import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from jeepney import DBusAddress, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection
from jeepney.wrappers import DBusErrorResponse, unwrap_msg

from raptorctl.errors import CommandError, HostError, MissingError
from raptorctl.host.access.doors import daemons
from raptorctl.host.system import command, procfs
from raptorctl.model.access import PREFIX, Daemon, Question
from raptorctl.model.tenant import Account

AUTHORITY: Final = DBusAddress(
    "/org/freedesktop/PolicyKit1/Authority",
    bus_name="org.freedesktop.PolicyKit1",
    interface="org.freedesktop.PolicyKit1.Authority",
)
TIMEOUT: Final = 20.0
"""Seconds for one answer; polkit itself stops a rule after 15."""


class Polkit:
    """The polkit of this host; implements `raptorctl.drivers.account.Authority`."""

    def actions(self) -> tuple[str, ...]:
        """Return the identifiers of all of libvirt's actions that polkit knows.

        Raises:
            MissingError: there is no polkit.
            HostError: it does not answer.
        """
        with _connection() as bus:
            (found,) = _call(bus, "EnumerateActions", "s", ("C",))
        return tuple(sorted(action[0] for action in found if action[0].startswith(PREFIX)))

    def answers(self, account: Account, questions: Iterable[Question]) -> tuple[bool, ...]:
        """Return polkit's answers for a process of that account, in order.

        Raises:
            MissingError: there is no polkit.
            HostError: it does not answer.
        """
        with _connection() as bus, _process(account) as subject:
            return tuple(_ask(bus, subject, question) for question in questions)

    def unasked(self) -> tuple[Daemon, ...]:
        """Return libvirt's daemons that answer here and do not ask polkit."""
        return tuple(daemon for daemon in daemons() if not daemon.polkit)

    def allows(self, account: Account, action: str) -> bool:
        """Return polkit's answer about any action, for a process of that account.

        Raises:
            MissingError: there is no polkit.
            HostError: it does not answer.
        """
        with _connection() as bus, _process(account) as subject:
            return _check(bus, subject, action, {})

    def reload(self) -> None:
        """Have polkit read its rules anew, and wait until it has.

        Raises:
            HostError: it could not.
        """
        try:
            command.run("systemctl", "reload-or-restart", "polkit.service")
        except CommandError as error:
            raise HostError(f"polkit does not read its rules anew: {error.brief}") from error


@contextmanager
def _connection() -> Iterator[DBusConnection]:
    try:
        bus = open_dbus_connection(bus="SYSTEM")
    except OSError as error:
        raise MissingError(
            f"the system's D-Bus does not answer: {error}", resolution="systemctl start dbus"
        ) from error
    with bus:
        yield bus


@contextmanager
def _process(account: Account) -> Iterator[dict[str, tuple[str, Any]]]:
    """A process of the account that does nothing, as polkit's subject."""
    with subprocess.Popen(
        ("sleep", "600"),
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        # It is the account's, who may take what it has open (pidfd_getfd(2)): not our terminal.
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={"PATH": command.PATH},
        start_new_session=True,
    ) as process:
        try:
            yield {
                "pid": ("u", process.pid),
                "start-time": ("t", _start_time(process.pid)),
                "uid": ("i", account.uid),
            }
            if process.poll() is not None:  # without it, every answer is no
                raise HostError("the process that polkit was asked about has ended")
        finally:
            process.kill()


def _start_time(pid: int) -> int:
    """Clock ticks after boot; field 22 of proc_pid_stat(5), 20th after the name's bracket."""
    text = procfs.read(Path(f"/proc/{pid}/stat"))
    return int(text.rpartition(")")[2].split()[19])


def _ask(bus: DBusConnection, subject: dict[str, tuple[str, Any]], question: Question) -> bool:
    return _check(bus, subject, question.action, dict(question.details))


def _check(
    bus: DBusConnection, subject: dict[str, tuple[str, Any]], action: str, details: dict[str, str]
) -> bool:
    # Flags 0: nobody is asked for a password, as nobody would be by libvirt.
    body = (("unix-process", subject), action, details, 0, "")
    ((allowed, _challenge, _details),) = _call(bus, "CheckAuthorization", "(sa{sv})sa{ss}us", body)
    return bool(allowed)


def _call(bus: DBusConnection, method: str, signature: str, body: tuple[Any, ...]) -> Any:
    message = new_method_call(AUTHORITY, method, signature, body)
    try:
        return unwrap_msg(bus.send_and_get_reply(message, timeout=TIMEOUT))
    except DBusErrorResponse as error:
        raise HostError(f"polkit: {error.name}: {error.data}") from error
    except (OSError, TimeoutError) as error:
        raise HostError(f"polkit does not answer: {error}") from error
