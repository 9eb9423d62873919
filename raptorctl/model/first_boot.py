"""How far a guest came at its last boot, by its console and by what the host sees of it."""

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from raptorctl.model.boot_clue import CLUES, Clue
from raptorctl.model.boot_text import CONTROL, last_boot
from raptorctl.model.guest import Sight
from raptorctl.model.seed import SEED_DONE

LONGEST: Final = 160
"""Characters of what was seen that are worth telling."""


class Sign(enum.StrEnum):
    """What is known of a stage."""

    SEEN = "seen"
    FAILED = "failed"
    MISSING = "missing"
    UNKNOWN = "unknown"


FINISHED: Final = re.compile(r"Cloud-init v\. \S+ finished at .*|" + re.escape(SEED_DONE))
CLOUD_FAULTS: Final = re.compile(
    "|".join(f"(?:{c.fault.pattern})" for c in CLUES if c.fault and c.stage.startswith("cloud"))
)
NO_DHCP: Final = re.compile(
    r"No DHCPOFFERS received.*|(?:Failed to start|Timeout|timed out).{0,200}(?:networkd-wait-online"
    r"|network-online|Wait for Network).*|ci-info: \| {1,20}\w{1,20} {1,20}\| False .*",
    re.IGNORECASE,
)
NO_SSHD: Final = re.compile(r"Failed to start sshd?\.service.*")


@dataclass(frozen=True)
class BootFacts:
    """What the host sees of a guest from outside.

    Args:
        state: libvirt's word.
        active: whether it is switched on.
        seconds: since it was switched on, or None.
        frames: how many it has sent on its bridge, or None where its port is not found.
        leases: what the DHCP server said about its MAC since then; None where we may not know.
        address: what was seen at the slot's address, and whether it answers.
        ssh: likewise, of its ssh server.
        agent: likewise, of its agent; None where we may not ask.
        mac: the slot's.
    """

    state: str
    active: bool
    seconds: float | None
    frames: int | None
    leases: tuple[str, ...] | None
    address: Sight
    ssh: Sight
    agent: Sight | None
    mac: str


@dataclass(frozen=True)
class Stage:
    """One stage of a boot: its name, what is known of it, and what was seen."""

    name: str
    mark: Sign
    seen: str = ""

    def encode(self) -> dict[str, Any]:
        """Return the shape that `why -o json` documents."""
        return {"stage": self.name, "mark": self.mark.value, "seen": self.seen}


@dataclass(frozen=True)
class Explanation:
    """How far a boot came.

    Args:
        stages: in order.
        reached: the last one that was seen, or "".
        problem: one sentence; "" when all is well.
        advice: what to try; "" likewise.
    """

    stages: tuple[Stage, ...]
    reached: str
    problem: str = ""
    advice: str = ""

    def encode(self) -> dict[str, Any]:
        """Return the shape that `why -o json` documents."""
        return {
            "reached": self.reached,
            "problem": self.problem,
            "advice": self.advice,
            "stages": [stage.encode() for stage in self.stages],
        }


def cloud_init(console: str) -> Sight:
    """Say whether cloud-init has finished, and how, by what a console said since the last boot."""
    text = CONTROL.sub("", last_boot(console))
    done, fault = FINISHED.search(text), CLOUD_FAULTS.search(text)
    if done and fault:
        return Sight(so=False, seen=_short(fault[0]), problem=f"it failed: {_short(fault[0])}")
    if done:
        return Sight(so=True, seen=_short(done[0]))
    stages = [stage for stage in _console_stages(text) if stage.mark is not Sign.MISSING]
    return Sight(so=False, seen=f"it at {stages[-1].name}" if stages else "nothing of it yet")


def explain(console: str, facts: BootFacts) -> Explanation:
    """Put together how far a guest came, what it hangs at, and what to try.

    Args:
        console: what it said since it was switched on.
        facts: what the host sees.
    """
    if not facts.active:
        stage = Stage("power", Sign.MISSING, facts.state)
        return Explanation((stage,), "", f"it is {facts.state}", "start it: `raptorctl start`")
    text = last_boot(console)
    told = _console_stages(text)
    if facts.address.so:  # only a kernel answers there, whether the console told of it or not
        told[2:4] = map(_passed, told[2:4])
    stages = (_power(facts), *told[:4], _dhcp(facts), *told[4:], *_reached(facts))
    seen = [stage.name for stage in stages if stage.mark in {Sign.SEEN, Sign.FAILED}]
    problem, advice = _judge(CONTROL.sub("", text), stages, facts)
    return Explanation(stages, seen[-1], problem, advice)


def _power(facts: BootFacts) -> Stage:
    since = "" if facts.seconds is None else f" for {facts.seconds:.0f} s"
    return Stage("power", Sign.SEEN, f"{facts.state}{since}")


def _console_stages(text: str) -> list[Stage]:
    """The stages that a console tells; what must have been on the way to a later one was passed."""
    said = [(line, CONTROL.sub("", line)) for line in text.splitlines()]
    stages = [_stage(clue, said, text) for clue in CLUES]
    last = max((n for n, stage in enumerate(stages) if stage.mark is not Sign.MISSING), default=-1)
    return [
        _passed(stage) if number < last and not stage.name.startswith("cloud-init") else stage
        for number, stage in enumerate(stages)
    ]


def _passed(stage: Stage) -> Stage:
    missing = stage.mark is Sign.MISSING
    return Stage(stage.name, Sign.UNKNOWN, "not told, but passed") if missing else stage


