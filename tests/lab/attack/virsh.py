"""Every command of virsh that names a domain, against one domain: what virsh answers to each.

Runs in the lab, as whoever is to be tested, with Python's own library only. Arguments: the domain,
then virsh's options (`-r`, `-c URI`). Prints JSON: command -> [exit status, what was said].
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


def main() -> None:
    domain, options = sys.argv[1], sys.argv[2:]
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
    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(lambda said: virsh(options, said), commands.values())
        print(json.dumps(dict(zip(commands.values(), answers, strict=True))))


def call(name: str, text: str, domain: str) -> str:
    positional = name == "domstats" or re.search(r"^    \[--domain\]", text, re.MULTILINE)
    named = domain if positional else f"--domain {domain}"
    more = SPECIAL.get(name)
    if more is None:
        synopsis = text.partition("SYNOPSIS\n")[2].splitlines()[0].partition(name)[2]
        required = re.findall(r"(--[a-z-]+ )?<([a-z-]+)>", re.sub(r"\[[^\]]*\]", "", synopsis))
        more = " ".join(f"{o}{VALUES.get(v, '1')}" for o, v in required if v != "domain")
    return f"{name} {named} {more}".strip()


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
            timeout=TIMEOUT,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 124, "timeout"
    return done.returncode, done.stdout


if __name__ == "__main__":
    main()
