"""What is asked for of a new tenant."""

from dataclasses import dataclass

from raptorctl.model.ssh_key import PublicKey
from raptorctl.model.tenant import Mode, Quota


@dataclass(frozen=True)
class TenantRequest:
    """What a person asks for.

    Args:
        name: of the tenant, its grammar checked.
        mode: what they get at login; None: a shell, or what an adopted account has.
        keys: their public keys.
        quota: how much they may have.
        expires: the first day they cannot log in any more, ISO 8601, or "".
        adopt: take an account that is there already.
    """

    name: str
    mode: Mode | None = None
    keys: tuple[PublicKey, ...] = ()
    quota: Quota = Quota()
    expires: str = ""
    adopt: bool = False
