"""Metrics of a host, for Prometheus."""

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from raptorctl import __version__
from raptorctl.api.session import Session
from raptorctl.errors import HostError, InputError
from raptorctl.model.metric import TEXTFILE
from raptorctl.model.names import shown

if TYPE_CHECKING:
    from raptorctl.plans.doctor.metrics import Seen


def text(session: Session) -> str:
    """Return the metrics in Prometheus's text format, from one look at the host.

    Raises:
        SettingsError: the settings cannot be read: nothing says what the host should be.
    """
    from raptorctl.plans.doctor.metrics import measured
    from raptorctl.render.metrics import metrics_text

    session.require_root()
    return metrics_text(measured(_seen(session)))


def write_textfile(session: Session, directory: Path) -> Path:
    """Write the metrics where node_exporter's textfile collector reads, whole or not at all.

    Args:
        session: the host.
        directory: the collector's; its readers need no right but to read.

    Raises:
        InputError: it is no absolute path.
        HostError: it is not there, or cannot be written; the file there is as it was.
    """
    from raptorctl.host.system.durable import replace_file

    if not directory.is_absolute():  # "" would be where we are
        raise InputError(
            f"--textfile: {shown(str(directory))} is no absolute path",
            resolution="name the directory of node_exporter's --collector.textfile.directory",
        )
    said, path = text(session), directory / TEXTFILE
    try:
        if not directory.is_dir():
            raise NotADirectoryError(0, "there is no such directory")
        replace_file(path, said.encode(), 0o644)
    except OSError as error:
        raise HostError(
            f"cannot write {path}: {error.strerror}",
            resolution="name the directory of node_exporter's --collector.textfile.directory",
        ) from error
    return path


def _seen(session: Session) -> "Seen":
    from raptorctl.api.doctor import judged
    from raptorctl.plans.doctor.metrics import Seen

    settings, past = session.settings, session.past()
    probe, findings = judged(session, for_metrics=True)
    facts = replace(probe.facts, reservations=session.journals.reservations())
    blind = frozenset(probe.troubles)
    return Seen(settings, facts, past, probe.jobs, findings, blind, __version__, time.time())
