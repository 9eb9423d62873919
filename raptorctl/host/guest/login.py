"""The system's own ssh, with this terminal, and with no key trusted that is not known.

Everything that says who may answer is on its command line, so no file of ours is left anywhere:
`KnownHostsCommand` (ssh_config(5), OpenSSH 8.5) prints the known keys, which are public.

Nobody calls ahead to see who is there: sshd counts calls that do not log in as attacks, and shuts
the whole host out after some (sshd_config(5), PerSourcePenalties). What ssh says of itself goes to
a log (ssh(1), -E) and becomes one line here; what the guest says goes to the terminal.
"""

import os
import re
import select
import shlex
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from raptorctl.drivers.guest import Login
from raptorctl.errors import (
    CommandError,
    HostError,
    InputError,
    MissingError,
    RaptorError,
    WaitError,
)
from raptorctl.host.system import command
from raptorctl.host.system.caller import caller
from raptorctl.model.cause import FILES_OF_SSH, LOGIN
from raptorctl.model.error_code import Code
from raptorctl.model.host_key import changed
from raptorctl.model.reason import Reason, why
from raptorctl.model.text import last_line

PATIENCE: Final = 10
"""Seconds for a server to answer: a first boot may start sshd anew after it has first answered."""
BEAT: Final = 0.5
"""Seconds between two looks for a signal, and between two calls."""
OWN: Final = 255
"""The status by which ssh tells of itself (ssh(1)); a command in the guest may have it, too."""
_ENTERED: Final = re.compile(r"^Authenticated to ", re.MULTILINE)  # ssh.c, at LogLevel VERBOSE
_ANOTHER: Final = re.compile(r"^Host key verification failed", re.MULTILINE)
_SHOWN: Final = re.compile(r"^(SHA256:[A-Za-z0-9+/]+)\.?$", re.MULTILINE)
_NOBODY: Final = re.compile(
    r"^(ssh: connect to |kex_exchange_identification|banner )"
    r"|^Connection (?:to \S+ port \d+ )?(?:closed|reset|timed out)",
    re.MULTILINE,
)
_BROKEN: Final = re.compile(r"^(Connection to .* closed by|client_loop: |Timeout, )", re.MULTILINE)


@dataclass(frozen=True)
class Ended:
    """One run of ssh.

    Args:
        status: as of subprocess: below zero by a signal.
        said: its own log.
    """

    status: int
    said: str

    @property
    def entered(self) -> bool:
        """Whether somebody was logged in; whatever came then, it is not to be done twice."""
        return bool(_ENTERED.search(self.said))


def log_in(login: Login, words: Sequence[str], tick: Callable[[], None]) -> int:
    """Run the system's ssh, and return its exit status.

    Args:
        login: how.
        words: what to run in the guest; none for a shell.
        tick: called twice a second; what it raises ends ssh.

    Raises:
        MissingError: there is no ssh.
        InputError: a word that no program can be given.
        HostError: another host key, no right to log in, or the connection broke.
        WaitError: nobody answers.
    """
    argv = arguments(login, words)
    if any("\0" in word for word in argv):
        raise InputError("a NUL cannot be passed to a program")
    began = time.monotonic()
    while True:
        ended = _run(argv, tick)
        error = _error(login, ended)
        if error is None:
            return 128 - ended.status if ended.status < 0 else ended.status
        if not isinstance(error, WaitError) or time.monotonic() - began >= PATIENCE:
            raise error
        tick()
        time.sleep(BEAT)


def _run(argv: Sequence[str], tick: Callable[[], None]) -> Ended:
    """Run ssh once, on our own terminal: it is in our group, so that ^C and ^Z reach it."""
    with tempfile.NamedTemporaryFile("r", prefix="raptorctl-ssh-", errors="replace") as log:
        words = (command.find("ssh"), "-E", log.name, *argv[1:])
        # Under sudo ssh runs as who typed it: it reads their key and their settings, and what it
        # can be asked for from the terminal (ssh(1), "ESCAPE CHARACTERS") has no rights of root's.
        who = caller()
        if who:
            os.fchown(log.fileno(), who.uid, who.gid)
        with subprocess.Popen(words, **(who.process() if who else {})) as process:
            try:
                _await(process.pid, tick)
            except BaseException:
                process.terminate()
                raise
        return Ended(process.returncode, log.read().replace("\r", ""))


