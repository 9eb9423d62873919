"""`raptorctl audit`: who did what, to whose machine, and how it ended."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated

import typer

from raptorctl.api.audit import entries
from raptorctl.cli.listing import Listed, View, show_list
from raptorctl.cli.options import example
from raptorctl.cli.output import table, tell, width_of_output
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.model.audit import AuditEntry, parse_since
from raptorctl.model.codec import encode
from raptorctl.model.names import parse_tenant
from raptorctl.model.sizes import Size

Tenant = Annotated[
    str | None,
    typer.Option("--tenant", metavar="TENANT", help="Only this tenant.", show_default=False),
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since", metavar="TIME", help="7d, 12h, or 2026-11-20T14:00 (UTC).", show_default=False
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=example("sudo raptorctl audit --tenant alice --since 7d"))(audit)


@spread
def audit(
    context: typer.Context, tenant: Tenant = None, since: Since = None, *, how: Listed
) -> None:
    """Show who did what to which machine, when, and the outcome; oldest first."""
    wanted = None if tenant is None else parse_tenant(tenant)
    begin = None if since is None else parse_since(since, datetime.now(UTC))
    found, bad = entries(session_of(context), wanted, begin)
    for number in bad:
        tell(f"line {number} of the audit log cannot be read")
    nothing, more = "nothing of that kind is in the audit log", {"unreadable": list(bad)}
    show_list(found, View("entries", encode, _rows, nothing, ("job",), more), how)


def _rows(entries: Iterable[AuditEntry]) -> list[str]:
    head = ("WHEN", "WHAT", "ON", "BY", "OUTCOME", "WIPED")
    rows = [
        (
            entry.at.replace("T", " ").removesuffix("Z"),
            entry.verb,
            entry.machine,
            entry.by,
            entry.outcome + (f" by {entry.abandoned_by}" if entry.abandoned_by else ""),
            str(Size(sum(int(receipt.get("size", 0)) for receipt in entry.wiped)))
            if entry.wiped
            else "-",
        )
        for entry in entries
    ]
    return table(head, rows, right=("WIPED",), columns=width_of_output())
