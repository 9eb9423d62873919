"""Petitions: what a tenant asks root's service for, who asks, and what became of it.

On the command line they are requests; `Request` is what planners are given.
"""

import enum
import re
from dataclasses import dataclass, field
from typing import Final

from raptorctl.errors import RefusedError
from raptorctl.model.error_code import Code
from raptorctl.model.sizes import Size

ID: Final = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{4}", re.ASCII)


@dataclass(frozen=True)
class Petition:
    """What a tenant asks for, of a machine of theirs. None is not said.

    There is no word here for a tenant, a path, a bridge, a slot or a host's CPU: what cannot be
    said cannot be asked for.

    Args:
        verb: one of `READS` in `read/petition.py`.
        machine: what its owner calls it.
        size: of its disk, or of the room of a snapshot, bytes.
        cpus: how many.
        memory: bytes.
        image: what its disk begins as, a name.
        profile: names of profiles.
        expires: see `raptorctl.model.expiry`.
        user_data: the text of a cloud-config or a script. May hold secrets.
        keys: public keys that its guest lets in, one per line.
        name: of a snapshot.
        no_start: leave it off.
        force: switch it off at once.
        other: another tenant, with whom it is shared.
        grant: what they may do, `console` or `operate`.
        until: see `raptorctl.model.share.parse_until`.
    """

    verb: str
    machine: str
    size: Size | None = None
    cpus: int | None = None
    memory: Size | None = None
    image: str | None = None
    profile: tuple[str, ...] = ()
    expires: str | None = None
    user_data: str | None = field(default=None, repr=False)
    keys: str | None = None
    name: str | None = None
    no_start: bool = False
    force: bool = False
    other: str | None = None
    grant: str | None = None
    until: str | None = None

    @property
    def right(self) -> str:
        """The word of the policy that allows it."""
        return self.verb.partition("-")[0]


@dataclass(frozen=True)
class Petitioner:
    """Who asks, as the kernel says it.

    Args:
        tenant: the account's name.
        uid: its number: another of that name, later, is somebody else.
    """

    tenant: str
    uid: int


class PetitionState(enum.Enum):
    """What became of it."""

    WAITING = "waiting"
    BEGUN = "begun"
    DONE = "done"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


@dataclass(frozen=True)
class KeptPetition:
    """A petition as root's file has it.

    Args:
        id: sortable by time.
        who: who asked.
        at: when, UTC, ISO 8601.
        petition: what for.
        beyond: why it waited for an admin, one line each; empty where it was done at once.
        state: what became of it.
        by: the admin who answered.
        answered: when, UTC, ISO 8601.
        why: what they said.
        job: that did it.
    """

    id: str
    who: Petitioner
    at: str
    petition: Petition
    beyond: tuple[str, ...] = ()
    state: PetitionState = PetitionState.WAITING
    by: str = ""
    answered: str = ""
    why: str = ""
    job: str = ""

    @property
    def machine(self) -> str:
        """The domain that it is about."""
        return f"{self.who.tenant}-{self.petition.machine}"

    @property
    def asked(self) -> str:
        """What it asks for, in the words of the command line, without texts that are long."""
        return f"{self.petition.verb.replace('-', ' ')} {self.petition.machine}" + "".join(
            f" {word}" for word in words(self.petition)
        )


def answered(now: KeptPetition) -> RefusedError:
    """Why one that was answered cannot be answered again."""
    by = f" by {now.by}" if now.by else ""
    way = "see `raptorctl job list`: its job may have been cut off"
    return RefusedError(
        f"request {now.id} is {now.state.value}{by}, since {now.answered or now.at}",
        resolution=way if now.state is PetitionState.BEGUN else "",
        code=Code.REQUEST_ANSWERED,
        subject=now.id,
    )


def words(petition: Petition) -> tuple[str, ...]:
    """What is asked for, as options of the command line; of texts only that they are there."""
    said = [
        (f"--{key} {getattr(petition, key)}")
        for key in ("size", "cpus", "memory", "image", "expires")
        if getattr(petition, key) is not None
    ]
    said += [f"--profile {name}" for name in petition.profile]
    said += [petition.name] if petition.name else []
    said += [petition.other] if petition.other else []
    said += [f"--{petition.grant}"] if petition.grant else []
    said += [f"--until {petition.until}"] if petition.until else []
    for key in ("user_data", "keys", "no_start", "force"):
        if getattr(petition, key):
            said.append(f"--{key.replace('_', '-')}")
    return tuple(said)