def _await(pid: int, tick: Callable[[], None]) -> None:
    descriptor = os.pidfd_open(pid)
    try:
        while not select.select([descriptor], [], [], BEAT)[0]:
            tick()
    finally:
        os.close(descriptor)


def _error(login: Login, ended: Ended) -> RaptorError | None:
    """Make of what ssh says of itself the one line that a person reads."""
    said, name = ended.said, login.name
    last = last_line(said)
    if ended.status != OWN:
        return None
    if ended.entered:
        broken = _BROKEN.search(said)
        how = said[broken.start() :].partition("\n")[0] if broken else ""
        return HostError(f"the connection to {name} broke: {how}", details=said) if how else None
    if _ANOTHER.search(said):
        shown = _SHOWN.search(said)
        expected = ", ".join(key.fingerprint for key in login.host_keys)
        return changed(name, expected, shown[1] if shown else "none of that type")
    known = _known(said)
    if known.advice:
        return HostError(f"ssh to {name}: {known.line}", details=said, resolution=known.advice)
    if "Permission denied" in last:
        return HostError(
            f"{name} does not let {login.user} in",
            details=said,
            resolution="name a key with --identity, or another account with --user",
            code=Code.LOGIN_REFUSED,
            subject=name,
        )
    if _NOBODY.search(last):
        return WaitError(f"ssh of {name} at {login.at}", PATIENCE, last)
    return HostError(f"ssh to {name}: {last or 'it failed, and says nothing'}", details=said)


def _known(said: str) -> Reason:
    """The cause, if it is one that is known. What follows a guest's farewell may be its words."""
    ours, farewell, theirs = said.partition("Received disconnect from")
    found = why(ours, FILES_OF_SSH)
    return found if found.advice else why(f"{ours}{farewell}{theirs.partition(chr(10))[0]}", LOGIN)


def arguments(login: Login, words: Sequence[str]) -> list[str]:
    """Return ssh's command line."""
    options = {
        "LogLevel": "VERBOSE",
        "StrictHostKeyChecking": "yes",
        "KnownHostsCommand": _printing(login),
        "UserKnownHostsFile": "/dev/null",
        "GlobalKnownHostsFile": "/dev/null",
        "HostKeyAlias": login.name,
        "UpdateHostKeys": "no",
        "CheckHostIP": "no",
        "VerifyHostKeyDNS": "no",
        "ForwardAgent": "no",
        # A connection that is open already was made by its own idea of whom to trust.
        "ControlMaster": "no",
        "ControlPath": "none",
        "ConnectTimeout": str(PATIENCE),
    }
    said = [part for key, value in options.items() for part in ("-o", f"{key}={value}")]
    key = ["-i", str(login.identity), "-o", "IdentitiesOnly=yes"] if login.identity else []
    where = ["-l", login.user, "-p", str(login.at.port)]
    return ["ssh", *said, *key, *where, "--", login.at.host, *words]


def ssh_tries(login: Login) -> tuple[str, ...]:
    """Return the files of private keys that ssh would try by itself (ssh(1), -G).

    Its settings have a say, and its defaults; many of them are not there. Where there is no ssh,
    there are none.
    """
    try:
        said = command.run("ssh", "-G", *arguments(login, ())[1:])
    except (MissingError, CommandError):
        return ()
    return tuple(
        str(Path(line.partition(" ")[2]).expanduser())
        for line in said.splitlines()
        if line.startswith("identityfile ")
    )


def _printing(login: Login) -> str:
    """A command that prints the known hosts; ssh splits it as a shell would, and runs no shell."""
    lines = [f"{login.name} {key.type} {key.blob}" for key in login.host_keys]
    # printf repeats its format for each argument; %% is how ssh is told a percent sign (TOKENS).
    return f"{command.find('printf')} '%%s\\n' {' '.join(map(shlex.quote, lines))}"


def refused(login: Login) -> HostError:
    """Say by which keys a guest let nobody in."""
    tried = "your ssh agent" + (" and those that ssh tries" if login.files else "")
    file = f"the key in {login.identity}" if login.identity else f"the keys of {tried}"
    by = "the job's own key" if login.key else file
    return HostError(
        f"{login.name} lets {login.user} not in by {by}",
        resolution="name another one with --identity, or another --user",
    )
