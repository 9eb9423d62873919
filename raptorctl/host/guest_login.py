"""The system's own ssh, with this terminal, and with no key trusted that is not known.

Everything that says who may answer is on its command line, so no file of ours is left anywhere:
`KnownHostsCommand` (ssh_config(5), OpenSSH 8.5) prints the known keys, which are public.
"""

import os
import shlex
from collections.abc import Sequence
from typing import Final

from raptorctl.errors import CommandError, HostError, InputError
from raptorctl.host import command
from raptorctl.host.guest_drivers import Login
from raptorctl.model.guest import Endpoint
from raptorctl.model.ssh_key import PublicKey, parse_keys

SCAN: Final = 30
"""Seconds for a server to show its keys (ssh-keyscan(1), -T)."""


def scan(at: Endpoint) -> tuple[PublicKey, ...]:
    """Return the host keys that a server shows; none when it does not answer.

    It proves nothing, but lets a changed key be told in one line; ssh itself checks again.
    """
    words = ("-T", str(SCAN), "-t", "ed25519,ecdsa,rsa", "-p", str(at.port), at.host)
    try:
        said = command.run("ssh-keyscan", *words, ok=(0, 1))
    except CommandError as error:
        raise HostError(f"the ssh server at {at} shows no key", details=error.details) from error
    return tuple(key for line in said.splitlines() for key in _key(line))


def become_ssh(login: Login, words: Sequence[str]) -> int:
    """Replace this process by ssh; what it exits with is our exit code.

    Raises:
        MissingError: there is no ssh.
        InputError: a word that no program can be given.
    """
    argv = arguments(login, words)
    if any("\0" in word for word in argv):
        raise InputError("a NUL cannot be handed to a program")
    os.execv(command.find("ssh"), argv)  # noqa: S606 - no shell, a fixed path


def arguments(login: Login, words: Sequence[str]) -> list[str]:
    """Return ssh's command line."""
    options = {
        "StrictHostKeyChecking": "yes",
        "KnownHostsCommand": _printing(login),
        "UserKnownHostsFile": "/dev/null",
        "GlobalKnownHostsFile": "/dev/null",
        "HostKeyAlias": login.name,
        "UpdateHostKeys": "no",
        "CheckHostIP": "no",
        "VerifyHostKeyDNS": "no",
        "ForwardAgent": "no",
    }
    said = [part for key, value in options.items() for part in ("-o", f"{key}={value}")]
    key = ["-i", str(login.identity), "-o", "IdentitiesOnly=yes"] if login.identity else []
    where = ["-l", login.user, "-p", str(login.at.port)]
    return ["ssh", *said, *key, *where, "--", login.at.host, *words]


def _printing(login: Login) -> str:
    """A command that prints the known hosts; ssh splits it as a shell would, and runs no shell."""
    lines = [f"{login.name} {key.type} {key.blob}" for key in login.host_keys]
    # printf repeats its format for each argument; %% is how ssh is told a percent sign (TOKENS).
    return f"{command.find('printf')} '%%s\\n' {' '.join(map(shlex.quote, lines))}"


def _key(line: str) -> tuple[PublicKey, ...]:
    if line.startswith("#") or not line.strip():
        return ()
    try:
        return parse_keys(line.partition(" ")[2])
    except InputError:  # a kind we do not take, or too weak
        return ()