def _stage(clue: Clue, said: list[tuple[str, str]], text: str) -> Stage:
    """Judge a stage by each line as it is and without its control characters."""
    once = dict.fromkeys(said)
    signs = {both for both in once if any(map(clue.sign.search, both))}
    sign = next((both[1].strip() or "it speaks" for both in reversed(said) if both in signs), "")
    faults = (clue.fault.search(plain) for _, plain in once) if clue.fault else ()
    fault = next((found[0].strip() for found in faults if found), "")
    if fault and not _recovered(clue, text):
        return Stage(clue.stage, Sign.FAILED, _short(fault))
    return Stage(clue.stage, Sign.SEEN if sign or fault else Sign.MISSING, _short(sign or fault))


def _recovered(clue: Clue, text: str) -> bool:
    """Whether the boot went on: firmware tries one option after the other."""
    later = {"firmware": CLUES[2:], "boot loader": CLUES[2:], "root filesystem": CLUES[4:]}
    return any(one.sign.search(text) for one in later.get(clue.stage, ()))


def _dhcp(facts: BootFacts) -> Stage:
    name = "network"
    if facts.address.so:
        return Stage(name, Sign.SEEN, facts.address.seen)
    if facts.address.problem:  # QEMU's own network: nothing of it is seen from outside
        return Stage(name, Sign.UNKNOWN, "QEMU's own")
    if facts.leases:
        return Stage(name, Sign.SEEN, _short(facts.leases[-1]))
    sent = "" if facts.frames is None else f"{facts.frames} frames sent, "
    if facts.leases is None:
        return Stage(name, Sign.MISSING if facts.frames == 0 else Sign.UNKNOWN,
                     f"{sent}only an admin sees DHCP requests")  # fmt: skip
    return Stage(name, Sign.MISSING, f"{sent}no DHCP request of {facts.mac}")


def _reached(facts: BootFacts) -> Iterator[Stage]:
    yield Stage("ssh", Sign.SEEN if facts.ssh.so else Sign.MISSING, _short(facts.ssh.seen))
    if facts.agent is None:
        yield Stage("agent", Sign.UNKNOWN, "only an admin may ask")
    else:
        mark = Sign.SEEN if facts.agent.so else Sign.MISSING
        yield Stage("agent", mark, _short(facts.agent.seen))


def _judge(text: str, stages: tuple[Stage, ...], facts: BootFacts) -> tuple[str, str]:
    """What it hangs at, in one sentence, and what to try; by a text without control characters."""
    advice = {clue.stage: clue.advice for clue in CLUES}
    failed = [stage for stage in stages if stage.mark is Sign.FAILED]
    if failed:
        worst = failed[-1] if failed[-1].name == "root filesystem" else failed[0]
        return f"{worst.name} failed: {worst.seen}", advice[worst.name]
    if facts.ssh.so:
        return _late(text, stages)
    if not text.strip():
        return _silent(facts)
    return _stuck(text, stages, facts, advice)


def _late(text: str, stages: tuple[Stage, ...]) -> tuple[str, str]:
    """Of a guest that answers: whether cloud-init, if it is there, still works."""
    begun = [s for s in stages if s.name.startswith("cloud-init") and s.mark is Sign.SEEN]
    if not begun or FINISHED.search(text):
        return "", ""
    return f"ssh answers, but cloud-init has not finished: it is at {begun[-1].name}", (
        "`raptorctl wait --for cloud-init`"
    )


def _silent(facts: BootFacts) -> tuple[str, str]:
    if facts.address.so:
        return "its console says nothing, but it is on the network; ssh does not answer", (
            "put `console=hvc0` or `console=ttyS0` on its kernel's command line"
        )
    return "its console has said nothing since it was switched on", (
        "wait for the firmware; an empty disk, or a kernel without `console=hvc0`, stays silent"
    )


def _stuck(
    text: str, stages: tuple[Stage, ...], facts: BootFacts, advice: dict[str, str]
) -> tuple[str, str]:
    told = {stage.name: stage for stage in stages}
    network = told["network"]
    complaint = NO_DHCP.search(text)
    late = any(told[n].mark is Sign.SEEN for n in ("root filesystem", "login", "cloud-init local"))
    if late and not (facts.address.so or facts.address.problem):
        said = _short(complaint[0]) if complaint else network.seen
        if network.mark is Sign.SEEN:
            said = f"the DHCP server answered ({network.seen}), but nothing answers at the address"
        return f"it runs, but is not on the network: {said}", (
            "its image must ask for an address by DHCP on the interface with MAC "
            f"{facts.mac}; see `ip addr` on its console"
        )
    if told["login"].mark is Sign.SEEN:
        return _no_ssh("it is up", text, facts)
    if facts.address.so and not late:
        return _no_ssh("it is on the network", text, facts)
    seen = [stage for stage in stages if stage.mark is Sign.SEEN and stage.name in advice]
    last = seen[-1] if seen else told["power"]
    then = advice.get(last.name, "wait a little, and look again")
    said = text.strip().splitlines()[-1]
    return f"it is at {last.name}; the last it said is: {_short(said)}", then


def _no_ssh(where: str, text: str, facts: BootFacts) -> tuple[str, str]:
    if failed := NO_SSHD.search(text):
        return f"{where}, but its ssh server does not start: {_short(failed[0])}", (
            "`systemctl status ssh` on its console says why; host keys that a reset came too soon "
            "for are empty: `cloud-init single --name ssh --frequency always` writes them again"
        )
    return f"{where}, but ssh does not answer: {facts.ssh.seen}", (
        "its image needs an ssh server that is started, and open in its firewall"
    )


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 2]}.."
