"""Who asks, by what right, and under which identifiers: chosen before anything is touched."""

import os
import pwd
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from raptorctl.model.stamp import stamp

if TYPE_CHECKING:
    from raptorctl.plans.plan import Identity

ACCOUNT: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.@-]{0,63}", re.ASCII)
"""What may stand in the journal, a tag or XML as an account; wider than useradd(8) for NSS."""
_GIVEN: Final[set[str]] = set()
"""Names of jobs."""


@dataclass(frozen=True)
class Caller:
    """Who asks, and by what right.

    Args:
        name: the account, as the journal, the audit log and the domain's metadata tell it.
        root: whether they may ask LVM, change the host and read every console's log.
        tenant: the only tenant whose machines they see; "" for all that libvirt shows. A program
            that runs as root, such as a web server, says here for whom it asks.
    """

    name: str
    root: bool = False
    tenant: str = ""

    def sees(self, tenant: str) -> bool:
        """Whether a tenant's machines are for them to see."""
        return self.tenant in {"", tenant}


def this_process(environment: Mapping[str, str] = os.environ) -> Caller:
    """Return who runs this process: SUDO_USER where sudo said so, else its account."""
    return Caller(who(environment), root=os.geteuid() == 0)


def new_identity(by: str) -> "Identity":
    """Choose a job's identifiers: sortable by time, unique on the host.

    Args:
        by: the caller's name.
    """
    from raptorctl.plans.plan import Identity

    now = datetime.now(UTC)
    return Identity(
        job=_unused(f"{now:%Y%m%d-%H%M%S}"),
        uuid=str(uuid.uuid4()),
        by=by,
        at=stamp(now),
    )


def _unused(second: str) -> str:
    """Choose one that this process has not given: it may begin many jobs in one second.

    The journal refuses what another process has given meanwhile (`Journals.begin`).
    """
    while (job := f"{second}-{os.urandom(2).hex()}") in _GIVEN:
        pass
    _GIVEN.add(job)
    return job


def who(environment: Mapping[str, str] = os.environ) -> str:
    """Name the admin: SUDO_USER where sudo said so, else the account that runs this."""
    said = environment.get("SUDO_USER", "")
    if os.geteuid() == 0 and ACCOUNT.fullmatch(said):
        return said
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
