"""`raptorctl metrics`: what Prometheus reads of a host."""

from pathlib import Path
from typing import Annotated

import typer

from raptorctl.cli.options import example
from raptorctl.cli.output import say_text
from raptorctl.cli.session import session_of

Directory = Annotated[
    Path | None,
    typer.Option(
        "--textfile",
        metavar="DIR",
        help="Write raptorctl.prom into this directory, where node_exporter reads it.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    line = "sudo raptorctl metrics"
    app.command(epilog=example(line, f"{line} --textfile /var/lib/prometheus/node-exporter"))(
        metrics
    )


def metrics(context: typer.Context, textfile: Directory = None) -> None:
    """Print metrics of the host in Prometheus's text format.

    Slots, CPUs, quotas, the volume group, jobs, pending wipes, what doctor finds.
    """
    from raptorctl.api import metrics as api

    session = session_of(context)
    if textfile is None:
        say_text(api.text(session))
    else:
        api.write_textfile(session, textfile)
