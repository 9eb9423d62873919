"""Every command of virsh that names a domain, against one domain: what virsh answers to each.

Runs in the lab, as whoever is to be tested, with Python's own library only. Arguments: `each` or
`refused`, the domain, then virsh's options (`-r`, `-c URI`). Prints JSON: command -> [exit status,
what was said].

`each` starts a virsh for each command, a minute of an emulated host. Where all are refused, four are
enough: virsh goes on with its next command whatever became of the last. Its exit status is that of
the last one; who is refused is told by what was said.
"""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

# What stands for a required argument, by the name virsh has for it; others get "1".
VALUES = {
    "file": "/etc/hostname",
    "xml": "/etc/hostname",
    "source": "/dev/null",
    "target": "vdb",
    "path": "vda",
    "disk": "vda",
    "device": "vda",
    "interface": "vnet0",
    "desturi": "qemu+ssh://localhost/system",
    "uri": "https://raptorctl.dev/xmlns/machine/1",
    "user": "root",
    "password": "x",
    "state": "up",
    "type": "bridge",
    "newname": "stolen",
    "new-name": "stolen",
    "signame": "kill",
    "snapshotname": "s",
    "alias": "console0",
    "size": "1G",
}

# Commands whose help does not say how they are called, or that act only when told more.
SPECIAL = {
    "blockresize": "vda --size 1M",
    "blockcopy": "vda --dest /dev/null",
    "send-key": "28",
    "lxc-enter-namespace": "/bin/true",
    "qemu-monitor-command": "--hmp info",
    "qemu-agent-command": "{}",
    "qemu-monitor-event": "--timeout 1",
    "set-lifecycle-action": "poweroff destroy",
    "setvcpu": "0 --enable",
    "event": "--event lifecycle --timeout 1",
    "domstats": "",
    "domjobinfo": "",
    "desc": "--title stolen",
    "domtime": "--now",
    "screenshot": "/dev/null",
}

# What would wait for a person, an editor or for ever is bounded by this, in seconds.
TIMEOUT = 30
AT_A_TIME = 4


def main() -> None:
    how, domain, *options = sys.argv[1:]
    names = re.findall(r"^    ([a-z][a-z-]+) ", virsh([], "help")[1], re.MULTILINE)
    commands = {}
    for text in re.split(
        r"^  NAME\n",
        virsh([], "; ".join(f"help {name}" for name in names))[1],
        flags=re.MULTILINE,
    )[1:]:
        name = text.split()[0]
        if name in SPECIAL or re.search(r"^    \[?--domain\]? <string>", text, re.MULTILINE):
            commands[name] = call(name, text, domain)
    lines = list(commands.values())
    parts = [[line] for line in lines]
    if how == "refused":
        parts = [lines[number::AT_A_TIME] for number in range(AT_A_TIME)]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        answers = pool.map(lambda part: answered(options, part), parts)
        print(json.dumps(dict(pair for part in answers for pair in part)))


def call(name: str, text: str, domain: str) -> str:
    positional = name == "domstats" or re.search(r"^    \[--domain\]", text, re.MULTILINE)
    named = domain if positional else f"--domain {domain}"
    more = SPECIAL.get(name)
    if more is None:
        synopsis = text.partition("SYNOPSIS\n")[2].splitlines()[0].partition(name)[2]
        required = re.findall(r"(--[a-z-]+ )?<([a-z-]+)>", re.sub(r"\[[^\]]*\]", "", synopsis))
        more = " ".join(f"{o}{VALUES.get(v, '1')}" for o, v in required if v != "domain")
    return f"{name} {named} {more}".strip()


def answered(options: list[str], lines: list[str]) -> list[tuple[str, tuple[int, str]]]:
    """Give all lines to one virsh, and return its exit status and what it said to each."""
    script = "; ".join(f"echo @@{number}@@; {line}" for number, line in enumerate(lines))
    status, said = virsh(options, script)
    parts = re.split(r"@@(\d+)@@", said)[1:]
    found = zip(parts[::2], parts[1::2], strict=True)
    return [(lines[int(number)], (status, text)) for number, text in found]


def virsh(options: list[str], said: str) -> tuple[int, str]:
    environment = {**os.environ, "EDITOR": "true", "VISUAL": "true", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["virsh", "-q", *options, said],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=TIMEOUT * (1 + said.count(";")),
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        return 124, (error.stdout or b"").decode(errors="replace") + "timeout"
    return done.returncode, done.stdout


if __name__ == "__main__":
    main()
