"""Who acts, and under which identifiers: chosen before anything is touched."""

import os
import pwd
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from raptorctl.plans.plan import Identity

ACCOUNT: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.@-]{0,63}", re.ASCII)
"""What may stand in the journal, a tag or XML as an account; wider than useradd(8) for NSS."""


def new_identity(environment: Mapping[str, str] = os.environ) -> Identity:
    """Choose a job's identifiers: sortable by time, unique on the host."""
    now = datetime.now(UTC)
    return Identity(
        job=f"{now:%Y%m%d-%H%M%S}-{os.urandom(2).hex()}",
        uuid=str(uuid.uuid4()),
        by=who(environment),
        at=f"{now:%Y-%m-%dT%H:%M:%SZ}",
    )


def who(environment: Mapping[str, str] = os.environ) -> str:
    """Name the admin: SUDO_USER where sudo said so, else the account that runs this."""
    said = environment.get("SUDO_USER", "")
    if os.geteuid() == 0 and ACCOUNT.fullmatch(said):
        return said
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
