"""Metrics: what a monitoring system reads of a host."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

TEXTFILE: Final = "raptorctl.prom"
"""What node_exporter's textfile collector reads: files that end in `.prom`."""
TEXTFILES: Final = "/var/lib/prometheus/node-exporter"
"""Where Debian's prometheus-node-exporter looks for them, and our timer writes."""
OLD_SECONDS: Final = 3600
"""After which metrics are told of as old; the timer writes every five minutes."""


class MetricKind(enum.StrEnum):
    """Prometheus's types, as far as we have them (its "Exposition formats", text format)."""

    GAUGE = "gauge"
    SUMMARY = "summary"


@dataclass(frozen=True)
class Sample:
    """One number.

    Args:
        value: in base units: bytes, seconds, seconds since the epoch.
        labels: that tell it from the metric's others.
        suffix: `_sum` or `_count` of a summary; "" otherwise.
    """

    value: float
    labels: Mapping[str, str] = field(default_factory=dict)
    suffix: str = ""


@dataclass(frozen=True)
class Metric:
    """All numbers of one name.

    Args:
        name: with its unit at the end.
        help: what it is, one sentence.
        samples: none where there is nothing to count.
        kind: how they are to be understood.
    """

    name: str
    help: str
    samples: tuple[Sample, ...]
    kind: MetricKind = MetricKind.GAUGE
