"""The shell of tenants without a shell: their login shell, and sshd's ForceCommand.

Exact words and nothing else. No program is started, no file is named: what is typed is compared
with a table, and a machine's name with its grammar. Options are for `request` alone, of its table.
"""

import os
import pwd
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from raptorctl.api.machine import listed
from raptorctl.api.session import Session
from raptorctl.cli.edge import run
from raptorctl.cli.output import say, tell
from raptorctl.cli.shell_request import request_words
from raptorctl.errors import RaptorError
from raptorctl.model.exit_code import BAD_INPUT, DONE, REFUSED
from raptorctl.model.names import MACHINE, MACHINE_LENGTH, TENANT, shown
from raptorctl.model.tenant import TENANT_SHELL

LONGEST: Final = 200
"""Characters of a line; the longest that means something has 65."""

WORDS: Final = re.compile(r"[a-z0-9-]+( [a-z0-9-]+)*", re.ASCII)
BARE: Final = ("list", "web", "help", "exit")
ON_A_MACHINE: Final = {
    "console": "console",
    "start": "start",
    "stop": "stop",
    "reboot": "reboot",
    "status": "show",
}
HELP: Final = """\
list           your machines, and those that others share with you
status dev     all about one
console dev    its console; ^] leaves
start dev      start it
stop dev       shut it down
reboot dev     ask it to boot anew
request ...    ask for a machine, or a change of one: provision web
               --size 20G --cpus 2 --image debian:13, resize, rebuild,
               snapshot create|restore|delete, deprovision, share dev bob
               --console|--operate --until DATE, unshare, shares; list,
               show, withdraw; -y goes without asking, --dry-run shows the
               plan
web            a link to your page
exit           leave
Of a machine that alice shares with you, say `alice-dev` or `alice dev`."""


def main() -> None:
    """Do what was asked for over ssh, or ask for it."""
    asked = asked_for(sys.argv[1:], os.environ)
    tenant = pwd.getpwuid(os.getuid()).pw_name
    _forget_surroundings()
    if not TENANT.fullmatch(tenant):
        tell(f"{shown(tenant)} is not a tenant's name")
        sys.exit(REFUSED)
    sys.exit(interactive(tenant) if asked is None else obey(tenant, asked))


def asked_for(arguments: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """What was asked for in one line; None where somebody sits at a prompt.

    sshd runs a login shell with `-c` and the ForceCommand, which is this program, and says in a
    variable what was typed (sshd_config(5)); `su -c` hands over the line itself.
    """
    if len(arguments) == 2 and arguments[0] == "-c" and arguments[1] != TENANT_SHELL:
        return arguments[1]
    return environment.get("SSH_ORIGINAL_COMMAND")


def obey(tenant: str, line: str) -> int:
    """Do what one line says; returns the exit code."""
    if len(line) <= LONGEST and (asked := request_words(line)):
        return run(asked)
    words = understood(line.removeprefix("raptorctl "))  # as who has a shell types it
    if words is None:
        tell("that is none of the words here; `help` lists them")
        return BAD_INPUT
    if words == ["help"]:
        say(HELP)
        return DONE
    if words == ["list"]:
        return run(["list"])
    if words == ["web"]:
        return run(["web"])
    verb, *machine = words
    return run([ON_A_MACHINE[verb], *meant(tenant, machine)]) if machine else DONE


def understood(line: str) -> list[str] | None:
    """The words of a line, if they are exactly what can be said here."""
    if len(line) > LONGEST or not WORDS.fullmatch(line):
        return None
    words = line.split(" ")
    if len(words) == 1 and words[0] in BARE:
        return words
    verb, *rest = words
    if verb not in ON_A_MACHINE or not rest or not _is_machine(rest[-1]):
        return None
    fits = len(rest) == 1 or (len(rest) == 2 and TENANT.fullmatch(rest[0]))
    return words if fits else None


def meant(tenant: str, machine: list[str]) -> list[str]:
    """Whose machine is named: `dev` is their own, `alice dev` another's.

    `alice-dev` is their own machine of that name, or alice's if she shares it with them.
    """
    if len(machine) == 2:
        return machine
    (word,) = machine
    return machine if "-" in word and _is_shared(tenant, word) else [tenant, word]


def _is_shared(tenant: str, word: str) -> bool:
    with suppress(RaptorError):
        own, shared = (Session().host.domains.named(name) for name in (f"{tenant}-{word}", word))
        return own is None and shared is not None
    return False


def _is_machine(word: str) -> bool:
    return len(word) <= MACHINE_LENGTH and MACHINE.fullmatch(word) is not None


def interactive(tenant: str) -> int:
    """Take lines until the end of input or `exit`."""
    # ^\\ and ^Z would end or stop the only thing there is.
    for signum in (signal.SIGQUIT, signal.SIGTSTP):
        signal.signal(signum, signal.SIG_IGN)
    _tell_what_expires()
    code = DONE
    while True:
        sys.stdout.write(f"{tenant}> ")
        sys.stdout.flush()
        try:
            line = _read_line()
        except (KeyboardInterrupt, UnicodeDecodeError):
            say()
            continue
        if not line or line.strip() == "exit":
            return code
        if line.strip():
            code = obey(tenant, line.rstrip("\n"))


def _tell_what_expires() -> None:
    """What is to be known at login; a libvirt that does not answer is told of by other words."""
    with suppress(RaptorError, KeyboardInterrupt):
        for machine in listed(Session()):
            if machine.expires and not machine.shared:
                tell(f"{machine.name.machine} expires on {machine.expires}")


def _read_line() -> str:
    """A line of what is typed; the rest of one that is too long is thrown away."""
    line = rest = sys.stdin.readline(LONGEST + 2)
    while rest and not rest.endswith("\n"):
        rest = sys.stdin.readline(LONGEST + 2)
    return line


def _forget_surroundings() -> None:
    """What a client may send along (AcceptEnv) means nothing here."""
    kept = {name: os.environ[name] for name in ("TERM", "LANG", "COLUMNS") if name in os.environ}
    os.environ.clear()
    os.environ.update(kept, PATH="/usr/bin:/bin")


if __name__ == "__main__":
    main()
