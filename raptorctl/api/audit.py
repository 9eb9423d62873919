"""Who did what, to whose machine, and how it ended."""

from datetime import datetime

from raptorctl.api.session import Session
from raptorctl.model.audit import AuditEntry, parse_since


def entries(
    session: Session, tenant: str | None = None, since: datetime | None = None
) -> tuple[tuple[AuditEntry, ...], tuple[int, ...]]:
    """Return what the audit log tells, oldest first, and the numbers of lines that are not ours.

    Args:
        session: the host, and who asks: on behalf of a tenant, they see what concerns them.
        tenant: only this one's.
        since: nothing before that.

    Raises:
        RefusedError: the caller is not root.
    """
    if not session.is_root:
        session.require_root()
    found, bad = session.journals.audit.read()
    return tuple(
        entry
        for entry in found
        if tenant in {None, entry.tenant}
        and session.caller.sees(entry.tenant)
        and (since is None or parse_since(entry.at, since) >= since)
    ), bad
