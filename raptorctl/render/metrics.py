"""Metrics as Prometheus's text format, version 0.0.4 (its documentation, "Exposition formats")."""

from collections.abc import Iterable, Iterator

from raptorctl.model.metric import Metric, Sample


def metrics_text(metrics: Iterable[Metric]) -> str:
    """Write metrics; one without samples is left out."""
    return "".join(f"{line}\n" for metric in metrics for line in _lines(metric))


def _lines(metric: Metric) -> Iterator[str]:
    if metric.samples:
        yield f"# HELP {metric.name} {_escaped(metric.help)}"
        yield f"# TYPE {metric.name} {metric.kind}"
    yield from (f"{metric.name}{_said(sample)}" for sample in metric.samples)


def _said(sample: Sample) -> str:
    labels = ",".join(f'{name}="{_quoted(value)}"' for name, value in sample.labels.items())
    return f"{sample.suffix}{f'{{{labels}}}' if labels else ''} {_number(sample.value)}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', '\\"')
