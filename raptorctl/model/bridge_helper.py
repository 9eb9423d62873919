"""QEMU's bridge helper, which puts machines of people without root on bridges that root allows.

https://www.qemu.org/docs/master/system/devices/net.html; the rules are those of its own source,
qemu-bridge-helper.c, as no man page has them.
"""

from dataclasses import dataclass
from typing import Final

CONFIG: Final = "/etc/qemu/bridge.conf"
ALL: Final = "all"


@dataclass(frozen=True)
class BridgeHelper:
    """The helper of this host, and what it may do.

    Args:
        path: the program; "" where there is none.
        may: whether it has the rights that it needs: set-user-ID root, or its capability.
        rules: `allow` or `deny`, and a bridge's name or `all`, in order.
        unreadable: the file of rules that we cannot read, or "".
    """

    path: str = ""
    may: bool = False
    rules: tuple[tuple[str, str], ...] = ()
    unreadable: str = ""

    def obstacle(self, bridge: str) -> tuple[str, str]:
        """Why it does not give a bridge, and what root can do; "" twice where it does.

        What a file says that we cannot read is left to the helper.
        """
        if not self.path:
            return "QEMU's bridge helper is not there", "install qemu-system-common"
        if not self.may:
            return f"{self.path} has not the rights for it", f"as root: chmod u+s {self.path}"
        about = {verb for verb, name in self.rules if name in {ALL, bridge}}
        if "deny" in about:
            return f"{CONFIG} denies it", "have root remove that line"
        if "allow" in about or self.unreadable:
            return "", ""
        return f"{CONFIG} does not allow it", f"as root: echo 'allow {bridge}' >> {CONFIG}"


def read_rules(text: str) -> tuple[tuple[str, str], ...]:
    """Return the file's rules and its `include` lines; what the helper would not know is none."""
    lines = (line.partition("#")[0].split() for line in text.splitlines())
    return tuple(
        (words[0], words[1])
        for words in lines
        if len(words) == 2 and words[0] in {"allow", "deny", "include"}
    )
