"""How ssh would reach another host: by the settings, keys and known hosts of whoever typed sudo.

OpenSSH itself tells (ssh(1), -G), run with their rights; what it names is read with them, too.
"""

import os
import pwd
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from raptorctl.errors import HostError, InputError, RefusedError
from raptorctl.host.system.as_caller import run_as_caller
from raptorctl.host.system.caller import caller, read_given
from raptorctl.model.error_code import Code
from raptorctl.model.image_target import SshPlace, parse_ssh
from raptorctl.model.names import shown
from raptorctl.model.sizes import MIB

if TYPE_CHECKING:
    import asyncssh

LARGEST: Final = 8 * MIB
"""Bytes of a file of keys or of known hosts."""


@dataclass(frozen=True)
class SshWay:
    """What ssh's settings say of a host.

    Args:
        host: the name or address that is called.
        port: of its server.
        user: who logs in.
        alias: what its host key is known by, or "".
        identities: files of private keys that are tried.
        known: files of known hosts.
        agent: the socket of an agent, or "".
        called: what whoever typed it calls the host, or "".
        over: the hosts that it is reached over, in order (ssh_config(5), ProxyJump).
    """

    host: str
    port: int
    user: str
    alias: str
    identities: tuple[str, ...]
    known: tuple[str, ...]
    agent: str
    called: str = ""
    over: tuple["SshWay", ...] = ()


def way_to(place: SshPlace) -> SshWay:
    """Ask ssh's settings.

    Raises:
        RefusedError: they lead over a program, or over a host that is reached over others itself.
        MissingError: there is no ssh.
        CommandError: the settings are wrong.
    """
    way, jump = _asked(place)
    return replace(way, over=tuple(_hops(jump, place))) if jump else way


def _hops(jump: str, place: SshPlace) -> Iterator[SshWay]:
    for number, word in enumerate(jump.split(",")):
        try:
            hop = parse_ssh(f"ssh://{word.removeprefix('ssh://')}/-")
        except InputError as error:
            raise RefusedError(
                f"ssh reaches {place.host} over {shown(word)}, which is no host"
            ) from error
        way, further = _asked(hop)
        # Settings for all hosts name it for itself as well; ssh does not go round in a circle.
        if number == 0 and further not in {"", jump}:
            raise _unfollowed(hop.host, "proxyjump")
        yield way


def _unfollowed(host: str, key: str) -> RefusedError:
    return RefusedError(
        f"ssh reaches {host} by {key}, which is not followed",
        resolution=f"forward a port, `ssh -L 2222:{host}:22 JUMP`, and name that",
    )


def _asked(place: SshPlace) -> tuple[SshWay, str]:
    """Return what the settings say of one host, and the hosts that it is reached over."""
    words = [*(("-p", str(place.port)) if place.port else ()),
             *(("-l", place.user) if place.user else ())]  # fmt: skip
    said = run_as_caller(("ssh", "-G", *words, "--", place.host)).decode(errors="replace")
    told: dict[str, list[str]] = {}
    for line in said.splitlines():
        key, _, value = line.partition(" ")
        told.setdefault(key, []).append(value)
    if told.get("proxycommand", ["none"])[0] != "none":
        raise _unfollowed(place.host, "proxycommand")
    first = {key: values[0] for key, values in told.items()}
    known = f"{first.get('userknownhostsfile', '')} {first.get('globalknownhostsfile', '')}".split()
    agent = first.get("identityagent", "SSH_AUTH_SOCK")
    jump = first.get("proxyjump", "none")
    way = SshWay(
        first.get("hostname", place.host),
        int(first.get("port", "22")),
        first.get("user", place.user),
        first.get("hostkeyalias", "").replace("none", ""),
        tuple(map(_expanded, told.get("identityfile", []))),
        tuple(map(_expanded, known)),
        os.environ.get("SSH_AUTH_SOCK", "") if agent == "SSH_AUTH_SOCK" else _expanded(agent),
        called=place.host,
    )
    return way, "" if jump == "none" else jump


def keys_of(way: SshWay) -> "list[asyncssh.SSHKeyPair]":
    """Load the keys that need no passphrase; the others are the agent's to know."""
    import asyncssh

    found: list[asyncssh.SSHKeyPair] = []
    for path in way.identities:
        with suppress(InputError, ValueError):
            key = read_given(path, LARGEST, follow=True)
            found += asyncssh.load_keypairs([_with_certificate(path, key)])
    return found


def known_hosts(way: SshWay) -> "asyncssh.SSHKnownHosts":
    """Read the known hosts.

    Raises:
        HostError: a line is none.
    """
    import asyncssh

    try:
        return asyncssh.import_known_hosts("\n".join(_texts(way)))
    except ValueError as error:
        raise HostError(f"known_hosts cannot be read: {error}") from error


def untrusted(way: SshWay, known: "asyncssh.SSHKnownHosts") -> HostError | RefusedError:
    """Say that a host shows a key that is not known."""
    trusted = known.match(way.alias or way.host, "", way.port)[0]
    if not trusted:
        return RefusedError(
            f"no host key of {way.host} is known",
            resolution=f"`ssh {way.host}` once, and compare its fingerprint",
            code=Code.HOST_KEY_UNKNOWN,
            subject=way.host,
        )
    return HostError(
        f"{way.host} shows another host key than the one in known_hosts",
        resolution="ask whoever runs it; `ssh-keygen -R` forgets the old one",
        code=Code.HOST_KEY_CHANGED,
        subject=way.host,
    )


def _texts(way: SshWay) -> Iterator[str]:
    for path in way.known:
        with suppress(InputError):
            yield read_given(path, LARGEST, follow=True).decode(errors="replace")


def _with_certificate(path: str, key: bytes) -> bytes | tuple[bytes, bytes]:
    try:
        return key, read_given(f"{path}-cert.pub", LARGEST, follow=True)
    except InputError:
        return key


def _expanded(path: str) -> str:
    who = caller()
    home = pwd.getpwuid(who.uid if who else os.geteuid()).pw_dir
    return home + path[1:] if path.startswith("~/") else path
