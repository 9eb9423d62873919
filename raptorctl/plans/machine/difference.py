"""How one key of a machine differs from what is asked for, and what would change that."""

import enum
from dataclasses import dataclass
from functools import cached_property

from raptorctl.model.facts import HostFacts
from raptorctl.model.image import Image
from raptorctl.model.made import Made, read_made
from raptorctl.model.names import MachineName
from raptorctl.model.spec import CLOUD_TEXTS, MachineSpec
from raptorctl.plans.machine.existing import Existing


class When(enum.Enum):
    """When a machine can become what is asked for."""

    SAME = "already so"
    NOW = "now"
    NEXT_START = "at its next start"
    REBUILD = "by a rebuild"
    REFUSED = "no command changes it"
    UNKNOWN = "not known"


@dataclass(frozen=True)
class Difference:
    """One key of a machine, as it is and as it shall be.

    Args:
        key: a field of `MachineSpec`.
        label: the same for people.
        has: what the machine has, for people; "" where nobody knows, or where what is asked for is
            missing beside others.
        wanted: what was asked for, likewise.
        when: when it can become so.
        how: the command, or what to do; "" where nothing is to do.
    """

    key: str
    label: str
    has: str
    wanted: str
    when: When = When.SAME
    how: str = ""

    @property
    def told(self) -> str:
        """What differs, in words."""
        if self.when is When.UNKNOWN:
            return f"{self.label} not known, {self.wanted} asked"
        if not self.has:
            return f"{self.label} lack {self.wanted}"
        return f"{self.label} {self.has}, not {self.wanted}"


@dataclass(frozen=True)
class Standing:
    """A machine that is there, and what is asked for in its name.

    Args:
        wanted: what is asked for.
        there: the machine.
        facts: the host.
        image, iso: that are asked for; without a digest while they are not in the cache.
    """

    wanted: MachineSpec
    there: Existing
    facts: HostFacts
    image: Image | None = None
    iso: Image | None = None

    @cached_property
    def made(self) -> Made | None:
        """What it was made with; None where its mark is from before that was kept."""
        return read_made(self.there.mark.made)

    @property
    def name(self) -> MachineName:
        """The machine's."""
        return self.there.mark.name

    @cached_property
    def rebuild(self) -> str:
        """The command that tells its cloud-init, at a disk that begins anew, all that is asked."""
        wanted, words = self.wanted, [f"raptorctl rebuild {self.name}"]
        if wanted.image:
            words.append(f"--image {wanted.image}")
        words += [f"--profile {name}" for name in wanted.profile or ()]
        for key in CLOUD_TEXTS:
            if getattr(wanted, key):
                option = f"--{key.replace('_', '-')} FILE"
                words.append(f"[{option}]" if wanted.profile else option)
        if wanted.network:
            words.append(f"--network {wanted.network.value}")
        return " ".join(words)

    @property
    def anew(self) -> str:
        """What to do about what never changes while the machine stands."""
        return f"raptorctl deprovision {self.name}, then provision it so"
