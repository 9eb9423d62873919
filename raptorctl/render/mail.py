"""Mail that tells a tenant that their machine expires (RFC 5322; RFC 3834 for mail by machines)."""

import textwrap

from raptorctl.model.domain import Mark
from raptorctl.model.expiry import Expiry, plus

WIDTH = 72


def expiry_subject(mark: Mark) -> str:
    """The message's subject."""
    return f"{mark.name} expires on {mark.expires}"


def expiry_mail(mark: Mark, expiry: Expiry, host: str) -> str:
    """Write the message, to the tenant's account and to the admin who made the machine.

    Args:
        mark: the machine's.
        expiry: what the settings say.
        host: what the host is called.
    """
    retired = plus(mark.expires, expiry.grace_days)
    wiped = plus(retired, expiry.keep_days)
    to = ", ".join(dict.fromkeys((mark.tenant, mark.created_by)))
    paragraphs = (
        f"Your machine {mark.name} on {host} expires on {mark.expires}.",
        f"It is shut down then, and removed on {retired}. Its disks are kept until {wiped} and "
        "wiped after that.",
        f"To keep it, ask {mark.created_by} to extend it: raptorctl extend {mark.name} 90d",
    )
    body = "\n\n".join(textwrap.fill(one, WIDTH) for one in paragraphs)
    header = (
        f"To: {to}",
        f"Subject: {expiry_subject(mark)}",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=us-ascii",
    )
    return "\n".join(header) + f"\n\n{body}\n"
